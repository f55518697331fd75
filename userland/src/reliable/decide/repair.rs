// SPDX-License-Identifier: GPL-2.0
//! From a failure to a version that runs again: all processes stopped, killed, and restored.
use super::{say, Act, Facts, ORDER_MS_MAX};
use crate::reliable::record::{Goal, Phase, Report, State};

/// Restarts that fail in a row before the job is given up.
pub(super) const ATTEMPTS_MAX: u32 = 20;
/// Longest pause between them, milliseconds; it grows from one second.
pub(super) const PAUSE_MS_MAX: u64 = 30_000;

impl State {
    /// Gives the order to stop everywhere.
    pub(super) fn stop(&mut self, facts: &Facts<'_>, goal: Goal) -> Vec<Act> {
        let number = self.orders.stop.max(self.orders.kill) + 1;
        self.orders.stop = number;
        self.orders.lives = facts.seen.clone();
        self.goal = goal;
        self.ending = None;
        self.enter(Phase::Stopping, facts.now_ms);
        Vec::new()
    }

    /// Waits until every live member has obeyed the newest order.
    pub(super) fn gather(&mut self, facts: &Facts<'_>, done: fn(&Report) -> u64) -> Vec<Act> {
        if facts.asked_stop && self.goal == Goal::Restart {
            self.goal = Goal::Preempt;
        }
        self.members
            .retain(|node, epoch| facts.alive.get(node) == Some(epoch));
        let obeyed = |(node, epoch): (&u32, &u64)| {
            let report = facts.reports.get(node);
            match report.filter(|report| report.epoch == *epoch) {
                Some(report) => done(report) >= self.orders.stop,
                // Where nobody attends, nothing may run.
                None => facts.idle.contains(node),
            }
        };
        if let Some((node, _)) = self.members.iter().find(|entry| !obeyed(*entry)) {
            let waited = facts.now_ms.saturating_sub(self.since_ms);
            return if waited > ORDER_MS_MAX {
                let text = format!(
                    "node {node} does not stop its processes: is `reliable_run --watch` there?"
                );
                self.fail(facts, text)
            } else {
                Vec::new()
            };
        }
        if self.phase == Phase::Stopping {
            self.orders.kill = self.orders.stop;
            self.enter(Phase::Killing, facts.now_ms);
            return Vec::new();
        }
        self.members.clear();
        match self.goal {
            Goal::Restart => self.enter(Phase::Restoring, facts.now_ms),
            Goal::Preempt => self.enter(Phase::Preempted, facts.now_ms),
            Goal::GiveUp => self.enter(Phase::Failed, facts.now_ms),
        }
        Vec::new()
    }

    pub(super) fn fail(&mut self, facts: &Facts<'_>, why: String) -> Vec<Act> {
        self.enter(Phase::Failed, facts.now_ms);
        let line = say(format!("given up: {why}"));
        self.why = why;
        vec![line]
    }

    pub(super) fn restore(&mut self, facts: &Facts<'_>) -> Vec<Act> {
        if facts.asked_stop && !facts.busy {
            self.enter(Phase::Preempted, facts.now_ms);
            return vec![say("asked to stop: nothing runs")];
        }
        let pause = match self.counters.attempts_in_row {
            0 => 0,
            tries => (1000 << tries.min(16).saturating_sub(1)).min(PAUSE_MS_MAX),
        };
        if facts.busy || facts.now_ms.saturating_sub(self.since_ms) < pause {
            return Vec::new();
        }
        if self.counters.attempts_in_row >= ATTEMPTS_MAX {
            let why = format!(
                "{ATTEMPTS_MAX} restarts in a row failed; the last: {}",
                self.why
            );
            return self.fail(facts, why);
        }
        match self.candidate(facts) {
            Some((version, level)) => vec![Act::Restart(version, level)],
            None if self.bad.is_empty() && self.lost.is_empty() => {
                vec![say("there is no version: from the beginning"), Act::Start]
            }
            None => {
                let why = format!("no version can be restarted; the last: {}", self.why);
                self.fail(facts, why)
            }
        }
    }
}
