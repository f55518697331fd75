// SPDX-License-Identifier: GPL-2.0
//! The flushes that this node takes part in: those that were asked for here, and its shares.

mod root;

use crate::bag::Bag;
use crate::effects::Effects;
use crate::engine::Context;
use crate::errand::{Act, Errand};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::flusher::{Done, Hand, Job};
use crate::reply::Reply;
use crate::request::FlushRequest;
use kernel::prelude::*;
use kernel::sync::Arc;
use root::Flushing;
use ssi_core::abi::FlushReport;
use ssi_core::copy::SealEvent;
use ssi_core::flush::{RootEvent, WriteEffect, WriteEvent, Writer};
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::copy::{self, Record};
use ssi_core::wire::flush::{Flush, Forgotten, Message, Unflushed};
use ssi_core::wire::Body;

/// Flushes that one node takes part in at the same time.
const OPERATIONS_MAX: usize = 16;

struct Share {
    op: OpId,
    writer: Writer,
    hand: Hand,
    /// The commit record has come.
    recorded: bool,
    ended: bool,
}

/// All of them.
pub struct Flushes {
    roots: Bag<KBox<Flushing>>,
    shares: Bag<KBox<Share>>,
}

impl Share {
    #[inline(never)]
    fn step(&mut self, context: &mut Context, event: WriteEvent) {
        let Ok(mut effects) = Effects::reserve() else {
            return;
        };
        if let Err(violation) = self.writer.step(event, &mut |effect| effects.push(effect)) {
            pr_warn!("flush: {} in state {}\n", violation.event, violation.state);
        }
        for effect in effects {
            match effect {
                WriteEffect::Write => self.hand.give(Job::Write),
                WriteEffect::Remove => self.hand.give(Job::Remove),
                WriteEffect::Keep => self.hand.give(Job::Keep),
                WriteEffect::Send(message) => {
                    context.send(self.op.root, Body::Flush(self.op, message));
                }
                WriteEffect::End => self.ended = true,
            }
        }
    }
}

impl Flushes {
    /// None yet.
    pub fn new() -> Flushes {
        Flushes {
            roots: Bag::new(),
            shares: Bag::new(),
        }
    }

    /// Whether the flush was asked for here.
    pub fn has(&self, op: OpId) -> bool {
        self.roots.find(|root| root.op() == op).is_some()
    }

    fn root(&mut self, op: OpId) -> Option<&mut KBox<Flushing>> {
        self.roots.iter_mut().find(|root| root.op() == op)
    }

    fn reap(&mut self) {
        while self.roots.take(|root| root.ended).is_some() {}
        while self.shares.take(|share| share.ended).is_some() {}
    }

    /// A user asks for a flush.
    #[inline(never)]
    pub fn start(
        &mut self,
        context: &mut Context,
        request: KBox<FlushRequest>,
        reply: Arc<Reply<FlushReport>>,
        now_ms: u64,
    ) {
        let made = Flushing::new(context, request, reply.clone());
        let kept = made.and_then(|mut root| {
            if self.roots.len() >= OPERATIONS_MAX {
                let why = Failure::new(FailureCode::Limit);
                return Err(why.text(format_args!("flushes at the same time")));
            }
            root.tick(context, now_ms);
            Ok(self.roots.put(root)?)
        });
        if let Err(why) = kept {
            reply.give(Err(why));
        }
        self.reap();
    }

    /// A thread has done an act.
    pub fn done(&mut self, context: &mut Context, op: OpId, done: Done, now_ms: u64) {
        let event = match done {
            Done::Written(flushed) => WriteEvent::Written(flushed),
            Done::Failed(why) => WriteEvent::Failed(why.to_core()),
            Done::Removed => WriteEvent::Removed,
            Done::Kept => WriteEvent::Kept,
            Done::Committed => return self.step_root(context, op, RootEvent::Committed, now_ms),
            Done::NotCommitted(why) => {
                let event = RootEvent::NotCommitted(why.to_core());
                return self.step_root(context, op, event, now_ms);
            }
        };
        self.step_share(context, op, event);
    }

    fn step_root(&mut self, context: &mut Context, op: OpId, event: RootEvent, now_ms: u64) {
        if let Some(root) = self.root(op) {
            root.step(context, event, now_ms);
        }
        self.reap();
    }

    fn step_share(&mut self, context: &mut Context, op: OpId, event: WriteEvent) {
        if let Some(share) = self.shares.iter_mut().find(|share| share.op == op) {
            share.step(context, event);
        }
        self.reap();
    }

