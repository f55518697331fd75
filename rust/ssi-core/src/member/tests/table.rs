// SPDX-License-Identifier: GPL-2.0
//! The golden table of membership: every state with every event.

use super::pair::{me, node};
use super::{drive, hello};
use crate::limits;
use crate::member::peer::{Life, Shake};
use crate::member::{Effect, Event, Link, Peer};
use crate::trial::{golden, listed, seeds, Random};
use crate::wire::member::{Heartbeat, Hello, Leave, Message, Proof, Reason, Refuse};

/// The connection whose handshake is under way.
const NEW: Link = Link(2);
/// The connection that is proven.
const LIVE: Link = Link(1);

const RIGHT: [u8; 32] = [1; 32];

fn received(link: Link, message: Message) -> Event {
    Event::Received { link, message }
}

fn events(theirs: u32) -> Vec<(String, Event)> {
    let accepted = |epoch| Event::Accepted {
        link: Link(3),
        nonce: [8; 16],
        hello: hello(theirs, epoch, 9),
    };
    let took_part = Hello {
        took_part: 1,
        ..hello(theirs, 5, 6)
    };
    let mut events: Vec<(String, Event)> = vec![
        ("Tick".into(), Event::Tick { processes: 4 }),
        (
            "Connected".into(),
            Event::Connected {
                link: Link(3),
                nonce: [8; 16],
            },
        ),
        ("ConnectFailed".into(), Event::ConnectFailed),
        ("Accepted".into(), accepted(5)),
        (
            "Proofs".into(),
            Event::Proofs {
                link: NEW,
                mine: [3; 32],
                theirs: RIGHT,
            },
        ),
        ("Heard".into(), Event::Heard { link: LIVE }),
        ("Leave".into(), Event::Leave),
    ];
    let messages = [
        ("Hello", Message::Hello(hello(theirs, 5, 6))),
        ("Hello, took part", Message::Hello(took_part)),
        ("right Proof", Message::Proof(Proof { mac: RIGHT })),
        ("wrong Proof", Message::Proof(Proof { mac: [2; 32] })),
        ("Heartbeat", Message::Heartbeat(Heartbeat { processes: 3 })),
        (
            "Refuse",
            Message::Refuse(Refuse {
                reason: Reason::Cluster,
            }),
        ),
        (
            "Refuse DeadEpoch",
            Message::Refuse(Refuse {
                reason: Reason::DeadEpoch,
            }),
        ),
        ("Leave", Message::Leave(Leave)),
    ];
    for (which, link) in [("new", NEW), ("live", LIVE)] {
        events.push((format!("{which}: Closed"), Event::Closed { link }));
        for (name, message) in messages {
            events.push((format!("{which}: {name}"), received(link, message)));
        }
    }
    events
}

fn describe(effect: &Effect) -> String {
    let which = |link: &Link| match link.0 {
        1 => "live",
        2 => "new",
        _ => "newest",
    };
    match effect {
        Effect::Connect => "connect".into(),
        Effect::Send { link, message } => match message {
            Message::Refuse(refuse) => format!("Refuse {:?} on {}", refuse.reason, which(link)),
            _ => format!("{} on {}", message.name(), which(link)),
        },
        Effect::Prove { link, .. } => format!("prove on {}", which(link)),
        Effect::Close { link } => format!("close {}", which(link)),
        Effect::Up { epoch, link } => format!("up {} on {}", epoch.0, which(link)),
        Effect::Lost { epoch } => format!("lost {}", epoch.0),
        Effect::Down { epoch } => format!("down {}", epoch.0),
        Effect::Expelled => "expelled".into(),
    }
}

fn name(peer: &Peer) -> String {
    let life = match peer.life {
        Life::Absent if peer.gone => "Gone".to_string(),
        Life::Absent => "Absent".to_string(),
        Life::Up {
            epoch,
            link: Some(_),
        } => format!("Up {}", epoch.0),
        Life::Up { epoch, link: None } => format!("Up {} unconnected", epoch.0),
        Life::Down => "Down".into(),
        Life::Refused => "Refused".into(),
    };
    let shake = match peer.shake {
        Shake::Idle => "Idle",
        Shake::Dialing => "Dialing",
        Shake::Hello { .. } => "Hello",
        Shake::Proofs { .. } => "Proofs",
        Shake::Proof { .. } => "Proof",
    };
    let said = match peer.shake {
        Shake::Proofs { said, .. } | Shake::Proof { said, .. } if said.took_part => " took part",
        _ => "",
    };
    format!("{life}, {shake}{said}")
}

