// SPDX-License-Identifier: GPL-2.0
//! Where each part of a version is restored: a pure function.

use crate::node::{NodeId, NodeSet};
use crate::survey::Holders;

const NODES: usize = 256;

/// Which node restores which part. A part is named by the node that wrote it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    places: [Option<NodeId>; NODES],
}

impl Plan {
    /// Places each of `parts` whole: on its original node if that is up, otherwise on the node
    /// with the least load that is up; at a tie on the one with fewer of the parts, then with the
    /// lowest id. `load` says how many processes a node runs, as last heard; each part that goes
    /// to a node adds one. `None` where no node is up.
    pub fn new(parts: &NodeSet, up: &NodeSet, load: &mut dyn FnMut(NodeId) -> u32) -> Option<Plan> {
        let plan = Plan::choose(parts, up, load, |_, _| true);
        let placed = parts.iter().all(|part| plan.place(part).is_some());
        placed.then_some(plan)
    }

    /// The same, with each part on a node of `up` that holds it. A part that none of them holds
    /// has no place.
    pub fn held(parts: &NodeSet, up: &NodeSet, holders: &Holders) -> Plan {
        let load = &mut |node| holders.load(node);
        Plan::choose(parts, up, load, |node, part| holders.has(node, part))
    }

    /// The same for a second copy: on another node than `first` says.
    pub fn besides(parts: &NodeSet, up: &NodeSet, holders: &Holders, first: &Plan) -> Plan {
        let load = &mut |node| holders.load(node);
        let may = |node, part| holders.has(node, part) && first.place(part) != Some(node);
        Plan::choose(parts, up, load, may)
    }

    fn choose(
        parts: &NodeSet,
        up: &NodeSet,
        load: &mut dyn FnMut(NodeId) -> u32,
        may: impl Fn(NodeId, NodeId) -> bool,
    ) -> Plan {
        let mut plan = Plan {
            places: [None; NODES],
        };
        let stays = |part: NodeId| up.contains(part) && may(part, part);
        for part in parts.iter().filter(|part| stays(*part)) {
            plan.put(part, part);
        }
        for part in parts.iter().filter(|part| !stays(*part)) {
            let able = up.iter().filter(|node| may(*node, part));
            let place = able.min_by_key(|node| {
                let parts = plan.parts_on(*node);
                (load(*node).saturating_add(parts), parts, *node)
            });
            if let Some(place) = place {
                plan.put(part, place);
            }
        }
        plan
    }

    /// Where `part` is restored.
    pub fn place(&self, part: NodeId) -> Option<NodeId> {
        *self.places.get(index(part))?
    }

    /// All parts with their places, in ascending order of the parts.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        NodeId::all().filter_map(|part| Some((part, self.place(part)?)))
    }

    /// All nodes that restore something.
    pub fn participants(&self) -> NodeSet {
        let mut set = NodeSet::EMPTY;
        for (_, place) in self.iter() {
            set.insert(place);
        }
        set
    }

    /// How many parts go to another node than they came from.
    pub fn moved(&self) -> u32 {
        count(self.iter().filter(|(part, place)| part != place))
    }

    fn parts_on(&self, node: NodeId) -> u32 {
        count(self.iter().filter(|(_, place)| *place == node))
    }

    fn put(&mut self, part: NodeId, place: NodeId) {
        if let Some(slot) = self.places.get_mut(index(part)) {
            *slot = Some(place);
        }
    }
}

impl core::fmt::Debug for Plan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(part, place)| (part.raw(), place.raw())))
            .finish()
    }
}

fn index(node: NodeId) -> usize {
    // CAST: 32 bits fit in a usize on every supported machine.
    node.raw() as usize
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    items.fold(0u32, |count, _| count.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(raw: &[u32]) -> NodeSet {
        let mut set = NodeSet::EMPTY;
        for node in raw {
            set.insert(NodeId::new(*node).unwrap());
        }
        set
    }

    fn plan(parts: &[u32], up: &[u32], loads: &[(u32, u32)]) -> Option<Vec<(u32, u32)>> {
        let mut load = |node: NodeId| {
            loads
                .iter()
                .find(|(raw, _)| *raw == node.raw())
                .map_or(0, |(_, load)| *load)
        };
        let plan = Plan::new(&set(parts), &set(up), &mut load)?;
        Some(
            plan.iter()
                .map(|(part, place)| (part.raw(), place.raw()))
                .collect(),
        )
    }

    #[test]
    fn a_part_stays_where_it_was_if_it_can() {
        let loads = [(1, 9), (2, 9), (3, 0)];
        assert_eq!(
            plan(&[1, 2], &[1, 2, 3], &loads),
            Some(vec![(1, 1), (2, 2)])
        );
    }

    #[test]
    fn a_part_of_a_dead_node_goes_to_the_least_loaded() {
        let loads = [(1, 5), (2, 4), (4, 4)];
        assert_eq!(plan(&[3], &[1, 2, 4], &loads), Some(vec![(3, 2)]));
        assert_eq!(plan(&[1, 3], &[1, 2], &[]), Some(vec![(1, 1), (3, 2)]));
        // Node 2's processes ended a moment ago, or not.
        assert_eq!(
            plan(&[1, 3], &[1, 2], &[(2, 1)]),
            Some(vec![(1, 1), (3, 2)])
        );
    }

    #[test]
    fn parts_spread() {
        assert_eq!(
            plan(&[3, 4, 5], &[1, 2], &[]),
            Some(vec![(3, 1), (4, 2), (5, 1)])
        );
    }

    #[test]
    fn nowhere_to_go() {
        assert_eq!(plan(&[3], &[], &[]), None);
        assert_eq!(plan(&[], &[], &[]), Some(vec![]));
    }
}
