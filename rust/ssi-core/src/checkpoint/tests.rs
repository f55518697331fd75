// SPDX-License-Identifier: GPL-2.0
//! Tests of the checkpoint protocol: its golden table, and runs under chance and faults.

mod table;
mod world;

use crate::trial::seeds;
use world::{Fault, World, ROOT};

/// Runs a whole checkpoint with a fault after `at` acts; gives the number of acts.
fn run(seed: u64, fault: Fault, at: usize) -> (World, usize) {
    let mut world = World::new(seed);
    world.start();
    let mut acts = 0;
    loop {
        if acts == at {
            world.strike(fault);
        }
        if !world.advance() {
            break;
        }
        acts += 1;
        assert!(acts < 100_000, "no end");
    }
    check_end(&world);
    (world, acts)
}

/// What must hold when nothing is left to happen, whatever went wrong before.
fn check_end(world: &World) {
    let alive = || world.nodes.iter().filter(|(_, node)| !node.dead);
    for (raw, node) in alive() {
        assert!(
            node.agent.is_none(),
            "node {raw} waits for ever: {:?}",
            node.agent
        );
        assert!(
            node.stopped.is_empty(),
            "node {raw} holds {:?}",
            node.stopped
        );
    }
    if world.nodes[&ROOT].dead {
        return;
    }
    let reply = world.reply.expect("no answer");
    assert_eq!(reply.is_ok(), world.committed);
    if world.committed {
        for item in &world.application {
            let node = &world.nodes[&world.items[*item].node];
            assert!(node.dead || node.part, "a committed part is gone");
        }
    } else {
        assert!(!world.folder, "the folder of an aborted version is left");
    }
}

#[test]
fn without_faults_it_commits_what_the_oracle_says() {
    for seed in seeds(1_000) {
        let (world, _) = run(seed, Fault::Nothing, 0);
        assert!(world.committed, "seed {seed}: {:?}", world.reply);
    }
}

#[test]
fn a_crash_at_any_step_leaves_nothing_held() {
    for seed in seeds(30) {
        let (clean, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            for raw in clean.nodes.keys() {
                let (world, _) = run(seed, Fault::Crash(*raw), at);
                let aborted = !world.committed && !world.nodes[&ROOT].dead;
                if aborted {
                    for (raw, node) in world.nodes.iter().filter(|(_, node)| !node.dead) {
                        // Only who lost its parent after it had reported keeps its part.
                        assert!(!node.part || world.nodes.values().any(|n| n.dead), "{raw}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_broken_connection_at_any_step_leaves_nothing_held() {
    for seed in seeds(16) {
        let (clean, acts) = run(seed, Fault::Nothing, 0);
        let count = clean.nodes.len() as u32;
        for at in 0..acts {
            for a in 1..count {
                for b in a + 1..=count {
                    run(seed, Fault::Break(a, b), at);
                }
            }
        }
    }
}

#[test]
fn a_failing_host_aborts_without_a_trace() {
    for seed in seeds(30) {
        let (clean, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            for raw in clean.nodes.keys() {
                let (world, _) = run(seed, Fault::Host(*raw), at);
                if !world.committed {
                    assert!(
                        world.nodes.values().all(|node| !node.part),
                        "a part is left"
                    );
                }
            }
        }
    }
}

#[test]
fn the_caller_may_give_up_at_any_step() {
    for seed in seeds(60) {
        let (_, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            let (world, _) = run(seed, Fault::Cancel, at);
            if !world.committed {
                assert!(
                    world.nodes.values().all(|node| !node.part),
                    "a part is left"
                );
            }
        }
    }
}
