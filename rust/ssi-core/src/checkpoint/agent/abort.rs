// SPDX-License-Identifier: GPL-2.0
//! When something fails: a part of the tree gives up, and tells the rest.

use super::{Agent, Sink};
use crate::abi::FailureCode;
use crate::checkpoint::state::{Aborting, Opening, State};
use crate::checkpoint::Effect;
use crate::failure::Failure;
use crate::limits;
use crate::node::{Few, NodeId};
use crate::wire::checkpoint::{Abort, Aborted, Failed, Message};

impl<const F: usize> Agent<F> {
    /// Nothing has begun: only the caller hears of it.
    pub(in crate::checkpoint) fn give_up(&mut self, failure: Failure, out: Sink<'_, F>) {
        if self.is_root() {
            out(Effect::Reply(Err(failure)));
        }
        self.end(Some(failure), out);
    }

    /// Aborts this part of the tree. `asked_by` is who sent an Abort, if that is the cause.
    pub(in crate::checkpoint) fn abort(
        &mut self,
        failure: Failure,
        asked_by: Option<NodeId>,
        out: Sink<'_, F>,
    ) {
        let owed = asked_by.is_some() && asked_by == self.parent;
        if !owed && !self.parent_gone {
            self.tell_parent(Message::Failed(Failed { failure }), out);
        }
        let waiting = self.near.living();
        if !waiting.is_empty() {
            out(Effect::Multicast {
                to: waiting,
                message: Message::Abort(Abort { failure }),
            });
        }
        self.state = State::Aborting(Aborting {
            owed,
            waiting,
            host_done: false,
            failure,
        });
        if let Some(asker) = asked_by.filter(|_| !owed) {
            out(Effect::Send {
                to: asker,
                message: Message::Aborted(Aborted),
            });
        }
        out(Effect::Discard);
        self.arm(limits::ABORT_MS_MAX, out);
    }

    /// An Abort while aborting. The parent gets its answer at the end, others at once: they do
    /// not wait for each other in a circle, because parents form a tree.
    pub(in crate::checkpoint) fn abort_again(
        &mut self,
        at: Aborting<F>,
        from: NodeId,
        out: Sink<'_, F>,
    ) {
        if self.is_parent(from) {
            self.settle(Aborting { owed: true, ..at }, out);
        } else {
            out(Effect::Send {
                to: from,
                message: Message::Aborted(Aborted),
            });
        }
    }

    /// An Enlist while aborting: the sender must give up too.
    pub(in crate::checkpoint) fn enlist_failed(
        &mut self,
        at: Aborting<F>,
        from: NodeId,
        out: Sink<'_, F>,
    ) {
        let failure = at.failure;
        out(Effect::Send {
            to: from,
            message: Message::Failed(Failed { failure }),
        });
    }

    /// Ends when nothing is left to wait for.
    pub(in crate::checkpoint) fn settle(&mut self, at: Aborting<F>, out: Sink<'_, F>) {
        self.state = State::Aborting(at);
        if !at.host_done || !at.waiting.is_empty() || self.opening == Opening::Asked {
            return;
        }
        if let Opening::Open(version) = self.opening {
            out(Effect::RemoveVersion { version });
        }
        if self.is_root() {
            out(Effect::Reply(Err(at.failure)));
        }
        if at.owed {
            self.tell_parent(Message::Aborted(Aborted), out);
        }
        self.end(Some(at.failure), out);
    }

    /// Notes that a node died; says whether this agent is concerned.
    pub(in crate::checkpoint) fn lose(&mut self, node: NodeId) -> bool {
        let parent = self.is_parent(node);
        self.parent_gone |= parent;
        let near = self.near.lose(node);
        parent || near || self.state == State::Locating(node)
    }

    pub(in crate::checkpoint) fn late_stop(&self) -> Failure {
        Failure::new(FailureCode::StopTimeout).on(self.me)
    }

    /// What a step that took too long is called.
    pub(in crate::checkpoint) fn late(&self, waiting: &Few<F>) -> Failure {
        match waiting.iter().next() {
            Some(node) => Failure::new(FailureCode::NodeUnreachable).on(node),
            None => self.late_stop(),
        }
    }

    pub(in crate::checkpoint) fn late_media(&self) -> Failure {
        Failure::new(FailureCode::Media).on(self.me)
    }

    pub(in crate::checkpoint) fn late_parent(&self) -> Failure {
        Failure::new(FailureCode::NodeUnreachable).on(self.parent.unwrap_or(self.root))
    }
}
