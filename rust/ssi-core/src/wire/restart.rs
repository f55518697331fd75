// SPDX-License-Identifier: GPL-2.0
//! Messages of a restart between its coordinator and the nodes that take part.

use crate::failure::Failure;
use crate::limits::CLAIM_MAX;
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

record! {
    /// Answer to [`Engage`].
    pub struct Engaged {
        /// Nodes that the participant holds for alive, itself among them.
        pub up: NodeSet,
    }
}

signals! {
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
    /// Does your node run a process with one of these PIDs, or is it about to? To nodes that need
    /// not take part. All claims of a part come one after the other; the last is answered with
    /// [`Free`], if none was with [`Taken`].
    pub struct Claim {
        /// The part that the PIDs are of.
        pub part: NodeId,
        /// PIDs of the part in claims that follow, 0: this is the last.
        pub left: u32,
        /// PIDs of processes and threads; 0: none.
        pub pids: [u32; CLAIM_MAX],
    }
}

record! {
    /// Answer to the last [`Claim`] of a part: I have none of its PIDs.
    pub struct Free {
        /// The part.
        pub part: NodeId,
    }
}

record! {
    /// Answer to a [`Claim`]: a process of mine has this PID.
    pub struct Taken {
        /// The part.
        pub part: NodeId,
        /// The PID.
        pub pid: u32,
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
        /// Who has one of these PIDs?
        Claim = 57,
        /// I do not.
        Free = 58,
        /// I do.
        Taken = 59,
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
            Message::Engage(_)
            | Message::Restore(_)
            | Message::Go(_)
            | Message::TakeBack(_)
            | Message::Claim(_)
            | Message::Free(_)
            | Message::Taken(_) => false,
        }
    }
}

impl Claim {
    /// The first claim of `pids`, and those that are left for the next.
    pub fn first(part: NodeId, pids: &[u32]) -> (Claim, &[u32]) {
        let (now, later) = pids.split_at_checked(CLAIM_MAX).unwrap_or((pids, &[]));
        let mut claim = Claim {
            part,
            left: u32::try_from(later.len()).unwrap_or(u32::MAX),
            pids: [0; CLAIM_MAX],
        };
        for (slot, pid) in claim.pids.iter_mut().zip(now) {
            *slot = *pid;
        }
        (claim, later)
    }

    /// What the node is asked for.
    pub fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.pids.iter().copied().filter(|pid| *pid != 0)
    }
}
