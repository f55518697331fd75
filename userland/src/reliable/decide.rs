// SPDX-License-Identifier: GPL-2.0
//! What a supervisor does next: from the job's state and what was seen, to acts.
//!
//! ```text
//! Starting -> Running -> Ended
//!              |   ^
//!   a failure  v   | restarted
//!     Stopping -> Killing -> Restoring      (or Preempted, Failed)
//!        ^
//!     Leaving    a last checkpoint before the end on request
//! ```
//!
//! Processes are stopped on all nodes before one is killed, so that none sees another's end and
//! acts on it. An end of the application is believed when every node on which it ran has
//! answered a probe since: a node that dies makes others end, too.
use super::daly::{self, FAILURES_MAX};
use super::period::{Periodicity, Plan};
use super::record::{Goal, Lives, Phase, Report, State, Version};
use chrono::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

mod flush;
mod outcome;
mod repair;
pub use flush::Level;
pub use outcome::{Checkpointed, Outcome, RestartError};

/// An order that is not obeyed for so long ends the job, milliseconds.
const ORDER_MS_MAX: u64 = 60_000;
/// An application of which nothing is left may have said how it ended on another node: a file
/// system of a network shows it within this time, milliseconds.
const VANISH_MS: u64 = 2_000;
/// Exit statuses above this are those of a command that a signal ended, sh(1).
const SIGNAL_BASE: u8 = 128;
/// Status of an application of which nothing is left, and nothing said why: as by SIGKILL.
const VANISHED: u8 = SIGNAL_BASE + 9;

/// What does not change while the job runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The pattern of checkpoints.
    pub periodicity: Periodicity,
    /// Mean time between failures that the user gave, milliseconds.
    pub mtbf_ms: Option<u64>,
    /// Versions that are kept.
    pub keep: usize,
    /// Restarts after failures of its own without a new version in between.
    pub max_restarts: u32,
    /// Every so many versions one goes from memory to disk.
    pub flush_every: Option<u32>,
}

/// What was seen; one look at everything.
pub struct Facts<'a> {
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Nodes that live.
    pub alive: &'a Lives,
    /// All nodes that were ever seen, with their last lives.
    pub seen: &'a Lives,
    /// Nodes that run nothing CHECKPOINTABLE.
    pub idle: &'a BTreeSet<u32>,
    /// What attendants wrote.
    pub reports: &'a BTreeMap<u32, Report>,
    /// Exit status that the root left.
    pub exit: Option<u8>,
    /// Whether an act is still under way.
    pub busy: bool,
    /// A checkpoint was asked for.
    pub asked_checkpoint: bool,
    /// The end was asked for.
    pub asked_stop: bool,
    /// Versions that there are, in any order; looked for while one is to be restarted.
    pub versions: &'a [Version],
    /// Of those in memory, or that were there, the ones on disk, likewise.
    pub flushed: &'a [Version],
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Start the command.
    Start,
    /// Take a checkpoint by this process.
    Checkpoint(u32),
    /// Restart a version from there.
    Restart(Version, Level),
    /// Remove a version.
    Remove(Version),
    /// Write a version from memory to disk.
    Flush(Version),
    /// Remove a version from there.
    RemoveFlushed(Version),
    /// Run the user's command for checkpoints, or for restarts.
    CheckpointHook,
    /// The same for restarts.
    RestartHook,
    /// Write a line to the log.
    Say(String),
}

fn say(text: impl Into<String>) -> Act {
    Act::Say(text.into())
}

impl State {
    /// The next acts.
    pub fn step<Z: TimeZone>(&mut self, rules: &Rules, facts: &Facts<'_>, zone: &Z) -> Vec<Act> {
        match self.phase {
            Phase::Starting if !facts.busy => vec![Act::Start],
            Phase::Running => self.run(rules, facts, zone),
            Phase::Leaving => self.leave(facts),
            Phase::Stopping => self.gather(facts, |report| report.stopped),
            Phase::Killing => self.gather(facts, |report| report.killed),
            Phase::Restoring => self.restore(facts),
            Phase::Starting | Phase::Ended | Phase::Preempted | Phase::Failed => Vec::new(),
        }
    }

