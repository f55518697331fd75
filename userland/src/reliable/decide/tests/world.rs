// SPDX-License-Identifier: GPL-2.0
//! A job with its world, for stories about it.
use super::super::*;
use chrono::Utc;

/// A job with its world: three nodes whose attendants do at once what they are told.
pub(super) struct World {
    pub(super) state: State,
    pub(super) rules: Rules,
    pub(super) now_ms: u64,
    pub(super) alive: Lives,
    pub(super) seen: Lives,
    pub(super) reports: BTreeMap<u32, Report>,
    pub(super) idle: BTreeSet<u32>,
    pub(super) exit: Option<u8>,
    pub(super) busy: bool,
    pub(super) stop: bool,
    pub(super) versions: Vec<Version>,
    pub(super) flushed: Vec<Version>,
    pub(super) obedient: bool,
}

pub(super) fn report(epoch: u64, processes: u32) -> Report {
    let one = if processes > 0 { 77 } else { 0 };
    Report {
        epoch,
        pid: 1,
        beat: 0,
        probe: 0,
        stopped: 0,
        killed: 0,
        processes,
        one,
        lists: 0,
    }
}

pub(super) fn version(version: u32, cut_ms: u64) -> Version {
    Version {
        application: 7,
        version,
        cut_ms,
        status: None,
    }
}

impl World {
    /// A job that has just been started on node 1.
    pub(super) fn new() -> World {
        let alive = Lives::from([(1, 10), (2, 20), (3, 30)]);
        let mut world = World {
            state: State::new(1_000_000),
            rules: Rules {
                periodicity: "30s".parse().unwrap(),
                mtbf_ms: None,
                keep: 2,
                max_restarts: 2,
                flush_every: None,
            },
            now_ms: 1_000_000,
            seen: alive.clone(),
            reports: alive
                .iter()
                .map(|(node, epoch)| (*node, report(*epoch, 0)))
                .collect(),
            alive,
            idle: BTreeSet::new(),
            exit: None,
            busy: false,
            stop: false,
            versions: Vec::new(),
            flushed: Vec::new(),
            obedient: true,
        };
        assert_eq!(world.step(), [Act::Start]);
        world.place(1, 2);
        world.conclude(Outcome::Started(500, Lives::from([(1, 10)])));
        world
    }

    /// The same with a version that has parts on nodes 1 and 2.
    pub(super) fn with_version() -> World {
        let mut world = World::new();
        world.place(2, 1);
        world.pass(30_000);
        assert_eq!(world.step(), [Act::Checkpoint(500)]);
        world.pass(400);
        let acts = world.conclude(done(1, &[1, 2]));
        assert!(acts.contains(&Act::CheckpointHook));
        world.versions = vec![version(1, 1_030_000)];
        world.quiet();
        world
    }

    pub(super) fn with_facts<T>(
        &mut self,
        what: impl FnOnce(&mut State, &Rules, &Facts<'_>) -> T,
    ) -> T {
        let facts = Facts {
            now_ms: self.now_ms,
            alive: &self.alive,
            seen: &self.seen,
            idle: &self.idle,
            reports: &self.reports,
            exit: self.exit,
            busy: self.busy,
            asked_checkpoint: false,
            asked_stop: std::mem::take(&mut self.stop),
            versions: &self.versions,
            flushed: &self.flushed,
        };
        what(&mut self.state, &self.rules, &facts)
    }

    pub(super) fn step(&mut self) -> Vec<Act> {
        let acts = self.with_facts(|state, rules, facts| state.step(rules, facts, &Utc));
        if self.obedient {
            self.obey();
        }
        acts
    }

    /// Steps until something is to be done besides talking, or nothing happens any more.
    pub(super) fn act(&mut self) -> Vec<Act> {
        for _ in 0..20 {
            let acts: Vec<Act> = self
                .step()
                .into_iter()
                .filter(|act| !matches!(act, Act::Say(_)))
                .collect();
            if !acts.is_empty() {
                return acts;
            }
        }
        Vec::new()
    }

    pub(super) fn quiet(&mut self) {
        assert_eq!(self.act(), []);
        assert_eq!(self.state.phase, Phase::Running);
    }

    pub(super) fn conclude(&mut self, outcome: Outcome) -> Vec<Act> {
        self.with_facts(|state, rules, facts| state.conclude(rules, facts, outcome))
    }

    /// The attendants of live nodes look at the orders.
    pub(super) fn obey(&mut self) {
        for (node, epoch) in &self.alive {
            let Some(report) = self
                .reports
                .get_mut(node)
                .filter(|report| report.epoch == *epoch)
            else {
                continue;
            };
            let orders = &self.state.orders;
            if orders.kill > report.killed && *epoch <= orders.lives[node] {
                report.processes = 0;
            }
            (report.probe, report.stopped, report.killed) =
                (orders.probe, orders.stop, orders.kill);
        }
    }

    pub(super) fn place(&mut self, node: u32, processes: u32) {
        let killed = self.reports.get(&node).map_or(0, |report| report.killed);
        let probe = self.state.orders.probe;
        let fresh = report(self.alive[&node], processes);
        let stopped = killed;
        let report = Report {
            probe,
            stopped,
            killed,
            ..fresh
        };
        self.reports.insert(node, report);
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    pub(super) fn kill_node(&mut self, node: u32) {
        self.alive.remove(&node);
    }

    /// What follows a failure, up to the restart of a version on the nodes that are left.
    pub(super) fn repaired(&mut self, wanted: u32) {
        assert_eq!(self.act(), [own(version(wanted, self.cut(wanted)))]);
        self.pass(2_000);
        self.conclude(Outcome::Restarted(version(wanted, self.cut(wanted))));
        for node in self.alive.keys().copied().collect::<Vec<_>>() {
            self.place(node, 1);
        }
        self.exit = None;
        self.quiet();
    }

    pub(super) fn cut(&self, wanted: u32) -> u64 {
        self.versions
            .iter()
            .find(|one| one.version == wanted)
            .unwrap()
            .cut_ms
    }
}

pub(super) fn done(version: u32, nodes: &[u32]) -> Outcome {
    Outcome::Checkpointed(Checkpointed {
        application: 7,
        version,
        nodes: nodes.into(),
        total_ms: 400,
        pause_us: 900,
    })
}

/// Its restart, from where checkpoints go.
pub(super) fn own(version: Version) -> Act {
    Act::Restart(version, Level::Own)
}

pub(super) fn not_restarted(version: Version, code: i32) -> Outcome {
    Outcome::NotRestarted(RestartError {
        version,
        level: Level::Own,
        code,
        text: "no".into(),
    })
}
