// SPDX-License-Identifier: GPL-2.0
//! The invariants: one per file, over the whole world. A checker runs after every event that
//! touched what it looks at.
mod answers;
mod copies;
pub mod frontier;
mod liveness;
mod places;
mod restarts;
mod running;
mod streams;
mod versions;

use crate::world::{Touched, World};

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which.
    pub checker: &'static str,
    /// In what way.
    pub what: String,
}

/// Says what is wrong with the world.
type Check = fn(&World) -> Result<(), String>;

/// A checker: its name, what it looks at, and the check.
struct Checker {
    name: &'static str,
    looks: fn(&Touched) -> bool,
    check: Check,
}

const CHECKERS: [Checker; 4] = [
    Checker {
        name: "versions",
        looks: |touched| touched.store,
        check: versions::check,
    },
    Checker {
        name: "copies",
        looks: |touched| touched.store,
        check: copies::check,
    },
    Checker {
        name: "places",
        looks: |touched| touched.processes || touched.membership,
        check: places::check,
    },
    Checker {
        name: "running",
        looks: |touched| touched.processes || touched.operations,
        check: running::check,
    },
];

/// Checks what the last event touched.
pub fn after_event(world: &mut World) {
    let touched = std::mem::take(&mut world.touched);
    for checker in CHECKERS.iter().filter(|checker| (checker.looks)(&touched)) {
        if let Err(what) = (checker.check)(world) {
            world.breaks(checker.name, what);
        }
    }
    for stream in &touched.streams {
        if let Err(what) = streams::check(world, *stream) {
            world.breaks("streams", what);
        }
    }
    let mut streams = touched.streams;
    streams.clear();
    world.touched.streams = streams;
}

/// Checks what must hold when nothing is left to happen.
pub fn end(world: &mut World) {
    let checks: [(&'static str, Check); 6] = [
        ("liveness", liveness::check),
        ("answers", answers::check),
        ("running", running::at_end),
        ("restarts", restarts::check),
        ("versions", versions::check),
        ("copies", copies::check),
    ];
    for (name, check) in checks {
        if let Err(what) = check(world) {
            world.breaks(name, what);
        }
    }
}
