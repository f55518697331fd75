// SPDX-License-Identifier: GPL-2.0
//! The frontier that was found is the one of a brute-force oracle: the connected component of the
//! global graph over filiation and streams among CHECKPOINTABLE processes.
use crate::world::{ProcessIx, World};
use petgraph::unionfind::UnionFind;
use ssi_core::node::OpId;
use std::collections::BTreeSet;

/// Compares what an operation holds with the oracle.
pub fn compare(world: &World, op: OpId) -> Result<(), String> {
    let held: BTreeSet<ProcessIx> = world.held_by(op).into_iter().collect();
    let Some(first) = held.first() else {
        return Ok(());
    };
    let wanted = component(world, *first);
    let pid = |which: &ProcessIx| world.process(*which).pid;
    if let Some(which) = wanted.difference(&held).next() {
        return Err(format!("{:?} belongs to {op:?}, and runs", pid(which)));
    }
    // Who was linked by a process that has died meanwhile stays in.
    let linked = world.calls.iter().find(|call| call.op == Some(op));
    let died = linked.is_none_or(|call| world.people.died_at >= call.made_at);
    if let Some(which) = held.difference(&wanted).next().filter(|_| !died) {
        return Err(format!(
            "{:?} does not belong to {op:?}, and is held",
            pid(which)
        ));
    }
    Ok(())
}

/// All processes that are connected with `from`.
pub fn component(world: &World, from: ProcessIx) -> BTreeSet<ProcessIx> {
    let here = world
        .nodes
        .iter()
        .flat_map(|node| node.processes.iter().copied());
    let all: Vec<ProcessIx> = here.filter(|which| world.process(*which).capable).collect();
    let index = |which: ProcessIx| all.iter().position(|other| *other == which);
    let mut sets = UnionFind::<usize>::new(all.len());
    for (number, which) in all.iter().enumerate() {
        let process = world.process(*which);
        let father = world.father(*which);
        let others = process
            .holds
            .iter()
            .filter_map(|hold| world.stream(hold.stream).ends[1 - hold.end].holder);
        for other in father.into_iter().chain(others).filter_map(index) {
            sets.union(number, other);
        }
    }
    let Some(start) = index(from) else {
        return BTreeSet::new();
    };
    let connected = |(number, _): &(usize, &ProcessIx)| sets.equiv(start, *number);
    all.iter()
        .enumerate()
        .filter(connected)
        .map(|(_, which)| *which)
        .collect()
}
