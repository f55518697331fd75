// SPDX-License-Identifier: GPL-2.0
//! The commit record goes to all nodes: whoever has it makes the version exist.

use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::node::{NodeId, NodeSet};

/// What happens to a seal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealEvent {
    /// First event: all parts are durable, twice.
    Start {
        /// All other nodes that are up.
        to: NodeSet,
    },
    /// `Recorded` came.
    Recorded(NodeId),
    /// `Unrecorded` came.
    Unrecorded(NodeId, Failure),
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
}

/// What a seal wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealEffect {
    /// Send the record to these nodes, at least one.
    Send {
        /// Receivers.
        to: NodeSet,
    },
    /// Another node has the record, or may have it: the root writes its own.
    Done,
    /// No other node has the record, nor may have it.
    Fail(Failure),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Fresh,
    /// No other node has said that it has the record. `doubt`: one may have it.
    Waiting {
        left: NodeSet,
        doubt: bool,
        failure: Failure,
    },
    Over,
}

/// One commit record on its way to the other nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal {
    pub(super) state: State,
}

type Sink<'a> = &'a mut dyn FnMut(SealEffect);

impl Default for Seal {
    fn default() -> Seal {
        Seal::new()
    }
}

impl Seal {
    /// Nothing has been sent.
    pub const fn new() -> Seal {
        Seal {
            state: State::Fresh,
        }
    }

    /// Name of the state, as in the golden table.
    pub const fn state(&self) -> &'static str {
        match self.state {
            State::Fresh => "Fresh",
            State::Waiting { doubt: false, .. } => "Waiting",
            State::Waiting { doubt: true, .. } => "Doubting",
            State::Over => "Over",
        }
    }

    /// Takes an event and says what to do: at most one effect. Answers of nodes that were not
    /// asked, or have answered, say nothing new.
    pub fn step(&mut self, event: SealEvent, out: Sink<'_>) {
        use State as S;
        match (self.state, event) {
            (S::Fresh, SealEvent::Start { to }) => {
                let nobody = Failure::new(FailureCode::NodeUnreachable);
                self.wait(to, false, nobody.named(b"no other node is up"), out);
                if !to.is_empty() {
                    out(SealEffect::Send { to });
                }
            }
            (S::Waiting { left, .. }, SealEvent::Recorded(node)) if left.contains(node) => {
                self.state = S::Over;
                out(SealEffect::Done);
            }
            (S::Waiting { left, doubt, .. }, SealEvent::Unrecorded(node, failure))
                if left.contains(node) =>
            {
                self.wait(left.without(&NodeSet::only(node)), doubt, failure, out);
            }
            (S::Waiting { left, failure, .. }, SealEvent::PeerDown(node))
                if left.contains(node) =>
            {
                self.wait(left.without(&NodeSet::only(node)), true, failure, out);
            }
            (S::Fresh | S::Waiting { .. } | S::Over, _) => {}
        }
    }

    fn wait(&mut self, left: NodeSet, doubt: bool, failure: Failure, out: Sink<'_>) {
        self.state = State::Waiting {
            left,
            doubt,
            failure,
        };
        if left.is_empty() {
            self.state = State::Over;
            // A record that may be on some media cannot be taken back.
            out(match doubt {
                true => SealEffect::Done,
                false => SealEffect::Fail(failure),
            });
        }
    }
}

impl SealEvent {
    /// Name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            SealEvent::Start { .. } => "Start",
            SealEvent::Recorded(_) => "Recorded",
            SealEvent::Unrecorded(_, _) => "Unrecorded",
            SealEvent::PeerDown(_) => "PeerDown",
        }
    }
}
