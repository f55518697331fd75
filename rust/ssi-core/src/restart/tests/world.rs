// SPDX-License-Identifier: GPL-2.0
//! A small cluster in memory that restarts an application, with faults drawn by chance.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use super::scene::{node, op, options, pid, Fault, ROOT};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits;
use crate::node::NodeSet;
use crate::place::Plan;
use crate::restart::{
    answer, stray, Agent, AgentEffect, AgentEvent, Report, Restored, Root, RootEffect, RootEvent,
};
use crate::trial::Random;
use crate::wire::restart::{Claim, Message};

#[derive(Default, Debug)]
pub struct Node {
    pub dead: bool,
    /// A process that this restart has nothing to do with.
    stranger: Option<u32>,
    /// Nodes that this one holds for dead.
    missing: BTreeSet<u32>,
    pub agent: Option<Agent>,
    jobs: VecDeque<AgentEffect>,
    /// Parts whose processes exist and are held.
    pub held: BTreeSet<u32>,
    /// Parts whose processes run.
    pub running: BTreeSet<u32>,
    fails: bool,
    timer: Option<u32>,
    /// The restart is over here.
    ended: bool,
}

pub struct World {
    pub parts: BTreeSet<u32>,
    pub plan: Plan,
    up: NodeSet,
    pub nodes: BTreeMap<u32, Node>,
    root: Option<Root>,
    root_timer: Option<u32>,
    pub reply: Option<Result<Report, Failure>>,
    channels: BTreeMap<(u32, u32), VecDeque<Message>>,
    obituaries: Vec<(u32, u32)>,
    random: Random,
    pub damaged: bool,
}

impl World {
    pub fn new(seed: u64, fault: Fault) -> World {
        let mut random = Random::new(seed);
        let count = 2 + random.below(4) as u32;
        let up: BTreeSet<u32> = (1..=count).collect();
        let mut parts = BTreeSet::new();
        for _ in 0..1 + random.below(5) {
            parts.insert(1 + random.below(7) as u32);
        }
        let set = |raw: &BTreeSet<u32>| {
            let mut set = NodeSet::EMPTY;
            for node in raw {
                set.insert(self::node(*node));
            }
            set
        };
        let plan = Plan::new(&set(&parts), &set(&up), &mut |_| 0).unwrap();
        let damaged = fault == Fault::Damage;
        let digest = parts.iter().map(|part| u64::from(*part)).sum::<u64>();
        let expected = Restored {
            processes: 10 * parts.len() as u32,
            streams: 0,
            head_root: 0,
            digest: digest + u64::from(damaged),
        };
        World {
            root: Some(Root::new(options(), plan, expected)),
            nodes: up.iter().map(|raw| (*raw, Node::default())).collect(),
            up: set(&up),
            parts,
            plan,
            root_timer: None,
            reply: None,
            channels: BTreeMap::new(),
            obituaries: Vec::new(),
            random,
            damaged,
        }
    }

