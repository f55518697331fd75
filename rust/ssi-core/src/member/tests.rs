// SPDX-License-Identifier: GPL-2.0
//! Tests of membership: two nodes and a wire in between, with faults and with forgers.

mod pair;
mod table;

use super::peer::Life;
use super::*;
use crate::abi::node_state;
use crate::limits;
use crate::wire::member::{Heartbeat, Proof, Reason};
use pair::{fake_mac, me, node, Pair, KEY};

#[test]
fn two_nodes_with_the_key_come_up() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    for raw in [1, 2] {
        assert_eq!(pair.state(raw), node_state::UP);
        assert_eq!(pair.news(raw), ["up 1"]);
    }
    assert_eq!(
        pair.end(1).peer.processes(),
        20,
        "node 2 said so in a heartbeat"
    );
}

#[test]
fn a_node_that_has_become_free_says_so_at_its_next_tick() {
    let mut me = Peer::new(me(1, 1), node(2), 0);
    me.life = Life::Up {
        epoch: Epoch(1),
        link: Some(Link(7)),
    };
    let mut beats = |now_ms, processes| {
        let mut beats = 0;
        me.step(now_ms, Event::Tick { processes }, &mut |effect| {
            beats += u32::from(matches!(effect, Effect::Send { .. }));
        });
        beats
    };
    let beat_ms = u64::from(limits::FAILURE_MS_DEFAULT / limits::HEARTBEATS_PER_FAILURE);
    assert_eq!((beats(1, 0), beats(beat_ms, 3)), (0, 1));
    assert_eq!((beats(beat_ms + 1, 2), beats(beat_ms + 2, 0)), (0, 1));
    assert_eq!((beats(beat_ms + 3, 0), beats(beat_ms + 4, 1)), (0, 0));
}

#[test]
fn they_stay_up() {
    let mut pair = Pair::new();
    pair.run_ms(60_000);
    assert_eq!(
        (pair.news(1), pair.news(2)),
        (vec!["up 1".into()], vec!["up 1".into()])
    );
}

#[test]
fn another_key_is_refused() {
    let mut pair = Pair::new();
    pair.end(2).key = KEY + 1;
    pair.run_ms(5_000);
    assert_eq!(
        (pair.state(1), pair.state(2)),
        (node_state::REFUSED, node_state::REFUSED)
    );
    assert!(pair.news(1).is_empty() && pair.news(2).is_empty());
}

#[test]
fn another_cluster_is_refused() {
    let mut pair = Pair::new();
    let other = Me {
        cluster: [9; 32],
        ..me(2, 1)
    };
    pair.end(2).peer = Peer::new(other, node(1), 0);
    pair.run_ms(5_000);
    assert_eq!(pair.state(1), node_state::REFUSED);
    assert!(pair.news(1).is_empty() && pair.news(2).is_empty());
}

#[test]
fn silence_is_death_and_death_is_for_ever() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    pair.cut = true;
    pair.run_ms(u64::from(limits::FAILURE_MS_DEFAULT) - 600);
    assert_eq!(pair.news(1), ["up 1"]);
    pair.run_ms(1_200);
    assert_eq!(
        (pair.news(1), pair.news(2)),
        (vec!["up 1".into(), "down 1".into()], pair.news(1))
    );
    pair.cut = false;
    pair.run_ms(5_000);
    assert_eq!(
        pair.state(1),
        node_state::DOWN,
        "the dead epoch does not come back"
    );
    // A new life does, and so does a new life of the other.
    pair.reboot(2, 2);
    pair.reboot(1, 2);
    pair.run_ms(5_000);
    assert_eq!(
        (pair.state(1), pair.state(2)),
        (node_state::UP, node_state::UP)
    );
}

#[test]
fn who_was_given_up_by_the_other_alone_is_expelled() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    // Node 1 hears nothing and gives up; node 2 was away and has not noticed.
    pair.deaf = Some(1);
    pair.run_ms(3_600);
    assert_eq!(pair.news(1), ["up 1", "down 1"]);
    pair.deaf = None;
    pair.run_ms(5_000);
    assert!(
        pair.news(2).contains(&"expelled".to_string()),
        "{:?}",
        pair.news(2)
    );
    assert_eq!(pair.state(1), node_state::DOWN);
}

#[test]
fn a_connection_that_breaks_comes_back_in_the_same_life() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    pair.break_links();
    pair.run_ms(1_000);
    for raw in [1, 2] {
        assert_eq!(pair.news(raw), ["up 1", "lost 1", "up 1"]);
    }
}

