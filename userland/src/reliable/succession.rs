// SPDX-License-Identifier: GPL-2.0
//! Who supervises a job next when its supervisor is gone: of the nodes whose attendants live and
//! which list the newest version, the lowest. A node that has just come back lists none of what
//! is in the others' memory, and could not restart the job.
//!
//! Attendants may see different things for a moment; of two who both think that it is theirs,
//! one gets the next term (`Folder::claim`).
use super::members::Beats;
use super::record::{Claim, Lives, Report};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A supervisor on a live node that has not written for so long hangs, milliseconds. A store may
/// be slow for a while.
const HANGS_MS: u64 = 15_000;

/// What an attendant knows.
pub struct View<'a> {
    /// Nodes that live.
    pub alive: &'a Lives,
    /// What attendants wrote.
    pub reports: &'a BTreeMap<u32, Report>,
    /// When they wrote.
    pub beats: &'a Beats,
    /// Now, on the clock of `beats`.
    pub now_ms: u64,
}

impl View<'_> {
    /// The report of a live node's attendant that still writes.
    fn attendant(&self, node: u32) -> Option<&Report> {
        let report = self.reports.get(&node)?;
        let lives = self.alive.get(&node) == Some(&report.epoch);
        (lives && self.beats.writes(node, report.epoch, self.now_ms)).then_some(report)
    }

    /// Whether the supervisor lives: it is the attendant of its node.
    pub fn supervised(&self, claim: &Claim) -> bool {
        // What has not reported yet has just begun: its node decides.
        let Some(report) = self
            .reports
            .get(&claim.node)
            .filter(|report| report.epoch == claim.epoch)
        else {
            return self.alive.get(&claim.node) == Some(&claim.epoch);
        };
        let silent = self.beats.silent_ms(claim.node, claim.epoch, self.now_ms);
        let lives = self.alive.get(&claim.node) == Some(&claim.epoch);
        lives && report.pid == claim.pid && silent.is_none_or(|silent| silent < HANGS_MS)
    }

    /// The node whose attendant takes over from `claim`; none while the supervisor lives.
    pub fn successor(&self, claim: &Claim) -> Option<u32> {
        if self.supervised(claim) {
            return None;
        }
        let listed = |node: &u32| Some((*node, self.attendant(*node)?.lists));
        let attendants = self.alive.keys().filter_map(listed);
        let best = attendants.min_by_key(|(node, lists)| (Reverse(*lists), *node));
        best.map(|(node, _)| node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(all: &[(u32, u64, u32, u64)]) -> BTreeMap<u32, Report> {
        let report = |&(node, epoch, pid, beat): &(u32, u64, u32, u64)| {
            let report = Report {
                epoch,
                pid,
                beat,
                ..Report::default()
            };
            (node, report)
        };
        all.iter().map(report).collect()
    }

    const CLAIM: Claim = Claim {
        node: 1,
        epoch: 10,
        pid: 100,
    };

    fn successor(
        alive: &[(u32, u64)],
        first: &[(u32, u64, u32, u64)],
        later: &[(u32, u64, u32, u64)],
    ) -> Option<u32> {
        successor_at(5_000, alive, first, later)
    }

    /// Who takes over some time after all wrote for the first time, where `later` wrote again.
    fn successor_at(
        now_ms: u64,
        alive: &[(u32, u64)],
        first: &[(u32, u64, u32, u64)],
        later: &[(u32, u64, u32, u64)],
    ) -> Option<u32> {
        let mut beats = Beats::default();
        let mut all = reports(first);
        beats.note(&all, 0);
        all.extend(reports(later));
        beats.note(&all, now_ms);
        let alive = alive.iter().copied().collect();
        View {
            alive: &alive,
            reports: &all,
            beats: &beats,
            now_ms,
        }
        .successor(&CLAIM)
    }

    const FIRST: [(u32, u64, u32, u64); 3] = [(1, 10, 100, 1), (2, 20, 200, 1), (3, 30, 300, 1)];

    #[test]
    fn a_live_supervisor_has_no_successor() {
        let later = [(1, 10, 100, 2), (2, 20, 200, 2)];
        assert_eq!(
            successor(&[(1, 10), (2, 20), (3, 30)], &FIRST, &later),
            None
        );
        // Just begun: nothing written yet.
        assert_eq!(
            successor(&[(1, 10), (2, 20)], &FIRST[1..], &[(2, 20, 200, 2)]),
            None
        );
    }

    #[test]
    fn a_supervisor_that_hangs_is_followed_and_a_slow_one_is_not() {
        let (alive, later) = ([(1, 10), (2, 20)], [(2, 20, 200, 2)]);
        assert_eq!(successor_at(HANGS_MS - 1, &alive, &FIRST, &later), None);
        assert_eq!(successor_at(HANGS_MS, &alive, &FIRST, &later), Some(2));
    }

    #[test]
    fn the_lowest_live_attendant_follows_a_dead_node() {
        let later = [(2, 20, 200, 2), (3, 30, 300, 2)];
        assert_eq!(successor(&[(2, 20), (3, 30)], &FIRST, &later), Some(2));
        assert_eq!(successor(&[(2, 20), (3, 30)], &FIRST, &later[1..]), Some(3));
        assert_eq!(successor(&[(2, 20), (3, 30)], &FIRST, &[]), None);
    }

    #[test]
    fn who_lists_the_newest_version_follows_before_the_lowest() {
        let mut beats = Beats::default();
        let mut all = reports(&[(2, 20, 200, 1), (3, 30, 300, 1), (4, 40, 400, 1)]);
        for node in [3, 4] {
            all.entry(node).and_modify(|report| report.lists = 7);
        }
        beats.note(&all, 0);
        let alive = Lives::from([(2, 20), (3, 30), (4, 40)]);
        let view = View {
            alive: &alive,
            reports: &all,
            beats: &beats,
            now_ms: 1,
        };
        assert_eq!(view.successor(&CLAIM), Some(3));
    }

    #[test]
    fn a_node_that_came_back_does_not_supervise_any_more() {
        let later = [(1, 11, 101, 1), (2, 20, 200, 2)];
        assert_eq!(successor(&[(1, 11), (2, 20)], &FIRST, &later), Some(1));
        assert_eq!(successor(&[(1, 11), (2, 20)], &FIRST, &later[1..]), Some(2));
    }

    #[test]
    fn a_supervisor_that_died_on_a_live_node_is_followed() {
        let again = [(1, 10, 101, 2), (2, 20, 200, 2)];
        assert_eq!(successor(&[(1, 10), (2, 20)], &FIRST, &again), Some(1));
    }
}
