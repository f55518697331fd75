// SPDX-License-Identifier: GPL-2.0
//! The checkpoints that this node takes part in: core agents, and the workers that act for them.

mod copying;
mod links;
mod numbering;

pub use copying::Copied;

use crate::bag::Bag;
use crate::effects::Effects;
use crate::engine::Context;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::held::Held;
use crate::phases::Phases;
use crate::processes::Place;
use crate::reply::Reply;
use crate::request::{CheckpointRequest, Note};
use crate::sys::thread::clock_ns;
use crate::timer::Timer;
use crate::worker::{Job, Worker};
use copying::Copying;
use kernel::prelude::*;
use kernel::sync::Arc;
use numbering::Numbering;
use ssi_core::abi::CheckpointReport;
use ssi_core::checkpoint::{Agent, Effect, Event, History, Link, Options, Report, Seed, Stray};
use ssi_core::copy::SendEvent;
use ssi_core::node::{ClusterPid, NodeId, OpId};
use ssi_core::text::Path;
use ssi_core::wire::checkpoint::{Failed, Message};
use ssi_core::wire::Body;

/// Checkpoints that one node takes part in at the same time.
const OPERATIONS_MAX: usize = 16;

type Asked = (KBox<CheckpointRequest>, Arc<Reply<CheckpointReport>>);

struct Operation {
    op: OpId,
    agent: Agent,
    worker: Worker,
    reply: Option<Arc<Reply<CheckpointReport>>>,
    /// The home of the PID has been asked.
    target: Option<ClusterPid>,
    timer: Option<Timer>,
    held: Held,
    phases: Phases,
    copying: Option<Copying>,
    numbering: Option<KBox<Numbering>>,
    ended: bool,
    aborted: Option<ssi_core::failure::Failure>,
}

/// All of them.
pub struct Checkpoints {
    operations: Bag<KBox<Operation>>,
    history: History,
}

fn options(request: &CheckpointRequest) -> Outcome<Options> {
    let bad = || Failure::new(FailureCode::BadArgument);
    let options = Options {
        flags: request.flags,
        uid: request.uid,
        gid: request.gid,
        signal: request.signal,
        store: Path::new(&request.store).ok_or_else(|| bad().bytes(b"store"))?,
    };
    match options.possible() {
        true => Ok(options),
        false => Err(bad().text(format_args!("flags {:#x}", request.flags))),
    }
}

/// Known before anything is sent: an application that leads to a node that is not there.
fn reachable(context: &Context, event: Event) -> Event {
    match event {
        Event::Link { node, .. } | Event::Again(Link { node, .. })
            if !context.peers.up().contains(node) =>
        {
            let why = Failure::new(FailureCode::NodeUnreachable).node(node.raw());
            Event::HostFailed(why.to_core())
        }
        event => event,
    }
}

impl Operation {
    #[inline(never)]
    fn new(
        context: &Context,
        op: OpId,
        options: Options,
        note: Note,
        called_ns: u64,
    ) -> Outcome<KBox<Operation>> {
        let worker = Worker::start(context.node.clone(), op, options, note)?;
        let operation = Operation {
            op,
            agent: Agent::new(context.me(), op, options),
            worker,
            reply: None,
            target: None,
            timer: None,
            held: Held::new(),
            phases: Phases::since(called_ns),
            copying: Copying::new(&options),
            numbering: None,
            ended: false,
            aborted: None,
        };
        Ok(KBox::new(operation, GFP_KERNEL)?)
    }

    fn report(&self, report: &Report) -> CheckpointReport {
        let mut answer = CheckpointReport {
            application: report.version.application,
            version: report.version.number,
            nodes: report.nodes.len(),
            processes: report.counts.processes,
            threads: report.counts.threads,
            streams: report.counts.streams,
            stream_bytes: report.counts.stream_bytes,
            bytes: report.totals.bytes,
            node_pause_ns_max: report.totals.pause_ns_max,
            ..CheckpointReport::default()
        };
        self.phases.report(self.worker.released_ns(), &mut answer);
        answer
    }

    /// Hands in an event, and then the held links that the core wants to see again.
    fn step(&mut self, context: &mut Context, event: Event, now_ms: u64) {
        let mut next = Some(event);
        // Ends: the core asks for a held link again only after something else has happened.
        while let Some(event) = next {
            self.step_once(context, reachable(context, event), now_ms);
            next = self.held.take().map(Event::Again);
        }
    }

