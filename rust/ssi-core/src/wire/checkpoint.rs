// SPDX-License-Identifier: GPL-2.0
//! Messages of a checkpoint between the agents of one operation.

use crate::checkpoint::{Counts, Found, Options, Seed, Totals, Version};
use crate::failure::Failure;
use crate::node::NodeSet;
use crate::record;

record! {
    /// Go on looking from `seed` on your node, and stop what you find.
    pub struct Enlist {
        /// What the caller asked for.
        pub options: Options,
        /// Where to start.
        pub seed: Seed,
    }
}

record! {
    /// Exactly one for each [`Enlist`] and each [`Relay`](super::relay::Relay).
    pub struct Ack {
        /// 1: the sender of the Enlist is the agent's parent. Otherwise 0.
        pub adopted: u32,
        /// What the agent and those it enlisted found.
        pub found: Found,
    }
}

signals! {
    /// Everything is stopped: save all send queues.
    SaveSend,
    /// Answer to [`SaveSend`]: done in this part of the tree.
    SendSaved,
    /// All send queues are saved: save everything else.
    Snapshot,
    /// Everything is saved: the application runs again.
    Release,
    /// The version is committed; the operation is over.
    Done,
    /// All is stopped, and committed if that was asked for: send the signal, let the processes go.
    Signal,
    /// Answer to [`Abort`].
    Aborted,
    /// The coordinator is lost after your part was reported: keep the part, the operation is over.
    Orphaned,
}

record! {
    /// Answer to [`Snapshot`].
    pub struct Snapped {
        /// Sums over this part of the tree.
        pub counts: Counts,
    }
}

record! {
    /// Answer to [`Signal`]; the operation is over in this part of the tree.
    pub struct Signalled {
        /// Processes that got it.
        pub counts: Counts,
        /// Their nodes.
        pub nodes: NodeSet,
        /// A node whose processes may not have got it, 0: none.
        pub lost: u32,
    }
}

record! {
    /// Write the images of this version. Follows [`Release`].
    pub struct Write {
        /// Which.
        pub version: Version,
    }
}

record! {
    /// Answer to [`Write`]: the parts are durable.
    pub struct Written {
        /// Sums over this part of the tree.
        pub totals: Totals,
        /// How many nodes wrote a part.
        pub parts: u32,
        /// Those of them that kernels can be.
        pub nodes: NodeSet,
    }
}

impl Written {
    /// Nothing was written.
    pub const NOTHING: Written = Written {
        totals: Totals::ZERO,
        parts: 0,
        nodes: NodeSet::EMPTY,
    };

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Written) -> Written {
        Written {
            totals: self.totals.plus(&other.totals),
            parts: self.parts.saturating_add(other.parts),
            nodes: self.nodes.union(&other.nodes),
        }
    }
}

record! {
    /// To the parent: this agent has failed, and its part of the tree is being aborted.
    pub struct Failed {
        /// Why.
        pub failure: Failure,
    }
}

record! {
    /// To all that were enlisted: let the processes go, remove what was saved.
    pub struct Abort {
        /// Why.
        pub failure: Failure,
    }
}

protocol! {
    /// A checkpoint.
    pub enum Message {
        /// Look from here.
        Enlist = 32,
        /// Looked.
        Ack = 33,
        /// Save send queues.
        SaveSend = 34,
        /// Saved.
        SendSaved = 35,
        /// Save all else.
        Snapshot = 36,
        /// Saved.
        Snapped = 37,
        /// Let go.
        Release = 38,
        /// Write.
        Write = 39,
        /// Written.
        Written = 40,
        /// Committed.
        Done = 41,
        /// I failed.
        Failed = 42,
        /// Give up.
        Abort = 43,
        /// Given up.
        Aborted = 44,
        /// The root is gone.
        Orphaned = 45,
        /// Signal and let go.
        Signal = 80,
        /// Signalled.
        Signalled = 81,
    }
}
