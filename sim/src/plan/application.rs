// SPDX-License-Identifier: GPL-2.0
//! Shapes of applications: trees, rings, farms, meshes, and the one of the paper's Figure 2.
use super::{Plan, Wanted};
use crate::random::Random;

/// A shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Fathers and sons, no streams.
    Tree,
    /// Head roots, each connected to the next.
    Ring,
    /// One master with a stream to each worker.
    Farm,
    /// Every two processes are connected.
    Mesh,
    /// Two trees over four nodes, joined by streams: Figure 2 of the Kerrighed paper.
    Figure2,
    /// Any processes, any streams, any fathers.
    Anything,
}

/// All shapes.
pub const SHAPES: [Shape; 6] = [
    Shape::Tree,
    Shape::Ring,
    Shape::Farm,
    Shape::Mesh,
    Shape::Figure2,
    Shape::Anything,
];

fn process(node: u32, father: Option<usize>) -> Wanted {
    Wanted {
        node,
        father,
        capable: true,
        memory: 1 << 20,
    }
}

impl Plan {
    /// Adds an application of this shape with about `count` processes.
    pub fn shape(&mut self, shape: Shape, count: usize, random: &mut Random) {
        let first = self.processes.len();
        let nodes = u64::from(self.nodes);
        // CAST: a number of a node.
        let anywhere = |random: &mut Random| 1 + random.below(nodes) as u32;
        if shape == Shape::Figure2 {
            return self.figure_2(first);
        }
        for number in 0..count {
            let father = match shape {
                Shape::Tree => (number > 0).then(|| first + random.index(number)),
                Shape::Farm => (number > 0).then_some(first),
                Shape::Anything if number > 0 && random.once_in(2) => {
                    Some(first + random.index(number))
                }
                Shape::Ring | Shape::Mesh | Shape::Anything | Shape::Figure2 => None,
            };
            let node = anywhere(random);
            self.processes.push(process(node, father));
        }
        let at = |number: usize| first + number % count;
        match shape {
            Shape::Ring => self
                .streams
                .extend((0..count).map(|one| (at(one), at(one + 1)))),
            Shape::Farm => self.streams.extend((1..count).map(|one| (first, at(one)))),
            Shape::Mesh => {
                let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |two| (one, two)));
                self.streams
                    .extend(pairs.map(|(one, two)| (at(one), at(two))));
            }
            Shape::Anything => {
                for _ in 0..random.index(2 * count) {
                    let pair = (first + random.index(count), first + random.index(count));
                    self.streams.push(pair);
                }
            }
            Shape::Tree | Shape::Figure2 => {}
        }
    }

    /// Head root A with sons on two nodes, head root B with one remote son, and a stream between
    /// a son of A and one of B.
    fn figure_2(&mut self, first: usize) {
        let on = |node: u32| (node - 1) % self.nodes + 1;
        let list = [
            process(on(1), None),
            process(on(1), Some(first)),
            process(on(2), Some(first)),
            process(on(2), Some(first + 2)),
            process(on(3), None),
            process(on(3), Some(first + 4)),
            process(on(4), Some(first + 4)),
        ];
        self.processes.extend(list);
        self.streams.push((first + 3, first + 6));
        self.streams.push((first + 1, first + 2));
    }
}
