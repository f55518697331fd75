// SPDX-License-Identifier: GPL-2.0
//! Messages of a restart between its coordinator and the nodes that take part.

use crate::failure::Failure;
use crate::node::{NodeId, NodeSet};
use crate::record;
use crate::restart::{Options, Restored as Totals};

record! {
    /// To every node that takes part, before any part is restored.
    pub struct Engage {
        /// What is restarted, and for whom.
        pub options: Options,
        /// All nodes that take part.
        pub participants: NodeSet,
    }
}

signals! {
    /// Answer to [`Engage`].
    Engaged,
    /// All parts are restored: every process continues.
    Go,
    /// Answer to [`Go`].
    Gone,
    /// Answer to [`TakeBack`].
    TakenBack,
}

record! {
    /// Restore one part; a node may get several.
    pub struct Restore {
        /// The node that wrote it.
        pub part: NodeId,
    }
}

record! {
    /// Answer to [`Restore`].
    pub struct Restored {
        /// The node that wrote the part.
        pub part: NodeId,
        /// What it held.
        pub totals: Totals,
    }
}

record! {
    /// A participant failed.
    pub struct Failed {
        /// Why.
        pub failure: Failure,
    }
}

record! {
    /// Kill what was created and forget the operation.
    pub struct TakeBack {
        /// Why.
        pub failure: Failure,
    }
}

protocol! {
    /// A restart.
    pub enum Message {
        /// Take part.
        Engage = 48,
        /// I do.
        Engaged = 49,
        /// Restore a part.
        Restore = 50,
        /// It is restored, and held.
        Restored = 51,
        /// I failed.
        Failed = 52,
        /// Let everything go.
        Go = 53,
        /// It runs.
        Gone = 54,
        /// Undo everything.
        TakeBack = 55,
        /// Nothing is left.
        TakenBack = 56,
    }
}

impl Message {
    /// Whether the coordinator is meant, and not a participant.
    pub const fn is_for_root(&self) -> bool {
        match self {
            Message::Engaged(_)
            | Message::Restored(_)
            | Message::Failed(_)
            | Message::Gone(_)
            | Message::TakenBack(_) => true,
            Message::Engage(_) | Message::Restore(_) | Message::Go(_) | Message::TakeBack(_) => {
                false
            }
        }
    }
}
