// SPDX-License-Identifier: GPL-2.0
//! Tests of flushes: who writes what, and that a version is there whole or not at all.

use super::*;
use crate::abi::FailureCode;
use crate::node::{NodeId, NodeSet};
use crate::survey::{Event, Survey};
use crate::wire::copy::Located;

mod cluster;
mod table;

fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

fn set(raw: &[u32]) -> NodeSet {
    raw.iter().fold(NodeSet::EMPTY, |set, raw| {
        set.union(&NodeSet::only(node(*raw)))
    })
}

/// Nodes, each with the parts that it holds.
fn survey(parts: &[u32], holds: &[(u32, &[u32])]) -> Survey {
    let mut survey = Survey::new(set(parts));
    let nodes: Vec<u32> = holds.iter().map(|(raw, _)| *raw).collect();
    let ask = set(&nodes);
    survey.step(Event::Start { ask }, &mut |_| ());
    for (raw, parts) in holds {
        let located = Located {
            parts: set(parts),
            newest: 0,
            load: 0,
        };
        survey.step(Event::Located(node(*raw), located), &mut |_| ());
    }
    survey
}

const RING: &[(u32, &[u32])] = &[(1, &[1, 3]), (2, &[1, 2]), (3, &[2, 3])];

#[test]
fn a_shared_store_gets_every_part_once() {
    let shares = Shares::new(&survey(&[1, 2, 3], RING), Stores::Shared).unwrap();
    for raw in [1, 2, 3] {
        assert_eq!(shares.of(node(raw)), set(&[raw]));
    }
    // Node 1 is down: node 2 has its part.
    let shares = Shares::new(&survey(&[1, 2, 3], &RING[1..]), Stores::Shared).unwrap();
    assert_eq!(
        (shares.of(node(2)), shares.of(node(3))),
        (set(&[1, 2]), set(&[3]))
    );
    assert_eq!(shares.writers(), set(&[2, 3]));
}

#[test]
fn stores_of_their_own_get_every_part_twice() {
    let shares = Shares::new(&survey(&[1, 2, 3], RING), Stores::Own).unwrap();
    for (raw, parts) in RING {
        assert_eq!(shares.of(node(*raw)), set(parts));
    }
    // One node has it all, and so has another.
    let both = survey(&[1], &[(1, &[1]), (2, &[1]), (3, &[])]);
    let shares = Shares::new(&both, Stores::Own).unwrap();
    assert_eq!(shares.writers(), set(&[1, 2]));
}

#[test]
fn what_is_missing_is_named() {
    let lost = survey(&[1, 2, 3], &[(1, &[1, 3])]);
    for stores in [Stores::Shared, Stores::Own] {
        let failure = Shares::new(&lost, stores).unwrap_err();
        assert_eq!(failure.code, FailureCode::PartUnreachable);
        assert_eq!(failure.text.as_bytes(), b"2");
    }
    let single = survey(&[1, 2, 3], &RING[1..]);
    let failure = Shares::new(&single, Stores::Own).unwrap_err();
    assert_eq!(
        (failure.code, failure.node),
        (FailureCode::PartUnreachable, 1)
    );
    assert_eq!(failure.text.as_bytes(), b"1, 3 (twice)");
}
