// SPDX-License-Identifier: GPL-2.0
//! One checkpoint of a large application: the core's agents, and a host that only takes time.
//!
//! There are no faults, processes or bytes here, only how long each act and message takes, so that
//! a hundred thousand nodes fit into a small machine.

mod work;

use super::hardware::Hardware;
use super::letter::Letter;
use super::profile::{Profile, Store};
use super::shape::{node, root_of, Application, FIRST};
use super::transfer::Transfer;
use crate::queue::{Nanos, Queue, MS};
use ssi_core::checkpoint::{Agent, Effect, Event, History, Link, Options, Report, Seed, Stray};
use ssi_core::failure::Failure;
use ssi_core::limits::MESSAGE_BYTES_MAX;
use ssi_core::node::{Epoch, NodeId, OpId};
use ssi_core::text::Path;
use ssi_core::wire::checkpoint::Message;
use ssi_core::wire::{relay, Body, Message as Wire};
use std::collections::VecDeque;

/// What a checkpoint cost.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// What the caller was told.
    pub result: Result<Report, Failure>,
    /// From the call until the coordinator knows that all is stopped: the search.
    pub search: Nanos,
    /// From the call to the release at the coordinator.
    pub pause: Nanos,
    /// The longest pause of any one node, from its first stop to its release.
    pub node_pause_max: Nanos,
    /// From the call to the answer.
    pub total: Nanos,
    /// Messages of all nodes.
    pub messages: u64,
    /// Messages sent and received by the node with the most.
    pub busiest: u64,
    /// Events that the state machines took.
    pub steps: u64,
}

/// What the host of one node remembers.
#[derive(Default)]
struct Local<const F: usize> {
    agent: Option<Box<Agent<F>>>,
    held: VecDeque<Link>,
    looked: bool,
    stopped_at: Nanos,
    /// Why it aborted.
    failure: Option<Box<Failure>>,
}

/// What one node sends to another.
enum Said {
    Message(Message),
    /// Links for a child.
    Links(Vec<Link>),
}

enum Next {
    /// Something is on its way.
    Letter(Box<Letter<Said>>),
    /// A part is being written.
    Write(Transfer),
    /// An act is done.
    Done(NodeId, Box<Event>),
    /// The root's timer.
    Deadline(u32),
}

/// The run of one checkpoint.
pub struct Coordination<'a, const F: usize> {
    application: Application,
    hardware: Hardware<'a>,
    store: Store,
    queue: Queue<Next>,
    nodes: Vec<Local<F>>,
    /// Bytes of each kind of message, 0: not yet asked.
    sizes: [u64; 64],
    outcome: Outcome,
    steps: u64,
}

fn op() -> OpId {
    OpId {
        root: FIRST,
        epoch: Epoch(1),
        number: 1,
    }
}

fn options() -> Options {
    Options {
        flags: 0,
        uid: 1000,
        gid: 1000,
        signal: 0,
        store: Path::cut(b"/var/lib/ssi/checkpoints"),
    }
}

/// Runs one checkpoint of `application`, called on its first node for the process on node
/// `target`. Every agent enlists at most `F` nodes itself.
pub fn checkpoint<const F: usize>(
    profile: &Profile,
    application: Application,
    store: Store,
    target: u32,
) -> Outcome {
    let mut run = Coordination::<F>::new(profile, application, store);
    run.start(target);
    while let Some(next) = run.queue.pop() {
        run.advance(next);
    }
    (run.outcome.messages, run.outcome.busiest) = run.hardware.messages();
    run.outcome.steps = run.steps;
    run.outcome
}

impl<'a, const F: usize> Coordination<'a, F> {
    fn new(profile: &'a Profile, application: Application, store: Store) -> Self {
        let unanswered = Failure::new(ssi_core::abi::FailureCode::Internal);
        Coordination {
            application,
            hardware: Hardware::new(profile, application.nodes),
            store,
            queue: Queue::default(),
            nodes: (0..application.nodes).map(|_| Local::default()).collect(),
            sizes: [0; 64],
            outcome: Outcome {
                result: Err(unanswered),
                search: 0,
                pause: 0,
                node_pause_max: 0,
                total: 0,
                messages: 0,
                busiest: 0,
                steps: 0,
            },
            steps: 0,
        }
    }

    fn local(&mut self, node: NodeId) -> &mut Local<F> {
        // CAST: a number of a node, from 1.
        &mut self.nodes[node.raw() as usize - 1]
    }

    fn start(&mut self, target: u32) {
        self.local(FIRST).agent = Some(Box::new(Agent::new(FIRST, op(), options())));
        let seed = Seed::Target(root_of(target));
        let event = Event::Start {
            node: node(target),
            seed,
        };
        self.step(FIRST, event);
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, said: Said) {
        match said {
            Said::Message(message) => {
                if self.local(to).agent.is_some() || self.engage(from, to, &message) {
                    self.step(to, Event::Message { from, message });
                }
            }
            Said::Links(links) => {
                // CAST: as many as a message has.
                let count = links.len() as u32;
                // Nothing fails here: a child has its agent.
                self.local(to).held.extend(links);
                self.step(to, Event::Relayed { from, count });
            }
        }
    }

