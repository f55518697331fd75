// SPDX-License-Identifier: GPL-2.0
//! Which nodes live: what the kernel's membership says, and whether their attendants still write.
//!
//! A node is dead when the kernel says so *and* its attendant has fallen silent. A node that only
//! the network has lost goes on writing to the store: it is told to stop before the application
//! is restarted without it, and nobody takes its jobs over. Neither is a node dead that the kernel
//! here has not reached yet, because this one has just joined.
use super::record::{Lives, Report};
use ssi_core::abi::{node_state, NodeStatus};
use std::collections::{BTreeMap, BTreeSet};

/// An attendant that has not written for so long is silent, milliseconds. Longer than the
/// interval of its beats by far, no longer than the kernel needs to find a node dead.
pub const SILENT_MS: u64 = 3000;

/// What was seen of attendants: their last beat, and when it was new, on the reader's own clock.
#[derive(Default, Debug)]
pub struct Beats {
    last: BTreeMap<u32, ((u64, u64), u64)>,
}

impl Beats {
    /// Notes what the reports say at `now_ms`.
    pub fn note(&mut self, reports: &BTreeMap<u32, Report>, now_ms: u64) {
        for (node, report) in reports {
            let beat = (report.epoch, report.beat);
            match self.last.get(node) {
                Some((known, _)) if *known == beat => {}
                _ => drop(self.last.insert(*node, (beat, now_ms))),
            }
        }
    }

    /// How long this life of the node has been silent, if anything was ever heard of it.
    pub fn silent_ms(&self, node: u32, epoch: u64, now_ms: u64) -> Option<u64> {
        let ((of, _), at) = self.last.get(&node)?;
        (*of == epoch).then(|| now_ms.saturating_sub(*at))
    }

    /// Whether the attendant of this life of the node writes.
    pub fn writes(&self, node: u32, epoch: u64, now_ms: u64) -> bool {
        self.silent_ms(node, epoch, now_ms)
            .is_some_and(|silent| silent < SILENT_MS)
    }

    /// The nodes that live.
    pub fn alive(&self, nodes: &[NodeStatus], now_ms: u64) -> Lives {
        let live = |status: &NodeStatus| Some((status.node, self.life(status, now_ms)?));
        nodes.iter().filter_map(live).collect()
    }

    /// The epoch of a node that lives. The kernel knows none of a node that it has not reached,
    /// and may know an earlier one of a node that is back.
    fn life(&self, status: &NodeStatus, now_ms: u64) -> Option<u64> {
        if status.state == node_state::UP {
            return Some(status.epoch);
        }
        let ((epoch, _), _) = self.last.get(&status.node)?;
        let lives = *epoch >= status.epoch && self.writes(status.node, *epoch, now_ms);
        lives.then_some(*epoch)
    }
}

/// All nodes that were ever seen, with their last lives.
pub fn seen(nodes: &[NodeStatus]) -> Lives {
    nodes
        .iter()
        .filter(|status| status.epoch != 0)
        .map(|status| (status.node, status.epoch))
        .collect()
}

/// The nodes that are up and run nothing that is CHECKPOINTABLE, for the kernel.
pub fn idle(nodes: &[NodeStatus]) -> BTreeSet<u32> {
    let idle = |status: &&NodeStatus| status.state == node_state::UP && status.processes == 0;
    nodes
        .iter()
        .filter(idle)
        .map(|status| status.node)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(epoch: u64, beat: u64) -> Report {
        Report {
            epoch,
            pid: 1,
            beat,
            ..Report::default()
        }
    }

    fn status(node: u32, state: u32, epoch: u64) -> NodeStatus {
        NodeStatus {
            node,
            state,
            epoch,
            ..NodeStatus::default()
        }
    }

    fn reports(all: &[(u32, Report)]) -> BTreeMap<u32, Report> {
        all.iter().cloned().collect()
    }

    #[test]
    fn who_is_up_needs_no_attendant() {
        let nodes = [status(1, node_state::UP, 5), status(2, node_state::DOWN, 6)];
        assert_eq!(Beats::default().alive(&nodes, 0), Lives::from([(1, 5)]));
    }

    #[test]
    fn who_is_down_lives_while_the_store_hears_of_it() {
        let mut beats = Beats::default();
        let down = [status(2, node_state::DOWN, 6)];
        for second in 0..5 {
            beats.note(&reports(&[(2, report(6, second))]), second * 1000);
            assert_eq!(beats.alive(&down, second * 1000), Lives::from([(2, 6)]));
        }
        beats.note(&reports(&[(2, report(6, 4))]), 6_999);
        assert_eq!(beats.alive(&down, 6_999).len(), 1);
        assert_eq!(beats.alive(&down, 7_000).len(), 0);
    }

    #[test]
    fn who_was_not_reached_yet_lives_while_the_store_hears_of_it() {
        let mut beats = Beats::default();
        let never = [status(2, node_state::ABSENT, 0)];
        assert_eq!(beats.alive(&never, 0), Lives::new());
        beats.note(&reports(&[(2, report(6, 1))]), 0);
        assert_eq!(beats.alive(&never, 2_999), Lives::from([(2, 6)]));
        assert_eq!(beats.alive(&never, 3_000), Lives::new());
        // Back, and the kernel has not met this life.
        let earlier = [status(2, node_state::DOWN, 5)];
        beats.note(&reports(&[(2, report(6, 2))]), 3_000);
        assert_eq!(beats.alive(&earlier, 3_000), Lives::from([(2, 6)]));
    }

    #[test]
    fn another_life_of_a_node_says_nothing_for_the_one_before() {
        let mut beats = Beats::default();
        beats.note(&reports(&[(2, report(6, 1))]), 0);
        assert_eq!(
            beats.alive(&[status(2, node_state::UP, 7)], 1),
            Lives::from([(2, 7)])
        );
        assert_eq!(
            beats.alive(&[status(2, node_state::DOWN, 7)], 1),
            Lives::new()
        );
        assert!(!beats.writes(2, 7, 1));
    }

    #[test]
    fn idle_is_who_is_up_with_nothing() {
        let mut busy = status(3, node_state::UP, 1);
        busy.processes = 2;
        let nodes = [
            status(1, node_state::UP, 1),
            status(2, node_state::DOWN, 1),
            busy,
        ];
        assert_eq!(idle(&nodes), BTreeSet::from([1]));
    }
}
