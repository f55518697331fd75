// SPDX-License-Identifier: GPL-2.0
//! Stories of a job, told as looks and outcomes.
use super::super::attend::verdict;
use super::repair::{ATTEMPTS_MAX, PAUSE_MS_MAX};
use super::*;
use crate::exit::Exit;
use world::{done, not_restarted, own, version, World};

mod flush;
mod world;

#[test]
fn a_command_ends_with_its_status() {
    let mut world = World::new();
    world.quiet();
    world.exit = Some(3);
    world.place(1, 0);
    assert_eq!(world.act(), []);
    assert_eq!(
        (world.state.phase, world.state.status),
        (Phase::Ended, Some(3))
    );
    assert_eq!(world.state.counters.restarts, 0);
}

#[test]
fn checkpoints_are_taken_when_they_are_due_and_old_ones_removed() {
    let mut world = World::with_version();
    world.pass(29_599);
    world.quiet();
    world.pass(1);
    assert_eq!(world.act(), [Act::Checkpoint(500)]);
    world.conclude(done(2, &[1, 2]));
    world.pass(30_000);
    world.act();
    let acts = world.conclude(done(3, &[1, 2]));
    assert!(acts.contains(&Act::Remove(version(1, 1_030_000))));
    assert_eq!(world.state.versions.len(), 2);
}

#[test]
fn a_dead_node_of_the_application_brings_the_last_version_back() {
    let mut world = World::with_version();
    world.pass(10_000);
    world.kill_node(2);
    world.repaired(1);
    let counters = world.state.counters;
    assert_eq!((counters.restarts, counters.crashes_in_row), (1, 0));
    assert_eq!((counters.lost_ms, counters.down_ms), (10_400, 2_000));
    assert_eq!(world.state.failures.len(), 1);
    assert_eq!(world.state.members, Lives::from([(1, 10), (3, 30)]));
}

#[test]
fn a_dead_node_without_a_share_changes_nothing() {
    let mut world = World::with_version();
    world.kill_node(3);
    world.quiet();
    world.alive.insert(2, 21);
    assert!(
        matches!(world.act()[..], [Act::Restart(_, Level::Own)]),
        "another life of node 2"
    );
}

#[test]
fn none_is_killed_before_all_stand() {
    let mut world = World::with_version();
    world.obedient = false;
    world.kill_node(2);
    world.alive.insert(3, 30);
    world.place(3, 1);
    world.state.members.insert(3, 30);
    world.step();
    assert_eq!(world.state.phase, Phase::Stopping);
    world.reports.get_mut(&1).unwrap().stopped = world.state.orders.stop;
    world.step();
    assert_eq!(
        (world.state.phase, world.state.orders.kill),
        (Phase::Stopping, 0)
    );
    world.reports.get_mut(&3).unwrap().stopped = world.state.orders.stop;
    world.step();
    assert_eq!(world.state.phase, Phase::Killing);
    assert_eq!(world.state.orders.kill, world.state.orders.stop);
}

#[test]
fn who_never_stops_ends_the_job_with_a_name() {
    let mut world = World::with_version();
    world.obedient = false;
    world.kill_node(2);
    world.step();
    world.pass(ORDER_MS_MAX + 1);
    world.step();
    assert_eq!(world.state.phase, Phase::Failed);
    assert!(world.state.why.contains("node 1"));
}

#[test]
fn a_node_without_an_attendant_is_waited_for_unless_it_runs_nothing() {
    let mut world = World::with_version();
    world.kill_node(2);
    world.state.members.insert(3, 30);
    world.reports.remove(&3);
    assert_eq!(world.act(), []);
    assert_eq!(world.state.phase, Phase::Stopping);
    world.idle.insert(3);
    assert!(matches!(world.act()[..], [Act::Restart(_, Level::Own)]));
}

#[test]
fn an_end_that_a_dying_node_caused_is_not_believed() {
    let mut world = World::with_version();
    world.obedient = false;
    world.exit = Some(0);
    world.place(1, 0);
    assert_eq!(world.step(), []);
    // Node 2 does not answer: it is dying, and soon dead.
    world.place(2, 1);
    world.reports.get_mut(&2).unwrap().probe = 0;
    world.step();
    assert_eq!(world.state.phase, Phase::Running);
    world.obedient = true;
    world.kill_node(2);
    world.repaired(1);
    assert_eq!(world.state.status, None);
}

#[test]
fn the_job_goes_on_with_what_the_command_has_left() {
    let mut world = World::with_version();
    world.exit = Some(0);
    world.place(1, 0);
    world.quiet();
    assert_eq!(world.state.status, Some(0));
    world.pass(30_000);
    assert_eq!(world.act(), [Act::Checkpoint(77)]);
    world.conclude(done(2, &[2]));
    assert_eq!(world.state.versions[1].status, Some(0));
    world.place(2, 0);
    world.act();
    assert_eq!(
        (world.state.phase, world.state.status),
        (Phase::Ended, Some(0))
    );
}

