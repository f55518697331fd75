// SPDX-License-Identifier: GPL-2.0
//! The protocol thread: takes one event after the other, steps the core, does its effects.
//!
//! It owns every state machine, so no lock guards them, and it never waits for an act: workers and
//! helpers do those and tell it.

use crate::checkpoints::{Checkpoints, Copied};
use crate::claims::Claimed;
use crate::copies::{self, Copies};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::flusher;
use crate::flushes::Flushes;
use crate::helper::Helper;
use crate::host::{Joined, Sink};
use crate::keeper;
use crate::peers::{News, Peers};
use crate::processes::Processes;
use crate::queue::Taken;
use crate::reply::Reply;
use crate::request::{CheckpointRequest, FlushRequest, RestartRequest};
use crate::restarts::Restarts;
use crate::streams::BindRequest;
use crate::sys::thread::{clock_ms, Run};
use crate::team::Done;
use crate::transport::{LinkEvent, Listener};
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::{CheckpointReport, FlushReport, RestartReport};
use ssi_core::checkpoint;
use ssi_core::limits::tick_ms;
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::{copy, Body};

/// What users want.
pub enum Call {
    /// A checkpoint.
    Checkpoint(KBox<CheckpointRequest>, Arc<Reply<CheckpointReport>>),
    /// A restart; the caller serves as this node's helper.
    Restart(KBox<RestartRequest>, Arc<Helper>, Arc<Reply<RestartReport>>),
    /// A version to another store.
    Flush(KBox<FlushRequest>, Arc<Reply<FlushReport>>),
    /// The helper process of the operation with this number has started.
    Help(u64, Arc<Reply<Arc<Helper>>>),
    /// A helper's process is being killed.
    Abandon(Arc<Helper>),
}

/// What the protocol thread works on.
#[expect(
    clippy::large_enum_variant,
    reason = "that an act is done is told even where there is no memory for a box"
)]
pub enum Event {
    /// A connection or a message.
    Link(LinkEvent),
    /// A user's wish.
    Call(Call),
    /// A worker has done an act of a checkpoint.
    Checkpoint(OpId, checkpoint::Event),
    /// The part of this checkpoint is stored as copies want it, or is not.
    Copied(OpId, Copied),
    /// The thread of a copy from this node has done an act.
    Keep(OpId, NodeId, keeper::Done),
    /// A thread of a flush has done an act.
    Flush(OpId, flusher::Done),
    /// A chunk for a node, head and all.
    Chunk(NodeId, KVec<u8>),
    /// An answer for a node.
    Say(OpId, NodeId, KBox<copy::Message>),
    /// A helper has done an act of a restart.
    Restart(OpId, Done),
    /// A stream's end looks for its other end.
    Bind(OpId, KBox<BindRequest>),
    /// A part is read: whether its PIDs are in use is to be asked.
    Claim(OpId, KBox<Claimed>),
    /// A process with a capability, or with a PID of another node, is gone.
    Gone(u32),
    /// The homes of foreign processes are to be told where they run.
    Announce,
    /// This node leaves.
    Leave,
}

/// What the protocols of this node have in common.
pub struct Context {
    /// This node.
    pub node: Arc<Joined>,
    /// All others.
    pub peers: Peers,
    /// Messages to this node itself, delivered before the next event.
    pub own: KVec<KBox<Body>>,
    next_number: u32,
}

impl Context {
    /// This node's id.
    pub fn me(&self) -> NodeId {
        self.node.config.node
    }

    /// A name for a new operation of which this node is the root.
    pub fn new_op(&mut self) -> OpId {
        self.next_number += 1;
        OpId {
            root: self.me(),
            epoch: self.node.config.epoch,
            number: self.next_number,
        }
    }

    /// Whether messages of that other node come over a connection.
    pub fn hears(&self, node: NodeId) -> bool {
        node != self.me() && self.peers.up().contains(node)
    }

    /// Sends a message to a node, this one included.
    pub fn send(&mut self, to: NodeId, body: Body) {
        if to != self.me() {
            return self.peers.send(to, &body);
        }
        let kept = KBox::new(body, GFP_KERNEL).and_then(|body| self.own.push(body, GFP_KERNEL));
        if kept.is_err() {
            pr_err!("a message to this node was lost: out of memory\n");
        }
    }
}

