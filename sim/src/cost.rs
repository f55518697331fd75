// SPDX-License-Identifier: GPL-2.0
//! How long things take: the world asks, a model answers.

pub mod chart;
pub mod coordination;
pub mod document;
pub mod figures;
pub mod hardware;
pub mod interval;
mod letter;
pub mod measured;
pub mod profile;
pub mod recovery;
pub mod resource;
pub mod scale;
pub mod shape;
pub mod transfer;

use crate::queue::{Nanos, MS, US};
use crate::random::Random;
use ssi_core::node::NodeId;

/// What takes time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// A message of a protocol, from when it is handed over until it arrives.
    Message {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// On the wire.
        bytes: u64,
    },
    /// Bytes of an application's connection.
    Segment {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// On the wire.
        bytes: u64,
    },
    /// Until one process has come to rest.
    StopProcess,
    /// Looking for who belongs to the application, among this many processes.
    Scan {
        /// Of the node.
        processes: u64,
    },
    /// Send queues.
    SaveSend {
        /// In them.
        bytes: u64,
    },
    /// Everything else, with the address spaces cloned.
    Snapshot {
        /// That are snapshotted.
        processes: u64,
        /// In their address spaces.
        bytes: u64,
    },
    /// The version's folder.
    OpenVersion,
    /// Writing to the media.
    Write {
        /// The node that writes.
        node: NodeId,
        /// Of the part.
        bytes: u64,
    },
    /// Waiting until what was written is durable.
    Sync {
        /// The node that waits.
        node: NodeId,
    },
    /// Undoing what was done.
    Discard,
    /// Reading a part.
    Read {
        /// The node that reads.
        node: NodeId,
        /// Of the part.
        bytes: u64,
    },
    /// Creating the processes of a part.
    Create {
        /// How many.
        processes: u64,
        /// In their address spaces.
        bytes: u64,
    },
    /// Letting processes go.
    LetGo,
}

/// A model of what things cost.
pub trait Cost {
    /// How long `act` takes.
    fn of(&mut self, act: Act) -> Nanos;
}

/// Always the same: what a story wants.
pub struct Steady;

impl Cost for Steady {
    fn of(&mut self, act: Act) -> Nanos {
        match act {
            Act::Message { .. } | Act::Segment { .. } => 100 * US,
            Act::StopProcess | Act::Scan { .. } | Act::LetGo => 300 * US,
            Act::SaveSend { .. } | Act::Snapshot { .. } | Act::Discard => MS,
            Act::OpenVersion | Act::Write { .. } | Act::Sync { .. } => 3 * MS,
            Act::Read { .. } | Act::Create { .. } => 5 * MS,
        }
    }
}

/// Anything between almost nothing and long, by chance: what an exploration wants.
pub struct Chance {
    random: Random,
    /// Nanoseconds of a typical act.
    typical: Nanos,
}

impl Chance {
    /// A model that draws from `random`.
    pub fn new(mut random: Random) -> Chance {
        let typical = [20 * US, 200 * US, 2 * MS, 20 * MS][random.index(4)];
        Chance { random, typical }
    }
}

impl Cost for Chance {
    fn of(&mut self, act: Act) -> Nanos {
        let typical = match act {
            Act::Message { .. } | Act::Segment { .. } => 100 * US,
            Act::StopProcess
            | Act::Scan { .. }
            | Act::SaveSend { .. }
            | Act::Snapshot { .. }
            | Act::OpenVersion
            | Act::Write { .. }
            | Act::Sync { .. }
            | Act::Discard
            | Act::Read { .. }
            | Act::Create { .. }
            | Act::LetGo => self.typical,
        };
        // Now and then something is slow, and something much slower.
        let times = match self.random.below(64) {
            0 => 100,
            1..=7 => 10,
            _ => 1,
        };
        1 + self.random.below(2 * typical * times)
    }
}
