// SPDX-License-Identifier: GPL-2.0
//! One flush on the node where it was asked for.

use crate::asking::Asking;
use crate::effects::Effects;
use crate::engine::Context;
use crate::failure::{Failure, Outcome};
use crate::flusher;
use crate::reply::Reply;
use crate::request::FlushRequest;
use crate::sys::thread::clock_ns;
use crate::timer::Timer;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::FlushReport;
use ssi_core::copy::{Seal, SealEffect, SealEvent};
use ssi_core::flush::{Root, RootEffect, RootEvent, Shares, Stores};
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::survey;
use ssi_core::wire::copy::{self, Locate, Owner, Record};
use ssi_core::wire::flush::{Flush, Forget, Message, Settled};
use ssi_core::wire::Body;

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is not known yet who lives.
    Early,
    /// Who holds the parts?
    Asking,
    /// The root of the core goes on.
    Begun,
}

pub(super) struct Flushing {
    stage: Stage,
    request: KBox<FlushRequest>,
    reply: Arc<Reply<FlushReport>>,
    asking: Asking,
    shares: Option<KBox<Shares>>,
    root: Root,
    seal: Seal,
    timer: Option<Timer>,
    nodes: u32,
    started_ns: u64,
    pub(super) ended: bool,
}

fn question(request: &FlushRequest) -> Locate {
    Locate {
        version: request.version,
        digest: request.digest,
        owner: Owner {
            store: request.from,
            ..request.owner
        },
    }
}

impl Flushing {
    #[inline(never)]
    pub(super) fn new(
        context: &mut Context,
        request: KBox<FlushRequest>,
        reply: Arc<Reply<FlushReport>>,
    ) -> Outcome<KBox<Flushing>> {
        let asking = Asking::new(context.new_op(), request.nodes, question(&request));
        let root = Root::new(request.digest, request.stores.copies());
        let flushing = Flushing {
            stage: Stage::Early,
            request,
            reply,
            asking,
            shares: None,
            root,
            seal: Seal::new(),
            timer: None,
            nodes: 0,
            started_ns: clock_ns(),
            ended: false,
        };
        Ok(KBox::new(flushing, GFP_KERNEL)?)
    }

    pub(super) fn op(&self) -> OpId {
        self.asking.op()
    }

    /// The answer that the caller gets where nothing comes of it.
    pub(super) fn refuse(&self, why: Failure) {
        self.reply.give(Err(why));
    }

    /// Time passes.
    pub(super) fn tick(&mut self, context: &mut Context, now_ms: u64) {
        if self.stage == Stage::Early && context.peers.are_settled(now_ms) {
            self.stage = Stage::Asking;
            let ask = context.peers.up();
            self.asking
                .step(context, survey::Event::Start { ask }, now_ms);
        }
        self.asking.tick(context, now_ms);
        self.located_all(context, now_ms);
        if let Some(number) = Timer::take_due(&mut self.timer, now_ms) {
            self.step(context, RootEvent::Deadline(number), now_ms);
        }
    }

