// SPDX-License-Identifier: GPL-2.0
//! Every process in at most one place: before a part is made, all are asked for its PIDs.
//!
//! Who asks keeps what it asks for until the operation is over, and tells others that it is taken.
//! So of two restarts that want a PID at the same time one at least hears of the other.

use super::{Agent, AgentEffect, Sink, State};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::node::{NodeId, NodeSet};
use crate::wire::restart::{Claim, Free, Message, Taken};

/// The answer of node `me` to a question; `taken` is the first of the PIDs that a process here
/// has, or that another part claims which this node makes.
pub fn answer(claim: &Claim, taken: Option<u32>) -> Option<Message> {
    let part = claim.part;
    match (taken, claim.left) {
        (Some(pid), _) => Some(Message::Taken(Taken { part, pid })),
        (None, 0) => Some(Message::Free(Free { part })),
        (None, _) => None,
    }
}

/// What a restart fails with.
pub(super) fn taken(node: NodeId, pid: u32) -> Failure {
    Failure::new(FailureCode::PidInUse).on(node).of(pid)
}

/// The questions of one participant: one part after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::restart) struct Claims {
    /// Parts that were asked for, or are to be.
    known: NodeSet,
    /// Those of them that are to be.
    next: NodeSet,
    /// The part that is asked for now.
    part: Option<NodeId>,
    /// Who has not answered.
    waiting: NodeSet,
}

impl Claims {
    pub(super) const NONE: Claims = Claims {
        known: NodeSet::EMPTY,
        next: NodeSet::EMPTY,
        part: None,
        waiting: NodeSet::EMPTY,
    };

    pub(super) fn is_new(&self, part: NodeId) -> bool {
        !self.known.contains(part)
    }

    /// Whether nobody has a PID of `part`.
    pub(super) fn has(&self, part: NodeId) -> bool {
        self.known.contains(part) && !self.next.contains(part) && self.part != Some(part)
    }

    pub(super) fn awaits(&self, part: NodeId, from: NodeId) -> bool {
        self.part == Some(part) && self.waiting.contains(from)
    }

    /// The same, and the PIDs of `part`.
    pub(super) fn with(mut self, part: NodeId) -> Claims {
        self.known.insert(part);
        self.next.insert(part);
        self
    }
}

impl Agent {
    fn note_claims(&mut self, new: Claims) {
        if let State::Building { claims, .. } = &mut self.state {
            *claims = new;
        }
    }

    /// Asks for the next part, if none is being asked for.
    pub(super) fn claim(&mut self, mut claims: Claims, out: Sink<'_>) {
        let next = claims.next.nth(0).filter(|_| claims.part.is_none());
        if let Some(part) = next {
            claims.next.remove(part);
            claims.part = Some(part);
            claims.waiting = self.up;
        }
        self.note_claims(claims);
        if let Some(part) = next {
            let of = self.up;
            out(AgentEffect::Claim { part, of });
        }
    }

    /// `from` has none of the PIDs.
    pub(super) fn free(&mut self, mut claims: Claims, from: NodeId, out: Sink<'_>) {
        claims.waiting.remove(from);
        if !claims.waiting.is_empty() {
            return self.note_claims(claims);
        }
        if let Some(part) = claims.part.take() {
            out(AgentEffect::Create { part });
        }
        self.claim(claims, out);
    }

    /// A node is dead, and runs nothing; or the connection with it broke, and it may run anything.
    pub(super) fn lost(&mut self, node: NodeId, out: Sink<'_>) {
        match self.state {
            State::Building { claims, .. } if claims.waiting.contains(node) => {
                if !self.up.contains(node) {
                    return self.free(claims, node, out);
                }
                self.fail(Failure::new(FailureCode::NodeUnreachable).on(node), out);
            }
            State::Building { .. }
            | State::Fresh
            | State::Orphaned
            | State::Going
            | State::TakingBack { .. }
            | State::Ended => {}
        }
    }
}
