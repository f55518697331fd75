// SPDX-License-Identifier: GPL-2.0
//! The checkpoints that a node takes part in: core agents, stepped and obeyed as the kernel does.
use super::copying::Copying;
use super::engine::Timer;
use super::homes::{no_such_process, Place};
use super::numbering::Numbering;
use super::relays::Batch;
use super::worker::{Job, Worker};
use super::World;
use crate::coverage::Protocol;
use crate::event::At;
use crate::plan::Media;
use crate::trace::record::Protocol as Told;
use ssi_core::abi::{FailureCode, CHECKPOINT_COPIES, CHECKPOINT_SIGNAL_ONLY};
use ssi_core::checkpoint::{self, Event, Link, Options, Stray};
use ssi_core::copy::SendEvent;
use ssi_core::failure::Failure;
use ssi_core::limits::STEP_EFFECTS_MAX;
use ssi_core::member::Peer;
use ssi_core::node::{ClusterPid, NodeId, OpId};
use ssi_core::text::Path;
use ssi_core::wire::checkpoint::{Failed, Message};
use ssi_core::wire::relay::Relay;
use ssi_core::wire::Body;
use std::collections::VecDeque;

/// Checkpoints that one node takes part in at the same time.
const OPERATIONS_MAX: usize = 16;

/// Nodes that one agent enlists itself: few, so that small clusters exceed it.
const FANOUT: usize = 2;

type Agent = checkpoint::Agent<FANOUT>;
type Effect = checkpoint::Effect<FANOUT>;

/// One node's side of a checkpoint.
pub struct Checkpoint {
    /// Which.
    pub op: OpId,
    /// The protocol.
    pub agent: Agent,
    /// What acts for it.
    pub worker: Worker,
    /// The call that waits for it, on the root.
    pub call: Option<usize>,
    /// The home of the PID has been asked.
    pub target: Option<ClusterPid>,
    /// Its timer.
    pub timer: Option<Timer>,
    /// Its second copies, where there are to be some.
    pub copying: Option<Copying>,
    /// The question for the version's number.
    pub numbering: Option<Numbering>,
    /// Links that the agent wants kept, the oldest first.
    held: VecDeque<Link>,
    /// How many of them it wants back now.
    wanted: u32,
    ended: bool,
}

/// What the caller of a simulated checkpoint asks for: flags of the system call, and a signal.
pub fn options((flags, signal): (u32, u32), media: Media) -> Options {
    let twice = media.is_own() && flags & CHECKPOINT_SIGNAL_ONLY == 0;
    Options {
        flags: flags | if twice { CHECKPOINT_COPIES } else { 0 },
        uid: 1000,
        gid: 1000,
        signal,
        store: Path::cut(media.path()),
    }
}

impl World {
    pub(super) fn find_checkpoint(&mut self, at: At, op: OpId) -> Option<&mut Checkpoint> {
        let operations = &mut self.node_mut(at.node).engine.checkpoints;
        operations.iter_mut().find(|operation| operation.op == op)
    }

    /// The worker of an operation that is under way.
    pub(super) fn worker(&mut self, at: At, op: OpId) -> Option<&mut Worker> {
        self.find_checkpoint(at, op)
            .map(|operation| &mut operation.worker)
    }

    fn add_checkpoint(&mut self, at: At, op: OpId, options: Options) -> Result<(), Failure> {
        let node = self.node_mut(at.node);
        if node.engine.checkpoints.len() >= OPERATIONS_MAX {
            return Err(Failure::new(FailureCode::Limit).on(at.node));
        }
        if node.act_fails() {
            return Err(Failure::new(FailureCode::NoMemory).on(at.node));
        }
        node.engine.checkpoints.push(Checkpoint {
            op,
            agent: Agent::new(at.node, op, options),
            worker: Worker::new(),
            call: None,
            target: None,
            timer: None,
            copying: Copying::new(&options),
            numbering: None,
            held: VecDeque::new(),
            wanted: 0,
            ended: false,
        });
        self.touched.operations = true;
        Ok(())
    }

    /// A user of `at` asks for a checkpoint of `pid`.
    pub(super) fn call_checkpoint(
        &mut self,
        at: At,
        call: usize,
        pid: ClusterPid,
        options: Options,
    ) {
        let place = self.place(at.node, pid);
        let op = self.node_mut(at.node).new_op();
        if let Err(why) = self.add_checkpoint(at, op, options) {
            return self.answer_checkpoint(call, Err(why));
        }
        self.calls[call].op = Some(op);
        if let Some(operation) = self.find_checkpoint(at, op) {
            operation.call = Some(call);
            operation.target = Some(pid);
        }
        match place {
            Place::Ask(home) => {
                self.ask(at, home, op, pid);
                self.step_checkpoint(at, op, Event::Asked(home));
            }
            Place::On(_) | Place::Nowhere => self.placed(at, op, place),
        }
        self.settle(at);
    }

