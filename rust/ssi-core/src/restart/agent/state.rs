// SPDX-License-Identifier: GPL-2.0
//! What a participant of a restart waits for.

use super::claim::Claims;
use crate::node::NodeSet;

/// What a participant waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::restart) enum State {
    /// `Engage`.
    Fresh,
    /// Parts, their building, `Go`.
    Building {
        /// Parts that were asked for.
        asked: NodeSet,
        /// Those of them that are not built.
        left: NodeSet,
        /// Questions for the PIDs of parts that are read.
        claims: Claims,
    },
    /// The root is lost, all is built: `Go` from one who got it, for a short time.
    Orphaned,
    /// The host's letting go.
    Going,
    /// The host's taking back. `owed`: the root asked.
    TakingBack {
        /// Whether an answer is owed.
        owed: bool,
    },
    /// Nothing.
    Ended,
}

impl State {
    pub(in crate::restart) const fn name(&self) -> &'static str {
        match self {
            State::Fresh => "Fresh",
            State::Building { .. } => "Building",
            State::Orphaned => "Orphaned",
            State::Going => "Going",
            State::TakingBack { .. } => "TakingBack",
            State::Ended => "Ended",
        }
    }
}
