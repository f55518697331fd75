// SPDX-License-Identifier: GPL-2.0
//! The end of a restart on a node: all parts are let go together, or taken back.
use super::helpers::Team;
use super::population::State;
use super::World;
use crate::cost::Act;
use crate::event::{At, Event, HelperStep};
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::AgentEvent;

impl Team {
    fn parts(&mut self) -> Vec<NodeId> {
        let mut parts = Vec::new();
        for helper in &mut self.helpers {
            helper.owes = true;
            parts.push(helper.part);
        }
        parts
    }

    /// A helper has answered; says whether all have.
    fn answered(&mut self, part: NodeId) -> bool {
        for helper in self.helpers.iter_mut().filter(|helper| helper.part == part) {
            helper.owes = false;
        }
        self.helpers.iter().all(|helper| !helper.owes)
    }
}

impl World {
    /// Lets the processes of all parts go.
    pub(super) fn let_team_go(&mut self, at: At, op: OpId) {
        self.barrier_go(op);
        let Some(side) = self.participant(at, op) else {
            return;
        };
        for part in side.team.parts() {
            let time = self.cost.of(Act::LetGo);
            let event = Event::Help(at, op, HelperStep::Running(part));
            self.queue.after(time, event);
        }
    }

    /// Has every trace of all parts removed.
    pub(super) fn take_team_back(&mut self, at: At, op: OpId) {
        let Some(side) = self.participant(at, op) else {
            return;
        };
        side.team.cancelled = true;
        let mut parts = side.team.parts();
        if parts.is_empty() {
            parts.push(at.node);
        }
        for part in parts {
            let time = self.cost.of(Act::Discard);
            let event = Event::Help(at, op, HelperStep::TakenBack(part));
            self.queue.after(time, event);
        }
    }

    pub(super) fn run_part(&mut self, at: At, op: OpId, part: NodeId) {
        let made = self.made(at, op, part);
        self.seen.entry(op).or_default().ran.insert((part, at));
        for which in made {
            if self.process(which).state == State::Held(op) {
                self.process_mut(which).state = State::Running;
                self.goes_on(which);
            }
        }
        let over = self
            .participant(at, op)
            .is_some_and(|side| side.team.answered(part));
        if over {
            self.step_restart(at, op, AgentEvent::Running);
        }
    }

    pub(super) fn remove_part(&mut self, at: At, op: OpId, part: NodeId) {
        self.undo(at, op, part);
        if self.has_part(at, op, part) {
            self.seen.entry(op).or_default().undone.insert((part, at));
        }
        let over = self
            .participant(at, op)
            .is_some_and(|side| side.team.answered(part));
        if over {
            self.step_restart(at, op, AgentEvent::TakenBack);
        }
    }

    /// Kills what was made of a part.
    pub(super) fn undo(&mut self, at: At, op: OpId, part: NodeId) {
        for which in self.made(at, op, part) {
            if matches!(self.process(which).state, State::Held(by) if by == op) {
                self.dies(which);
            }
        }
    }

    fn has_part(&mut self, at: At, op: OpId, part: NodeId) -> bool {
        let Some(side) = self.participant(at, op) else {
            return false;
        };
        side.team.helpers.iter().any(|helper| helper.part == part)
    }

    fn made(&mut self, at: At, op: OpId, part: NodeId) -> Vec<u32> {
        let Some(side) = self.participant(at, op) else {
            return Vec::new();
        };
        let helpers = side.team.helpers.iter();
        let helper = helpers.filter(|helper| helper.part == part);
        helper.flat_map(|helper| helper.made.clone()).collect()
    }
}
