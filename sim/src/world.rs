// SPDX-License-Identifier: GPL-2.0
//! A cluster in memory: nodes that run the protocols, processes, streams, media, faults, and time.
mod application;
mod barriers;
mod binding;
mod checkpoints;
mod chunk;
mod claims;
mod copies;
mod copying;
mod engine;
mod errands;
mod fault;
mod helpers;
mod homes;
mod image;
mod join;
mod local;
mod media;
mod network;
mod node;
mod notes;
mod numbering;
mod peers;
mod population;
mod relays;
mod restarts;
mod save;
mod sealed;
mod signals;
mod stakes;
mod store;
mod streams;
mod survey;
mod team;
mod wishes;
mod worker;

pub use barriers::Seen;
pub use image::{digest_of, EndImage, PartImage, ProcessImage};
pub use network::ConnectionId;
pub use node::{Clock, Engine, Node};
pub use population::{Hold, Process, ProcessIx, State};
pub use relays::Batch;
pub use sealed::{Sealed, SealedPart};
pub use signals::Signals;
pub use store::{Folder, Store};
pub use streams::{length, take, Bytes, Stream, StreamIx, Way};
pub use wishes::{Answer, CallState};

use crate::check::{self, Broken};
use crate::cost::{Chance, Cost};
use crate::coverage::Coverage;
use crate::event::{At, Event};
use crate::plan::{Call, Fault, Media, Plan, Trouble};
use crate::queue::{Nanos, Queue, MS, US};
use crate::random::Random;
use crate::trace::Trace;
use network::Network;
use population::Population;
use ssi_core::checkpoint::Version;
use ssi_core::node::{NodeId, OpId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// After the last call and the last fault everything must end within this time.
const END_MS: Nanos = 600_000 * MS;

/// What an event changed: checkers that look at nothing of it need not look again.
#[derive(Default, Debug)]
pub struct Touched {
    /// Processes.
    pub processes: bool,
    /// Operations.
    pub operations: bool,
    /// The store.
    pub store: bool,
    /// Messages between nodes.
    pub network: bool,
    /// Who is up.
    pub membership: bool,
    /// These streams.
    pub streams: Vec<StreamIx>,
}

/// A cluster in the middle of a run.
pub struct World {
    /// The clock, and what comes next.
    pub queue: Queue<Event>,
    /// What happens by chance.
    pub random: Random,
    /// How long things take.
    pub cost: Box<dyn Cost>,
    /// The run.
    pub plan: Plan,
    /// Nodes, ascending from 1.
    pub nodes: Vec<Node>,
    /// Connections between nodes.
    pub network: Network,
    /// Processes.
    pub people: Population,
    /// Streams.
    pub streams: Vec<Stream>,
    /// The store that all nodes share.
    pub shared: Store,
    /// Calls of the plan.
    pub calls: Vec<CallState>,
    /// Versions whose commit was reported durable: where, which, and by whom.
    pub commits: Vec<(Media, Version, At)>,
    /// Versions with copies.
    pub sealed: Vec<Sealed>,
    /// Power cuts.
    pub crashes: Vec<(Nanos, NodeId)>,
    /// Which brood a restart makes.
    pub broods: HashMap<OpId, u32>,
    /// Operations that have failed somewhere.
    pub spoiled: BTreeSet<OpId>,
    /// Who was to get a signal, and who got it.
    pub signals: BTreeMap<OpId, Signals>,
    /// What was seen of restarts.
    pub seen: BTreeMap<OpId, Seen>,
    /// Since the last event.
    pub touched: Touched,
    /// Rows of the golden tables that were taken.
    pub coverage: Coverage,
    /// What happened, if somebody wants to know.
    pub trace: Option<Trace>,
    /// Whether that includes every message.
    pub tells_messages: bool,
    /// Events so far.
    pub events: u64,
    /// The first invariant that was broken.
    pub broken: Option<Broken>,
}

impl World {
    /// The world of a plan, before anything happens.
    pub fn new(plan: Plan) -> World {
        let chance = Chance::new(Random::new(plan.seed, 1));
        World::with_cost(plan, Box::new(chance))
    }

    /// The same, where `cost` says how long things take.
    pub fn with_cost(plan: Plan, cost: Box<dyn Cost>) -> World {
        let mut world = World {
            queue: Queue::default(),
            random: Random::new(plan.seed, 2),
            cost,
            nodes: Vec::new(),
            network: Network::default(),
            people: Population::default(),
            streams: Vec::new(),
            shared: Store::default(),
            calls: Vec::new(),
            commits: Vec::new(),
            sealed: Vec::new(),
            crashes: Vec::new(),
            broods: HashMap::new(),
            spoiled: BTreeSet::new(),
            signals: BTreeMap::new(),
            seen: BTreeMap::new(),
            touched: Touched::default(),
            coverage: Coverage::default(),
            trace: None,
            tells_messages: false,
            events: 0,
            broken: None,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for node in (1..=self.plan.nodes).filter_map(NodeId::new) {
            let drift = i64::from(self.plan.drift_ppm);
            let clock = Clock {
                offset_ns: self.random.below(1 << 50),
                // CAST: a number of millionths.
                drift_ppm: self.random.below(2 * drift as u64 + 1) as i64 - drift,
            };
            self.nodes.push(Node::new(node, clock));
        }
        let nodes: Vec<NodeId> = self.nodes.iter().map(|node| node.at.node).collect();
        for node in nodes {
            self.boot(node);
        }
        self.populate();
        for (number, call) in self.plan.calls.iter().enumerate() {
            self.queue.at(call.at_us * US, Event::Call(number));
            self.calls.push(CallState::default());
        }
        for (number, fault) in self.plan.faults.iter().enumerate() {
            self.queue.at(fault.at_us * US, Event::Fault(number));
        }
    }

    /// A node.
    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.raw() as usize - 1]
    }

    pub(super) fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.raw() as usize - 1]
    }

    /// Whether a node is up, in this life.
    pub fn is_alive(&self, at: At) -> bool {
        let node = self.node(at.node);
        node.up && node.at == at
    }

    /// Runs to the end, or until an invariant is broken.
    pub fn run(&mut self) {
        while self.broken.is_none() && self.step() {}
        if self.broken.is_none() {
            check::end(self);
        }
    }

    /// Does what comes next; says whether there is more to come.
    pub fn step(&mut self) -> bool {
        if self.is_over() {
            return false;
        }
        let Some(event) = self.queue.pop() else {
            return false;
        };
        self.events += 1;
        if let Some(awake) = self.sleeps(&event) {
            self.queue.at(awake, event);
            return true;
        }
        self.dispatch(event);
        check::after_event(self);
        true
    }

    /// The same, without an end; says too whether the event changed anything.
    pub(crate) fn step_told(&mut self) -> (bool, bool) {
        let Some(event) = self.queue.pop() else {
            return (false, false);
        };
        self.events += 1;
        match self.sleeps(&event) {
            Some(awake) => self.queue.at(awake, event),
            None => self.dispatch(event),
        }
        let touched = &self.touched;
        let changed = touched.operations || touched.store || touched.processes;
        check::after_event(self);
        (true, changed)
    }

    /// A call that is not in the plan.
    pub(crate) fn make_call(&mut self, call: Call) {
        self.plan.calls.push(call);
        self.calls.push(CallState::default());
        self.call(self.calls.len() - 1);
    }

    /// A fault that is not in the plan.
    pub(crate) fn trouble(&mut self, trouble: Trouble, for_us: u64) {
        self.plan.faults.push(Fault {
            at_us: self.queue.now() / US,
            for_us,
            trouble,
        });
        self.strike(self.plan.faults.len() - 1);
    }

    /// Whether nothing is left to do, or it takes too long.
    fn is_over(&mut self) -> bool {
        let now = self.queue.now();
        if now < self.quiet_at() {
            return false;
        }
        self.is_idle() || now > self.quiet_at() + END_MS
    }

    /// Whether no call waits and no operation is under way.
    pub fn is_idle(&self) -> bool {
        let made = |call: &CallState| call.at.is_some() || call.answer.is_some();
        !self.is_busy() && self.calls.iter().all(made)
    }

    /// When the last call has been made and the last fault is over.
    pub fn quiet_at(&self) -> Nanos {
        let calls = self.plan.calls.iter().map(|call| call.at_us);
        let faults = self
            .plan
            .faults
            .iter()
            .map(|fault| fault.at_us + fault.for_us);
        calls.chain(faults).max().unwrap_or(0) * US + 1
    }

    /// When the node that an event is for wakes up, if it sleeps.
    fn sleeps(&self, event: &Event) -> Option<Nanos> {
        let node = match event {
            Event::Tick(at)
            | Event::Timers(at)
            | Event::Dialled(at, _)
            | Event::Direct { to: at, .. }
            | Event::Relay { to: at, .. }
            | Event::Work(at, _, _)
            | Event::Help(at, _, _)
            | Event::Keep(at, _, _)
            | Event::Errand(at, _)
            | Event::AtRest(at, _, _) => at.node,
            Event::Arrive(id, to) => self.network.connections.get(id)?.ends[*to].at.node,
            Event::Live(which) => self.process(*which).at.node,
            Event::Segment(stream, to, _) | Event::Acknowledged(stream, to, _) => {
                self.stream(*stream).ends[*to].node
            }
            Event::Call(_) | Event::Fault(_) | Event::Mend(_) | Event::Boot(_) => return None,
        };
        let acts = matches!(
            event,
            Event::Work(..) | Event::Help(..) | Event::Keep(..) | Event::Errand(..)
        );
        let node = self.node(node);
        let hangs_until = if acts { node.hangs_until } else { 0 };
        let awake = node.asleep_until.max(hangs_until);
        (awake > self.queue.now()).then_some(awake)
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Tick(at) if self.is_alive(at) => self.tick(at),
            Event::Timers(at) if self.is_alive(at) => self.timers(at),
            Event::Dialled(at, peer) if self.is_alive(at) => self.dialled(at, peer),
            Event::Arrive(id, to) => self.arrive(id, to),
            Event::Direct { from, to, body } if self.is_alive(to) => self.direct(from, to, &body),
            Event::Relay { to, batch } if self.is_alive(to) => self.relay_arrives(to, &batch),
            Event::Work(at, op, step) if self.is_alive(at) => self.work(at, op, step),
            Event::Help(at, op, step) if self.is_alive(at) => self.help(at, op, step),
            Event::Keep(at, op, from) if self.is_alive(at) => self.keep(at, op, from),
            Event::Errand(at, number) if self.is_alive(at) => self.errand(at, number),
            Event::AtRest(at, op, which) if self.is_alive(at) => self.at_rest(at, op, which),
            Event::Live(which) => self.live(which),
            Event::Segment(stream, to, upto) => self.segment(stream, to, upto),
            Event::Acknowledged(stream, end, upto) => self.acknowledged(stream, end, upto),
            Event::Call(number) => self.call(number),
            Event::Fault(number) => self.strike(number),
            Event::Mend(number) => self.mend(number),
            Event::Boot(node) => self.boot(node),
            // What was meant for an earlier life of a node.
            Event::Tick(_)
            | Event::Timers(_)
            | Event::Dialled(..)
            | Event::Direct { .. }
            | Event::Relay { .. }
            | Event::Work(..)
            | Event::Help(..)
            | Event::Keep(..)
            | Event::Errand(..)
            | Event::AtRest(..) => {}
        }
    }
}
