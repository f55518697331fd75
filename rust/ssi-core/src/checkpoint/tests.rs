// SPDX-License-Identifier: GPL-2.0
//! Tests of the checkpoint protocol: its golden table, and runs under chance and faults.

mod table;
mod world;

use crate::trial::{seeds, Random};
use world::{Fault, Kind, World, KINDS, ROOT};

/// Runs a whole checkpoint with a fault after `at` acts; gives the number of acts.
fn run<const F: usize>(what: (Kind, u64), fault: Fault, at: usize) -> (World<F>, usize) {
    go(World::new(what.0, what.1), fault, at)
}

fn go<const F: usize>(mut world: World<F>, fault: Fault, at: usize) -> (World<F>, usize) {
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

/// `count` seeds for a version, and a quarter as many for each other kind of operation.
fn runs(count: u64) -> impl Iterator<Item = (Kind, u64)> {
    KINDS.into_iter().flat_map(move |kind| {
        let count = if kind == Kind::Plain {
            count
        } else {
            count.div_ceil(4)
        };
        seeds(count).map(move |seed| (kind, seed))
    })
}

/// What must hold when nothing is left to happen, whatever went wrong before.
fn check_end<const F: usize>(world: &World<F>) {
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
    if world.kind == Kind::Signal {
        assert!(!world.folder && !world.committed);
        return check_signalled(world, reply.is_ok());
    }
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

fn without_faults_it_commits_what_the_oracle_says<const F: usize>() {
    for what in runs(1_000) {
        let (world, _) = run::<F>(what, Fault::Nothing, 0);
        let wanted = what.0 != Kind::Signal;
        assert_eq!(world.committed, wanted, "{what:?}: {:?}", world.reply);
        let report = world.reply.unwrap().unwrap();
        assert_eq!(report.counts.processes as usize, world.application.len());
    }
}

/// Success means that nobody was left out; a node that died later took its processes with it.
fn check_signalled<const F: usize>(world: &World<F>, success: bool) {
    for item in &world.application {
        let node = &world.nodes[&world.items[*item].node];
        let reached = node.dead || node.signalled;
        assert!(!success || reached, "{item} got no signal");
    }
}

fn a_crash_at_any_step_leaves_nothing_held<const F: usize>() {
    for what in runs(30) {
        let (clean, acts) = run::<F>(what, Fault::Nothing, 0);
        for at in 0..acts {
            for raw in clean.nodes.keys() {
                let (world, _) = run::<F>(what, Fault::Crash(*raw), at);
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

fn a_broken_connection_at_any_step_leaves_nothing_held<const F: usize>() {
    for what in runs(16) {
        let (clean, acts) = run::<F>(what, Fault::Nothing, 0);
        let count = clean.nodes.len() as u32;
        for at in 0..acts {
            for a in 1..count {
                for b in a + 1..=count {
                    run::<F>(what, Fault::Break(a, b), at);
                }
            }
        }
    }
}

fn a_failing_host_aborts_without_a_trace<const F: usize>() {
    for what in runs(30) {
        let (clean, acts) = run::<F>(what, Fault::Nothing, 0);
        for at in 0..acts {
            for raw in clean.nodes.keys() {
                let (world, _) = run::<F>(what, Fault::Host(*raw), at);
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

fn the_caller_may_give_up_at_any_step<const F: usize>() {
    for what in runs(60) {
        let (_, acts) = run::<F>(what, Fault::Nothing, 0);
        for at in 0..acts {
            let (world, _) = run::<F>(what, Fault::Cancel, at);
            if !world.committed {
                assert!(
                    world.nodes.values().all(|node| !node.part),
                    "a part is left"
                );
            }
        }
    }
}

/// Each test with a fan-out that most applications exceed, and with that of the hosts.
macro_rules! with_fanouts {
    ($($module:ident: $fanout:expr),*) => {$(
        mod $module {
            use crate::limits::FANOUT_MAX;

            const _: () = assert!($fanout <= FANOUT_MAX);

            #[test]
            fn without_faults_it_commits_what_the_oracle_says() {
                super::without_faults_it_commits_what_the_oracle_says::<{ $fanout }>();
            }

            #[test]
            fn a_crash_at_any_step_leaves_nothing_held() {
                super::a_crash_at_any_step_leaves_nothing_held::<{ $fanout }>();
            }

            #[test]
            fn a_broken_connection_at_any_step_leaves_nothing_held() {
                super::a_broken_connection_at_any_step_leaves_nothing_held::<{ $fanout }>();
            }

            #[test]
            fn a_failing_host_aborts_without_a_trace() {
                super::a_failing_host_aborts_without_a_trace::<{ $fanout }>();
            }

            #[test]
            fn the_caller_may_give_up_at_any_step() {
                super::the_caller_may_give_up_at_any_step::<{ $fanout }>();
            }
        }
    )*};
}

with_fanouts!(fanout_one: 1, fanout_two: 2, fanout_of_hosts: FANOUT_MAX);

#[test]
fn a_star_is_covered_by_a_tree() {
    for (kind, seed) in runs(20) {
        let star = || World::<2>::star(kind, 60, Random::new(seed));
        let (world, acts) = go(star(), Fault::Nothing, 0);
        assert_eq!(world.committed, kind != Kind::Signal);
        // 59 links: the root enlists two, the rest goes down the tree, a batch for each step.
        assert!((10..=80).contains(&world.relays), "{} relays", world.relays);
        for at in (0..acts).step_by(1 + acts / 40) {
            for fault in [
                Fault::Crash(2),
                Fault::Crash(9),
                Fault::Break(1, 5),
                Fault::Cancel,
            ] {
                go(star(), fault, at);
            }
        }
    }
}
