// SPDX-License-Identifier: GPL-2.0
//! What users want, and what they are answered.
use super::checkpoints::options;
use super::signals::{SIGKILL, SIGSTOP};
use super::{ProcessIx, World};
use crate::event::{At, Event};
use crate::plan::Wish;
use crate::queue::{Nanos, MS};
use crate::trace::What;
use ssi_core::abi::{FailureCode, CHECKPOINT_CONTINUE, CHECKPOINT_HOLD, CHECKPOINT_SIGNAL_ONLY};
use ssi_core::checkpoint::{Event as CheckpointEvent, Report};
use ssi_core::failure::Failure;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{Report as RestartReport, RootEvent};

/// What a user was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A version was made.
    Checkpointed(Report),
    /// A version was restarted.
    Restarted(RestartReport),
    /// Neither, and why.
    Failed(Failure),
    /// The wish needs no answer.
    Done,
}

/// A call, as far as it has got.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallState {
    /// Where the user sits, once the call is made.
    pub at: Option<At>,
    /// The operation that it became.
    pub op: Option<OpId>,
    /// When.
    pub made_at: Nanos,
    /// What the user was told.
    pub answer: Option<Answer>,
}

impl World {
    /// A user makes the call with this number.
    pub(super) fn call(&mut self, number: usize) {
        let call = self.plan.calls[number].clone();
        let node = NodeId::new(call.node.min(self.plan.nodes));
        let Some(at) = node
            .map(|node| self.node(node).at)
            .filter(|at| self.is_alive(*at))
        else {
            self.calls[number].answer = Some(Answer::Done);
            return;
        };
        if matches!(call.wish, Wish::Restart(_)) && !self.is_settled(at) {
            let tick_ms = self.tick_ms();
            return self.queue.after(tick_ms * MS, Event::Call(number));
        }
        self.calls[number].at = Some(at);
        self.calls[number].made_at = self.queue.now();
        self.tell(at.node, What::Call(format!("{:?}", call.wish)));
        match call.wish {
            Wish::Checkpoint(process) => {
                self.want_checkpoint(at, number, process, (0, 0));
                self.hurry();
            }
            Wish::CheckpointWith(process, flags) => {
                self.want_checkpoint(at, number, process, (flags, 0));
            }
            Wish::CheckpointKill(process) => {
                self.want_checkpoint(at, number, process, (CHECKPOINT_HOLD, SIGKILL));
                self.hurry();
            }
            Wish::Freeze(process) => {
                self.want_checkpoint(at, number, process, (CHECKPOINT_SIGNAL_ONLY, SIGSTOP));
                self.hurry();
            }
            Wish::Unfreeze(process) => {
                let flags = CHECKPOINT_SIGNAL_ONLY | CHECKPOINT_CONTINUE;
                self.want_checkpoint(at, number, process, (flags, 0));
            }
            Wish::Restart(process) => match self.application_of(process) {
                Some(application) => self.call_restart(at, number, application, call.media),
                None => self.answer(number, Answer::Done),
            },
            Wish::Cancel(other) => {
                self.cancel(other);
                self.answer(number, Answer::Done);
            }
            Wish::Kill(process) => {
                self.kill_application(process);
                self.answer(number, Answer::Done);
            }
        }
    }

    /// The process that was first in the plan's list, or what a restart made of it.
    pub(super) fn incarnation(&self, process: usize) -> Option<ProcessIx> {
        let pid = self.people.list.get(process)?.pid;
        let broods = (0..=self.people.broods).rev();
        broods.filter_map(|brood| self.alive(pid, brood)).next()
    }

    fn application_of(&self, process: usize) -> Option<u64> {
        let pid = self.people.list.get(process)?.pid;
        let of_pid = self.people.list.iter().filter(|other| other.pid == pid);
        of_pid
            .map(|other| other.application)
            .rfind(|application| *application != 0)
    }

    /// `how`: flags of the system call, and a signal.
    fn want_checkpoint(&mut self, at: At, number: usize, process: usize, how: (u32, u32)) {
        match self.people.list.get(process).map(|process| process.pid) {
            Some(pid) => {
                let media = self.plan.calls[number].media;
                self.call_checkpoint(at, number, pid, options(how, media));
            }
            None => self.answer(number, Answer::Done),
        }
    }

    fn cancel(&mut self, other: usize) {
        let Some(CallState {
            at: Some(at),
            op: Some(op),
            answer: None,
            ..
        }) = self.calls.get(other).copied()
        else {
            return;
        };
        if !self.is_alive(at) {
            return;
        }
        let why = Failure::new(FailureCode::Internal).named(b"given up");
        self.step_checkpoint(at, op, CheckpointEvent::Cancel(why));
        self.give_up_survey(at, op, why);
        self.step_root(at, op, RootEvent::Cancel(why));
        self.settle(at);
    }

    fn kill_application(&mut self, process: usize) {
        let Some(which) = self.incarnation(process) else {
            return;
        };
        let brood = self.process(which).brood;
        let all = self
            .nodes
            .iter()
            .flat_map(|node| node.processes.iter().copied());
        let doomed: Vec<ProcessIx> = all
            .filter(|other| self.process(*other).brood == brood)
            .collect();
        for which in doomed {
            self.kill(which);
        }
    }

    pub(super) fn answer_checkpoint(&mut self, call: usize, result: Result<Report, Failure>) {
        if let Ok(report) = &result {
            let wish = &self.plan.calls[call].wish;
            match wish {
                Wish::Freeze(_) | Wish::Unfreeze(_) => self.check_signalled(call),
                _ => self.check_committed(report),
            }
        }
        self.answer(
            call,
            result.map_or_else(Answer::Failed, Answer::Checkpointed),
        );
    }

    fn check_committed(&mut self, report: &Report) {
        let version = report.version;
        if !self.commits.iter().any(|(_, other, _)| *other == version) {
            self.breaks("answers", format!("{version:?} is reported, not committed"));
        }
    }

    pub(super) fn answer_restart(&mut self, call: usize, result: Result<RestartReport, Failure>) {
        self.answer(call, result.map_or_else(Answer::Failed, Answer::Restarted));
    }

    fn answer(&mut self, call: usize, answer: Answer) {
        self.touched.operations = true;
        if self.calls[call].answer.is_some() {
            self.breaks("answers", format!("call {call} is answered twice"));
        }
        self.calls[call].answer = Some(answer);
        if let (Some(at), Answer::Checkpointed(_) | Answer::Restarted(_) | Answer::Failed(_)) =
            (self.calls[call].at, answer)
        {
            self.tell(at.node, What::Answer(answer));
        }
    }
}