/// The peer of node 2 that has the id `theirs`, in every state that it can be led to.
fn peers(theirs: u32) -> Vec<Peer> {
    let connects = theirs == 1;
    let begin = |peer: &mut Peer, link: Link, life: (u64, u32), steps: usize| {
        let theirs = Hello {
            took_part: life.1,
            ..hello(theirs, life.0, 6)
        };
        let mut events = if connects {
            vec![
                Event::Tick { processes: 0 },
                Event::Connected {
                    link,
                    nonce: [5; 16],
                },
                received(link, Message::Hello(theirs)),
            ]
        } else {
            vec![Event::Accepted {
                link,
                nonce: [5; 16],
                hello: theirs,
            }]
        };
        events.push(Event::Proofs {
            link,
            mine: [3; 32],
            theirs: RIGHT,
        });
        events.push(received(link, Message::Proof(Proof { mac: RIGHT })));
        for event in events.into_iter().take(steps) {
            drive(peer, event);
        }
    };
    let fresh = Peer::new(me(2, 1), node(theirs), 0);
    let mut up = fresh.clone();
    begin(&mut up, LIVE, (5, 0), 5);
    let mut unconnected = up.clone();
    drive(&mut unconnected, Event::Closed { link: LIVE });
    let mut down = unconnected.clone();
    down.step(100_000, Event::Tick { processes: 0 }, &mut |_| {});
    for ms in 0..limits::FAILURE_MS_DEFAULT / limits::TICK_MS + 2 {
        let now_ms = 100_000 + u64::from(ms * limits::TICK_MS);
        down.step(now_ms, Event::Tick { processes: 0 }, &mut |_| {});
    }
    drive(&mut down, Event::ConnectFailed);
    let mut refused = fresh.clone();
    begin(&mut refused, NEW, (5, 0), if connects { 2 } else { 1 });
    drive(&mut refused, received(NEW, Message::Leave(Leave)));
    let mut gone = fresh.clone();
    gone.restores();
    let mut peers = Vec::new();
    for (peer, life) in [
        (fresh, (5, 0)),
        (gone.clone(), (5, 0)),
        (gone, (5, 1)),
        (up, (5, 0)),
        (unconnected, (6, 0)),
        (down, (5, 0)),
        (refused, (5, 0)),
    ] {
        for steps in 0..if connects { 5 } else { 3 } {
            let mut peer = peer.clone();
            begin(&mut peer, NEW, life, steps);
            peers.push(peer);
        }
    }
    peers
}

#[test]
fn every_state_with_every_event() {
    let mut text = String::from(
        "Membership: every state with every event; BLESS=1 cargo test writes it.\n\
         A state is the peer's life and the handshake of its newest connection.\n",
    );
    for (theirs, role) in [(1, "connects"), (3, "accepts")] {
        let mut seen = std::collections::BTreeSet::new();
        for peer in peers(theirs) {
            if !seen.insert(name(&peer)) {
                continue;
            }
            text += &format!("\n{}, this node {role}\n", name(&peer));
            let mut ignored = Vec::new();
            for (event_name, event) in events(theirs) {
                let mut next = peer.clone();
                let effects: Vec<_> = drive(&mut next, event).iter().map(describe).collect();
                if effects.is_empty() && name(&next) == name(&peer) {
                    ignored.push(event_name);
                } else {
                    let line = format!("  {event_name:<22} -> {}: ", name(&next));
                    text += (line + &effects.join(", ")).trim_end_matches([':', ' ']);
                    text += "\n";
                }
            }
            text += &listed("no other state and no effect", &ignored);
        }
    }
    golden("member.table.txt", &text);
}

#[test]
fn nobody_is_up_without_a_proof() {
    for seed in seeds(1_000) {
        let mut random = Random::new(seed);
        let theirs = if random.below(2) == 0 { 1 } else { 3 };
        let mut peer = Peer::new(me(2, 1), node(theirs), 0);
        let mut events = events(theirs);
        events.retain(|(name, _)| !name.ends_with("right Proof"));
        for _ in 0..60 {
            let (name, event) = &events[random.below(events.len())];
            drive(&mut peer, *event);
            assert_eq!(peer.epoch(), None, "{name}");
        }
    }
}