    /// What a supervisor of a new term makes of the state that it found.
    pub fn inherit(&mut self, facts: &Facts<'_>) -> Vec<Act> {
        match self.phase {
            Phase::Running | Phase::Ended | Phase::Preempted | Phase::Failed => Vec::new(),
            // Whether a last checkpoint was taken is not known; the latest there is must do.
            Phase::Leaving => self.stop(facts, Goal::Preempt),
            Phase::Stopping | Phase::Killing => self.stop(facts, self.goal),
            Phase::Starting | Phase::Restoring => {
                self.members = facts.alive.clone();
                self.stop(facts, Goal::Restart)
            }
        }
    }

    /// Begins to run a preempted job, or one that was given up, again.
    pub fn resume(&mut self, facts: &Facts<'_>) -> Vec<Act> {
        self.counters.crashes_in_row = 0;
        self.counters.attempts_in_row = 0;
        self.bad.clear();
        self.lost.clear();
        self.why.clear();
        self.broken_ms = facts.now_ms;
        // Whatever may be left anywhere, after it was given up.
        self.members = facts.alive.clone();
        self.stop(facts, Goal::Restart)
    }

    fn enter(&mut self, phase: Phase, now_ms: u64) {
        self.phase = phase;
        self.since_ms = now_ms;
    }

    fn run<Z: TimeZone>(&mut self, rules: &Rules, facts: &Facts<'_>, zone: &Z) -> Vec<Act> {
        if let Some(node) = self.broken(facts) {
            return self.node_failed(facts, node);
        }
        self.note_members(facts);
        if facts.asked_stop {
            self.enter(Phase::Leaving, facts.now_ms);
            return vec![say("asked to stop: a last checkpoint")];
        }
        self.note_end(facts);
        if let Some(acts) = self.judge_end(rules, facts) {
            return acts;
        }
        if self.ending.is_some() || facts.busy {
            return Vec::new();
        }
        let due = rules.periodicity.due(&self.plan(rules, facts), zone);
        if facts.asked_checkpoint || due.is_some_and(|due| due <= facts.now_ms) {
            return self.checkpoint(facts);
        }
        Vec::new()
    }

    /// A node on which the application runs and that died.
    fn broken(&self, facts: &Facts<'_>) -> Option<u32> {
        let dead = |(node, epoch): (&u32, &u64)| facts.alive.get(node) != Some(epoch);
        self.members
            .iter()
            .find(|entry| dead(*entry))
            .map(|(node, _)| *node)
    }

    fn node_failed(&mut self, facts: &Facts<'_>, node: u32) -> Vec<Act> {
        self.failures.push(facts.now_ms);
        let excess = self.failures.len().saturating_sub(FAILURES_MAX);
        self.failures.drain(..excess);
        self.broken_ms = facts.now_ms;
        let mut acts = vec![say(format!("node {node} died"))];
        acts.extend(self.stop(facts, Goal::Restart));
        acts
    }

    /// Nodes join and leave the application as processes begin and end there.
    fn note_members(&mut self, facts: &Facts<'_>) {
        for (node, epoch) in facts.alive {
            let report = facts
                .reports
                .get(node)
                .filter(|report| report.epoch == *epoch);
            let gone = match report {
                Some(report) if report.processes > 0 => {
                    self.members.insert(*node, *epoch);
                    false
                }
                Some(report) => report.probe >= self.orders.probe,
                None => facts.idle.contains(node),
            };
            if gone {
                self.members.remove(node);
            }
        }
        // A node without an attendant cannot say what it runs; it is not waited for for ever.
        if facts.now_ms.saturating_sub(self.running_ms) > ORDER_MS_MAX {
            let has_reported = |node: &u32, epoch: &mut u64| {
                facts
                    .reports
                    .get(node)
                    .is_some_and(|report| report.epoch == *epoch)
            };
            self.members.retain(has_reported);
        }
    }

    /// Whether all members have answered the newest probe.
    fn settled(&self, facts: &Facts<'_>) -> bool {
        self.members.iter().all(|(node, epoch)| {
            let report = facts.reports.get(node);
            report.is_some_and(|report| report.epoch == *epoch && report.probe >= self.orders.probe)
        })
    }