    /// A node has said what it holds.
    pub(super) fn located(
        &mut self,
        context: &mut Context,
        from: NodeId,
        message: copy::Message,
        now_ms: u64,
    ) {
        self.asking.hear(context, from, message, now_ms);
        self.located_all(context, now_ms);
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn peer_down(&mut self, context: &mut Context, node: NodeId, now_ms: u64) {
        let event = survey::Event::PeerDown(node);
        self.asking.step(context, event, now_ms);
        self.located_all(context, now_ms);
        self.step(context, RootEvent::PeerDown(node), now_ms);
        self.seal(context, SealEvent::PeerDown(node), now_ms);
    }

    /// Goes on where all have said what they hold.
    #[inline(never)]
    fn located_all(&mut self, context: &mut Context, now_ms: u64) {
        if self.stage != Stage::Asking || !self.asking.is_done() {
            return;
        }
        self.stage = Stage::Begun;
        match self.share() {
            Ok(mut to) => {
                if self.request.stores == Stores::Own {
                    to = to.union(&context.peers.up());
                }
                to.insert(context.me());
                self.nodes = to.len();
                self.step(context, RootEvent::Start { to }, now_ms);
            }
            Err(why) => {
                self.refuse(why);
                self.ended = true;
            }
        }
    }

    #[inline(never)]
    fn share(&mut self) -> Outcome<NodeSet> {
        let shares = Shares::new(self.asking.survey(), self.request.stores);
        let shares = shares.map_err(|why| Failure::from_core(&why))?;
        let writers = shares.writers();
        self.shares = Some(KBox::new(shares, GFP_KERNEL)?);
        Ok(writers)
    }

    /// Hands an event to the core.
    #[inline(never)]
    pub(super) fn step(&mut self, context: &mut Context, event: RootEvent, now_ms: u64) {
        let mut next = Some(event);
        // Ends: only a commit that fails at once has an event of its own, and that aborts.
        while let Some(event) = next.take() {
            let Ok(mut effects) = Effects::reserve() else {
                return;
            };
            self.root.step(event, &mut |effect| effects.push(effect));
            for effect in effects {
                next = self.act(context, effect, now_ms).or(next);
            }
        }
    }

    #[inline(never)]
    fn act(&mut self, context: &mut Context, effect: RootEffect, now_ms: u64) -> Option<RootEvent> {
        match effect {
            RootEffect::Ask { to } => {
                for node in to.iter() {
                    let message = Message::Flush(self.flush(node));
                    context.send(node, Body::Flush(self.op(), message));
                }
            }
            RootEffect::Commit => return self.commit(context),
            RootEffect::Settle { to } => self.tell(context, &to, Message::Settled(Settled)),
            RootEffect::Forget { to } => self.tell(context, &to, Message::Forget(Forget)),
            RootEffect::Timer { number, ms } => {
                self.timer = Some(Timer::new(number, ms, now_ms));
            }
            RootEffect::Reply(Ok(bytes)) => self.reply.give(Ok(FlushReport {
                bytes,
                total_ns: clock_ns().saturating_sub(self.started_ns),
                nodes: self.nodes,
                reserved: 0,
            })),
            RootEffect::Reply(Err(why)) => self.refuse(Failure::from_core(&why)),
            RootEffect::End => self.ended = true,
        }
        None
    }

    fn tell(&self, context: &mut Context, to: &NodeSet, message: Message) {
        for node in to.iter() {
            context.send(node, Body::Flush(self.op(), message));
        }
    }

    fn flush(&self, node: NodeId) -> Flush {
        let shares = self.shares.as_ref();
        Flush {
            version: self.request.version,
            digest: self.request.digest,
            parts: shares.map_or(NodeSet::EMPTY, |shares| shares.of(node)),
            stores: self.request.stores,
            from: self.request.from,
            owner: self.request.owner,
        }
    }

    /// All parts are durable. Where each node has a store of its own, the others get the record
    /// first, as with second copies.
    fn commit(&mut self, context: &mut Context) -> Option<RootEvent> {
        match self.request.stores {
            Stores::Shared => self.commit_here(context),
            Stores::Own => {
                let mut to = context.peers.up();
                to.remove(context.me());
                self.sealed(context, SealEvent::Start { to })
            }
        }
    }

    fn commit_here(&self, context: &Context) -> Option<RootEvent> {
        let begun = flusher::commit(context.node.clone(), self.op(), &self.request);
        begun.err().map(|why| match self.request.stores {
            Stores::Shared => RootEvent::NotCommitted(why.to_core()),
            // Others have it.
            Stores::Own => RootEvent::Committed,
        })
    }

    /// Hands an event to the commit record's way to the other nodes.
    pub(super) fn seal(&mut self, context: &mut Context, event: SealEvent, now_ms: u64) {
        if let Some(event) = self.sealed(context, event) {
            self.step(context, event, now_ms);
        }
    }

    #[inline(never)]
    fn sealed(&mut self, context: &mut Context, event: SealEvent) -> Option<RootEvent> {
        let mut effects = Effects::reserve().ok()?;
        self.seal.step(event, &mut |effect| effects.push(effect));
        let mut heard = None;
        for effect in effects {
            match effect {
                SealEffect::Send { to } => self.send_record(context, &to),
                SealEffect::Done => heard = self.commit_here(context),
                SealEffect::Fail(why) => heard = Some(RootEvent::NotCommitted(why)),
            }
        }
        heard
    }

    #[inline(never)]
    fn send_record(&self, context: &mut Context, to: &NodeSet) {
        let record = Record {
            owner: self.request.owner,
            keep: 0,
            bytes: self.request.bytes,
        };
        for node in to.iter() {
            let message = copy::Message::Record(record);
            context.send(node, Body::Copy(self.op(), message));
        }
    }
}
