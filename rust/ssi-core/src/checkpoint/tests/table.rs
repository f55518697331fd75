// SPDX-License-Identifier: GPL-2.0
//! The golden table of the checkpoint protocol: every state with every event.

mod never;
mod paths;

use std::fmt::Write as _;

use super::world::{node, op, options, Kind, KINDS};
use crate::abi::FailureCode;
use crate::checkpoint::{
    Agent, Counts, Effect, Event, Found, Link, Seed, Totals, Version, Violation,
};
use crate::failure::Failure;
use crate::limits;
use crate::node::{ClusterPid, NodeSet};
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

fn enlist(kind: Kind) -> M {
    M::Enlist(wire::Enlist {
        options: options(kind),
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

fn signalled() -> M {
    M::Signalled(wire::Signalled {
        counts: Counts::ZERO,
        nodes: NodeSet::EMPTY,
        lost: 0,
    })
}

fn messages() -> Vec<M> {
    vec![
        enlist(Kind::Plain),
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
        M::Signal(wire::Signal),
        signalled(),
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
        Event::Signalled(Counts::ZERO),
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
            if let M::Enlist(_) = message {
                let (from, count) = (node(raw), 1);
                events.push((format!("{who}: Relay"), Event::Relayed { from, count }));
            }
        }
    }
    events
}

fn describe(effect: &Effect<1>) -> String {
    match effect {
        Effect::StopLocally { .. } => "stop locally".into(),
        Effect::Hold(_) => "hold".into(),
        Effect::Resume { count } => format!("resume {count}"),
        Effect::Relay(shares) => shares
            .batches()
            .map(|(to, count)| format!("relay {count} to {}", to.raw()))
            .collect::<Vec<_>>()
            .join(", "),
        Effect::SaveSend => "save send".into(),
        Effect::Snapshot => "snapshot".into(),
        Effect::Release => "release".into(),
        Effect::OpenVersion { .. } => "open version".into(),
        Effect::Write { .. } => "write".into(),
        Effect::Commit { .. } => "commit".into(),
        Effect::Signal => "signal".into(),
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

fn agent(me: u32, kind: Kind, path: &[Event]) -> (Agent<1>, u32) {
    let mut agent = Agent::new(node(me), op(), options(kind));
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
    text += never::PROOFS;
    for (who, me, kind, path) in paths::paths() {
        let (agent, timer) = self::agent(me, kind, &path);
        let last = path.last().map_or("nothing", Event::name);
        let asked = match kind {
            Kind::Plain => "",
            Kind::Hold => ", to hold and signal",
            Kind::Signal => ", only to signal",
        };
        writeln!(text, "\n{who} {} after {last}{asked}", agent.state.name()).unwrap();
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
                    text += &match never::proof(who, agent.state.name(), &name) {
                        Some(proof) => format!(" (never: {proof})\n"),
                        None => String::from("\n"),
                    };
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
        let kind = KINDS[random.below(KINDS.len())];
        let who = node(1 + random.below(2) as u32);
        let mut agent = Agent::<1>::new(who, op(), options(kind));
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
