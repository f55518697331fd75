// SPDX-License-Identifier: GPL-2.0
//! A small cluster in memory: agents with hosts, channels in order, and faults drawn by chance.

mod host;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::abi::{self, FailureCode};
use crate::checkpoint::{Agent, Effect, Event, History, Link, Options, Report, Seed, Stray};
use crate::failure::Failure;
use crate::limits;
use crate::node::{ClusterPid, Epoch, NodeId, OpId};
use crate::text::Path;
use crate::trial::Random;
use crate::wire::checkpoint::Message;

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
}

pub fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

/// What may be asked for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A version.
    Plain,
    /// A version, and a signal after it.
    Hold,
    /// A signal.
    Signal,
}

pub const KINDS: [Kind; 3] = [Kind::Plain, Kind::Hold, Kind::Signal];

pub fn options(kind: Kind) -> Options {
    let (flags, signal) = match kind {
        Kind::Plain => (0, 0),
        Kind::Hold => (abi::CHECKPOINT_HOLD, 9),
        Kind::Signal => (abi::CHECKPOINT_SIGNAL_ONLY, 19),
    };
    Options {
        flags,
        uid: 1000,
        gid: 1000,
        signal,
        store: Path::cut(b"/store"),
    }
}

pub const ROOT: u32 = 1;

pub fn op() -> OpId {
    OpId {
        root: node(ROOT),
        epoch: Epoch(7),
        number: 1,
    }
}

/// A process of the application, or beside it. Edges are filiation or streams.
#[derive(Clone, Debug)]
pub struct Item {
    pub node: u32,
    pub edges: BTreeSet<usize>,
}

#[derive(Default, Debug)]
pub struct Node<const F: usize> {
    pub dead: bool,
    pub agent: Option<Agent<F>>,
    history: History,
    /// Acts that the host has still to do, in order.
    jobs: VecDeque<Effect<F>>,
    /// The same for the version's folder, which is on its own.
    media: VecDeque<Effect<F>>,
    held: VecDeque<Link>,
    /// Held links that the agent wants back.
    wanted: u32,
    reported: BTreeSet<(usize, usize)>,
    pub stopped: BTreeSet<usize>,
    send_saved: bool,
    snapped: BTreeSet<usize>,
    pub part: bool,
    /// Its processes got the signal.
    pub signalled: bool,
    fails: bool,
    /// It has aborted: what others still save comes to nothing.
    discarded: bool,
}

/// What one node says to another.
#[derive(Clone, Debug)]
enum Said {
    Message(Message),
    Relay(Vec<Link>),
}

/// `F`: the most nodes that one agent enlists itself.
pub struct World<const F: usize> {
    pub kind: Kind,
    pub items: Vec<Item>,
    pub application: BTreeSet<usize>,
    pub nodes: BTreeMap<u32, Node<F>>,
    channels: BTreeMap<(u32, u32), VecDeque<Said>>,
    /// Who has still to hear of whose death.
    obituaries: Vec<(u32, u32)>,
    pub random: Random,
    pub reply: Option<Result<Report, Failure>>,
    pub committed: bool,
    pub folder: bool,
    /// Relays that were sent.
    pub relays: u32,
}

fn pid(item: usize) -> ClusterPid {
    ClusterPid::new((1 << 22) | (300 + item as u32)).unwrap()
}

impl<const F: usize> World<F> {
    pub fn new(kind: Kind, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = 1 + random.below(6) as u32;
        let mut items: Vec<Item> = Vec::new();
        for _ in 0..1 + random.below(12) {
            items.push(Item {
                node: 1 + random.below(count as usize) as u32,
                edges: [].into(),
            });
        }
        for _ in 0..random.below(2 * items.len() + 1) {
            let (a, b) = (random.below(items.len()), random.below(items.len()));
            items[a].edges.insert(b);
            items[b].edges.insert(a);
        }
        World::of(kind, items, count.max(2), random)
    }

    /// Item 0 on the root has an edge to one item on every other node.
    pub fn star(kind: Kind, nodes: u32, random: Random) -> Self {
        let mut items = Vec::new();
        for node in 1..=nodes {
            let edges = if node == 1 { 1..nodes as usize } else { 0..1 };
            let edges = edges.collect();
            items.push(Item { node, edges });
        }
        World::of(kind, items, nodes, random)
    }

    fn of(kind: Kind, items: Vec<Item>, count: u32, random: Random) -> Self {
        let mut nodes: BTreeMap<u32, Node<F>> = BTreeMap::new();
        for raw in 1..=count {
            nodes.insert(raw, Node::default());
        }
        let mut world = World {
            kind,
            items,
            application: BTreeSet::new(),
            nodes,
            channels: BTreeMap::new(),
            obituaries: Vec::new(),
            random,
            reply: None,
            committed: false,
            folder: false,
            relays: 0,
        };
        world.application = world.reach(0, |_, _| true);
        world
    }

