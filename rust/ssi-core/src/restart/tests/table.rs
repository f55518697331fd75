// SPDX-License-Identifier: GPL-2.0
//! The golden table of the restart protocol: every state with every event, of both machines.

use super::world::{node, op, options};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits;
use crate::node::NodeSet;
use crate::place::Plan;
use crate::restart::{Agent, AgentEffect, AgentEvent, Restored, Root, RootEffect, RootEvent};
use crate::trial::{golden, listed, seeds, Random};
use crate::wire::restart as wire;
use crate::wire::restart::Message as M;

const TOTALS: Restored = Restored {
    processes: 1,
    streams: 0,
    head_root: 0,
    digest: 1,
};

fn failure() -> Failure {
    Failure::new(FailureCode::PidInUse)
}

fn nodes() -> NodeSet {
    NodeSet::only(node(2)).union(&NodeSet::only(node(3)))
}

fn engage() -> wire::Engage {
    wire::Engage {
        options: options(),
        participants: nodes(),
    }
}

fn engaged() -> wire::Engaged {
    wire::Engaged { up: nodes() }
}

fn restore() -> wire::Restore {
    wire::Restore { part: node(2) }
}

fn restored(part: u32) -> M {
    M::Restored(wire::Restored {
        part: node(part),
        totals: TOTALS,
    })
}

fn free() -> M {
    M::Free(wire::Free { part: node(2) })
}

fn taken() -> M {
    M::Taken(wire::Taken {
        part: node(2),
        pid: 5,
    })
}

fn messages() -> Vec<M> {
    vec![
        M::Engage(engage()),
        M::Engaged(engaged()),
        M::Restore(restore()),
        restored(2),
        restored(3),
        M::Failed(wire::Failed { failure: failure() }),
        M::Go(wire::Go),
        M::Gone(wire::Gone),
        M::TakeBack(wire::TakeBack { failure: failure() }),
        M::TakenBack(wire::TakenBack),
        M::Claim(wire::Claim::first(node(2), &[]).0),
        free(),
        taken(),
    ]
}

fn named(who: &str, message: &M) -> String {
    match message {
        M::Restored(restored) => format!("{who}: Restored {}", restored.part.raw()),
        _ => format!("{who}: {}", message.name()),
    }
}

fn line(name: &str, state: &str, effects: &[String]) -> String {
    let line = format!("  {name:<22} -> {state}: {}", effects.join(", "));
    format!("{}\n", line.trim_end_matches([':', ' ']))
}

fn root_said(from: u32, message: M) -> RootEvent {
    RootEvent::Message {
        from: node(from),
        message,
    }
}

fn root_events(timer: u32) -> Vec<(String, RootEvent)> {
    let mut events = vec![
        ("Start".into(), RootEvent::Start),
        ("Cancel".into(), RootEvent::Cancel(failure())),
        ("Deadline".into(), RootEvent::Deadline(timer)),
        ("PeerDown 2".into(), RootEvent::PeerDown(node(2))),
        ("PeerDown stranger".into(), RootEvent::PeerDown(node(9))),
    ];
    for from in [2, 9] {
        let who = if from == 2 { "2" } else { "stranger" };
        events.extend(
            messages()
                .into_iter()
                .map(|m| (named(who, &m), root_said(from, m))),
        );
    }
    let up = NodeSet::only(node(2));
    let otherwise = root_said(2, M::Engaged(wire::Engaged { up }));
    events.push(("2: Engaged otherwise".into(), otherwise));
    events
}

fn root_effect(effect: &RootEffect) -> String {
    match effect {
        RootEffect::Send { to, message } => format!("{} to {}", message.name(), to.raw()),
        RootEffect::Multicast { to, message } => format!("{} to {to:?}", message.name()),
        RootEffect::SendParts => "Restore to all".into(),
        RootEffect::Timer { ms, .. } => format!("timer {ms}"),
        RootEffect::Reply(Ok(_)) => "reply ok".into(),
        RootEffect::Reply(Err(failure)) => format!("reply {:?}", failure.code),
        RootEffect::End => "end".into(),
    }
}