    /// Asks every node once more before an end is believed.
    fn note_end(&mut self, facts: &Facts<'_>) {
        let gone = self.members.is_empty();
        if self.ending.is_none() && (gone || facts.exit.is_some() && self.status.is_none()) {
            // The root's node has to answer, too, and so has every other that could have died.
            self.orders.probe += 1;
            self.ending = Some(self.orders.probe);
            self.ending_ms = facts.now_ms;
        }
    }

    fn judge_end(&mut self, rules: &Rules, facts: &Facts<'_>) -> Option<Vec<Act>> {
        if self.ending.is_none() || !self.settled(facts) {
            return None;
        }
        let is_said = facts.exit.is_some() || self.status.is_some();
        let waited = facts.now_ms.saturating_sub(self.ending_ms);
        if self.members.is_empty() && !is_said && waited < VANISH_MS {
            return None;
        }
        self.ending = None;
        self.status = facts.exit.or(self.status);
        let gone = self.members.is_empty();
        match self.status {
            Some(status) if status <= SIGNAL_BASE && gone => {
                self.enter(Phase::Ended, facts.now_ms);
                Some(vec![say(format!(
                    "the command has ended with status {status}"
                ))])
            }
            // The others go on; the job ends with the last of them.
            Some(status) if status <= SIGNAL_BASE => Some(vec![say(format!(
                "the command has ended with status {status}; others go on"
            ))]),
            None if !gone => None,
            status => Some(self.crash(rules, facts, status.unwrap_or(VANISHED))),
        }
    }

    /// The application failed although all its nodes live.
    fn crash(&mut self, rules: &Rules, facts: &Facts<'_>, status: u8) -> Vec<Act> {
        self.broken_ms = facts.now_ms;
        let text = format!("the command was ended by a signal (status {status})");
        if self.counters.crashes_in_row >= rules.max_restarts {
            self.status = Some(status);
            self.why = format!(
                "{text}, {} times since the last version",
                rules.max_restarts + 1
            );
            let mut acts = vec![say(format!("given up: {}", self.why))];
            acts.extend(self.stop(facts, Goal::GiveUp));
            return acts;
        }
        self.counters.crashes_in_row += 1;
        let mut acts = vec![say(text)];
        acts.extend(self.stop(facts, Goal::Restart));
        acts
    }

    fn plan(&self, rules: &Rules, facts: &Facts<'_>) -> Plan {
        let nodes = self.members.len();
        Plan {
            running_ms: self.running_ms,
            tried_ms: self.tried_ms,
            ended_ms: self.tried_end_ms,
            failed: self.try_failed,
            cost_ms: self.cost_ms,
            mtbf_ms: daly::mtbf(
                rules.mtbf_ms,
                self.started_ms,
                &self.failures,
                facts.now_ms,
                nodes,
            ),
        }
    }

    /// A live process of the application: the root, or where it has ended any other.
    fn witness(&self, facts: &Facts<'_>) -> Option<u32> {
        if self.status.is_none() {
            return Some(self.root);
        }
        let reports = self
            .members
            .keys()
            .filter_map(|node| facts.reports.get(node));
        reports.map(|report| report.one).find(|pid| *pid != 0)
    }

    fn checkpoint(&mut self, facts: &Facts<'_>) -> Vec<Act> {
        let Some(pid) = self.witness(facts) else {
            return Vec::new();
        };
        self.tried_ms = Some(facts.now_ms);
        vec![Act::Checkpoint(pid)]
    }

    /// Waits for what is under way, then takes the last checkpoint, whose outcome ends the phase.
    fn leave(&mut self, facts: &Facts<'_>) -> Vec<Act> {
        if facts.asked_stop {
            let mut acts = vec![say(
                "asked to stop again: without waiting for the checkpoint",
            )];
            acts.extend(self.stop(facts, Goal::Preempt));
            return acts;
        }
        if let Some(node) = self.broken(facts) {
            let mut acts = vec![say(format!("node {node} died; its last version must do"))];
            acts.extend(self.stop(facts, Goal::Preempt));
            return acts;
        }
        if facts.busy {
            return Vec::new();
        }
        match self.witness(facts) {
            Some(_) => self.checkpoint(facts),
            None => self.stop(facts, Goal::Preempt),
        }
    }
}

#[cfg(test)]
mod tests;