    #[inline(never)]
    fn step_once(&mut self, context: &mut Context, event: Event, now_ms: u64) {
        let Ok(mut effects) = Effects::reserve() else {
            return;
        };
        let agent = &mut self.agent;
        if let Err(violation) = agent.step(event, &mut |effect| effects.push(effect)) {
            pr_warn!(
                "checkpoint: {} in state {}\n",
                violation.event,
                violation.state
            );
            let why = Failure::new(FailureCode::Internal).text(format_args!(
                "{} in state {}",
                violation.event, violation.state
            ));
            let cancel = Event::Cancel(why.to_core());
            let _ = self.agent.step(cancel, &mut |effect| effects.push(effect));
        }
        for effect in effects {
            self.act(context, effect, now_ms);
        }
    }

    fn give(&mut self, context: &mut Context, job: Job) {
        if !self.worker.give(job) {
            let why = Failure::new(FailureCode::Limit);
            self.fail(context, why.text(format_args!("acts waiting")));
        }
    }

    fn fail(&self, context: &mut Context, why: Failure) {
        let failed = crate::engine::Event::Checkpoint(self.op, Event::HostFailed(why.to_core()));
        // The queue is this thread's own: a full one would never be emptied.
        let _ = context.node.events.try_put(failed);
    }

    #[inline(never)]
    fn act(&mut self, context: &mut Context, effect: Effect, now_ms: u64) {
        self.phases.note(&effect);
        match effect {
            Effect::StopLocally { seed } => self.give(context, Job::Stop(seed)),
            Effect::Hold(link) => self.hold(context, link),
            Effect::Resume { count } => self.held.want(count),
            Effect::Relay(shares) => self.relay(context, &shares),
            Effect::SaveSend => self.give(context, Job::SaveSend),
            Effect::Snapshot => self.give(context, Job::Snapshot),
            Effect::Release => self.give(context, Job::Release),
            Effect::Signal => self.give(context, Job::Signal),
            Effect::OpenVersion { found } => self.open(context, found, now_ms),
            Effect::Write { version } => {
                context.peers.saves();
                let (op, copying) = (self.op, self.copying.as_mut());
                let begun = copying.map(|copying| copying.is_about(context, op, version));
                match begun.unwrap_or(Ok(())) {
                    Ok(()) => self.give(context, Job::Write(version)),
                    Err(why) => self.fail(context, why),
                }
            }
            Effect::Commit { report } => self.commit(context, report),
            Effect::Discard => {
                self.held = Held::new();
                self.worker.cancel();
                self.send_copy(context, SendEvent::Discard);
                self.give(context, Job::Discard);
            }
            Effect::RemoveVersion { version } => self.give(context, Job::Remove(version)),
            Effect::Reply(result) => {
                let answer = result.map(|report| self.report(&report));
                if let Some(reply) = self.reply.take() {
                    reply.give(answer.map_err(|why| Failure::from_core(&why)));
                }
            }
            Effect::Send { to, message } => {
                context.send(to, Body::Checkpoint(self.op, message));
            }
            Effect::Multicast { to, message } => {
                for node in to.iter() {
                    context.send(node, Body::Checkpoint(self.op, message));
                }
            }
            Effect::Timer { number, ms } => {
                self.timer = Some(Timer::new(number, ms, now_ms));
            }
            Effect::End { failure } => {
                self.send_copy(context, SendEvent::Settle);
                if let (Some(copying), None) = (self.copying.as_ref(), &failure) {
                    copying.settled();
                }
                self.aborted = failure;
                self.ended = true;
            }
        }
    }
}

impl Checkpoints {
    /// None yet.
    pub fn new() -> Checkpoints {
        Checkpoints {
            operations: Bag::new(),
            history: History::new(),
        }
    }

    fn add(&mut self, operation: KBox<Operation>) -> Outcome {
        if self.operations.len() >= OPERATIONS_MAX {
            let why = Failure::new(FailureCode::Limit);
            return Err(why.text(format_args!("checkpoints at the same time")));
        }
        Ok(self.operations.put(operation)?)
    }

    fn find(&mut self, op: OpId) -> Option<&mut Operation> {
        let mut operations = self.operations.iter_mut();
        operations
            .find(|operation| operation.op == op)
            .map(|operation| &mut **operation)
    }

