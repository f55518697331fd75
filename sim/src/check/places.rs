// SPDX-License-Identifier: GPL-2.0
//! Every process is in at most one place: no PID runs twice on nodes that believe in each other.
use crate::world::{ProcessIx, World};
use ssi_core::node::ClusterPid;
use std::collections::HashMap;

/// Checks that PIDs are unique.
pub fn check(world: &World) -> Result<(), String> {
    let mut places: HashMap<ClusterPid, ProcessIx> = HashMap::new();
    for node in world.nodes.iter().filter(|node| node.up) {
        for which in &node.processes {
            let process = world.process(*which);
            let Some(other) = places.insert(process.pid, *which) else {
                continue;
            };
            let other = world.process(other).at.node;
            let here = node.at.node;
            if world.up_from(here).contains(other) && world.up_from(other).contains(here) {
                return Err(format!(
                    "{:?} is on node {} and on node {}",
                    process.pid,
                    other.raw(),
                    here.raw()
                ));
            }
        }
    }
    Ok(())
}
