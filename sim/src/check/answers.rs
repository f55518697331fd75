// SPDX-License-Identifier: GPL-2.0
//! Every caller whose node lives gets an answer.
use crate::world::World;

/// Checks that nobody waits for ever.
pub fn check(world: &World) -> Result<(), String> {
    for (number, call) in world.calls.iter().enumerate() {
        let lives = call.at.is_some_and(|at| world.is_alive(at));
        if lives && call.answer.is_none() {
            return Err(format!("call {number} has no answer: {:?}", call.op));
        }
    }
    Ok(())
}