    /// The items that can be reached from `from` over edges that `takes` allows.
    fn reach(&self, from: usize, takes: impl Fn(usize, usize) -> bool) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for next in self.items[at].edges.iter().filter(|next| takes(at, **next)) {
                if found.insert(*next) {
                    open.push(*next);
                }
            }
        }
        found
    }

    pub fn start(&mut self) {
        let agent = Agent::new(node(ROOT), op(), options(self.kind));
        self.nodes.get_mut(&ROOT).unwrap().agent = Some(agent);
        let at = node(self.items[0].node);
        self.step(
            ROOT,
            Event::Start {
                node: at,
                seed: Seed::Target(pid(0)),
            },
        );
    }

    pub fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::Nothing => {}
            Fault::Crash(dead) => {
                *self.nodes.get_mut(&dead).unwrap() = Node {
                    dead: true,
                    ..Node::default()
                };
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
            Fault::Cancel => {
                if self.nodes[&ROOT].agent.is_some() {
                    self.step(ROOT, Event::Cancel(Failure::new(FailureCode::Internal)));
                }
            }
        }
    }

    /// Does one thing that can happen next, by chance; says whether there was one.
    pub fn advance(&mut self) -> bool {
        let mut choices: Vec<(u8, u32, u32)> = Vec::new();
        for (from, to) in self.channels.keys() {
            choices.push((0, *from, *to));
        }
        for (raw, node) in &self.nodes {
            if !node.jobs.is_empty() {
                choices.push((1, *raw, 0));
            }
            if !node.media.is_empty() {
                choices.push((2, *raw, 0));
            }
            if node.wanted > 0 {
                choices.push((4, *raw, 0));
            }
        }
        for (raw, dead) in &self.obituaries {
            choices.push((3, *raw, *dead));
        }
        if choices.is_empty() {
            return false;
        }
        let (what, a, b) = choices[self.random.below(choices.len())];
        match what {
            0 => self.deliver(a, b),
            1 => {
                let job = self.nodes.get_mut(&a).unwrap().jobs.pop_front().unwrap();
                self.work(a, job);
            }
            2 => {
                let job = self.nodes.get_mut(&a).unwrap().media.pop_front().unwrap();
                self.work(a, job);
            }
            3 => self.mourn(a, b),
            _ => {
                let node = self.nodes.get_mut(&a).unwrap();
                node.wanted -= 1;
                let link = node.held.pop_front().unwrap();
                self.step(a, Event::Again(link));
            }
        }
        true
    }

    fn mourn(&mut self, raw: u32, lost: u32) {
        self.obituaries.retain(|which| *which != (raw, lost));
        if self.nodes[&lost].dead {
            self.channels.remove(&(lost, raw));
        }
        if self.nodes[&raw].agent.is_some() {
            self.step(raw, Event::PeerDown(node(lost)));
        }
    }

    fn deliver(&mut self, from: u32, to: u32) {
        if !self.nodes[&from].dead && self.obituaries.contains(&(to, from)) {
            // It comes on a new connection: the host has told of the old one before.
            self.mourn(to, from);
        }
        let channel = self.channels.get_mut(&(from, to)).unwrap();
        let said = channel.pop_front().unwrap();
        if channel.is_empty() {
            self.channels.remove(&(from, to));
        }
        let message = match said {
            Said::Message(message) => message,
            Said::Relay(links) => return self.relayed(from, to, &links),
        };
        if self.nodes[&to].agent.is_none() {
            match (self.nodes[&to].history.stray(op(), &message), message) {
                (Stray::Engage, Message::Enlist(enlist)) => {
                    assert!(!self.committed, "enlisted after the commit");
                    let agent = Agent::new(node(to), op(), enlist.options);
                    self.nodes.get_mut(&to).unwrap().agent = Some(agent);
                }
                (Stray::Answer(answer), _) => return self.send(to, from, answer),
                (Stray::Drop, _) => return,
                (Stray::Engage, other) => panic!("engaged by {other:?}"),
            }
        }
        self.step(
            to,
            Event::Message {
                from: node(from),
                message,
            },
        );
    }

    /// Hands an event to an agent, and its effects to the host.
    pub fn step(&mut self, raw: u32, event: Event) {
        let node = self.nodes.get_mut(&raw).unwrap();
        let mut effects = Vec::new();
        let result = node
            .agent
            .as_mut()
            .unwrap()
            .step(event, &mut |effect| effects.push(effect));
        assert_eq!(result, Ok(()), "node {raw}");
        assert!(effects.len() <= limits::STEP_EFFECTS_MAX, "{effects:?}");
        for effect in effects {
            self.act(raw, effect);
        }
    }

    fn act(&mut self, raw: u32, effect: Effect<F>) {
        let node = self.nodes.get_mut(&raw).unwrap();
        match effect {
            Effect::Send { to, message } => self.send(raw, to.raw(), message),
            Effect::Hold(link) => node.held.push_back(link),
            Effect::Resume { count } => {
                node.wanted += count;
                assert!(node.wanted as usize <= node.held.len());
            }
            Effect::Relay(shares) => self.relay(raw, shares),
            Effect::Multicast { to, message } => {
                assert!(!to.is_empty());
                for to in to.iter() {
                    self.send(raw, to.raw(), message);
                }
            }
            Effect::OpenVersion { .. } | Effect::Commit { .. } => {
                let running = node.stopped.is_empty() || self.kind == Kind::Hold;
                assert!(running, "the media is used in the pause");
                node.media.push_back(effect);
            }
            Effect::StopLocally { .. }
            | Effect::SaveSend
            | Effect::Snapshot
            | Effect::Write { .. }
            | Effect::Signal
            | Effect::Discard => node.jobs.push_back(effect),
            Effect::Release => self.release(raw),
            Effect::RemoveVersion { .. } => {
                assert!(raw == ROOT && self.folder && !self.committed);
                self.folder = false;
            }
            Effect::Reply(result) => {
                assert!(raw == ROOT && self.reply.is_none());
                self.reply = Some(result);
            }
            Effect::Timer { .. } => {}
            Effect::End { failure } => {
                if let Some(failure) = failure {
                    node.history.note(op(), &failure);
                }
                assert!(
                    node.jobs.is_empty() && node.media.is_empty(),
                    "ends with work to do"
                );
                node.agent = None;
            }
        }
    }
}
