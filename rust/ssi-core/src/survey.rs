// SPDX-License-Identifier: GPL-2.0
//! Who holds which part of a version: every node is asked, because every store may be its own.
//!
//! See docs/protocol/copies.md. A root asks before it places the parts of a restart, and before
//! it numbers a version with copies.

mod holders;
#[cfg(test)]
mod tests;

pub use holders::Holders;

use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits::LOCATE_MS_MAX;
use crate::node::{NodeId, NodeSet};
use crate::place::Plan;
use crate::wire::copy::Located;

/// What happens to a survey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// First event.
    Start {
        /// Nodes that may be used, at least one.
        ask: NodeSet,
    },
    /// A node has answered.
    Located(NodeId, Located),
    /// A node's media failed: it holds nothing that can be used.
    NotLocated(NodeId, Failure),
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
    /// The time of [`Effect::Timer`] is over.
    Deadline,
}

/// What a survey wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Send `Locate` to these nodes.
    Ask {
        /// Receivers, at least one, this node perhaps among them.
        to: NodeSet,
    },
    /// Deliver [`Event::Deadline`] after `ms`.
    Timer {
        /// Milliseconds.
        ms: u32,
    },
    /// All who live have answered.
    Done,
}

/// The answers to one question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survey {
    parts: NodeSet,
    asked: NodeSet,
    waiting: NodeSet,
    holders: Holders,
    newest: u32,
    failure: Option<Failure>,
    started: bool,
    over: bool,
}

type Sink<'a> = &'a mut dyn FnMut(Effect);

impl Survey {
    /// Where are the parts that these nodes wrote?
    pub const fn new(parts: NodeSet) -> Survey {
        Survey {
            parts,
            asked: NodeSet::EMPTY,
            waiting: NodeSet::EMPTY,
            holders: Holders::NOBODY,
            newest: 0,
            failure: None,
            started: false,
            over: false,
        }
    }

    /// Name of the state, as in the golden table.
    pub const fn state(&self) -> &'static str {
        match (self.started, self.over) {
            (false, _) => "Fresh",
            (true, false) => "Asking",
            (true, true) => "Over",
        }
    }

    /// Takes an event and says what to do: at most two effects. What comes late, or from nodes
    /// that were not asked, says nothing.
    pub fn step(&mut self, event: Event, out: Sink<'_>) {
        match event {
            Event::Start { ask } if !self.started => {
                self.started = true;
                self.asked = ask;
                self.waiting = ask;
                if !ask.is_empty() {
                    out(Effect::Timer { ms: LOCATE_MS_MAX });
                    out(Effect::Ask { to: ask });
                }
            }
            Event::Located(node, located) if self.waiting.contains(node) => {
                self.holders.note(node, &located, &self.parts);
                self.newest = self.newest.max(located.newest);
                self.waiting.remove(node);
            }
            Event::NotLocated(node, failure) if self.waiting.contains(node) => {
                self.failure = Some(failure);
                self.waiting.remove(node);
            }
            Event::PeerDown(node) => {
                self.waiting.remove(node);
                self.asked.remove(node);
                self.holders.lose(node);
            }
            Event::Deadline => {
                if let Some(silent) = self.waiting.nth(0) {
                    self.failure = Some(Failure::new(FailureCode::NodeUnreachable).on(silent));
                }
                self.waiting = NodeSet::EMPTY;
            }
            Event::Start { .. } | Event::Located(..) | Event::NotLocated(..) => return,
        }
        if self.started && self.waiting.is_empty() && !self.over {
            self.over = true;
            out(Effect::Done);
        }
    }

    /// Highest number that a version has or had anywhere.
    pub const fn newest(&self) -> u32 {
        self.newest
    }

    /// What kept a node from answering; the last of several.
    pub const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Where each part goes, once all have answered; `None` where [`Survey::refusal`] says why.
    pub fn plan(&self) -> Option<Plan> {
        let nobody = self.asked.is_empty() || !self.lost().is_empty();
        (!nobody).then(|| Plan::held(&self.parts, &self.asked, &self.holders))
    }

    /// Where each part is besides `first`.
    ///
    /// # Errors
    /// Some part has no second copy: named.
    #[expect(
        clippy::result_large_err,
        reason = "without allocation there is no box to put it in"
    )]
    pub fn second(&self, first: &Plan) -> Result<Plan, Failure> {
        let second = Plan::besides(&self.parts, &self.asked, &self.holders, first);
        let mut single = self.parts;
        for (part, _) in second.iter() {
            single.remove(part);
        }
        match single.nth(0) {
            None => Ok(second),
            Some(part) => {
                let failure = Failure::new(FailureCode::PartUnreachable).on(part);
                let listed = holders::listed(&single);
                let twice = listed.and(b" (twice)").unwrap_or(listed);
                Err(failure.named(twice.as_bytes()))
            }
        }
    }

    /// Why there is no plan: no node may be used, a media failed, or nobody has these parts.
    pub fn refusal(&self) -> Failure {
        if self.asked.is_empty() {
            let nobody = Failure::new(FailureCode::NodeUnreachable);
            return nobody.named(b"none of the nodes that may be used is up");
        }
        let lost = self.lost();
        let failure = Failure::new(FailureCode::PartUnreachable);
        let failure = lost.nth(0).map_or(failure, |first| failure.on(first));
        self.failure
            .unwrap_or_else(|| failure.named(holders::listed(&lost).as_bytes()))
    }

    fn lost(&self) -> NodeSet {
        let mut lost = NodeSet::EMPTY;
        for part in self.parts.iter().filter(|part| !self.holders.any(*part)) {
            lost.insert(part);
        }
        lost
    }
}

impl Event {
    /// Name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Event::Start { .. } => "Start",
            Event::Located(..) => "Located",
            Event::NotLocated(..) => "NotLocated",
            Event::PeerDown(_) => "PeerDown",
            Event::Deadline => "Deadline",
        }
    }
}
