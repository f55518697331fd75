// SPDX-License-Identifier: GPL-2.0
//! A failed checkpoint leaves every process running: nobody is held by an operation that is over.
use crate::world::{Node, State, World};
use ssi_core::node::OpId;

fn has(node: &Node, op: OpId) -> bool {
    let checkpoints = node.engine.checkpoints.iter().map(|operation| operation.op);
    let restarts = node.engine.restarts.iter().map(|operation| operation.op);
    checkpoints.chain(restarts).any(|other| other == op)
}

/// Checks that whoever holds a process is still there.
pub fn check(world: &World) -> Result<(), String> {
    for node in world.nodes.iter().filter(|node| node.up) {
        for which in &node.processes {
            let process = world.process(*which);
            let holder = match process.state {
                State::Stopping(op) | State::Stopped(op) | State::Held(op) => op,
                State::Running | State::Gone => continue,
            };
            if !has(node, holder) {
                let (pid, state) = (process.pid, process.state);
                return Err(format!("{pid:?} is left behind: {state:?}"));
            }
        }
    }
    Ok(())
}

/// Checks that nobody is held at all.
pub fn at_end(world: &World) -> Result<(), String> {
    for node in world.nodes.iter().filter(|node| node.up) {
        let mut here = node.processes.iter().map(|which| world.process(*which));
        if let Some(process) = here.find(|process| process.state != State::Running) {
            return Err(format!(
                "{:?} is {:?} at the end",
                process.pid, process.state
            ));
        }
    }
    Ok(())
}