    fn advance(&mut self, next: Next) {
        match next {
            Next::Letter(mut letter) => match letter.go(&mut self.hardware, self.queue.now()) {
                Some(then) => self.queue.at(then, Next::Letter(letter)),
                None => self.deliver(letter.from, letter.to, letter.text),
            },
            Next::Write(transfer) => self.write(transfer),
            Next::Done(at, event) => {
                if matches!(*event, Event::Stopped(_)) && !self.local(at).looked {
                    self.local(at).looked = true;
                    for Link { node, seed } in self.application.links(at.raw()) {
                        self.step(at, Event::Link { node, seed });
                    }
                }
                self.step(at, *event);
            }
            Next::Deadline(number) => self.step(FIRST, Event::Deadline(number)),
        }
    }

    /// Makes the agent that a message is for, or says that there is none.
    fn engage(&mut self, from: NodeId, to: NodeId, message: &Message) -> bool {
        let mut history = History::new();
        if let Some(failure) = &self.local(to).failure {
            history.note(op(), failure);
        }
        match (history.stray(op(), message), message) {
            (Stray::Engage, Message::Enlist(enlist)) => {
                let agent = Agent::new(to, op(), enlist.options);
                self.local(to).agent = Some(Box::new(agent));
                true
            }
            (Stray::Answer(answer), _) => {
                self.send(to, from, &answer);
                false
            }
            (Stray::Engage | Stray::Drop, _) => false,
        }
    }

    /// Hands an event to an agent and does its effects, then the held links that it asks for.
    fn step(&mut self, at: NodeId, event: Event) {
        let (mut event, mut wanted) = (Some(event), 0);
        while let Some(next) = event {
            let Some(mut agent) = self.local(at).agent.take() else {
                return;
            };
            self.steps += 1;
            let mut ended = None;
            let result = agent.step(next, &mut |effect| match effect {
                Effect::Resume { count } => wanted += count,
                Effect::End { failure } => ended = Some(failure.map(Box::new)),
                other => self.act(at, other),
            });
            debug_assert_eq!(result, Ok(()));
            if let Some(failure) = ended {
                self.local(at).failure = failure;
                return;
            }
            self.local(at).agent = Some(agent);
            event = None;
            if wanted > 0 {
                wanted -= 1;
                event = self.local(at).held.pop_front().map(Event::Again);
            }
        }
    }

    fn act(&mut self, at: NodeId, effect: Effect<F>) {
        let now = self.queue.now();
        if at == FIRST && effect == Effect::SaveSend {
            self.outcome.search = now;
        }
        match effect {
            Effect::Send { to, message } => self.send(at, to, &message),
            Effect::Multicast { to, message } => {
                for to in to.iter() {
                    self.send(at, to, &message);
                }
            }
            Effect::Hold(link) => self.local(at).held.push_back(link),
            Effect::Relay(shares) => {
                for (to, count) in shares.batches() {
                    self.relay(at, to, count);
                }
            }
            Effect::Timer { number, ms } if at == FIRST => {
                self.queue.after(u64::from(ms) * MS, Next::Deadline(number));
            }
            // The root decides first, and nothing is lost here.
            Effect::Timer { .. } => {}
            Effect::Release => {
                let paused = now - self.local(at).stopped_at;
                self.outcome.node_pause_max = self.outcome.node_pause_max.max(paused);
                if at == FIRST {
                    self.outcome.pause = now;
                }
            }
            Effect::Reply(result) => {
                self.outcome.total = now;
                self.outcome.result = result;
            }
            Effect::Write { .. } => self.write(self.part(at)),
            Effect::RemoveVersion { .. } | Effect::Resume { .. } | Effect::End { .. } => {}
            Effect::StopLocally { .. }
            | Effect::SaveSend
            | Effect::Snapshot
            | Effect::OpenVersion { .. }
            | Effect::Commit { .. }
            | Effect::Signal
            | Effect::Discard => {
                let (done, event) = self.work(at, effect);
                self.queue.at(done, Next::Done(at, Box::new(event)));
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let bytes = self.size(message);
        self.post((from, to, bytes), Said::Message(*message));
    }

    fn relay(&mut self, from: NodeId, to: NodeId, count: u32) {
        // CAST: as many as a message has.
        let links = self.local(from).held.drain(..count as usize).collect();
        // CAST: at most a few KiB.
        let bytes = relay::bytes(count) as u64;
        self.post((from, to, bytes), Said::Links(links));
    }

    fn post(&mut self, way: (NodeId, NodeId, u64), said: Said) {
        let (then, letter) = Letter::post(&mut self.hardware, self.queue.now(), way, said);
        self.queue.at(then, Next::Letter(Box::new(letter)));
    }

    fn size(&mut self, message: &Message) -> u64 {
        let kind = usize::from(Body::Checkpoint(op(), *message).kind()) % 64;
        if self.sizes[kind] == 0 {
            let wire = Wire {
                sender: FIRST,
                epoch: Epoch(1),
                body: Body::Checkpoint(op(), *message),
            };
            // CAST: at most MESSAGE_BYTES_MAX.
            self.sizes[kind] = wire
                .emit(&mut [0; MESSAGE_BYTES_MAX])
                .unwrap_or(MESSAGE_BYTES_MAX) as u64;
        }
        self.sizes[kind]
    }
}
