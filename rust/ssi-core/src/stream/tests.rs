// SPDX-License-Identifier: GPL-2.0
//! Tests of stream ids and of the remap table.

use super::*;
use crate::wire::stream::{Bind, Message};

fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

fn end(last: u32, port: u32) -> End {
    End {
        address: 0x0a4d_0000 | last,
        port,
    }
}

fn bind_at(slots: &mut [Slot], id: StreamId, side: Side, port: u32) -> Message {
    bind(
        slots,
        node(1),
        &Bind {
            id,
            side,
            address: 7,
            port,
        },
    )
}

#[test]
fn both_ends_give_the_same_name() {
    let (low, low_side) = StreamId::new(end(1, 900), end(2, 80), node(1)).unwrap();
    let (high, high_side) = StreamId::new(end(2, 80), end(1, 900), node(2)).unwrap();
    assert_eq!(low, high);
    assert_eq!((low_side, high_side), (Side::Low, Side::High));
    assert_eq!(StreamId::new(end(1, 1), end(1, 1), node(1)), None);
}

#[test]
fn loopback_connections_of_two_nodes_differ() {
    let local = |port| End {
        address: 0x7f00_0001,
        port,
    };
    let one = StreamId::new(local(1), local(2), node(1)).unwrap().0;
    let two = StreamId::new(local(1), local(2), node(2)).unwrap().0;
    assert_ne!(one, two);
}

#[test]
fn homes_are_participants_and_spread() {
    let mut participants = NodeSet::EMPTY;
    for raw in [2, 3, 9, 200] {
        participants.insert(node(raw));
    }
    let mut counts = std::collections::BTreeMap::new();
    for port in 0..4000 {
        let id = StreamId::new(end(1, 32768 + port), end(2, 80), node(1))
            .unwrap()
            .0;
        let home = id.home(&participants).unwrap();
        assert!(participants.contains(home));
        *counts.entry(home.raw()).or_insert(0) += 1;
    }
    assert!(
        counts.values().all(|count| (900..1100).contains(count)),
        "{counts:?}"
    );
    assert_eq!(
        StreamId::new(end(1, 1), end(2, 2), node(1))
            .unwrap()
            .0
            .home(&NodeSet::EMPTY),
        None
    );
}

#[test]
fn the_hash_is_the_same_for_ever() {
    // A literal: nodes of different builds must agree on homes.
    let id = StreamId::new(end(1, 900), end(2, 80), node(1)).unwrap().0;
    assert_eq!(id.hash(), 1_967_223_832);
}

#[test]
fn the_second_end_finds_the_first() {
    let mut slots = [Slot::Empty; 4];
    let id = StreamId::new(end(1, 900), end(2, 80), node(1)).unwrap().0;
    assert!(matches!(
        bind_at(&mut slots, id, Side::High, 5),
        Message::Create(_)
    ));
    match bind_at(&mut slots, id, Side::Low, 6) {
        Message::Found(found) => assert_eq!((found.address, found.port), (7, 5)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        bind_at(&mut slots, id, Side::Low, 6),
        Message::Unbound(_)
    ));
}

#[test]
fn an_end_that_comes_twice_is_refused() {
    let mut slots = [Slot::Empty; 4];
    let id = StreamId::new(end(1, 900), end(2, 80), node(1)).unwrap().0;
    assert!(matches!(
        bind_at(&mut slots, id, Side::High, 5),
        Message::Create(_)
    ));
    match bind_at(&mut slots, id, Side::High, 5) {
        Message::Unbound(no) => assert_eq!(no.failure.code, crate::abi::FailureCode::Damaged),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_table_says_so() {
    let mut slots = [Slot::Empty; 8];
    for port in 0..8 {
        let id = StreamId::new(end(1, 900 + port), end(2, 80), node(1))
            .unwrap()
            .0;
        assert!(matches!(
            bind_at(&mut slots, id, Side::High, 5),
            Message::Create(_)
        ));
    }
    let id = StreamId::new(end(1, 99), end(2, 80), node(1)).unwrap().0;
    match bind_at(&mut slots, id, Side::High, 5) {
        Message::Unbound(no) => assert_eq!(no.failure.code, crate::abi::FailureCode::Limit),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        bind_at(&mut [], id, Side::High, 5),
        Message::Unbound(_)
    ));
}

#[test]
fn a_port_has_sixteen_bits() {
    assert_eq!(
        End::take(&[1, 0, 0, 127, 255, 255, 0, 0]).unwrap().port,
        65535
    );
    assert_eq!(
        End::take(&[1, 0, 0, 127, 0, 0, 1, 0]),
        Err(CodecError::Value)
    );
}