    fn engage(&mut self, context: &Context, op: OpId, flush: &Flush) -> Outcome {
        if self.shares.find(|share| share.op == op).is_some() {
            let why = Failure::new(FailureCode::Internal);
            return Err(why.text(format_args!("a second share")));
        }
        if self.shares.len() >= OPERATIONS_MAX {
            let why = Failure::new(FailureCode::Limit);
            return Err(why.text(format_args!("flushes at the same time")));
        }
        let mut active = KVec::with_capacity(OPERATIONS_MAX, GFP_KERNEL)?;
        for share in self.shares.iter() {
            active.push(share.op, GFP_KERNEL)?;
        }
        let share = Share {
            op,
            writer: Writer::new(flush.stores),
            hand: Hand::start(context.node.clone(), op, flush, active)?,
            recorded: false,
            ended: false,
        };
        Ok(self.shares.put(KBox::new(share, GFP_KERNEL)?)?)
    }

    /// A message of a flush came.
    #[inline(never)]
    pub fn message(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) {
        match message {
            Message::Flush(flush) => match self.engage(context, op, &flush) {
                Ok(()) => self.step_share(context, op, WriteEvent::Asked),
                Err(why) => {
                    let failure = why.node(context.me().raw()).to_core();
                    let answer = Message::Unflushed(Unflushed { failure });
                    context.send(from, Body::Flush(op, answer));
                }
            },
            Message::Settled(_) => self.step_share(context, op, WriteEvent::Settled),
            // What is not known is not there.
            Message::Forget(_) if self.shares.find(|share| share.op == op).is_none() => {
                context.send(from, Body::Flush(op, Message::Forgotten(Forgotten)));
            }
            Message::Forget(_) => self.step_share(context, op, WriteEvent::Forget),
            Message::Flushed(flushed) => {
                self.step_root(context, op, RootEvent::Flushed(from, flushed), now_ms);
            }
            Message::Unflushed(said) => {
                let event = RootEvent::Unflushed(from, said.failure);
                self.step_root(context, op, event, now_ms);
            }
            Message::Forgotten(_) => {
                self.step_root(context, op, RootEvent::Forgotten(from), now_ms);
            }
        }
    }

    /// A node has said what it holds, or what became of the commit record there.
    #[inline(never)]
    pub fn said(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: copy::Message,
        now_ms: u64,
    ) {
        if let Some(root) = self.root(op) {
            match message {
                copy::Message::Recorded(_) => {
                    root.seal(context, SealEvent::Recorded(from), now_ms);
                }
                copy::Message::Unrecorded(said) => {
                    root.seal(context, SealEvent::Unrecorded(from, said.failure), now_ms);
                }
                _ => root.located(context, from, message, now_ms),
            }
        }
        self.reap();
    }

    /// Whether this node writes a share of that flush, whose commit record has not come yet.
    pub fn awaits_record(&self, op: OpId) -> bool {
        let share = self.shares.find(|share| share.op == op);
        share.is_some_and(|share| !share.recorded)
    }

    /// The commit record came to a node that writes a share: it has its turn among the acts of
    /// that.
    #[inline(never)]
    pub fn record(&mut self, context: &Context, op: OpId, from: NodeId, record: Record) {
        let Ok(record) = KBox::new(record, GFP_KERNEL) else {
            return pr_err!("a commit record was lost: out of memory\n");
        };
        if let Some(share) = self.shares.iter_mut().find(|share| share.op == op) {
            share.recorded = true;
            let act = Act::Record(record);
            let errand = Errand::new(context.node.clone(), op, from, act);
            share.hand.give(Job::Record(errand));
        }
    }

    /// A node is dead, or messages to it are lost.
    pub fn peer_down(&mut self, context: &mut Context, node: NodeId, now_ms: u64) {
        for root in self.roots.iter_mut() {
            root.peer_down(context, node, now_ms);
        }
        for share in self.shares.iter_mut() {
            if share.op.root == node {
                share.step(context, WriteEvent::RootDown);
            }
        }
        self.reap();
    }

    /// Time passes.
    pub fn tick(&mut self, context: &mut Context, now_ms: u64) {
        for root in self.roots.iter_mut() {
            root.tick(context, now_ms);
        }
        self.reap();
    }
}

impl Drop for Flushes {
    fn drop(&mut self) {
        while let Some(root) = self.roots.take(|_| true) {
            root.refuse(Failure::new(FailureCode::NotJoined));
        }
    }
}
