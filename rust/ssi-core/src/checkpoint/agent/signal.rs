// SPDX-License-Identifier: GPL-2.0
//! Signals for all processes of the application at one barrier: in place of a checkpoint, or after.

use super::{Agent, Sink};
use crate::abi::FailureCode;
use crate::checkpoint::state::{Signalling, State, Wait};
use crate::checkpoint::{Counts, Effect, Report};
use crate::failure::Failure;
use crate::limits;
use crate::node::{Few, NodeId, NodeSet};
use crate::wire::checkpoint::{Aborted, Message, Signal, Signalled};

impl<const F: usize> Agent<F> {
    /// The barrier is there: `report` is of the version that was committed, if one was to be.
    pub(in crate::checkpoint) fn signal(&mut self, report: Option<Report>, out: Sink<'_, F>) {
        // A child may have died while the root committed.
        let mut waiting = self.near.children();
        let living = self.near.living();
        let lost = waiting.iter().find(|child| !living.contains(*child));
        for child in self.near.children().iter() {
            if !living.contains(child) {
                waiting.remove(child);
            }
        }
        self.state = State::Signalling(Signalling {
            wait: Wait::on(waiting),
            report,
            counts: Counts::ZERO,
            nodes: NodeSet::EMPTY,
            lost: lost.map_or(0, NodeId::raw),
        });
        self.tell_children(Message::Signal(Signal), out);
        out(Effect::Signal);
        self.arm(limits::SIGNAL_MS_MAX, out);
    }

    /// The host has done it.
    pub(in crate::checkpoint) fn host_signalled(
        &mut self,
        mut at: Signalling<F>,
        counts: &Counts,
        out: Sink<'_, F>,
    ) {
        at.wait.host_done = true;
        at.counts = at.counts.plus(counts);
        if counts.processes != 0 {
            at.nodes.insert(self.me);
        }
        self.signalling(at, out);
    }

    /// A child has.
    pub(in crate::checkpoint) fn child_signalled(
        &mut self,
        mut at: Signalling<F>,
        from: NodeId,
        part: &Signalled,
        out: Sink<'_, F>,
    ) {
        at.wait = at.wait.heard(from);
        at.counts = at.counts.plus(&part.counts);
        at.nodes = at.nodes.union(&part.nodes);
        at.lost = at.lost.max(part.lost);
        self.signalling(at, out);
    }

    /// The processes of `node` may not get it; what others do is not undone.
    pub(in crate::checkpoint) fn not_signalled(
        &mut self,
        mut at: Signalling<F>,
        node: NodeId,
        out: Sink<'_, F>,
    ) {
        if node == self.me {
            at.wait.host_done = true;
            at.lost = at.lost.max(node.raw());
        } else if at.wait.children.contains(node) {
            at.wait = at.wait.heard(node);
            at.lost = at.lost.max(node.raw());
        }
        self.signalling(at, out);
    }

    /// An Abort that comes too late, from one that is not the parent.
    pub(in crate::checkpoint) fn refuse_abort(&mut self, from: NodeId, out: Sink<'_, F>) {
        out(Effect::Send {
            to: from,
            message: Message::Aborted(Aborted),
        });
    }

    /// Whoever has not answered by now is given up, but for the host, which always answers.
    pub(in crate::checkpoint) fn late_signals(&mut self, mut at: Signalling<F>, out: Sink<'_, F>) {
        let late = at.wait.children.iter().next();
        if let Some(node) = late {
            at.lost = at.lost.max(node.raw());
            at.wait.children = Few::EMPTY;
        }
        self.signalling(at, out);
    }

    fn signalling(&mut self, at: Signalling<F>, out: Sink<'_, F>) {
        self.state = State::Signalling(at);
        if !at.wait.is_over() {
            return;
        }
        if self.is_root() {
            // A version that is committed is there, whoever was lost since.
            out(Effect::Reply(match (at.report, NodeId::beyond(at.lost)) {
                (Some(report), _) => Ok(report),
                (None, None) => Ok(Report::signalled(at.counts, at.nodes)),
                (None, Some(node)) => Err(Failure::new(FailureCode::NodeUnreachable).on(node)),
            }));
        } else if !self.parent_gone {
            let signalled = Signalled {
                counts: at.counts,
                nodes: at.nodes,
                lost: at.lost,
            };
            self.tell_parent(Message::Signalled(signalled), out);
        }
        self.end(None, out);
    }
}
