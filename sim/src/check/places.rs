// SPDX-License-Identifier: GPL-2.0
//! Every process is in at most one place: no PID runs twice on nodes that believe in each other.
use crate::world::World;
use ssi_core::node::{ClusterPid, NodeId};

/// Checks that PIDs are unique. It runs very often, over few processes: sorting those is several
/// times as fast as a map of them.
pub fn check(world: &World) -> Result<(), String> {
    let mut places: Vec<(ClusterPid, NodeId)> = Vec::with_capacity(64);
    for node in world.nodes.iter().filter(|node| node.up) {
        let pids = node.processes.iter().map(|which| world.process(*which).pid);
        places.extend(pids.map(|pid| (pid, node.at.node)));
    }
    places.sort_unstable();
    for pair in places.windows(2) {
        let [(pid, here), (same, other)] = *pair else {
            continue;
        };
        let believe = || world.up_from(here).contains(other) && world.up_from(other).contains(here);
        if pid == same && believe() {
            return Err(format!(
                "{pid:?} is on node {} and on node {}",
                here.raw(),
                other.raw()
            ));
        }
    }
    Ok(())
}