#[test]
fn a_command_that_fails_by_itself_is_not_retried_for_ever() {
    let mut world = World::with_version();
    for _ in 0..2 {
        world.exit = Some(139);
        world.repaired(1);
    }
    world.exit = Some(139);
    world.act();
    assert_eq!(
        (world.state.phase, world.state.status),
        (Phase::Failed, Some(139))
    );
    assert_eq!(world.state.counters.restarts, 2);
}

#[test]
fn a_new_version_forgives_failures() {
    let mut world = World::with_version();
    world.exit = Some(139);
    world.repaired(1);
    assert_eq!(world.state.counters.crashes_in_row, 1);
    world.pass(30_000);
    world.act();
    world.conclude(done(2, &[1]));
    assert_eq!(world.state.counters.crashes_in_row, 0);
}

#[test]
fn what_vanished_without_a_word_is_restarted() {
    let mut world = World::with_version();
    for node in [1, 2, 3] {
        world.place(node, 0);
    }
    assert_eq!(world.act(), []);
    assert_eq!(world.state.phase, Phase::Running, "the status may come yet");
    world.pass(VANISH_MS);
    world.repaired(1);
    assert_eq!(world.state.counters.crashes_in_row, 1);
}

#[test]
fn without_a_version_the_command_begins_anew() {
    let mut world = World::new();
    world.quiet();
    world.kill_node(1);
    assert_eq!(world.act(), [Act::Start]);
    world.conclude(Outcome::Started(900, Lives::from([(2, 20)])));
    assert_eq!((world.state.root, world.state.counters.restarts), (900, 1));
}

#[test]
fn a_bad_version_is_passed_over_and_others_are_tried() {
    let mut world = World::with_version();
    world.versions.push(version(2, 1_040_000));
    world.kill_node(2);
    assert_eq!(world.act(), [own(version(2, 1_040_000))]);
    world.conclude(not_restarted(version(2, 1_040_000), 24));
    assert_eq!(world.act(), [own(version(1, 1_030_000))]);
    world.conclude(not_restarted(version(1, 1_030_000), 24));
    assert_eq!(world.act(), []);
    assert_eq!(world.state.phase, Phase::Failed);
    let fault = verdict("nightly", &world.state).unwrap_err();
    assert_eq!(fault.exit, Exit::GivenUp);
    assert!(fault.text.contains("nightly") && fault.text.contains(&world.state.why));
}

#[test]
fn restarts_that_fail_are_tried_again_with_growing_pauses_and_not_for_ever() {
    let mut world = World::with_version();
    world.kill_node(2);
    let mut tries = 0;
    while world.state.phase != Phase::Failed {
        if let [Act::Restart(version, Level::Own)] = world.act()[..] {
            tries += 1;
            world.conclude(not_restarted(version, 18));
        }
        world.pass(PAUSE_MS_MAX);
    }
    assert_eq!(tries, ATTEMPTS_MAX);
}

#[test]
fn a_stop_takes_a_last_checkpoint_and_a_resume_goes_on_from_it() {
    let mut world = World::with_version();
    world.stop = true;
    assert_eq!(world.act(), [Act::Checkpoint(500)]);
    world.conclude(done(2, &[1, 2]));
    world.versions.push(version(2, 1_030_400));
    assert_eq!(world.act(), []);
    assert_eq!(world.state.phase, Phase::Preempted);
    world.kill_node(1);
    world.with_facts(|state, _, facts| state.resume(facts));
    world.repaired(2);
}

#[test]
fn a_second_stop_does_not_wait() {
    let mut world = World::with_version();
    world.stop = true;
    world.act();
    world.busy = true;
    world.stop = true;
    assert_eq!(world.act(), []);
    assert_eq!(world.state.phase, Phase::Preempted);
}

#[test]
fn a_stop_during_a_repair_ends_it() {
    let mut world = World::with_version();
    world.kill_node(2);
    world.step();
    world.stop = true;
    world.act();
    assert_eq!(world.state.phase, Phase::Preempted);
}

#[test]
fn a_failed_checkpoint_changes_nothing_but_a_count() {
    let mut world = World::with_version();
    world.pass(30_000);
    world.act();
    world.conclude(Outcome::NotCheckpointed("a UNIX socket".into()));
    world.quiet();
    assert_eq!(world.state.counters.failed_checkpoints, 1);
    assert_eq!(world.state.versions.len(), 1);
}

#[test]
fn a_new_supervisor_goes_on_wherever_the_old_one_was() {
    for phase in [
        Phase::Starting,
        Phase::Stopping,
        Phase::Killing,
        Phase::Restoring,
    ] {
        let mut world = World::with_version();
        world.state.phase = phase;
        world.kill_node(1);
        world.with_facts(|state, _, facts| state.inherit(facts));
        world.repaired(1);
    }
    let mut world = World::with_version();
    world.state.phase = Phase::Leaving;
    world.with_facts(|state, _, facts| state.inherit(facts));
    world.act();
    assert_eq!(world.state.phase, Phase::Preempted);
    let mut world = World::with_version();
    world.with_facts(|state, _, facts| assert_eq!(state.inherit(facts), []));
    world.quiet();
}