#[test]
fn a_connection_that_only_one_end_lost_is_replaced() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    pair.break_end(2);
    pair.run_ms(1_000);
    assert_eq!(
        (pair.news(1), pair.news(2)),
        (
            vec!["up 1".into(), "lost 1".into(), "up 1".into()],
            pair.news(1)
        )
    );
}

#[test]
fn a_new_life_ends_the_old_one_at_once() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    pair.reboot(2, 5);
    pair.run_ms(1_000);
    assert_eq!(pair.news(1), ["up 1", "down 1", "up 5"]);
}

#[test]
fn who_was_away_accuses_nobody() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    pair.now_ms += 60_000;
    pair.run_ms(1_000);
    assert_eq!(pair.news(1), ["up 1"]);
}

#[test]
fn who_was_away_waits_anew_for_those_it_has_not_heard_of() {
    let mut me = Peer::new(me(1, 1), node(2), 0);
    let settle_ms = u64::from(limits::settle_ms(limits::FAILURE_MS_DEFAULT));
    let tick = |me: &mut Peer, now_ms| {
        me.step(now_ms, Event::Tick { processes: 0 }, &mut |_| {});
    };
    tick(&mut me, 1);
    let woken_ms = 2 * settle_ms;
    assert!(!me.is_settled(woken_ms), "before its first tick");
    for now_ms in (woken_ms..=woken_ms + settle_ms).step_by(500) {
        tick(&mut me, now_ms);
        assert!(!me.is_settled(now_ms), "{now_ms}");
    }
    assert!(me.is_settled(woken_ms + settle_ms + 1));
}

/// Two nodes that do not reach each other, until they do.
fn parted(one: fn(&mut Peer), two: fn(&mut Peer)) -> Pair {
    let mut pair = Pair::new();
    pair.refuse_connects = true;
    pair.run_ms(20_000);
    one(&mut pair.end(1).peer);
    two(&mut pair.end(2).peer);
    pair.refuse_connects = false;
    pair.run_ms(5_000);
    pair
}

#[test]
fn a_life_that_was_taken_for_gone_is_dead() {
    let pair = parted(Peer::restores, Peer::saves);
    assert_eq!(
        (pair.state(1), pair.state(2)),
        (node_state::DOWN, node_state::DOWN)
    );
    assert_eq!(pair.news(1), [""; 0]);
    assert_eq!(pair.news(2), ["up 1", "down 1", "expelled"]);
}

#[test]
fn a_life_that_has_done_nothing_was_not_taken_for_gone() {
    let mut pair = parted(Peer::restores, |_| {});
    assert_eq!(pair.news(1), pair.news(2));
    assert_eq!(pair.state(1), node_state::UP);
    // What it does from now on is known.
    pair.end(2).peer.saves();
    pair.break_links();
    pair.run_ms(5_000);
    assert_eq!(pair.news(1), ["up 1", "lost 1", "up 1"]);
}

#[test]
fn who_restarts_while_introducing_itself_does_it_again() {
    let mut me = Peer::new(me(1, 1), node(2), 0);
    let right = |link: Link, theirs| {
        let message = Message::Proof(Proof { mac: theirs });
        Event::Received { link, message }
    };
    let (_, theirs) = accept(&mut me, Link(1), hello(2, 1, 2));
    me.restores();
    let effects = drive(&mut me, right(Link(1), theirs));
    assert_eq!(effects, [Effect::Close { link: Link(1) }]);
    let (_, theirs) = accept(&mut me, Link(2), hello(2, 1, 3));
    drive(&mut me, right(Link(2), theirs));
    assert_eq!(me.epoch(), Some(Epoch(1)));
}

#[test]
fn a_node_that_leaves_is_down_at_once() {
    let mut pair = Pair::new();
    pair.run_ms(1_000);
    pair.refuse_connects = true;
    pair.step(2, Event::Leave);
    pair.run_ms(10);
    assert_eq!(pair.news(1), ["up 1", "down 1"]);
    assert_eq!(pair.state(1), node_state::ABSENT);
}

#[test]
fn nobody_there_is_asked_less_and_less() {
    let mut pair = Pair::new();
    pair.refuse_connects = true;
    pair.run_ms(60_000);
    assert!((30..40).contains(&pair.connects), "{}", pair.connects);
}

