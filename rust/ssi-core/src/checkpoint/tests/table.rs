// SPDX-License-Identifier: GPL-2.0
//! The golden table of the checkpoint protocol: every state with every event.

use std::fmt::Write as _;

use super::world::{node, op, options};
use crate::abi::FailureCode;
use crate::checkpoint::{
    Agent, Counts, Effect, Event, Found, Link, Links, Seed, Totals, Version, Violation,
};
use crate::failure::Failure;
use crate::limits;
use crate::node::ClusterPid;
use crate::trial::{golden, listed, seeds, Random};
use crate::wire::checkpoint as wire;
use crate::wire::checkpoint::Message as M;

const PARENT: u32 = 1;
const CHILD: u32 = 3;

fn pid() -> ClusterPid {
    ClusterPid::new((1 << 22) | 300).unwrap()
}

fn seed() -> Seed {
    Seed::Target(pid())
}

fn found() -> Found {
    Found {
        application: 0,
        head_root: pid().raw(),
    }
}

fn version() -> Version {
    Version {
        application: 9,
        number: 1,
    }
}

fn failure() -> Failure {
    Failure::new(FailureCode::Media)
}

fn said(from: u32, message: M) -> Event {
    Event::Message {
        from: node(from),
        message,
    }
}

fn enlist() -> M {
    M::Enlist(wire::Enlist {
        options: options(),
        seed: seed(),
    })
}

fn ack(adopted: u32) -> M {
    M::Ack(wire::Ack {
        adopted,
        found: found(),
    })
}

fn written() -> M {
    M::Written(wire::Written::NOTHING)
}

/// A link to a node that is neither parent nor child.
fn link() -> Link {
    Link {
        node: node(4),
        seed: seed(),
    }
}

fn relay() -> M {
    M::Relay(wire::Relay {
        links: Links::only(link()),
    })
}

fn messages() -> Vec<M> {
    vec![
        enlist(),
        relay(),
        ack(0),
        M::SaveSend(wire::SaveSend),
        M::SendSaved(wire::SendSaved),
        M::Snapshot(wire::Snapshot),
        M::Snapped(wire::Snapped {
            counts: Counts::ZERO,
        }),
        M::Release(wire::Release),
        M::Write(wire::Write { version: version() }),
        written(),
        M::Done(wire::Done),
        M::Failed(wire::Failed { failure: failure() }),
        M::Abort(wire::Abort { failure: failure() }),
        M::Aborted(wire::Aborted),
        M::Orphaned(wire::Orphaned),
    ]
}

fn events(timer: u32) -> Vec<(String, Event)> {
    let mut events: Vec<(String, Event)> = [
        Event::Asked(node(CHILD)),
        Event::Start {
            node: node(2),
            seed: seed(),
        },
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Link {
            node: node(4),
            seed: seed(),
        },
        Event::Again(link()),
        Event::Stopped(found()),
        Event::SendSaved,
        Event::Snapped(Counts::ZERO),
        Event::Opened(version()),
        Event::NotOpened(failure()),
        Event::Written(Some(Totals::ZERO)),
        Event::Committed,
        Event::NotCommitted(failure()),
        Event::Discarded,
        Event::HostFailed(failure()),
        Event::Cancel(failure()),
        Event::Deadline(timer),
    ]
    .into_iter()
    .map(|event| match event {
        Event::Link { node, .. } => (format!("Link to {}", node.raw()), event),
        _ => (event.name().to_string(), event),
    })
    .collect();
    for (who, raw) in [("parent", PARENT), ("child", CHILD), ("stranger", 9)] {
        events.push((format!("PeerDown {who}"), Event::PeerDown(node(raw))));
        for message in messages() {
            events.push((format!("{who}: {}", message.name()), said(raw, message)));
        }
    }
    events
}

/// What leads an agent from its first event to each state: the root is node 1, the other agent
/// is node 2, and node 3 is the child of either.
fn paths() -> Vec<(&'static str, u32, Vec<Event>)> {
    let root = vec![
        Event::Start {
            node: node(1),
            seed: seed(),
        },
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Stopped(found()),
        said(CHILD, ack(1)),
        Event::SendSaved,
        said(CHILD, M::SendSaved(wire::SendSaved)),
        Event::Snapped(Counts::ZERO),
        said(
            CHILD,
            M::Snapped(wire::Snapped {
                counts: Counts::ZERO,
            }),
        ),
        Event::Opened(version()),
        Event::Written(None),
        said(CHILD, written()),
        Event::Committed,
    ];
    let other = vec![
        said(PARENT, enlist()),
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Stopped(found()),
        said(CHILD, ack(1)),
        said(PARENT, M::SaveSend(wire::SaveSend)),
        Event::SendSaved,
        said(CHILD, M::SendSaved(wire::SendSaved)),
        said(PARENT, M::Snapshot(wire::Snapshot)),
        Event::Snapped(Counts::ZERO),
        said(
            CHILD,
            M::Snapped(wire::Snapped {
                counts: Counts::ZERO,
            }),
        ),
        said(PARENT, M::Release(wire::Release)),
        said(PARENT, M::Write(wire::Write { version: version() })),
        Event::Written(None),
        said(CHILD, written()),
        said(PARENT, M::Done(wire::Done)),
    ];
    let mut paths = vec![("root", 1, vec![Event::Asked(node(CHILD))])];
    // Aborted once all is stopped, and at the root also while the version's folder is made.
    let cases: [(_, _, _, &[usize]); 2] = [("root", 1, root, &[4, 8]), ("agent", 2, other, &[4])];
    for (who, me, path, aborts) in cases {
        for len in 0..=path.len() {
            paths.push((who, me, path[..len].to_vec()));
        }
        for len in aborts {
            let mut aborting = path[..*len].to_vec();
            aborting.push(Event::Cancel(failure()));
            paths.push((who, me, aborting.clone()));
            aborting.push(Event::Discarded);
            paths.push((who, me, aborting));
        }
    }
    // With a fan-out of one: a link is held until there is a child, and then relayed.
    let mut beyond = vec![
        said(PARENT, enlist()),
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Link {
            node: node(4),
            seed: seed(),
        },
        said(CHILD, ack(1)),
        Event::Again(link()),
    ];
    for len in 3..=beyond.len() {
        paths.push(("agent", 2, beyond[..len].to_vec()));
    }
    beyond.truncate(3);
    beyond.push(Event::Stopped(found()));
    paths.push(("agent", 2, beyond.clone()));
    beyond.push(said(CHILD, ack(0)));
    paths.push(("agent", 2, beyond));
    paths
}

