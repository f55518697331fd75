// SPDX-License-Identifier: GPL-2.0
//! The restart protocol: place, create, bind streams, release or take back.
//!
//! See docs/protocol/restart.md.

mod agent;
mod root;
#[cfg(test)]
mod tests;

pub use agent::{answer, stray, Agent, AgentEffect, AgentEvent};
pub use root::{Report, Root, RootEffect, RootEvent};

use crate::record;
use crate::text::Path;

record! {
    /// What is restarted, and for whom.
    pub struct Options {
        /// Application id.
        pub application: u64,
        /// Version of it.
        pub version: u32,
        /// The caller's user id.
        pub uid: u32,
        /// The caller's group id.
        pub gid: u32,
        /// `RESTART_*` bits of the system call.
        pub flags: u32,
        /// Absolute path of the store on every node.
        pub store: Path,
        /// Absolute path of the file for external standard streams; empty: the caller's.
        pub output: Path,
    }
}

record! {
    /// What was restored.
    pub struct Restored {
        /// Processes.
        pub processes: u32,
        /// Ends of streams.
        pub streams: u32,
        /// Smallest PID of a restored head root, 0: none.
        pub head_root: u32,
        /// Sum of the digests of the parts, wrapping.
        pub digest: u64,
    }
}

impl Restored {
    /// Nothing.
    pub const ZERO: Restored = Restored {
        processes: 0,
        streams: 0,
        head_root: 0,
        digest: 0,
    };

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Restored) -> Restored {
        Restored {
            processes: self.processes.saturating_add(other.processes),
            streams: self.streams.saturating_add(other.streams),
            head_root: match (self.head_root, other.head_root) {
                (0, pid) | (pid, 0) => pid,
                (a, b) => a.min(b),
            },
            digest: self.digest.wrapping_add(other.digest),
        }
    }
}

/// An event that cannot happen in this state: a bug of the host or of a peer. The machine is as
/// it was; the host logs it and cancels the operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Name of the state.
    pub state: &'static str,
    /// Name of the event or message.
    pub event: &'static str,
}
