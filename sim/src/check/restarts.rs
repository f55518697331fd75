// SPDX-License-Identifier: GPL-2.0
//! A restart is whole or absent: of all parts on nodes that live, all run or none is left.
use crate::plan::Trouble;
use crate::world::World;

/// Checks every restart that was seen.
pub fn check(world: &World) -> Result<(), String> {
    let parted = |trouble: &Trouble| match trouble {
        // A partition that lasts: by then one side is called dead.
        Trouble::Cut(..) | Trouble::Sleep(_) | Trouble::Break(_, _, false, false) => true,
        Trouble::Crash(..)
        | Trouble::Break(..)
        | Trouble::Fail(..)
        | Trouble::Hang(_)
        | Trouble::Full(_)
        | Trouble::Slow(..)
        | Trouble::KillProcess(_) => false,
    };
    if world.plan.faults.iter().any(|fault| parted(&fault.trouble)) {
        return Ok(());
    }
    // Who is killed after the release, as seen from the coordinator, is missed by the others.
    for (op, seen) in world.seen.iter().filter(|(_, seen)| !seen.killed) {
        let lives = |place: &&(_, _)| world.is_alive(place.1);
        let ran = seen.ran.iter().find(lives);
        let undone = seen.undone.iter().find(lives);
        if let (Some((part, _)), Some((other, _))) = (ran, undone) {
            let (part, other) = (part.raw(), other.raw());
            return Err(format!(
                "{op:?}: part {part} runs, part {other} was taken back"
            ));
        }
    }
    Ok(())
}
