// SPDX-License-Identifier: GPL-2.0
//! The root of a flush: has all parts written, then the commit record, or has all removed.

use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits::{ABORT_MS_MAX, WRITE_MS_MAX};
use crate::node::{NodeId, NodeSet};
use crate::wire::flush::Flushed;

/// What happens to a root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootEvent {
    /// First event: it is known who writes what.
    Start {
        /// All who are asked, the root itself among them.
        to: NodeSet,
    },
    /// `Flushed` came.
    Flushed(NodeId, Flushed),
    /// `Unflushed` came.
    Unflushed(NodeId, Failure),
    /// `Forgotten` came.
    Forgotten(NodeId),
    /// [`RootEffect::Commit`] is done.
    Committed,
    /// It could not be done, and nobody has the record.
    NotCommitted(Failure),
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
    /// The time of the [`RootEffect::Timer`] with this number is over.
    Deadline(u32),
}

/// What a root wants done, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootEffect {
    /// Send `Flush` to these nodes, each with its share.
    Ask {
        /// Receivers, at least one.
        to: NodeSet,
    },
    /// Write the commit record, and give what was written the version's name. All parts are
    /// durable.
    Commit,
    /// Send `Settled`: the version is committed.
    Settle {
        /// Receivers.
        to: NodeSet,
    },
    /// Send `Forget`.
    Forget {
        /// Receivers.
        to: NodeSet,
    },
    /// Deliver [`RootEvent::Deadline`] after `ms`, and none with another number.
    Timer {
        /// Of this stage.
        number: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// Answer the caller: bytes of all parts, as often as they were written.
    Reply(Result<u64, Failure>),
    /// The root can be dropped. Always the last effect.
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Fresh,
    /// `Flushed` is due from these.
    Writing {
        waiting: NodeSet,
        bytes: u64,
        digest: u64,
    },
    /// The record is on its way: only who writes it can say what comes of it.
    Committing {
        bytes: u64,
    },
    /// `Forgotten` is due from these.
    Aborting {
        waiting: NodeSet,
        failure: Failure,
    },
    Over,
}

/// One flush, where it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    /// Wrapping sum of the digests of all parts that are written.
    expected: u64,
    asked: NodeSet,
    pub(super) state: State,
}

const WRITING: u32 = 1;
const ABORTING: u32 = 2;

type Sink<'a> = &'a mut dyn FnMut(RootEffect);

impl Root {
    /// Of a version with this digest, whose parts are written so often.
    pub const fn new(digest: u64, copies: u64) -> Root {
        Root {
            expected: digest.wrapping_mul(copies),
            asked: NodeSet::EMPTY,
            state: State::Fresh,
        }
    }

    /// Name of the state, as in the golden table.
    pub const fn state(&self) -> &'static str {
        match self.state {
            State::Fresh => "Fresh",
            State::Writing { .. } => "Writing",
            State::Committing { .. } => "Committing",
            State::Aborting { .. } => "Aborting",
            State::Over => "Over",
        }
    }

    /// Takes an event and says what to do: at most three effects. What comes late, or from nodes
    /// that were not asked, says nothing.
    pub fn step(&mut self, event: RootEvent, out: Sink<'_>) {
        use RootEvent as E;
        use State as S;
        match (self.state, event) {
            (S::Fresh, E::Start { to }) => self.start(to, out),
            (S::Writing { waiting, .. }, E::Flushed(node, part)) if waiting.contains(node) => {
                self.flushed(node, part, out);
            }
            (S::Writing { .. }, E::Unflushed(node, failure)) if self.asked.contains(node) => {
                self.abort(failure, out);
            }
            // Also of who is done: what is durable there may have been lost with it.
            (S::Writing { .. }, E::PeerDown(node)) if self.asked.contains(node) => {
                self.asked.remove(node);
                self.abort(Failure::new(FailureCode::NodeDied).on(node), out);
            }
            (S::Writing { waiting, .. }, E::Deadline(WRITING)) => {
                let silent = waiting.nth(0);
                let failure = Failure::new(FailureCode::NodeUnreachable);
                self.abort(silent.map_or(failure, |node| failure.on(node)), out);
            }
            (S::Committing { bytes }, E::Committed) => {
                out(RootEffect::Settle { to: self.asked });
                self.end(Ok(bytes), out);
            }
            (S::Committing { .. }, E::NotCommitted(failure)) => self.abort(failure, out),
            (S::Aborting { waiting, failure }, E::Forgotten(node) | E::PeerDown(node)) => {
                self.gone(waiting.without(&NodeSet::only(node)), failure, out);
            }
            (S::Aborting { failure, .. }, E::Deadline(ABORTING)) => self.end(Err(failure), out),
            (
                S::Fresh | S::Writing { .. } | S::Committing { .. } | S::Aborting { .. } | S::Over,
                _,
            ) => {}
        }
    }

    fn start(&mut self, to: NodeSet, out: Sink<'_>) {
        self.asked = to;
        self.state = State::Writing {
            waiting: to,
            bytes: 0,
            digest: 0,
        };
        out(RootEffect::Timer {
            number: WRITING,
            ms: WRITE_MS_MAX,
        });
        out(RootEffect::Ask { to });
    }

    fn flushed(&mut self, node: NodeId, part: Flushed, out: Sink<'_>) {
        let State::Writing {
            waiting,
            bytes,
            digest,
        } = self.state
        else {
            return;
        };
        let waiting = waiting.without(&NodeSet::only(node));
        let bytes = bytes.saturating_add(part.bytes);
        let digest = digest.wrapping_add(part.digest);
        self.state = State::Writing {
            waiting,
            bytes,
            digest,
        };
        if !waiting.is_empty() {
            return;
        }
        if digest != self.expected {
            let other = Failure::new(FailureCode::Damaged);
            return self.abort(other.named(b"the parts are not those of the version"), out);
        }
        self.state = State::Committing { bytes };
        out(RootEffect::Commit);
    }

    fn abort(&mut self, failure: Failure, out: Sink<'_>) {
        out(RootEffect::Timer {
            number: ABORTING,
            ms: ABORT_MS_MAX,
        });
        if !self.asked.is_empty() {
            out(RootEffect::Forget { to: self.asked });
        }
        self.gone(self.asked, failure, out);
    }

    fn gone(&mut self, waiting: NodeSet, failure: Failure, out: Sink<'_>) {
        self.state = State::Aborting { waiting, failure };
        if waiting.is_empty() {
            self.end(Err(failure), out);
        }
    }

    fn end(&mut self, result: Result<u64, Failure>, out: Sink<'_>) {
        self.state = State::Over;
        out(RootEffect::Reply(result));
        out(RootEffect::End);
    }
}

impl RootEvent {
    /// Name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            RootEvent::Start { .. } => "Start",
            RootEvent::Flushed(..) => "Flushed",
            RootEvent::Unflushed(..) => "Unflushed",
            RootEvent::Forgotten(_) => "Forgotten",
            RootEvent::Committed => "Committed",
            RootEvent::NotCommitted(_) => "NotCommitted",
            RootEvent::PeerDown(_) => "PeerDown",
            RootEvent::Deadline(_) => "Deadline",
        }
    }
}