    /// It is known where the process of operation `op` runs.
    pub(super) fn placed(&mut self, at: At, op: OpId, place: Place) {
        let Some(operation) = self.find_checkpoint(at, op) else {
            return;
        };
        let Some(pid) = operation.target.take() else {
            return;
        };
        let event = match place {
            Place::On(node) => Event::Start {
                node,
                seed: ssi_core::checkpoint::Seed::Target(pid),
            },
            Place::Ask(_) | Place::Nowhere => Event::Cancel(no_such_process(pid)),
        };
        self.step_checkpoint(at, op, event);
    }

    /// A worker has done something.
    pub(super) fn checkpoint_event(&mut self, at: At, op: OpId, event: Event) {
        if let Some(event) = self.copy_first(at, op, event) {
            self.step_checkpoint(at, op, event);
        }
    }

    /// An application that leads to a node that is not there.
    fn reachable(&self, at: At, event: Event) -> Event {
        match event {
            Event::Link { node, .. } | Event::Again(Link { node, .. })
                if !self.up_from(at.node).contains(node) =>
            {
                Event::HostFailed(Failure::new(FailureCode::NodeUnreachable).on(node))
            }
            event => event,
        }
    }

    /// Hands an event to an agent, and then the links that it wants to see again.
    pub(super) fn step_checkpoint(&mut self, at: At, op: OpId, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next {
            let event = self.reachable(at, event);
            self.step_checkpoint_once(at, op, event);
            next = self.find_checkpoint(at, op).and_then(|operation| {
                operation.wanted = operation.wanted.checked_sub(1)?;
                operation.held.pop_front().map(Event::Again)
            });
        }
    }

    pub(super) fn checkpoint_message(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        if self.find_checkpoint(at, op).is_none() {
            let stray = self.node(at.node).engine.history.stray(op, &message);
            match (stray, message) {
                (Stray::Engage, Message::Enlist(enlist)) => {
                    if let Err(failure) = self.add_checkpoint(at, op, enlist.options) {
                        let refused = Message::Failed(Failed { failure });
                        return self.send(at, from, Body::Checkpoint(op, refused));
                    }
                }
                (Stray::Answer(answer), _) => {
                    return self.send(at, from, Body::Checkpoint(op, answer));
                }
                (Stray::Engage | Stray::Drop, _) => return,
            }
        }
        self.step_checkpoint(at, op, Event::Message { from, message });
    }

    /// Sends links that are kept to a child.
    fn relay(&mut self, at: At, op: OpId, to: NodeId, count: u32) {
        let Some(operation) = self.find_checkpoint(at, op) else {
            return;
        };
        let kept = operation.held.len();
        // CAST: a number of links.
        let links: Vec<Link> = operation.held.drain(..kept.min(count as usize)).collect();
        if kept < count as usize {
            self.breaks("bounds", format!("{count} links to relay, {kept} are kept"));
        }
        self.send_relay(at, to, op, links);
    }

    /// Links came.
    pub(super) fn checkpoint_relay(&mut self, at: At, batch: &Batch) {
        let Relay { sender, op, .. } = batch.relay;
        let Some(operation) = self.find_checkpoint(at, op) else {
            if let Some(answer) = self.node(at.node).engine.history.stray_relay(op) {
                self.send(at, sender, Body::Checkpoint(op, answer));
            }
            return;
        };
        operation.held.extend(batch.links.iter().copied());
        let event = Event::Relayed {
            from: sender,
            // CAST: as many as a message has.
            count: batch.links.len() as u32,
        };
        self.step_checkpoint(at, op, event);
    }

    pub(super) fn checkpoints_peer_down(&mut self, at: At, node: NodeId) {
        let operations = &self.node(at.node).engine.checkpoints;
        let ops: Vec<OpId> = operations.iter().map(|operation| operation.op).collect();
        for op in ops {
            self.copier_down(at, op, node);
            self.step_checkpoint(at, op, Event::PeerDown(node));
        }
    }

