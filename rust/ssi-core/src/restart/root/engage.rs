// SPDX-License-Identifier: GPL-2.0
//! The beginning of a restart: all who take part know of it, and agree on who lives.

use super::{unreachable, Root, RootEffect, Sink, State, Totals};
use crate::limits;
use crate::node::{NodeId, NodeSet};
use crate::wire::restart::{Engage, Message};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::restart) struct Engaging {
    /// Participants that have not agreed.
    pub(super) waiting: NodeSet,
    /// Those of them that have answered, but hold other nodes for alive.
    odd: NodeSet,
    /// What the others have agreed to: the nodes that this one holds for alive.
    up: NodeSet,
    /// A node that somebody holds for alive and somebody does not.
    about: Option<NodeId>,
    /// How often those were asked again.
    again: u32,
}

impl Root {
    pub(super) fn engage(&mut self, out: Sink<'_>) {
        let waiting = self.plan.participants();
        self.state = State::Engaging(Engaging {
            waiting,
            odd: NodeSet::EMPTY,
            up: self.up,
            about: None,
            again: 0,
        });
        self.ask(waiting, out);
    }

    fn ask(&mut self, to: NodeSet, out: Sink<'_>) {
        if !to.is_empty() {
            let message = Message::Engage(Engage {
                options: self.options,
                participants: self.plan.participants(),
            });
            out(RootEffect::Multicast { to, message });
        }
        self.arm(limits::AGREE_MS, out);
    }

    /// `from` takes part, and holds the nodes of `up` for alive.
    pub(super) fn engaged(&mut self, mut at: Engaging, from: NodeId, up: &NodeSet, out: Sink<'_>) {
        let all = self.plan.participants();
        if at.up != self.up {
            // What the others agreed to is not so any more.
            at.odd = at.odd.union(&all.without(&at.waiting));
            at.waiting = all;
            at.up = self.up;
        }
        at.odd.remove(from);
        if *up == at.up {
            at.waiting.remove(from);
        } else {
            at.odd.insert(from);
            at.about = up.without(&at.up).union(&at.up.without(up)).nth(0);
        }
        self.state = State::Engaging(at);
        if at.waiting.is_empty() {
            self.create(out);
        }
    }

    fn create(&mut self, out: Sink<'_>) {
        let mut parts = NodeSet::EMPTY;
        for (part, _) in self.plan.iter() {
            parts.insert(part);
        }
        self.state = State::Creating {
            parts,
            restored: Totals::ZERO,
        };
        out(RootEffect::SendParts);
        self.arm(limits::CREATE_MS_MAX, out);
    }

    /// Views differ for a short time after a death or a join. Where they go on doing so, a node
    /// that is dead to one may run what another is to make.
    pub(super) fn engage_late(&mut self, at: Engaging, out: Sink<'_>) {
        if at.again >= limits::AGREE_MAX {
            let silent = at.waiting.without(&at.odd);
            return self.take_back(unreachable(silent.nth(0).or(at.about)), out);
        }
        self.state = State::Engaging(Engaging {
            odd: NodeSet::EMPTY,
            again: at.again.saturating_add(1),
            ..at
        });
        self.ask(at.odd, out);
    }
}
