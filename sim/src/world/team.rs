// SPDX-License-Identifier: GPL-2.0
//! The end of a restart on a node: all parts are let go together, or taken back.
use super::helpers::{Helper, Team};
use super::population::State;
use super::{ProcessIx, World};
use crate::cost::Act;
use crate::event::{At, Event, HelperStep};
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
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
        if self.is_dead(at, op, part) {
            return;
        }
        let made = self.made(at, op, part);
        self.seen.entry(op).or_default().ran.insert((part, at));
        for which in made {
            if self.process(which).state == State::Held(op) {
                self.process_mut(which).state = State::Running;
                self.goes_on(which);
            }
        }
        self.helper_ended(at, op, part);
    }

    pub(super) fn remove_part(&mut self, at: At, op: OpId, part: NodeId) {
        if self.is_dead(at, op, part) {
            return;
        }
        self.undo(at, op, part);
        if self.has_part(at, op, part) {
            self.seen.entry(op).or_default().undone.insert((part, at));
        }
        self.helper_ended(at, op, part);
    }

    /// A helper has done the last of what it was asked for, or is dead.
    fn helper_ended(&mut self, at: At, op: OpId, part: NodeId) {
        let Some(side) = self.participant(at, op) else {
            return;
        };
        if side.team.answered(part) {
            let event = match side.team.cancelled {
                true => AgentEvent::TakenBack,
                false => AgentEvent::Running,
            };
            self.step_restart(at, op, event);
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

    /// The helper that holds a process is killed, and takes its part with it.
    pub(super) fn helper_killed(&mut self, at: At, op: OpId, which: ProcessIx) {
        let Some(side) = self.participant(at, op) else {
            return;
        };
        let holds = |helper: &&mut Helper| helper.made.contains(&which);
        let Some(helper) = side.team.helpers.iter_mut().find(holds) else {
            return;
        };
        let (part, owed) = (helper.part, helper.owes);
        helper.failed = true;
        self.seen.entry(op).or_default().killed = true;
        self.undo(at, op, part);
        if owed {
            self.helper_ended(at, op, part);
        } else {
            let why = Failure::new(FailureCode::Internal).on(at.node);
            self.step_restart(at, op, AgentEvent::HostFailed(why));
        }
    }

    /// Whether the helper of a part was killed after it was asked for its last act.
    fn is_dead(&mut self, at: At, op: OpId, part: NodeId) -> bool {
        let helper = self.helper(at, op, part);
        helper.is_some_and(|helper| !helper.owes)
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
