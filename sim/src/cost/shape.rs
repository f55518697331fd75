// SPDX-License-Identifier: GPL-2.0
//! Large applications: one sub-application per node, and how they hang together.

use ssi_core::checkpoint::{Link, Seed};
use ssi_core::node::{ClusterPid, NodeId, LOCAL_BITS};
use ssi_core::stream::End;

/// How the nodes' sub-applications hang together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Shape {
    /// Every node has a head root with a connection to the master on the first node.
    Farm,
    /// Filiation: every node's local root has remote sons on eight others.
    Tree,
    /// A square of head roots, each connected to its four neighbours, on the tree of a launcher.
    Mesh,
    /// Head roots, each connected to the next.
    Ring,
}

/// All of them.
pub const SHAPES: [Shape; 4] = [Shape::Farm, Shape::Tree, Shape::Mesh, Shape::Ring];

/// Sons of a local root in a tree.
const SONS: u32 = 8;

/// An application with one sub-application on each of the nodes 1 to `nodes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Application {
    /// How many.
    pub nodes: u32,
    /// Processes of each.
    pub processes: u32,
    /// Bytes of memory of each process.
    pub memory: u64,
    /// How they hang together.
    pub shape: Shape,
}

impl Shape {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Farm => "farm",
            Shape::Tree => "tree",
            Shape::Mesh => "mesh",
            Shape::Ring => "ring",
        }
    }
}

/// The node with this number.
pub fn node(raw: u32) -> NodeId {
    // CAST: numbers here begin at 1.
    NodeId::beyond(raw).unwrap_or(FIRST)
}

/// The node on which the checkpoint is called.
pub const FIRST: NodeId = match NodeId::new(1) {
    Some(first) => first,
    None => unreachable!(),
};

/// The local root of a node: where it was born does not matter to the protocol.
pub fn root_of(node: u32) -> ClusterPid {
    let raw = (1 << LOCAL_BITS) + 300 + node;
    match ClusterPid::new(raw) {
        Some(pid) => pid,
        None => unreachable!("a PID of node 1 or 2"),
    }
}

/// The connection between two nodes, as each of them names it.
fn stream(from: u32, to: u32) -> Link {
    let end = |node: u32, other: u32| End {
        address: node,
        port: other % 60_000 + 1,
    };
    Link {
        node: node(to),
        seed: Seed::Stream {
            near: end(to, from),
            far: end(from, to),
        },
    }
}

fn father_of(raw: u32) -> Option<u32> {
    (raw > 1).then(|| (raw - 2) / SONS + 1)
}

impl Application {
    /// Bytes of one node's part.
    pub fn part_bytes(&self) -> u64 {
        u64::from(self.processes) * self.memory
    }

    /// What leads from a node to others.
    pub fn links(&self, of: u32) -> Vec<Link> {
        match self.shape {
            Shape::Farm if of == 1 => (2..=self.nodes).map(|to| stream(1, to)).collect(),
            Shape::Farm => vec![stream(of, 1)],
            Shape::Tree => self.kin(of),
            Shape::Mesh => {
                let mut links = self.kin(of);
                links.extend(self.neighbours(of).into_iter().map(|to| stream(of, to)));
                links
            }
            Shape::Ring => self.ring(of),
        }
    }

    /// Streams of one node whose other ends are on other nodes.
    pub fn streams(&self, of: u32) -> u32 {
        match self.shape {
            Shape::Farm if of == 1 => self.nodes - 1,
            Shape::Farm => 1,
            Shape::Tree => 0,
            // CAST: at most four.
            Shape::Mesh => self.neighbours(of).len() as u32,
            Shape::Ring => 2.min(self.nodes - 1),
        }
    }

    fn kin(&self, of: u32) -> Vec<Link> {
        let father = father_of(of).map(|father| Link {
            node: node(father),
            seed: Seed::Father(root_of(father)),
        });
        let first = (u64::from(of) - 1) * u64::from(SONS) + 2;
        let sons = (first..first + u64::from(SONS)).take_while(|son| *son <= u64::from(self.nodes));
        // CAST: at most `nodes`.
        let sons = sons.map(|son| Link {
            node: node(son as u32),
            seed: Seed::Son(root_of(son as u32)),
        });
        father.into_iter().chain(sons).collect()
    }

    fn neighbours(&self, of: u32) -> Vec<u32> {
        let width = self.nodes.isqrt().max(1);
        let (column, mut near) = ((of - 1) % width, Vec::new());
        if column > 0 {
            near.push(of - 1);
        }
        if column + 1 < width && of < self.nodes {
            near.push(of + 1);
        }
        if of > width {
            near.push(of - width);
        }
        if of + width <= self.nodes {
            near.push(of + width);
        }
        near
    }

    fn ring(&self, of: u32) -> Vec<Link> {
        let next = of % self.nodes + 1;
        let last = (of + self.nodes - 2) % self.nodes + 1;
        let mut links = Vec::new();
        for to in [next, last] {
            if to != of && !links.contains(&stream(of, to)) {
                links.push(stream(of, to));
            }
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, VecDeque};

    #[test]
    fn every_shape_hangs_together_both_ways() {
        for shape in SHAPES {
            for nodes in [1, 2, 3, 10, 99, 1000] {
                let application = Application {
                    nodes,
                    processes: 1,
                    memory: 0,
                    shape,
                };
                let (mut seen, mut open) = (BTreeSet::from([1]), VecDeque::from([1]));
                while let Some(at) = open.pop_front() {
                    for link in application.links(at) {
                        let to = link.node.raw();
                        let back = application.links(to);
                        assert!(
                            back.iter().any(|link| link.node.raw() == at),
                            "{shape:?} {at}"
                        );
                        if seen.insert(to) {
                            open.push_back(to);
                        }
                    }
                }
                assert_eq!(seen.len() as u32, nodes, "{shape:?}");
            }
        }
    }
}
