// SPDX-License-Identifier: GPL-2.0
//! One restart of an application: the core's survey, coordinator and participants, and a host that
//! only takes time.

use super::hardware::Hardware;
use super::letter::Letter;
use super::profile::{us, Profile, Store};
use super::shape::{Application, FIRST};
use super::transfer::{Transfer, Way};
use crate::queue::{Nanos, Queue};
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::Version;
use ssi_core::failure::Failure;
use ssi_core::limits::MESSAGE_BYTES_MAX;
use ssi_core::node::{Epoch, NodeId, NodeSet, OpId};
use ssi_core::restart::{
    answer, stray, Agent, AgentEffect, AgentEvent, Options, Restored, Root, RootEffect, RootEvent,
};
use ssi_core::survey::{self, Survey};
use ssi_core::text::Path;
use ssi_core::wire::copy::{Locate, Located, Message as Copy, Owner};
use ssi_core::wire::restart::{Claim, Message};
use ssi_core::wire::{Body, Message as Wire};

/// Most nodes of a restart: as many as kernels can be.
pub const NODES_MAX: u32 = 254;

/// What a restart cost.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Whether the application runs.
    pub result: Result<u32, Failure>,
    /// From the call to the answer.
    pub total: Nanos,
    /// Messages between nodes.
    pub messages: u64,
    /// Messages sent and received by the node with the most.
    pub busiest: u64,
}

enum Next {
    Letter(Box<Letter<Body>>),
    Read(Box<Reading>),
    Done(NodeId, Box<AgentEvent>),
}

/// A part that is being built.
struct Reading {
    transfer: Transfer,
    part: NodeId,
}

struct Recovery<'a> {
    application: Application,
    hardware: Hardware<'a>,
    store: Store,
    queue: Queue<Next>,
    /// Nodes that wrote parts.
    parts: NodeSet,
    survey: Survey,
    root: Option<Root>,
    agents: Vec<Option<Box<Agent>>>,
    up: NodeSet,
    result: Result<u32, Failure>,
    total: Nanos,
}

fn op() -> OpId {
    OpId {
        root: FIRST,
        epoch: Epoch(2),
        number: 1,
    }
}

fn options() -> Options {
    Options {
        application: 1,
        version: 1,
        uid: 1000,
        gid: 1000,
        flags: 0,
        store: Path::cut(b"/var/lib/ssi/checkpoints"),
        output: Path::EMPTY,
    }
}

fn question() -> Locate {
    let options = options();
    Locate {
        version: Version {
            application: options.application,
            number: options.version,
        },
        digest: 0,
        owner: Owner {
            uid: options.uid,
            gid: options.gid,
            store: options.store,
        },
    }
}

/// Restarts `application`, of which each of its nodes wrote a part, on its first `up` nodes.
///
/// # Errors
/// More nodes than kernels can be.
pub fn restart(
    profile: &Profile,
    application: Application,
    store: Store,
    up: u32,
) -> Result<Outcome, String> {
    let parts = first(application.nodes)?;
    let up = first(up)?;
    let mut run = Recovery {
        application,
        hardware: Hardware::new(profile, application.nodes),
        store,
        queue: Queue::default(),
        parts,
        survey: Survey::new(parts),
        root: None,
        up,
        agents: (0..application.nodes).map(|_| None).collect(),
        result: Err(Failure::new(FailureCode::Internal)),
        total: 0,
    };
    run.step_survey(survey::Event::Start { ask: up });
    while let Some(next) = run.queue.pop() {
        match next {
            Next::Letter(mut letter) => match letter.go(&mut run.hardware, run.queue.now()) {
                Some(then) => run.queue.at(then, Next::Letter(letter)),
                None => run.receive(letter.from, letter.to, letter.text),
            },
            Next::Read(reading) => run.read(reading),
            Next::Done(at, event) => run.step_agent(at, *event),
        }
    }
    let (messages, busiest) = run.hardware.messages();
    Ok(Outcome {
        result: run.result,
        total: run.total,
        messages,
        busiest,
    })
}

