// SPDX-License-Identifier: GPL-2.0
//! A small cluster in memory that restarts an application, with faults drawn by chance.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits;
use crate::node::{Epoch, NodeId, NodeSet, OpId};
use crate::place::Plan;
use crate::restart::{
    stray, Agent, AgentEffect, AgentEvent, Options, Report, Restored, Root, RootEffect, RootEvent,
};
use crate::text::Path;
use crate::trial::Random;
use crate::wire::restart::Message;

/// What may go wrong in a run, once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    Nothing,
    /// This node loses power.
    Crash(u32),
    /// The connection of these two breaks, and what is on it is lost.
    Break(u32, u32),
    /// The next act of this node's host fails.
    Host(u32),
    /// The caller gives up.
    Cancel,
    /// The parts are not what the commit record says.
    Damage,
}

pub const ROOT: u32 = 1;

pub fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

pub fn op() -> OpId {
    OpId {
        root: node(ROOT),
        epoch: Epoch(7),
        number: 1,
    }
}

pub fn options() -> Options {
    let store = Path::cut(b"/store");
    Options {
        application: 1,
        version: 2,
        uid: 1000,
        gid: 1000,
        store,
        output: Path::EMPTY,
    }
}

#[derive(Default, Debug)]
pub struct Node {
    pub dead: bool,
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
            assert_eq!(root.state.name(), "Going", "the root waits for ever");
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

    pub fn root(&mut self, event: RootEvent) {
        let Some(root) = &mut self.root else { return };
        let mut effects = Vec::new();
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
        let node = self.nodes.get_mut(&raw).unwrap();
        let mut effects = Vec::new();
        let agent = node.agent.as_mut().unwrap();
        let result = agent.step(event, &mut |effect| effects.push(effect));
        assert_eq!(result, Ok(()), "node {raw}");
        assert!(effects.len() <= limits::STEP_EFFECTS_MAX);
        for effect in effects {
            let node = self.nodes.get_mut(&raw).unwrap();
            match effect {
                AgentEffect::Build { .. } | AgentEffect::LetGo | AgentEffect::TakeBack => {
                    node.jobs.push_back(effect);
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
            AgentEffect::Build { part } => {
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
