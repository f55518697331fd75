// SPDX-License-Identifier: GPL-2.0
//! The rules of the frontier against an oracle that sees the whole cluster.

use std::collections::BTreeSet;

use super::*;
use crate::trial::{seeds, Random};

/// A process of a cluster that the oracle sees whole. Fathers have smaller numbers.
struct Process {
    father: Option<usize>,
    node: NodeId,
    checkpointable: bool,
}

struct Cluster(Vec<Process>);

/// What one node sees of it.
struct View<'a>(&'a Cluster, NodeId);

fn pid(index: usize) -> ClusterPid {
    ClusterPid::new((1 << 22) | (300 + index as u32)).unwrap()
}

fn index(pid: ClusterPid) -> usize {
    (pid.raw() & 0x3f_ffff) as usize - 300
}

impl View<'_> {
    fn process(&self, pid: ClusterPid) -> &Process {
        let process = &self.0 .0[index(pid)];
        assert_eq!(
            process.node, self.1,
            "a node asked about a process of another"
        );
        process
    }
}

impl Filiation for View<'_> {
    fn father(&self, pid: ClusterPid) -> Father {
        match self.process(pid).father {
            None => Father::Outside,
            Some(father) if self.0 .0[father].node == self.1 => Father::Here(self::pid(father)),
            Some(father) => Father::There(self::pid(father), self.0 .0[father].node),
        }
    }

    fn is_checkpointable(&self, pid: ClusterPid) -> bool {
        self.process(pid).checkpointable
    }
}

impl Cluster {
    fn new(random: &mut Random) -> Cluster {
        let nodes = 1 + random.below(4);
        let mut processes = Vec::new();
        for number in 0..1 + random.below(20) {
            processes.push(Process {
                father: (number > 0 && random.below(5) > 0).then(|| random.below(number)),
                node: NodeId::new(1 + random.below(nodes) as u32).unwrap(),
                checkpointable: random.below(4) > 0,
            });
        }
        Cluster(processes)
    }

    fn neighbours(&self, at: usize) -> Vec<usize> {
        let sons = (0..self.0.len()).filter(|son| self.0[*son].father == Some(at));
        sons.chain(self.0[at].father).collect()
    }

    /// All that filiation joins to `from` without passing a process that lacks the capability.
    fn oracle(&self, from: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if self.0[at].checkpointable && found.insert(at) {
                open.extend(self.neighbours(at));
            }
        }
        found
    }

    /// The same by the rules, node by node, with seeds between them.
    fn rules(&self, from: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut seeds = vec![from];
        while let Some(seed) = seeds.pop() {
            let node = self.0[seed].node;
            let view = View(self, node);
            if found.contains(&seed) || !self.0[seed].checkpointable {
                continue;
            }
            let top = climb(&view, pid(seed)).unwrap();
            if let Top::Local { father, .. } = top {
                seeds.push(index(father));
            }
            for at in (0..self.0.len()).filter(|at| self.0[*at].node == node) {
                if belongs(&view, pid(at), &top) == Ok(Belongs::Yes) {
                    found.insert(at);
                    let others = self.neighbours(at);
                    seeds.extend(others.into_iter().filter(|to| self.0[*to].node != node));
                }
            }
        }
        found
    }
}

#[test]
fn the_rules_find_what_the_oracle_finds() {
    for seed in seeds(4_000) {
        let mut random = Random::new(seed);
        let cluster = Cluster::new(&mut random);
        let from = random.below(cluster.0.len());
        assert_eq!(cluster.rules(from), cluster.oracle(from), "seed {seed}");
    }
}

#[test]
fn a_head_root_has_no_checkpointable_father() {
    for seed in seeds(1_000) {
        let mut random = Random::new(seed);
        let cluster = Cluster::new(&mut random);
        for (at, process) in cluster.0.iter().enumerate() {
            match climb(&View(&cluster, process.node), pid(at)) {
                Ok(Top::Head(head)) => {
                    let father = cluster.0[index(head)].father;
                    assert!(father.is_none_or(|father| !cluster.0[father].checkpointable));
                }
                Ok(Top::Local { root, father, node }) => {
                    assert_eq!(cluster.0[index(root)].father, Some(index(father)));
                    assert!(node == cluster.0[index(father)].node && node != process.node);
                }
                Err(off) => assert!(off == Off::NotCheckpointable && !process.checkpointable),
            }
        }
    }
}

/// Everybody is his own grandfather: what a table that changes under the hand may look like.
struct Circle;

impl Filiation for Circle {
    fn father(&self, of: ClusterPid) -> Father {
        Father::Here(pid((index(of) + 1) % 2))
    }

    fn is_checkpointable(&self, _: ClusterPid) -> bool {
        true
    }
}

#[test]
fn climbing_ends() {
    assert_eq!(climb(&Circle, pid(0)), Err(Off::TooDeep));
    assert_eq!(
        belongs(&Circle, pid(0), &Top::Head(pid(1))),
        Err(Off::TooDeep)
    );
}