/// The nodes from 1 on.
fn first(count: u32) -> Result<NodeSet, String> {
    let mut set = NodeSet::EMPTY;
    for raw in 1..=count {
        let node = NodeId::new(raw).ok_or(format!("a restart has at most {NODES_MAX} nodes"))?;
        set.insert(node);
    }
    Ok(set)
}

impl Recovery<'_> {
    fn agent(&mut self, node: NodeId) -> &mut Option<Box<Agent>> {
        // CAST: a number of a node, from 1.
        &mut self.agents[node.raw() as usize - 1]
    }

    fn receive(&mut self, from: NodeId, to: NodeId, body: Body) {
        match body {
            Body::Restart(_, message) => self.deliver(from, to, message),
            Body::Copy(op, Copy::Locate(_)) => {
                // Every store is within every node's reach: each holds everything.
                let located = Located {
                    parts: self.parts,
                    newest: 1,
                    load: 0,
                };
                self.post(to, from, Body::Copy(op, Copy::Located(located)));
            }
            Body::Copy(_, Copy::Located(located)) => {
                self.step_survey(survey::Event::Located(from, located));
            }
            _ => {}
        }
    }

    fn step_survey(&mut self, event: survey::Event) {
        let mut effects = Vec::new();
        self.survey.step(event, &mut |effect| effects.push(effect));
        for effect in effects {
            match effect {
                survey::Effect::Ask { to } => {
                    let locate = Body::Copy(op(), Copy::Locate(question()));
                    to.iter().for_each(|to| self.post(FIRST, to, locate));
                }
                survey::Effect::Timer { .. } => {}
                survey::Effect::Done => self.engage(),
            }
        }
    }

    /// It is known which part goes where.
    fn engage(&mut self) {
        let Some(plan) = self.survey.plan() else {
            self.result = Err(self.survey.refusal());
            return;
        };
        let expected = Restored {
            processes: self.application.nodes * self.application.processes,
            streams: 0,
            head_root: 0,
            digest: u64::from(self.application.nodes),
        };
        self.root = Some(Root::new(options(), plan, expected));
        self.step_root(RootEvent::Start);
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, message: Message) {
        if message.is_for_root() {
            return self.step_root(RootEvent::Message { from, message });
        }
        if let Message::Claim(claim) = &message {
            if let Some(answer) = answer(claim, None) {
                self.send(to, from, answer);
            }
            return;
        }
        if self.agent(to).is_none() {
            match message {
                Message::Engage(engage) => {
                    let agent = Agent::new(to, op(), &engage);
                    *self.agent(to) = Some(Box::new(agent));
                }
                _ => {
                    if let Some(answer) = stray(&message) {
                        self.send(to, from, answer);
                    }
                    return;
                }
            }
        }
        self.step_agent(to, AgentEvent::Message { from, message });
    }

    fn step_root(&mut self, event: RootEvent) {
        let Some(mut root) = self.root.take() else {
            return;
        };
        let mut effects = Vec::new();
        root.sees(self.up);
        let result = root.step(event, &mut |effect| effects.push(effect));
        debug_assert_eq!(result, Ok(()));
        let mut ended = false;
        for effect in effects {
            match effect {
                RootEffect::Send { to, message } => self.send(FIRST, to, message),
                RootEffect::Multicast { to, message } => {
                    to.iter().for_each(|to| self.send(FIRST, to, message));
                }
                RootEffect::SendParts => {
                    for (to, message) in root.parts() {
                        self.send(FIRST, to, message);
                    }
                }
                RootEffect::Reply(result) => {
                    self.total = self.queue.now();
                    self.result = result.map(|report| report.restored.processes);
                }
                // Nothing is lost here, and the acts are shorter than their limits.
                RootEffect::Timer { .. } => {}
                RootEffect::End => ended = true,
            }
        }
        self.root = (!ended).then_some(root);
    }

    fn step_agent(&mut self, at: NodeId, event: AgentEvent) {
        let Some(mut agent) = self.agent(at).take() else {
            return;
        };
        let mut effects = Vec::new();
        agent.sees(self.up);
        let result = agent.step(event, &mut |effect| effects.push(effect));
        debug_assert_eq!(result, Ok(()));
        let mut ended = false;
        for effect in effects {
            match effect {
                // What stands before the pages of a part is small.
                AgentEffect::Build { part } => {
                    self.done(at, self.queue.now(), AgentEvent::Read { part });
                }
                AgentEffect::Claim { part, of } => self.claim(at, part, &of),
                AgentEffect::Create { part } => self.build(at, part),
                AgentEffect::LetGo => self.done(at, self.queue.now(), AgentEvent::Running),
                AgentEffect::TakeBack => self.done(at, self.queue.now(), AgentEvent::TakenBack),
                AgentEffect::Send { to, message } => self.send(at, to, message),
                AgentEffect::Multicast { to, message } => {
                    to.iter().for_each(|to| self.send(at, to, message));
                }
                AgentEffect::Timer { .. } => {}
                AgentEffect::End => ended = true,
            }
        }
        *self.agent(at) = (!ended).then_some(agent);
    }

    fn claim(&mut self, at: NodeId, part: NodeId, of: &NodeSet) {
        let count = self.application.processes;
        let pids: Vec<u32> = (1..=count).collect();
        let mut rest = pids.as_slice();
        loop {
            let (claim, later) = Claim::first(part, rest);
            of.iter()
                .for_each(|to| self.send(at, to, Message::Claim(claim)));
            if later.is_empty() {
                return;
            }
            rest = later;
        }
    }

    /// Reads a part and makes its processes.
    fn build(&mut self, at: NodeId, part: NodeId) {
        let now = self.queue.now();
        let node = self.hardware.profile.node;
        let processes = self.application.processes;
        let streams = self.application.streams(part.raw());
        // The root's first part is built by the caller.
        let helper = if at == FIRST && part == FIRST {
            0.0
        } else {
            node.helper_us
        };
        let time = us(node.fixed_us)
            + us(helper)
            + us(node.part_us)
            + us(f64::from(processes) * node.create_us)
            + us(f64::from(streams) * node.stream_us);
        let bytes = self.application.part_bytes();
        let transfer = Transfer::new(at, self.store, Way::Read, bytes);
        // Processes fill their memory themselves, once they are there.
        let made = self.hardware.compute(at, now, time);
        let reading = Box::new(Reading { transfer, part });
        self.queue.at(made, Next::Read(reading));
    }

    /// Reads on; when all is read, the part is built.
    fn read(&mut self, mut reading: Box<Reading>) {
        let now = self.queue.now();
        if let Some(then) = reading.transfer.go(&mut self.hardware, now) {
            return self.queue.at(then, Next::Read(reading));
        }
        let part = reading.part;
        let totals = Restored {
            processes: self.application.processes,
            streams: self.application.streams(part.raw()),
            head_root: 0,
            digest: 1,
        };
        let event = AgentEvent::Built { part, totals };
        self.done(reading.transfer.node, now, event);
    }

    fn done(&mut self, at: NodeId, when: Nanos, event: AgentEvent) {
        self.queue.at(when, Next::Done(at, Box::new(event)));
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.post(from, to, Body::Restart(op(), message));
    }

    fn post(&mut self, from: NodeId, to: NodeId, body: Body) {
        let now = self.queue.now();
        let (then, letter) = if from == to {
            (now, Letter::to_itself(to, body))
        } else {
            let wire = Wire {
                sender: from,
                epoch: Epoch(1),
                body,
            };
            let bytes = wire
                .emit(&mut [0; MESSAGE_BYTES_MAX])
                .unwrap_or(MESSAGE_BYTES_MAX);
            // CAST: at most MESSAGE_BYTES_MAX.
            Letter::post(&mut self.hardware, now, (from, to, bytes as u64), body)
        };
        self.queue.at(then, Next::Letter(Box::new(letter)));
    }
}