fn root(events: &[RootEvent]) -> (Root, u32) {
    let plan = Plan::new(&nodes(), &nodes(), &mut |_| 0).unwrap();
    let mut root = Root::new(options(), plan, TOTALS.plus(&TOTALS));
    root.sees(nodes());
    let mut timer = 0;
    for event in events {
        let mut note = |effect| {
            if let RootEffect::Timer { number, .. } = effect {
                timer = number;
            }
        };
        assert_eq!(root.step(*event, &mut note), Ok(()), "{event:?}");
    }
    (root, timer)
}

fn root_table() -> String {
    let path = [
        RootEvent::Start,
        root_said(3, M::Engaged(engaged())),
        root_said(2, M::Engaged(engaged())),
        root_said(3, restored(3)),
        root_said(2, restored(2)),
        root_said(3, M::Gone(wire::Gone)),
        root_said(2, M::Gone(wire::Gone)),
    ];
    let mut paths: Vec<Vec<RootEvent>> = (0..=path.len()).map(|len| path[..len].to_vec()).collect();
    let mut late = vec![RootEvent::Start];
    late.extend((1..=limits::AGREE_MAX).map(RootEvent::Deadline));
    paths.push(late);
    let cancel = RootEvent::Cancel(failure());
    let taken = root_said(3, M::TakenBack(wire::TakenBack));
    paths.push(vec![RootEvent::Start, cancel, taken]);
    let mut text = String::new();
    for path in paths {
        let (root, timer) = self::root(&path);
        let last = path.last().map_or("nothing", RootEvent::name);
        text += &format!("\nroot {} after {last}\n", root.state.name());
        let (mut ignored, mut impossible) = (Vec::new(), Vec::new());
        for (name, event) in root_events(timer) {
            let (mut next, mut effects) = (root.clone(), Vec::new());
            match next.step(event, &mut |effect| effects.push(root_effect(&effect))) {
                Err(_) => {
                    assert!(effects.is_empty() && next.state == root.state);
                    impossible.push(name);
                }
                Ok(()) if effects.is_empty() && next.state == root.state => ignored.push(name),
                Ok(()) => {
                    text += &line(&name, next.state.name(), &effects);
                    if (root.state.name(), &*name) == ("Fresh", "Cancel") {
                        text.truncate(text.len() - 1);
                        text += " (never: a)\n";
                    }
                }
            }
        }
        text += &listed("ignored", &ignored);
        text += &listed("impossible", &impossible);
    }
    text
}

fn agent_said(from: u32, message: M) -> AgentEvent {
    AgentEvent::Message {
        from: node(from),
        message,
    }
}

fn agent_events(timer: u32) -> Vec<(String, AgentEvent)> {
    let mut events = vec![
        ("Read".into(), AgentEvent::Read { part: node(2) }),
        (
            "Built".into(),
            AgentEvent::Built {
                part: node(2),
                totals: TOTALS,
            },
        ),
        ("Running".into(), AgentEvent::Running),
        ("TakenBack".into(), AgentEvent::TakenBack),
        ("HostFailed".into(), AgentEvent::HostFailed(failure())),
        ("Deadline".into(), AgentEvent::Deadline(timer)),
        ("PeerDown root".into(), AgentEvent::PeerDown(node(1))),
        ("PeerDown other".into(), AgentEvent::PeerDown(node(3))),
    ];
    for message in [free(), taken()] {
        let name = format!("own: {}", message.name());
        events.push((name, agent_said(2, message)));
    }
    for (who, from) in [("root", 1), ("other", 3), ("stranger", 9)] {
        events.extend(
            messages()
                .into_iter()
                .map(|m| (named(who, &m), agent_said(from, m))),
        );
    }
    events
}

fn agent_effect(effect: &AgentEffect) -> String {
    match effect {
        AgentEffect::Build { part } => format!("build {}", part.raw()),
        AgentEffect::Claim { part, of } => format!("claim {} of {of:?}", part.raw()),
        AgentEffect::Create { part } => format!("create {}", part.raw()),
        AgentEffect::LetGo => "let go".into(),
        AgentEffect::TakeBack => "take back".into(),
        AgentEffect::Send { to, message } => format!("{} to {}", message.name(), to.raw()),
        AgentEffect::Multicast { to, message } => format!("{} to {to:?}", message.name()),
        AgentEffect::Timer { ms, .. } => format!("timer {ms}"),
        AgentEffect::End => "end".into(),
    }
}