fn describe(effect: &Effect<1>) -> String {
    match effect {
        Effect::StopLocally { .. } => "stop locally".into(),
        Effect::Hold(links) => format!("hold {}", links.len()),
        Effect::Resume { count } => format!("resume {count}"),
        Effect::SaveSend => "save send".into(),
        Effect::Snapshot => "snapshot".into(),
        Effect::Release => "release".into(),
        Effect::OpenVersion { .. } => "open version".into(),
        Effect::Write { .. } => "write".into(),
        Effect::Commit { .. } => "commit".into(),
        Effect::Discard => "discard".into(),
        Effect::RemoveVersion { .. } => "remove version".into(),
        Effect::Reply(Ok(_)) => "reply ok".into(),
        Effect::Reply(Err(failure)) => format!("reply {:?}", failure.code),
        Effect::Send { to, message } => format!("{} to {}", message.name(), to.raw()),
        Effect::Multicast { to, message } => format!("{} to {to:?}", message.name()),
        Effect::Timer { ms, .. } => format!("timer {ms}"),
        Effect::End { .. } => "end".into(),
    }
}

fn agent(me: u32, path: &[Event]) -> (Agent<1>, u32) {
    let mut agent = Agent::new(node(me), op(), options());
    let mut timer = 0;
    for event in path {
        let mut note = |effect| {
            if let Effect::Timer { number, .. } = effect {
                timer = number;
            }
        };
        assert_eq!(agent.step(*event, &mut note), Ok(()), "{event:?}");
    }
    (agent, timer)
}

#[test]
fn every_state_with_every_event() {
    let mut text = String::from(
        "The checkpoint protocol: every state with every event; BLESS=1 cargo test writes it.\n\
         The root is node 1, the agent is node 2, whose parent is 1; 3 is the child of both.\n\
         Each enlists at most one node itself.\n",
    );
    for (who, me, path) in paths() {
        let (agent, timer) = self::agent(me, &path);
        let last = path.last().map_or("nothing", Event::name);
        writeln!(text, "\n{who} {} after {last}", agent.state.name()).unwrap();
        let (mut ignored, mut impossible) = (Vec::new(), Vec::new());
        for (name, event) in events(timer) {
            let mut next = agent.clone();
            let mut effects = Vec::new();
            match next.step(event, &mut |effect| effects.push(describe(&effect))) {
                Err(Violation { .. }) => {
                    assert_eq!(format!("{next:?}"), format!("{agent:?}"), "{name}");
                    assert!(effects.is_empty());
                    impossible.push(name);
                }
                Ok(()) if effects.is_empty() && next.state == agent.state => ignored.push(name),
                Ok(()) => {
                    let line = format!("  {name:<20} -> {}: ", next.state.name());
                    text += (line + &effects.join(", ")).trim_end_matches([':', ' ']);
                    text += "\n";
                }
            }
        }
        text += &listed("ignored", &ignored);
        text += &listed("impossible", &impossible);
    }
    golden("checkpoint.table.txt", &text);
}

#[test]
fn whatever_happens_stays_within_bounds() {
    for seed in seeds(1_000) {
        let mut random = Random::new(seed);
        let mut agent = Agent::<1>::new(node(1 + random.below(2) as u32), op(), options());
        let (mut timer, mut ended) = (0, false);
        for _ in 0..60 {
            let events = events(timer);
            let (name, event) = &events[random.below(events.len())];
            let before = agent.state;
            let mut effects = Vec::new();
            let result = agent.step(*event, &mut |effect| effects.push(effect));
            assert!(
                effects.len() <= limits::STEP_EFFECTS_MAX,
                "{name}: {effects:?}"
            );
            assert!(
                !ended || effects.is_empty(),
                "{name} after the end: {effects:?}"
            );
            if result.is_err() {
                assert!(effects.is_empty() && agent.state == before, "{name}");
            }
            for effect in &effects {
                assert!(!ended, "{name}: something after the end");
                match effect {
                    Effect::Timer { number, .. } => timer = *number,
                    Effect::End { .. } => ended = true,
                    _ => {}
                }
            }
        }
    }
}