    fn reap(&mut self) {
        while let Some(operation) = self.operations.take(|operation| operation.ended) {
            if let Some(why) = operation.aborted {
                self.history.note(operation.op, &why);
            }
        }
    }

    /// A user asks for a checkpoint of the process at `place`.
    #[inline(never)]
    pub fn start(&mut self, context: &mut Context, asked: Asked, place: Place, now_ms: u64) {
        let (request, reply) = asked;
        let op = context.new_op();
        let request = KBox::into_inner(request);
        let started = options(&request).and_then(|options| {
            let pid = ClusterPid::new(request.pid).ok_or_else(|| place.failure())?;
            let note = Note {
                pid: request.pid,
                description: request.description,
                keep: request.keep,
                caller: request.caller,
            };
            let operation = Operation::new(context, op, options, note, request.called_ns)?;
            self.add(operation)?;
            Ok(pid)
        });
        match (started, self.find(op)) {
            (Ok(pid), Some(operation)) => {
                operation.reply = Some(reply);
                operation.target = Some(pid);
            }
            (Err(why), _) => return reply.give(Err(why)),
            (Ok(_), None) => return,
        }
        match place {
            Place::Ask(home) => {
                crate::processes::ask(context, home, op, self.target(op));
                self.event(context, op, Event::Asked(home), now_ms);
            }
            Place::Here | Place::On(_) | Place::Nowhere(_) => {
                self.placed(context, op, place, now_ms);
            }
        }
    }

    fn target(&mut self, op: OpId) -> Option<ClusterPid> {
        self.find(op).and_then(|operation| operation.target)
    }

    /// It is known where the process of operation `op` runs.
    pub fn placed(&mut self, context: &mut Context, op: OpId, place: Place, now_ms: u64) {
        let me = context.me();
        let Some(operation) = self.find(op) else {
            return;
        };
        let Some(pid) = operation.target.take() else {
            return;
        };
        let node = match place {
            Place::Here => Ok(me),
            Place::On(node) => Ok(node),
            Place::Ask(_) | Place::Nowhere(_) => Err(place.failure().pid(pid.raw())),
        };
        let seed = Seed::Target(pid);
        let event = match node {
            Ok(node) => Event::Start { node, seed },
            Err(why) => Event::Cancel(why.to_core()),
        };
        operation.step(context, event, now_ms);
        self.reap();
    }

    /// A worker has done something.
    pub fn event(&mut self, context: &mut Context, op: OpId, event: Event, now_ms: u64) {
        if let Some(operation) = self.find(op) {
            if let Some(event) = operation.copy_first(context, event) {
                operation.step(context, event, now_ms);
            }
            self.reap();
        }
    }

    fn engage(&mut self, context: &Context, op: OpId, options: Options) -> Outcome {
        let note = Note::default();
        self.add(Operation::new(context, op, options, note, clock_ns())?)
    }

    /// A message of a checkpoint came.
    #[inline(never)]
    pub fn message(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) {
        if self.find(op).is_none() {
            match (self.history.stray(op, &message), message) {
                (Stray::Engage, Message::Enlist(enlist)) => {
                    if let Err(why) = self.engage(context, op, enlist.options) {
                        let failure = why.node(context.me().raw()).to_core();
                        let refused = Message::Failed(Failed { failure });
                        return context.send(from, Body::Checkpoint(op, refused));
                    }
                }
                (Stray::Answer(answer), _) => {
                    return context.send(from, Body::Checkpoint(op, answer));
                }
                (Stray::Engage | Stray::Drop, _) => return,
            }
        }
        self.event(context, op, Event::Message { from, message }, now_ms);
    }

    /// A node is dead, or messages to it are lost.
    pub fn peer_down(&mut self, context: &mut Context, node: NodeId, now_ms: u64) {
        for operation in self.operations.iter_mut() {
            operation.copier_down(context, node, now_ms);
            operation.step(context, Event::PeerDown(node), now_ms);
        }
        self.reap();
    }

    /// Time passes.
    pub fn tick(&mut self, context: &mut Context, now_ms: u64) {
        for operation in self.operations.iter_mut() {
            operation.number_tick(context, now_ms);
            if let Some(number) = Timer::take_due(&mut operation.timer, now_ms) {
                operation.step(context, Event::Deadline(number), now_ms);
            }
        }
        self.reap();
    }
}