fn hello(raw: u32, epoch: u64, nonce: u8) -> Hello {
    Hello {
        cluster: me(1, 1).cluster,
        node: node(raw),
        epoch: Epoch(epoch),
        nonce: [nonce; 16],
        took_part: 0,
    }
}

fn drive(peer: &mut Peer, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    peer.step(0, event, &mut |effect| effects.push(effect));
    assert!(effects.len() <= limits::STEP_EFFECTS_MAX);
    effects
}

/// Node 1 accepts `link` from somebody who says to be node 2; gives the MACs it computes.
fn accept(peer: &mut Peer, link: Link, theirs: Hello) -> (Mac, Mac) {
    let effects = drive(
        peer,
        Event::Accepted {
            link,
            nonce: [1; 16],
            hello: theirs,
        },
    );
    let Some(Effect::Prove { mine, theirs, .. }) = effects.last() else {
        panic!("{effects:?}");
    };
    let (mine, theirs) = (fake_mac(KEY, mine), fake_mac(KEY, theirs));
    drive(peer, Event::Proofs { link, mine, theirs });
    (mine, theirs)
}

#[test]
fn a_proof_sent_back_proves_nothing() {
    let mut peer = Peer::new(me(1, 1), node(2), 0);
    let link = Link(1);
    let (mine, _) = accept(&mut peer, link, hello(2, 1, 2));
    let message = Message::Proof(Proof { mac: mine });
    let effects = drive(&mut peer, Event::Received { link, message });
    assert!(matches!(
        effects[..],
        [Effect::Send { message: Message::Refuse(refuse), .. }, Effect::Close { .. }]
            if refuse.reason == Reason::Proof
    ));
    assert_eq!(peer.epoch(), None);
}

#[test]
fn an_introduction_sent_back_is_refused() {
    let mut peer = Peer::new(me(1, 1), node(2), 0);
    // Node 1's own Hello, and one under the peer's name with node 1's own nonce.
    for theirs in [hello(1, 1, 9), hello(2, 1, 1)] {
        let event = Event::Accepted {
            link: Link(1),
            nonce: [1; 16],
            hello: theirs,
        };
        let effects = drive(&mut peer, event);
        assert!(
            matches!(effects[..], [Effect::Send { .. }, Effect::Close { .. }]),
            "{effects:?}"
        );
    }
}

#[test]
fn a_proof_of_another_connection_proves_nothing() {
    let mut peer = Peer::new(me(1, 1), node(2), 0);
    let (_, theirs) = accept(&mut peer, Link(1), hello(2, 1, 2));
    let (_, other) = accept(&mut peer, Link(2), hello(2, 1, 3));
    assert_ne!(theirs, other);
    let message = Message::Proof(Proof { mac: theirs });
    // On the connection that was replaced it means nothing at all.
    assert!(drive(
        &mut peer,
        Event::Received {
            link: Link(1),
            message
        }
    )
    .is_empty());
    drive(
        &mut peer,
        Event::Received {
            link: Link(2),
            message,
        },
    );
    assert_eq!(peer.epoch(), None);
}

#[test]
fn a_stranger_cannot_take_a_peer_down() {
    let mut peer = Peer::new(me(1, 1), node(2), 0);
    let (_, theirs) = accept(&mut peer, Link(1), hello(2, 1, 2));
    let proof = Message::Proof(Proof { mac: theirs });
    drive(
        &mut peer,
        Event::Received {
            link: Link(1),
            message: proof,
        },
    );
    assert_eq!(peer.epoch(), Some(Epoch(1)));
    // Somebody without the key, who claims a later life of it.
    accept(&mut peer, Link(2), hello(2, 9, 3));
    for message in [
        Message::Proof(Proof { mac: [0; 32] }),
        Message::Leave(crate::wire::member::Leave),
        Message::Heartbeat(Heartbeat { processes: 9 }),
    ] {
        drive(
            &mut peer,
            Event::Received {
                link: Link(2),
                message,
            },
        );
    }
    drive(&mut peer, Event::Closed { link: Link(2) });
    assert_eq!((peer.epoch(), peer.link()), (Some(Epoch(1)), Some(Link(1))));
    assert!(peer.believes(Link(1), node(2), Epoch(1)));
    assert!(!peer.believes(Link(2), node(2), Epoch(1)));
    assert!(!peer.believes(Link(1), node(3), Epoch(1)));
    assert!(!peer.believes(Link(1), node(2), Epoch(9)));
}
