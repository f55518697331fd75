// SPDX-License-Identifier: GPL-2.0
//! Tests of second copies: the golden table, and whole copies under every fault.

mod pair;
mod table;

use super::{partner, partner_outside, Stake};
use crate::abi::FailureCode;
use crate::node::{NodeId, NodeSet};
use crate::trial::seeds;
use pair::{Fault, Pair};

fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

fn set(raw: &[u32]) -> NodeSet {
    raw.iter().fold(NodeSet::EMPTY, |set, raw| {
        set.union(&NodeSet::only(node(*raw)))
    })
}

#[test]
fn the_partner_is_the_next_in_the_ring() {
    let up = set(&[1, 2, 5]);
    assert_eq!(partner(node(1), &up), Some(node(2)));
    assert_eq!(partner(node(2), &up), Some(node(5)));
    assert_eq!(partner(node(5), &up), Some(node(1)));
    assert_eq!(partner(node(3), &up), Some(node(5)));
    assert_eq!(partner(node(1), &set(&[1])), None);
}

#[test]
fn a_stake_waits_for_the_record_of_what_was_committed() {
    type Event = fn(&mut Stake);
    let kept = |awaits, events: &[Event]| {
        let mut stake = Stake::new(awaits);
        let mut over = Vec::new();
        for event in events {
            event(&mut stake);
            over.push(stake.is_over());
        }
        over
    };
    let (begin, end): (Event, Event) = (Stake::begin, Stake::end);
    let (settled, heard): (Event, Event) = (Stake::settled, Stake::heard);
    // The record is slower than the news, or faster, or cannot come.
    assert_eq!(
        kept(true, &[begin, settled, end, heard]),
        [false, false, false, true]
    );
    assert_eq!(
        kept(true, &[begin, heard, settled, end]),
        [false, false, false, true]
    );
    assert_eq!(kept(false, &[begin, settled, end]), [false, false, true]);
    // It failed, or nothing is known.
    assert_eq!(kept(true, &[begin, end]), [false, true]);
    // A part and a copy of another's.
    assert_eq!(
        kept(true, &[begin, begin, settled, end, heard, end]),
        [false, false, false, false, false, true]
    );
}

#[test]
fn a_partner_does_not_fail_with_its_node() {
    let up = set(&[1, 2, 3, 4, 5]);
    let partners = |up: &NodeSet, groups: &[&[u32]]| -> Vec<(u32, u32)> {
        let of = |group: &&[u32]| {
            group
                .iter()
                .map(|raw| (*raw, set(group)))
                .collect::<Vec<_>>()
        };
        let all = groups.iter().flat_map(of);
        let known = all.filter(|(raw, _)| up.contains(node(*raw)));
        known
            .map(|(raw, group)| (raw, partner_outside(node(raw), up, &group).unwrap().raw()))
            .collect()
    };
    // Each of the first group goes to another of the second.
    let two: &[&[u32]] = &[&[1, 2, 3], &[4, 5]];
    let wanted = [(1, 4), (2, 5), (3, 4), (4, 1), (5, 2)];
    assert_eq!(partners(&up, two), wanted);
    // Of the first group one is up, of the second all; then none of the second.
    assert_eq!(partners(&set(&[1, 4, 5]), two), [(1, 4), (4, 1), (5, 1)]);
    assert_eq!(partners(&set(&[1, 2, 3]), two), [(1, 2), (2, 3), (3, 1)]);
    // Without groups, and in groups of one.
    assert_eq!(
        partner_outside(node(2), &up, &NodeSet::EMPTY),
        Some(node(3))
    );
    assert_eq!(partner_outside(node(2), &up, &set(&[2])), Some(node(3)));
    assert_eq!(partner_outside(node(1), &set(&[1]), &set(&[1, 2])), None);
}

fn run(seed: u64, fault: Fault, at: usize) -> (Pair, usize) {
    let mut pair = Pair::new(seed);
    let mut acts = 0;
    loop {
        if acts == at {
            pair.strike(fault);
        }
        if !pair.advance() {
            break;
        }
        acts += 1;
        assert!(acts < 10_000, "no end");
    }
    (pair, acts)
}

#[test]
fn without_faults_the_copy_is_whole() {
    for seed in seeds(200) {
        let (pair, _) = run(seed, Fault::Nothing, 0);
        assert_eq!(pair.answer, Some(Ok(())));
        assert_eq!(pair.durable, Some(pair.part));
        assert!(pair.keeper.is_none(), "the keeper waits for ever");
    }
}

#[test]
fn a_copy_is_reported_only_when_it_is_durable() {
    let faults = [
        Fault::Break,
        Fault::KeeperFails,
        Fault::SenderFails,
        Fault::Discard,
    ];
    for seed in seeds(20) {
        let (_, acts) = run(seed, Fault::Nothing, 0);
        for at in 0..acts {
            for fault in faults {
                let (pair, _) = run(seed, fault, at);
                assert!(pair.keeper.is_none(), "{fault:?} at {at}: the keeper waits");
                match pair.answer {
                    // The sender is told at a time when it is durable; what comes after the
                    // report may remove it.
                    Some(Ok(())) => assert!(pair.was_durable, "{fault:?} at {at}"),
                    Some(Err(_)) => assert!(
                        pair.durable.is_none() || pair.in_doubt,
                        "{fault:?} at {at}: something is left"
                    ),
                    None => assert_eq!(fault, Fault::Discard, "no answer"),
                }
            }
        }
    }
}

#[test]
fn who_fails_is_named() {
    let (pair, _) = run(1, Fault::Break, 0);
    let failure = pair.answer.unwrap().unwrap_err();
    assert_eq!((failure.code, failure.node), (FailureCode::NodeDied, 2));
    let (pair, _) = run(1, Fault::KeeperFails, 2);
    let failure = pair.answer.unwrap().unwrap_err();
    assert_eq!((failure.code, failure.node), (FailureCode::Media, 2));
}