    /// Hands an event to an agent, and its effects to the host.
    fn step_checkpoint_once(&mut self, at: At, op: OpId, event: Event) {
        let mut effects = Vec::with_capacity(STEP_EFFECTS_MAX);
        let Some(operation) = self.find_checkpoint(at, op) else {
            return;
        };
        let agent = &mut operation.agent;
        let before = (agent.state(), relation(agent, &event));
        let result = agent.step(event, &mut |effect| effects.push(effect));
        let after = agent.state();
        self.touched.operations = true;
        self.took(
            at,
            Protocol::Checkpoint {
                root: op.root == at.node,
            },
            before,
            event.name(),
        );
        self.tell_step(at, (Told::Checkpoint, op), (before.0, event.name(), after));
        if let Err(violation) = result {
            self.violated("checkpoint", (violation.state, violation.event));
        }
        if effects.len() > STEP_EFFECTS_MAX {
            self.breaks("bounds", format!("{} effects of one step", effects.len()));
        }
        for effect in effects {
            self.act_checkpoint(at, op, effect);
        }
        self.reap_checkpoints(at);
    }

    fn act_checkpoint(&mut self, at: At, op: OpId, effect: Effect) {
        match effect {
            Effect::StopLocally { seed } => self.give(at, op, Job::Stop(seed)),
            Effect::Hold(link) => {
                if let Some(operation) = self.find_checkpoint(at, op) {
                    operation.held.push_back(link);
                }
            }
            Effect::Relay(shares) => {
                for (to, count) in shares.batches() {
                    self.relay(at, op, to, count);
                }
            }
            Effect::Resume { count } => {
                if let Some(operation) = self.find_checkpoint(at, op) {
                    operation.wanted += count;
                }
            }
            Effect::SaveSend => self.give(at, op, Job::SaveSend),
            Effect::Snapshot => self.give(at, op, Job::Snapshot),
            Effect::Release => {
                // Who is held until the commit is let go only where its outcome is unknown.
                if self.options_of(at, op).is_some_and(|found| found.holds()) {
                    self.spoiled.insert(op);
                }
                self.give(at, op, Job::Release);
            }
            Effect::Signal => self.give(at, op, Job::Signal),
            Effect::OpenVersion { found } => self.open(at, op, found),
            Effect::Write { version } => {
                self.each_peer(at, Peer::saves);
                self.begins_part(at, op, version);
                self.give(at, op, Job::Write(version));
            }
            Effect::Commit { report } => self.commit(at, op, report),
            Effect::Discard => {
                self.spoiled.insert(op);
                if let Some(operation) = self.find_checkpoint(at, op) {
                    operation.held.clear();
                    operation.wanted = 0;
                }
                if let Some(worker) = self.worker(at, op) {
                    worker.cancelled = true;
                }
                self.send_copy(at, op, SendEvent::Discard);
                self.give(at, op, Job::Discard);
            }
            Effect::RemoveVersion { version } => self.give(at, op, Job::Remove(version)),
            Effect::Reply(result) => {
                let call = self
                    .find_checkpoint(at, op)
                    .and_then(|operation| operation.call);
                if let Some(call) = call {
                    self.answer_checkpoint(call, result);
                }
            }
            Effect::Send { to, message } => self.send(at, to, Body::Checkpoint(op, message)),
            Effect::Multicast { to, message } => {
                for node in to.iter() {
                    self.send(at, node, Body::Checkpoint(op, message));
                }
            }
            Effect::Timer { number, ms } => {
                let timer = self.timer(at, number, ms);
                if let Some(operation) = self.find_checkpoint(at, op) {
                    operation.timer = Some(timer);
                }
            }
            Effect::End { failure } => {
                self.send_copy(at, op, SendEvent::Settle);
                self.ends_part(at, op, failure.is_none());
                if let Some(why) = &failure {
                    self.node_mut(at.node).engine.history.note(op, why);
                }
                if let Some(operation) = self.find_checkpoint(at, op) {
                    operation.ended = true;
                }
            }
        }
    }

    fn reap_checkpoints(&mut self, at: At) {
        let operations = &mut self.node_mut(at.node).engine.checkpoints;
        let Some(which) = operations.iter().position(|operation| operation.ended) else {
            return;
        };
        let operation = operations.remove(which);
        let media = Media::at(operation.agent.options().store.as_bytes());
        self.end_worker(at, (operation.op, media), operation.worker);
    }
}

/// Who an event comes from or is about, as the golden table calls it.
fn relation(agent: &Agent, event: &Event) -> &'static str {
    match event {
        Event::Message { from, .. } | Event::Relayed { from, .. } => agent.relation(*from),
        Event::PeerDown(node) => agent.relation(*node),
        Event::Asked(_)
        | Event::Start { .. }
        | Event::Link { .. }
        | Event::Again(_)
        | Event::Stopped(_)
        | Event::SendSaved
        | Event::Snapped(_)
        | Event::Opened(_)
        | Event::NotOpened(_)
        | Event::Written(_)
        | Event::Committed
        | Event::NotCommitted(_)
        | Event::Signalled(_)
        | Event::Discarded
        | Event::HostFailed(_)
        | Event::Cancel(_)
        | Event::Deadline(_) => "",
    }
}
