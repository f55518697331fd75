// SPDX-License-Identifier: GPL-2.0
//! Signals for all processes of an application at one barrier, and who got them.
use super::population::State;
use super::{ProcessIx, World};
use crate::check;
use crate::event::At;
use ssi_core::checkpoint::{Counts, Event};
use ssi_core::node::OpId;
use std::collections::BTreeSet;

/// signal(7).
pub const SIGKILL: u32 = 9;
/// signal(7).
pub const SIGSTOP: u32 = 19;

/// What was seen of the signals of one operation.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Whom the operation held when the first node sent its signals.
    pub wanted: BTreeSet<ProcessIx>,
    /// Who got one.
    pub reached: BTreeSet<ProcessIx>,
}

impl World {
    /// The node's processes of the application get the signal, and go on.
    pub(super) fn signal(&mut self, at: At, op: OpId) -> Event {
        self.barrier_signal(at, op);
        let group = self.share(at, op).group.clone();
        let Some(options) = self.options_of(at, op) else {
            return Event::Signalled(Counts::ZERO);
        };
        let mut count = 0;
        for member in &group {
            if self.process(*member).state != State::Stopped(op) {
                continue;
            }
            count += 1;
            let signals = self.signals.entry(op).or_default();
            signals.reached.insert(*member);
            let process = self.process_mut(*member);
            process.frozen |= options.signal == SIGSTOP;
            process.frozen &= !options.continues();
            if options.signal == SIGKILL {
                process.state = State::Running;
                self.dies(*member);
            }
        }
        self.let_go(at, op, &group);
        Event::Signalled(Counts {
            processes: count,
            ..Counts::ZERO
        })
    }

    /// no-signal-before-barrier: all are stopped, and the version is there if there is to be one.
    fn barrier_signal(&mut self, at: At, op: OpId) {
        let holds = self.options_of(at, op).is_some_and(|found| found.holds());
        let written = self.share(at, op).written;
        let committed = |version| self.commits.iter().any(|(_, other, _)| *other == version);
        if let Some(version) = written.filter(|version| holds && !committed(*version)) {
            self.breaks("barriers", format!("signal before {version:?} is there"));
        }
        if self.signals.contains_key(&op) {
            return;
        }
        if !self.spoiled.contains(&op) {
            if let Err(what) = check::frontier::compare(self, op) {
                self.breaks("frontier", what);
            }
        }
        let wanted = self.held_by(op).into_iter().collect();
        let reached = BTreeSet::new();
        self.signals.insert(op, Signals { wanted, reached });
    }

    /// Who is told that the signal was sent may believe that everybody got it who lives.
    pub(super) fn check_signalled(&mut self, call: usize) {
        let op = self.calls[call].op;
        let signals = op.and_then(|op| self.signals.get(&op).cloned());
        let Some(Signals { wanted, reached }) = signals else {
            return self.breaks("answers", format!("call {call}: no signal was sent"));
        };
        let mut missed = wanted.difference(&reached);
        if let Some(which) = missed.find(|which| self.process(**which).state != State::Gone) {
            let pid = self.process(*which).pid;
            self.breaks("answers", format!("{pid:?} got no signal"));
        }
    }
}
