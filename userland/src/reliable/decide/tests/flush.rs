// SPDX-License-Identifier: GPL-2.0
//! Stories of versions in memory and on disk.
use super::super::*;
use super::world::{done, not_restarted, own, version, World};
use crate::exit::Exit;

/// A job of which every second version goes to disk; it has one in memory.
fn world() -> World {
    let mut world = World::with_version();
    world.rules.flush_every = Some(2);
    world.state.unflushed = 1;
    world
}

/// Takes the next version.
fn saved(world: &mut World, number: u32) -> Vec<Act> {
    world.pass(30_000);
    assert_eq!(world.act(), [Act::Checkpoint(500)]);
    let acts = world.conclude(done(number, &[1, 2]));
    let cut = world.now_ms;
    world.versions.push(version(number, cut));
    acts
}

fn flush_of(acts: &[Act]) -> Option<Version> {
    acts.iter().find_map(|act| match act {
        Act::Flush(version) => Some(*version),
        _ => None,
    })
}

/// A job whose second version is on disk, and which has a third.
fn with_a_flushed_one() -> World {
    let mut world = world();
    let second = flush_of(&saved(&mut world, 2)).unwrap();
    world.conclude(Outcome::Flushed(second));
    world.flushed.push(second);
    assert_eq!(flush_of(&saved(&mut world, 3)), None);
    world.kill_node(2);
    world
}

#[test]
fn every_second_version_goes_to_disk() {
    let mut world = world();
    let second = flush_of(&saved(&mut world, 2)).unwrap();
    assert_eq!(second.version, 2);
    // Nothing else is begun meanwhile.
    world.busy = true;
    world.pass(60_000);
    assert_eq!(world.act(), []);
    world.busy = false;
    world.conclude(Outcome::Flushed(second));
    assert_eq!(world.state.counters.flushes, 1);
    assert_eq!(flush_of(&saved(&mut world, 3)), None);
    assert!(flush_of(&saved(&mut world, 4)).is_some());
}

#[test]
fn what_failed_is_tried_with_the_next_version() {
    let mut world = world();
    assert!(flush_of(&saved(&mut world, 2)).is_some());
    world.conclude(Outcome::NotFlushed("full".into()));
    assert_eq!(flush_of(&saved(&mut world, 3)).unwrap().version, 3);
    assert_eq!(world.state.counters.flushes, 0);
}

#[test]
fn the_disk_keeps_as_many_as_memory() {
    let mut world = world();
    world.rules.flush_every = Some(1);
    for number in 2..=4 {
        let flushed = flush_of(&saved(&mut world, number)).unwrap();
        let acts = world.conclude(Outcome::Flushed(flushed));
        let removed = acts
            .iter()
            .any(|act| matches!(act, Act::RemoveFlushed(old) if old.version == number - 2));
        assert_eq!(removed, number == 4);
    }
    assert_eq!(world.state.flushed.len(), 2);
}

#[test]
fn memory_comes_first() {
    let mut world = with_a_flushed_one();
    let third = world.versions[2];
    assert_eq!(world.act(), [own(third)]);
    // Of the same version, too.
    world.conclude(not_restarted(third, Exit::Damaged as i32));
    let second = world.versions[1];
    assert_eq!(world.act(), [own(second)]);
}

#[test]
fn what_memory_has_lost_comes_from_disk() {
    let mut world = with_a_flushed_one();
    for (at, code) in [(2, Exit::PartUnreachable), (1, Exit::NoSuchVersion)] {
        let lost = world.versions[at];
        assert_eq!(world.act(), [own(lost)]);
        world.conclude(not_restarted(lost, code as i32));
    }
    let second = world.flushed[0];
    assert_eq!(world.act(), [Act::Restart(second, Level::Flushed)]);
    world.conclude(Outcome::Restarted(second));
    assert_eq!(world.state.phase, Phase::Running);
}

#[test]
fn a_part_that_is_away_is_waited_for_where_the_disk_has_nothing() {
    let mut world = world();
    saved(&mut world, 2);
    world.kill_node(2);
    let second = world.versions[1];
    assert_eq!(world.act(), [own(second)]);
    world.conclude(not_restarted(second, Exit::PartUnreachable as i32));
    assert_eq!(world.state.counters.attempts_in_row, 1);
    world.act();
    world.pass(1_000);
    assert_eq!(world.act(), [own(second)]);
}

#[test]
fn the_last_version_before_a_stop_goes_to_disk() {
    let mut world = World::with_version();
    world.rules.flush_every = Some(100);
    world.stop = true;
    assert_eq!(world.act(), [Act::Checkpoint(500)]);
    let last = flush_of(&world.conclude(done(2, &[1, 2]))).unwrap();
    assert_eq!(world.state.phase, Phase::Leaving);
    world.conclude(Outcome::Flushed(last));
    assert_eq!(world.state.phase, Phase::Stopping);
}
