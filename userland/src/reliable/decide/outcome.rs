// SPDX-License-Identifier: GPL-2.0
//! What becomes of the state when an act is done.
use super::{say, Act, Facts, Level, Rules};
use crate::exit::Exit;
use crate::reliable::daly;
use crate::reliable::record::{Goal, Lives, Phase, State, Version};
use crate::reliable::versions;

/// A checkpoint that was committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpointed {
    /// Application id.
    pub application: u64,
    /// Its version.
    pub version: u32,
    /// Nodes with a part.
    pub nodes: Vec<u32>,
    /// Whole time, milliseconds.
    pub total_ms: u64,
    /// Pause, microseconds.
    pub pause_us: u64,
}

/// Why a restart failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestartError {
    /// The version.
    pub version: Version,
    /// Where it was looked for.
    pub level: Level,
    /// Exit code of restart.
    pub code: i32,
    /// What it said.
    pub text: String,
}

/// How an act ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The command runs as the session of this root, on this node.
    Started(u32, Lives),
    /// It could not be started, and could not anywhere.
    NotStarted(String),
    /// A version exists.
    Checkpointed(Checkpointed),
    /// It does not.
    NotCheckpointed(String),
    /// A version runs again.
    Restarted(Version),
    /// It does not.
    NotRestarted(RestartError),
    /// A version is on disk.
    Flushed(Version),
    /// It is not.
    NotFlushed(String),
}

impl RestartError {
    /// Whether another version may do better: this one cannot be restarted here.
    pub(super) fn is_of_version(&self) -> bool {
        let own = [
            Exit::NoSuchVersion,
            Exit::Damaged,
            Exit::FileGone,
            Exit::Incompatible,
            Exit::NotPermitted,
        ];
        own.iter().any(|exit| *exit as i32 == self.code)
    }
}

impl State {
    /// Takes note of how an act ended.
    pub fn conclude(&mut self, rules: &Rules, facts: &Facts<'_>, outcome: Outcome) -> Vec<Act> {
        match outcome {
            Outcome::Started(root, lives) => {
                self.root = root;
                self.application = 0;
                self.runs(facts, lives, None);
                vec![say(format!("the command runs as process {root}"))]
            }
            Outcome::NotStarted(why) => self.fail(facts, why),
            Outcome::Checkpointed(done) => self.checkpointed(rules, facts, &done),
            Outcome::NotCheckpointed(why) => self.not_checkpointed(facts, &why),
            Outcome::Restarted(version) => self.restarted(facts, version),
            Outcome::NotRestarted(error) => self.not_restarted(facts, error),
            Outcome::Flushed(version) => self.flushed(rules, facts, version),
            Outcome::NotFlushed(why) => self.not_flushed(facts, &why),
        }
    }

    fn runs(&mut self, facts: &Facts<'_>, members: Lives, status: Option<u8>) {
        let again = self.broken_ms != 0;
        if again {
            self.counters.restarts += 1;
            self.counters.down_ms += facts.now_ms.saturating_sub(self.broken_ms);
        }
        self.members = members;
        self.broken_ms = 0;
        self.running_ms = facts.now_ms;
        self.tried_ms = None;
        self.try_failed = false;
        self.status = status;
        self.ending = None;
        self.orders.probe += 1;
        self.enter(Phase::Running, facts.now_ms);
    }

    fn checkpointed(&mut self, rules: &Rules, facts: &Facts<'_>, done: &Checkpointed) -> Vec<Act> {
        let Checkpointed {
            application,
            version,
            ..
        } = *done;
        self.application = application;
        let cut_ms = self.tried_ms.unwrap_or(facts.now_ms);
        let status = self.status;
        let new = Version {
            application,
            version,
            cut_ms,
            status,
        };
        self.versions.push(new);
        self.counters.checkpoints += 1;
        self.counters.crashes_in_row = 0;
        self.counters.pause_us_max = self.counters.pause_us_max.max(done.pause_us);
        self.cost_ms = Some(daly::cost(self.cost_ms, done.total_ms));
        self.tried(facts, false);
        if self.phase == Phase::Running {
            let there = done
                .nodes
                .iter()
                .filter_map(|node| facts.alive.get_key_value(node));
            self.members
                .extend(there.map(|(node, epoch)| (*node, *epoch)));
            // Until they have answered whether the application is still there.
            self.orders.probe += 1;
        }
        let mut acts = vec![say(format!(
            "version {version} of application {application}, on {} nodes, in {} ms, pause {} us",
            done.nodes.len(),
            done.total_ms,
            done.pause_us
        ))];
        acts.push(Act::CheckpointHook);
        let old = versions::excess(&mut self.versions, rules.keep);
        acts.extend(old.into_iter().map(Act::Remove));
        match self.flush(rules, new) {
            Some(flush) => acts.push(flush),
            None if self.phase == Phase::Leaving => acts.extend(self.stop(facts, Goal::Preempt)),
            None => {}
        }
        acts
    }

    fn tried(&mut self, facts: &Facts<'_>, failed: bool) {
        self.tried_end_ms = facts.now_ms;
        self.try_failed = failed;
    }

    fn not_checkpointed(&mut self, facts: &Facts<'_>, why: &str) -> Vec<Act> {
        self.counters.failed_checkpoints += 1;
        self.tried(facts, true);
        let mut acts = vec![say(format!("no checkpoint: {why}"))];
        if self.phase == Phase::Leaving {
            acts.extend(self.stop(facts, Goal::Preempt));
        }
        acts
    }

    fn restarted(&mut self, facts: &Facts<'_>, version: Version) -> Vec<Act> {
        let lost = self.broken_ms.saturating_sub(version.cut_ms);
        let down = facts.now_ms.saturating_sub(self.broken_ms);
        self.counters.lost_ms += lost;
        self.counters.attempts_in_row = 0;
        self.application = version.application;
        // Parts may be on any of them; who has none will say so.
        self.runs(facts, facts.alive.clone(), version.status);
        let text = format!(
            "version {} of application {} runs again: {lost} ms of work lost, {down} ms down",
            version.version, version.application
        );
        vec![say(text), Act::RestartHook]
    }

    fn not_restarted(&mut self, facts: &Facts<'_>, error: RestartError) -> Vec<Act> {
        let line = say(format!(
            "version {} cannot be restarted: {}",
            error.version.version, error.text
        ));
        if self.is_lost(facts, &error) {
            self.lost.push(error.version);
        } else if error.is_of_version() {
            self.bad.push(error.version);
        } else {
            self.counters.attempts_in_row += 1;
        }
        self.why = error.text;
        let mut acts = vec![line];
        // Whatever was left anywhere must go before the next attempt.
        self.members = facts.alive.clone();
        acts.extend(self.stop(facts, Goal::Restart));
        acts
    }
}
