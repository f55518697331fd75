// SPDX-License-Identifier: GPL-2.0
//! Tests of the restart protocol: its golden table, and runs under chance and faults.

mod scene;
mod table;
mod world;

use crate::abi::FailureCode;
use crate::restart::RootEvent;
use crate::trial::seeds;
use world::{node, pid, Fault, World, ROOT};

/// Runs a whole restart with a fault after `at` acts; gives the number of acts.
fn run(seed: u64, fault: Fault, at: usize) -> (World, usize) {
    let mut world = World::new(seed, fault);
    world.root(RootEvent::Start);
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

/// All runs, or nothing is left: what must hold when nothing is left to happen.
fn check_end(world: &World) {
    let alive = || world.nodes.iter().filter(|(_, node)| !node.dead);
    let mut running = 0;
    let mut expected = 0;
    for (raw, node) in alive() {
        assert!(
            node.agent.is_none(),
            "node {raw} waits for ever: {:?}",
            node.agent
        );
        assert!(node.held.is_empty(), "node {raw} holds {:?}", node.held);
        running += node.running.len();
        let here = |place: &crate::node::NodeId| place.raw() == *raw;
        expected += world.plan.iter().filter(|(_, place)| here(place)).count();
    }
    assert!(
        running == 0 || running == expected,
        "{running} of {expected} parts run"
    );
    if world.nodes[&ROOT].dead {
        return;
    }
    let reply = world.reply.expect("no answer");
    if reply.is_ok() {
        assert_eq!(running, expected);
    } else {
        assert_eq!(running, 0, "{reply:?}");
    }
}

#[test]
fn without_faults_everything_runs() {
    for seed in seeds(400) {
        let (world, _) = run(seed, Fault::Nothing, 0);
        let report = world.reply.unwrap().unwrap();
        assert_eq!(report.restored.processes as usize, 10 * world.parts.len());
        let moved = world
            .parts
            .iter()
            .filter(|part| **part > world.nodes.len() as u32);
        assert_eq!(report.moved as usize, moved.count());
    }
}

#[test]
fn a_crash_at_any_step_is_whole_or_absent() {
    for seed in seeds(18) {
        let (clean, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            for raw in clean.nodes.keys() {
                run(seed, Fault::Crash(*raw), at);
            }
        }
    }
}

#[test]
fn a_broken_connection_at_any_step_is_whole_or_absent() {
    for seed in seeds(18) {
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
fn a_failing_host_leaves_nothing_behind() {
    for seed in seeds(40) {
        let (clean, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            for raw in clean.nodes.keys() {
                let (world, _) = run(seed, Fault::Host(*raw), at);
                if let Some(Err(failure)) = world.reply {
                    assert_eq!(failure.code, FailureCode::PidInUse);
                }
            }
        }
    }
}

#[test]
fn the_caller_may_give_up_at_any_step() {
    for seed in seeds(40) {
        let (_, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            run(seed, Fault::Cancel, at);
        }
    }
}

#[test]
fn what_runs_elsewhere_is_not_restarted() {
    for seed in seeds(100) {
        let (clean, _) = run(seed, Fault::Nothing, 0);
        for raw in clean.nodes.keys() {
            let (world, _) = run(seed, Fault::Elsewhere(*raw), 0);
            let failure = world.reply.unwrap().unwrap_err();
            let part = *clean.parts.first().unwrap();
            assert_eq!(failure.code, FailureCode::PidInUse);
            assert_eq!((failure.node, failure.pid), (*raw, pid(part)));
        }
    }
}

/// A node that one who takes part holds for dead, and another for alive, may run anything.
#[test]
fn they_agree_on_who_lives() {
    for seed in seeds(100) {
        let (clean, _) = run(seed, Fault::Nothing, 0);
        let last = *clean.nodes.keys().last().unwrap();
        for raw in clean.nodes.keys().filter(|raw| **raw != last) {
            let (world, _) = run(seed, Fault::Blind(*raw, last), 0);
            let takes_part = |raw: u32| clean.plan.participants().contains(node(raw));
            let all_blind = clean.nodes.keys().all(|other| {
                let counts = *other == ROOT || takes_part(*other);
                !counts || other == raw
            });
            let reply = world.reply.unwrap();
            if (*raw != ROOT && !takes_part(*raw)) || all_blind {
                assert!(reply.is_ok(), "{reply:?}");
            } else {
                let failure = reply.unwrap_err();
                assert_eq!(failure.code, FailureCode::NodeUnreachable);
                assert_eq!(failure.node, last);
            }
        }
    }
}

#[test]
fn parts_that_are_not_the_whole_do_not_run() {
    for seed in seeds(100) {
        let (world, _) = run(seed, Fault::Damage, 0);
        assert!(world.damaged);
        assert_eq!(world.reply.unwrap().unwrap_err().code, FailureCode::Damaged);
    }
}