fn agent(events: &[AgentEvent]) -> (Agent, u32) {
    let mut agent = Agent::new(node(2), op(), &engage());
    agent.sees(nodes());
    let mut timer = 0;
    for event in events {
        let mut note = |effect| {
            if let AgentEffect::Timer { number, .. } = effect {
                timer = number;
            }
        };
        assert_eq!(agent.step(*event, &mut note), Ok(()), "{event:?}");
    }
    (agent, timer)
}

fn agent_table() -> String {
    let path = [
        agent_said(1, M::Engage(engage())),
        agent_said(1, M::Restore(restore())),
        AgentEvent::Read { part: node(2) },
        agent_said(2, free()),
        agent_said(3, free()),
        AgentEvent::Built {
            part: node(2),
            totals: TOTALS,
        },
        agent_said(1, M::Go(wire::Go)),
        AgentEvent::Running,
    ];
    let mut paths: Vec<Vec<AgentEvent>> =
        (0..=path.len()).map(|len| path[..len].to_vec()).collect();
    for last in [
        AgentEvent::PeerDown(node(1)),
        AgentEvent::HostFailed(failure()),
        agent_said(1, M::TakeBack(wire::TakeBack { failure: failure() })),
    ] {
        let mut path = path[..6].to_vec();
        path.push(last);
        paths.push(path);
    }
    let mut text = String::new();
    for path in paths {
        let (agent, timer) = self::agent(&path);
        let last = path.last().map_or("nothing", AgentEvent::name);
        text += &format!("\nagent {} after {last}\n", agent.state.name());
        let (mut ignored, mut impossible) = (Vec::new(), Vec::new());
        for (name, event) in agent_events(timer) {
            let (mut next, mut effects) = (agent.clone(), Vec::new());
            match next.step(event, &mut |effect| effects.push(agent_effect(&effect))) {
                Err(_) => {
                    assert!(effects.is_empty() && next.state == agent.state);
                    impossible.push(name);
                }
                Ok(()) if effects.is_empty() && next.state == agent.state => ignored.push(name),
                Ok(()) => text += &line(&name, next.state.name(), &effects),
            }
        }
        text += &listed("ignored", &ignored);
        text += &listed("impossible", &impossible);
    }
    text
}

#[test]
fn every_state_with_every_event() {
    let head =
        "The restart protocol: every state with every event; BLESS=1 cargo test writes it.\n\
                The root is node 1; nodes 2 and 3 restore one part each; the agent is node 2.\n\
                A line with (never: x) says what the root would do; why it does not come says x:\n\
                a: its host makes and starts a root in one act, before anybody can give up.\n";
    golden(
        "restart.table.txt",
        &format!("{head}{}{}", root_table(), agent_table()),
    );
}

#[test]
fn whatever_happens_to_a_root_stays_within_bounds() {
    for seed in seeds(1_000) {
        let mut random = Random::new(seed);
        let (mut root, mut timer) = self::root(&[]);
        let mut ended = false;
        for _ in 0..40 {
            let events = root_events(timer);
            let (name, event) = &events[random.below(events.len())];
            let mut effects = Vec::new();
            let result = root.step(*event, &mut |effect| effects.push(effect));
            assert!(
                effects.len() <= limits::STEP_EFFECTS_MAX,
                "{name}: {effects:?}"
            );
            assert!(result.is_ok() || effects.is_empty(), "{name}");
            for effect in &effects {
                assert!(!ended, "{name}: something after the end");
                match effect {
                    RootEffect::Timer { number, .. } => timer = *number,
                    RootEffect::End => ended = true,
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn whatever_happens_to_an_agent_stays_within_bounds() {
    for seed in seeds(1_000) {
        let mut random = Random::new(seed);
        let (mut agent, mut timer) = self::agent(&[]);
        let mut ended = false;
        for _ in 0..40 {
            let events = agent_events(timer);
            let (name, event) = &events[random.below(events.len())];
            let mut effects = Vec::new();
            let result = agent.step(*event, &mut |effect| effects.push(effect));
            assert!(
                effects.len() <= limits::STEP_EFFECTS_MAX,
                "{name}: {effects:?}"
            );
            assert!(result.is_ok() || effects.is_empty(), "{name}");
            for effect in &effects {
                assert!(!ended, "{name}: something after the end");
                match effect {
                    AgentEffect::Timer { number, .. } => timer = *number,
                    AgentEffect::End => ended = true,
                    _ => {}
                }
            }
        }
    }
}
