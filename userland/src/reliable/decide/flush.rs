// SPDX-License-Identifier: GPL-2.0
//! Versions in memory that go to disk as well, and from which of the two a restart takes them.
use super::{say, Act, Facts, RestartError, Rules};
use crate::exit::Exit;
use crate::reliable::record::{Goal, Phase, State, Version};
use crate::reliable::versions;

/// Where a version is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// On disk, while checkpoints go to memory.
    Flushed,
    /// Where checkpoints go.
    Own,
}

fn is_in(list: &[Version], one: &Version) -> bool {
    let same =
        |other: &&Version| (other.application, other.version) == (one.application, one.version);
    list.iter().any(|other| same(&other))
}

impl State {
    /// Whether a version that was just committed goes to disk: every n-th, and the last.
    pub(super) fn flush(&mut self, rules: &Rules, version: Version) -> Option<Act> {
        let every = rules.flush_every?;
        self.unflushed = self.unflushed.saturating_add(1);
        let due = self.unflushed >= every || self.phase == Phase::Leaving;
        due.then_some(Act::Flush(version))
    }

    pub(super) fn flushed(
        &mut self,
        rules: &Rules,
        facts: &Facts<'_>,
        version: Version,
    ) -> Vec<Act> {
        self.unflushed = 0;
        self.counters.flushes += 1;
        if !is_in(&self.flushed, &version) {
            self.flushed.push(version);
        }
        let mut acts = vec![say(format!("version {} is on disk", version.version))];
        let old = versions::excess(&mut self.flushed, rules.keep);
        acts.extend(old.into_iter().map(Act::RemoveFlushed));
        acts.extend(self.left(facts));
        acts
    }

    /// The next version is tried again.
    pub(super) fn not_flushed(&mut self, facts: &Facts<'_>, why: &str) -> Vec<Act> {
        let mut acts = vec![say(format!("not on disk: {why}"))];
        acts.extend(self.left(facts));
        acts
    }

    fn left(&mut self, facts: &Facts<'_>) -> Vec<Act> {
        match self.phase {
            Phase::Leaving => self.stop(facts, Goal::Preempt),
            _ => Vec::new(),
        }
    }

    /// The newest version that may be restarted, from memory if it is there.
    pub(super) fn candidate(&self, facts: &Facts<'_>) -> Option<(Version, Level)> {
        let own = facts.versions.iter().map(|one| (*one, Level::Own));
        let flushed = facts.flushed.iter().map(|one| (*one, Level::Flushed));
        own.filter(|(one, _)| !is_in(&self.lost, one))
            .chain(flushed)
            .filter(|(one, _)| !is_in(&self.bad, one))
            .max_by_key(|(one, level)| (one.cut_ms, one.version, *level))
    }

    /// Whether memory does not have the version any more, and the disk has one.
    pub(super) fn is_lost(&self, facts: &Facts<'_>, error: &RestartError) -> bool {
        let gone = error.is_of_version() || error.code == Exit::PartUnreachable as i32;
        error.level == Level::Own && gone && !facts.flushed.is_empty()
    }
}
