// SPDX-License-Identifier: GPL-2.0
//! What agents add up on the way to the root: coordinators hold counts, not lists.

use crate::node::NodeSet;
use crate::record;

record! {
    /// A version of an application.
    pub struct Version {
        /// Application id.
        pub application: u64,
        /// From 1.
        pub number: u32,
    }
}

record! {
    /// What was snapshotted.
    pub struct Counts {
        /// Processes.
        pub processes: u32,
        /// Threads.
        pub threads: u32,
        /// Streams: pipes, and connections by their lower end, so that each counts once.
        pub streams: u32,
        /// Bytes in flight in pipes and connections.
        pub stream_bytes: u64,
    }
}

impl Counts {
    /// Nothing.
    pub const ZERO: Counts = Counts {
        processes: 0,
        threads: 0,
        streams: 0,
        stream_bytes: 0,
    };

    /// The sum, at most the largest number.
    #[must_use]
    pub fn plus(&self, other: &Counts) -> Counts {
        Counts {
            processes: self.processes.saturating_add(other.processes),
            threads: self.threads.saturating_add(other.threads),
            streams: self.streams.saturating_add(other.streams),
            stream_bytes: self.stream_bytes.saturating_add(other.stream_bytes),
        }
    }
}

record! {
    /// What was written.
    pub struct Totals {
        /// Bytes on the media.
        pub bytes: u64,
        /// Sum of the digests of all parts, wrapping.
        pub digest: u64,
        /// Longest pause of any one node, nanoseconds.
        pub pause_ns_max: u64,
    }
}

impl Totals {
    /// Nothing.
    pub const ZERO: Totals = Totals {
        bytes: 0,
        digest: 0,
        pause_ns_max: 0,
    };

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Totals) -> Totals {
        Totals {
            bytes: self.bytes.saturating_add(other.bytes),
            digest: self.digest.wrapping_add(other.digest),
            pause_ns_max: self.pause_ns_max.max(other.pause_ns_max),
        }
    }
}

impl Report {
    /// Nothing was saved; these processes got a signal.
    pub const fn signalled(counts: Counts, nodes: NodeSet) -> Report {
        Report {
            version: Version {
                application: 0,
                number: 0,
            },
            counts,
            totals: Totals::ZERO,
            parts: 0,
            nodes,
        }
    }
}

/// What a checkpoint made: the content of the commit record and of the caller's report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// The version.
    pub version: Version,
    /// What it holds.
    pub counts: Counts,
    /// What it took.
    pub totals: Totals,
    /// How many nodes wrote a part.
    pub parts: u32,
    /// Those of them that kernels can be: in a cluster of kernels all.
    pub nodes: NodeSet,
}
