// SPDX-License-Identifier: GPL-2.0
//! After the faults end, every protocol ends.
use crate::world::World;

/// Checks that no operation is left.
pub fn check(world: &World) -> Result<(), String> {
    for node in world.nodes.iter().filter(|node| node.up) {
        if let Some(operation) = node.engine.checkpoints.first() {
            let state = operation.agent.state();
            return Err(format!(
                "{:?} is {state} for ever on {:?}",
                operation.op, node.at
            ));
        }
        if let Some(copy) = node.engine.copies.first() {
            let (op, state) = (copy.op, copy.keeper.state());
            return Err(format!(
                "a copy of {op:?} is {state} for ever on {:?}",
                node.at
            ));
        }
        if let Some(surveying) = node.engine.surveys.first() {
            let op = surveying.op;
            return Err(format!("{op:?} looks for parts for ever on {:?}", node.at));
        }
        if let Some(operation) = node.engine.restarts.first() {
            let root = operation.coordinator.as_ref().map(|side| side.root.state());
            let agent = operation
                .participant
                .as_ref()
                .map(|side| side.agent.state());
            let op = operation.op;
            return Err(format!(
                "{op:?} is {root:?}, {agent:?} for ever on {:?}",
                node.at
            ));
        }
    }
    Ok(())
}