    pub fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::Nothing | Fault::Damage => {}
            Fault::Crash(dead) => {
                *self.nodes.get_mut(&dead).unwrap() = Node {
                    dead: true,
                    ..Node::default()
                };
                if dead == ROOT {
                    self.root = None;
                }
                self.channels.retain(|(_, to), _| *to != dead);
                for raw in self.nodes.keys().filter(|raw| **raw != dead) {
                    self.obituaries.push((*raw, dead));
                }
            }
            Fault::Break(a, b) => {
                self.channels
                    .retain(|ends, _| *ends != (a, b) && *ends != (b, a));
                self.obituaries.push((a, b));
                self.obituaries.push((b, a));
            }
            Fault::Blind(raw, lost) => {
                self.nodes.get_mut(&raw).unwrap().missing.insert(lost);
            }
            Fault::Elsewhere(raw) => {
                self.nodes.get_mut(&raw).unwrap().stranger =
                    self.parts.first().map(|part| pid(*part));
            }
            Fault::Host(raw) => self.nodes.get_mut(&raw).unwrap().fails = true,
            Fault::Cancel => self.root(RootEvent::Cancel(Failure::new(FailureCode::Internal))),
        }
    }

    /// Does one thing that can happen next, by chance; says whether there was one. Time passes
    /// only when there is nothing else.
    pub fn advance(&mut self) -> bool {
        let mut choices: Vec<(u8, u32, u32)> = Vec::new();
        choices.extend(self.channels.keys().map(|(from, to)| (0, *from, *to)));
        let busy = self.nodes.iter().filter(|(_, node)| !node.jobs.is_empty());
        choices.extend(busy.map(|(raw, _)| (1, *raw, 0)));
        choices.extend(self.obituaries.iter().map(|(raw, dead)| (2, *raw, *dead)));
        if choices.is_empty() {
            return self.wait();
        }
        let (what, a, b) = choices[self.random.below(choices.len())];
        match what {
            0 => self.deliver(a, b),
            1 => self.work(a),
            _ => self.mourn(a, b),
        }
        true
    }

    /// Only a root that tells `Go` again and an orphan may need the time: the root less of it.
    fn wait(&mut self) -> bool {
        if let (Some(root), Some(timer)) = (&self.root, self.root_timer.take()) {
            let state = root.state.name();
            let may_wait = ["Going", "Engaging"].contains(&state);
            assert!(may_wait, "the root waits for ever: {state}");
            self.root(RootEvent::Deadline(timer));
            return true;
        }
        for raw in self.nodes.keys().copied().collect::<Vec<_>>() {
            let node = self.nodes.get_mut(&raw).unwrap();
            if let (Some(agent), Some(timer)) = (&node.agent, node.timer.take()) {
                assert_eq!(agent.state.name(), "Orphaned", "node {raw} waits for ever");
                self.agent(raw, AgentEvent::Deadline(timer));
                return true;
            }
        }
        false
    }

    fn mourn(&mut self, raw: u32, lost: u32) {
        self.obituaries.retain(|which| *which != (raw, lost));
        if self.nodes[&lost].dead {
            self.channels.remove(&(lost, raw));
            self.nodes.get_mut(&raw).unwrap().missing.insert(lost);
        }
        if raw == ROOT {
            self.root(RootEvent::PeerDown(node(lost)));
        }
        if self.nodes[&raw].agent.is_some() {
            self.agent(raw, AgentEvent::PeerDown(node(lost)));
        }
    }

    fn deliver(&mut self, from: u32, to: u32) {
        if from != to && !self.nodes[&from].dead && self.obituaries.contains(&(to, from)) {
            // It comes on a new connection: the host has told of the old one before.
            self.mourn(to, from);
        }
        let channel = self.channels.get_mut(&(from, to)).unwrap();
        let message = channel.pop_front().unwrap();
        if channel.is_empty() {
            self.channels.remove(&(from, to));
        }
        match message {
            Message::Engaged(_)
            | Message::Restored(_)
            | Message::Failed(_)
            | Message::Gone(_)
            | Message::TakenBack(_) => {
                assert_eq!(to, ROOT);
                self.root(RootEvent::Message {
                    from: node(from),
                    message,
                });
            }
            Message::Engage(engage) if self.nodes[&to].agent.is_none() => {
                let agent = Agent::new(node(to), op(), &engage);
                self.nodes.get_mut(&to).unwrap().agent = Some(agent);
                self.agent(
                    to,
                    AgentEvent::Message {
                        from: node(from),
                        message,
                    },
                );
            }
            Message::Claim(claim) => {
                let here = self.nodes[&to].stranger;
                let taken = claim.pids().find(|pid| Some(*pid) == here);
                if let Some(answer) = answer(&claim, taken) {
                    self.send(to, from, answer);
                }
            }
            _ if self.nodes[&to].agent.is_none() => {
                if let Some(answer) = stray(&message) {
                    self.send(to, from, answer);
                }
            }
            _ => self.agent(
                to,
                AgentEvent::Message {
                    from: node(from),
                    message,
                },
            ),
        }
    }

    fn send(&mut self, from: u32, to: u32, message: Message) {
        if self.nodes[&to].dead {
            self.obituaries.push((from, to));
        } else if !self.obituaries.contains(&(from, to)) {
            self.channels
                .entry((from, to))
                .or_default()
                .push_back(message);
        }
    }

    fn up_from(&self, raw: u32) -> NodeSet {
        let mut up = self.up;
        for missing in &self.nodes[&raw].missing {
            up.remove(node(*missing));
        }
        up
    }

    pub fn root(&mut self, event: RootEvent) {
        let up = self.up_from(ROOT);
        let Some(root) = &mut self.root else { return };
        let mut effects = Vec::new();
        root.sees(up);
        let result = root.step(event, &mut |effect| effects.push(effect));
        assert_eq!(result, Ok(()));
        assert!(effects.len() <= limits::STEP_EFFECTS_MAX);
        for effect in effects {
            match effect {
                RootEffect::Send { to, message } => self.send(ROOT, to.raw(), message),
                RootEffect::Multicast { to, message } => {
                    for to in to.iter() {
                        self.send(ROOT, to.raw(), message);
                    }
                }
                RootEffect::SendParts => {
                    let parts: Vec<_> = self.root.as_ref().unwrap().parts().collect();
                    for (to, message) in parts {
                        self.send(ROOT, to.raw(), message);
                    }
                }
                RootEffect::Timer { number, .. } => self.root_timer = Some(number),
                RootEffect::Reply(result) => {
                    assert!(self.reply.is_none());
                    self.reply = Some(result);
                }
                RootEffect::End => self.root = None,
            }
        }
    }

    fn agent(&mut self, raw: u32, event: AgentEvent) {
        let up = self.up_from(raw);
        let node = self.nodes.get_mut(&raw).unwrap();
        let mut effects = Vec::new();
        let agent = node.agent.as_mut().unwrap();
        agent.sees(up);
        let result = agent.step(event, &mut |effect| effects.push(effect));
        assert_eq!(result, Ok(()), "node {raw}");
        assert!(effects.len() <= limits::STEP_EFFECTS_MAX);
        for effect in effects {
            let node = self.nodes.get_mut(&raw).unwrap();
            match effect {
                AgentEffect::Build { .. }
                | AgentEffect::Create { .. }
                | AgentEffect::LetGo
                | AgentEffect::TakeBack => node.jobs.push_back(effect),
                AgentEffect::Claim { part, of } => {
                    let claim = Claim::first(part, &[pid(part.raw())]).0;
                    for to in of.iter() {
                        self.send(raw, to.raw(), Message::Claim(claim));
                    }
                }
                AgentEffect::Send { to, message } => self.send(raw, to.raw(), message),
                AgentEffect::Multicast { to, message } => {
                    for to in to.iter() {
                        self.send(raw, to.raw(), message);
                    }
                }
                AgentEffect::Timer { number, .. } => node.timer = Some(number),
                AgentEffect::End => {
                    assert!(node.jobs.is_empty() && !node.ended);
                    node.ended = true;
                    node.agent = None;
                }
            }
        }
    }

    fn work(&mut self, raw: u32) {
        let node = self.nodes.get_mut(&raw).unwrap();
        let event = match node.jobs.pop_front().unwrap() {
            AgentEffect::Build { .. } if node.fails => {
                node.fails = false;
                AgentEvent::HostFailed(Failure::new(FailureCode::PidInUse))
            }
            AgentEffect::Build { part } => AgentEvent::Read { part },
            AgentEffect::Create { part } => {
                node.held.insert(part.raw());
                let totals = Restored {
                    processes: 10,
                    streams: 1,
                    head_root: 0,
                    digest: u64::from(part.raw()),
                };
                AgentEvent::Built { part, totals }
            }
            AgentEffect::LetGo => {
                node.running = core::mem::take(&mut node.held);
                self.all_built();
                AgentEvent::Running
            }
            AgentEffect::TakeBack => {
                assert!(node.running.is_empty(), "taken back while running");
                node.held.clear();
                AgentEvent::TakenBack
            }
            other => panic!("not a job: {other:?}"),
        };
        self.agent(raw, event);
    }

    /// Nothing runs before everything is built.
    fn all_built(&self) {
        for (part, place) in self.plan.iter() {
            let node = &self.nodes[&place.raw()];
            let there = node.held.contains(&part.raw()) || node.running.contains(&part.raw());
            assert!(node.dead || there, "part {part:?} is not there");
        }
    }
}