/// The protocol thread's own state.
pub struct Engine {
    context: Context,
    processes: Processes,
    checkpoints: Checkpoints,
    copies: Copies,
    flushes: Flushes,
    restarts: Restarts,
    ticked_ms: u64,
    // Closed when the engine ends.
    _listener: Listener,
}

impl Engine {
    /// The engine of a node that has just begun to listen. Boxed: it is large.
    #[inline(never)]
    pub fn new(node: Arc<Joined>, listener: Listener, sink: Arc<Sink>) -> Outcome<KBox<Engine>> {
        let now_ms = clock_ms();
        let engine = Engine {
            context: Context {
                peers: Peers::new(node.clone(), sink, now_ms)?,
                node,
                own: KVec::new(),
                next_number: 0,
            },
            processes: Processes::new()?,
            checkpoints: Checkpoints::new(),
            copies: Copies::new(),
            flushes: Flushes::new(),
            restarts: Restarts::new(),
            ticked_ms: now_ms,
            _listener: listener,
        };
        Ok(KBox::new(engine, GFP_KERNEL)?)
    }

    #[inline(never)]
    fn event(&mut self, event: Event, now_ms: u64) {
        let context = &mut self.context;
        match event {
            Event::Link(event) => context.peers.link(now_ms, event),
            Event::Call(call) => self.call(call, now_ms),
            Event::Checkpoint(op, event) => self.checkpoints.event(context, op, event, now_ms),
            Event::Copied(op, copied) => self.checkpoints.copied(context, op, copied, now_ms),
            Event::Keep(op, sender, done) => self.copies.done(context, op, sender, done),
            Event::Flush(op, done) => self.flushes.done(context, op, done, now_ms),
            Event::Chunk(to, bytes) => context.peers.send_bytes(to, bytes),
            Event::Say(op, to, message) => context.send(to, Body::Copy(op, *message)),
            Event::Restart(op, done) => self.restarts.done(context, op, done, now_ms),
            Event::Bind(op, request) => self.restarts.bind(context, op, request),
            Event::Claim(op, claimed) => self.restarts.claim(context, op, claimed, now_ms),
            Event::Gone(pid) => self.processes.gone(context, pid),
            Event::Announce => self.processes.announce(context),
            Event::Leave => context.peers.leave(now_ms),
        }
    }

    #[inline(never)]
    fn call(&mut self, call: Call, now_ms: u64) {
        let context = &mut self.context;
        match call {
            Call::Checkpoint(request, reply) => {
                let place = self.processes.place(context, request.pid);
                self.checkpoints
                    .start(context, (request, reply), place, now_ms);
            }
            Call::Restart(request, helper, reply) => {
                self.restarts.start(context, request, helper, reply, now_ms);
            }
            Call::Flush(request, reply) => self.flushes.start(context, request, reply, now_ms),
            Call::Help(number, reply) => self.restarts.help(number, &reply),
            Call::Abandon(helper) => self.restarts.abandon(context, &helper, now_ms),
        }
    }

    // Frames of this size add up: each stands alone.
    #[inline(never)]
    fn deliver(&mut self, from: NodeId, body: &Body, now_ms: u64) {
        let context = &mut self.context;
        match *body {
            // Membership is the peers' own matter.
            Body::Member(_) => {}
            Body::Process(message) => {
                if let Some((op, place)) = self.processes.message(context, from, message) {
                    self.checkpoints.placed(context, op, place, now_ms);
                }
            }
            Body::Checkpoint(op, message) => {
                self.checkpoints.message(context, op, from, message, now_ms);
            }
            Body::Copy(op, message) => self.copy(op, from, message, now_ms),
            Body::Flush(op, message) => self.flushes.message(context, op, from, message, now_ms),
            Body::Restart(op, message) => self.restarts.message(context, op, from, message, now_ms),
            Body::Stream(op, message) => self.restarts.stream(context, op, from, message),
        }
    }

    #[inline(never)]
    fn copy(&mut self, op: OpId, from: NodeId, message: copy::Message, now_ms: u64) {
        use copy::Message as M;
        let context = &mut self.context;
        if self.flushes.has(op) && !matches!(message, M::Record(_) | M::Locate(_)) {
            return self.flushes.said(context, op, from, message, now_ms);
        }
        match message {
            M::Accept(_)
            | M::Took(_)
            | M::Kept(_)
            | M::Refused(_)
            | M::Recorded(_)
            | M::Unrecorded(_) => {
                self.checkpoints.said(context, op, from, message, now_ms);
            }
            M::Offer(_) | M::Finish(_) | M::Settled(_) | M::Forget(_) => {
                self.copies.message(context, op, from, message);
            }
            M::Locate(locate) if self.checkpoints.is_naming(op, &locate) => {
                let busy = Failure::new(FailureCode::Busy).node(context.me().raw());
                let failure = busy.to_core();
                let answer = M::NotLocated(copy::NotLocated { failure });
                context.send(from, Body::Copy(op, answer));
            }
            M::Record(record) if self.flushes.awaits_record(op) => {
                self.flushes.record(context, op, from, record);
            }
            M::Record(_) => {
                copies::run_errand(context, op, from, &message);
                context.node.made_here().lock().record_came(op);
            }
            M::Locate(_) => copies::run_errand(context, op, from, &message),
            M::Located(_) | M::NotLocated(_) if self.checkpoints.has(op) => {
                self.checkpoints.said(context, op, from, message, now_ms);
            }
            M::Located(_) | M::NotLocated(_) => {
                self.restarts.located(context, op, from, message, now_ms);
            }
        }
    }

    fn news(&mut self, news: News, now_ms: u64) {
        match news {
            News::Up => self.processes.announce(&mut self.context),
            News::Down(node) => {
                let dead = !self.context.peers.up().contains(node);
                if dead {
                    self.processes.forget(node);
                }
                self.checkpoints.peer_down(&mut self.context, node, now_ms);
                self.copies.peer_down(&mut self.context, node);
                self.context.node.made_here().lock().peer_down(node);
                self.flushes.peer_down(&mut self.context, node, now_ms);
                self.restarts.peer_down(&mut self.context, node, now_ms);
                // Homes have moved. Where only the connection is lost, a new one makes `Up`; an
                // announcement to nobody would be told as another loss, without end.
                if dead {
                    self.processes.announce(&mut self.context);
                }
            }
            News::Message(from, body) => self.deliver(from, &body, now_ms),
            News::Chunk(bulk, bytes) => self.copies.chunk(&mut self.context, &bulk, bytes),
            News::Relay(relay, bytes) => {
                self.checkpoints
                    .relayed(&mut self.context, relay, &bytes, now_ms);
            }
            News::Expelled => pr_err!("the cluster holds this node for dead: join again\n"),
        }
    }

    /// Works on what the last event led to, until nothing is left.
    #[inline(never)]
    fn settle(&mut self, now_ms: u64) {
        // Ends: every message of a node to itself is answered by at most one other, a node is
        // told to be down once for each message to it, and the protocols are finite.
        loop {
            let news = self.context.peers.news();
            let own = core::mem::replace(&mut self.context.own, KVec::new());
            if news.is_empty() && own.is_empty() {
                return;
            }
            for news in news {
                self.news(news, now_ms);
            }
            let me = self.context.me();
            for body in own {
                self.deliver(me, &body, now_ms);
            }
        }
    }

    #[inline(never)]
    fn tick(&mut self, now_ms: u64) {
        self.ticked_ms = now_ms;
        self.context.peers.tick(now_ms);
        self.checkpoints.tick(&mut self.context, now_ms);
        self.restarts.tick(&mut self.context, now_ms);
        self.flushes.tick(&mut self.context, now_ms);
        self.settle(now_ms);
        if let Ok(status) = self.context.peers.status() {
            self.context.node.set_status(status);
        }
    }
}

impl Run for KBox<Engine> {
    fn run(mut self) {
        let events = self.context.node.events.clone();
        let tick_ms = tick_ms(self.context.node.config.failure_ms);
        self.tick(clock_ms());
        loop {
            match events.take(Some(tick_ms)) {
                Taken::Item(event) => {
                    let now_ms = clock_ms();
                    self.event(event, now_ms);
                    self.settle(now_ms);
                }
                Taken::Timeout => {}
                Taken::Closed => break,
            }
            let now_ms = clock_ms();
            if now_ms.saturating_sub(self.ticked_ms) >= u64::from(tick_ms) {
                self.tick(now_ms);
            }
        }
    }
}
