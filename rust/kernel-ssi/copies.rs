// SPDX-License-Identifier: GPL-2.0
//! Copies of other nodes' parts that this node takes in, and short acts for other nodes.

use crate::bag::Bag;
use crate::effects::Effects;
use crate::engine::Context;
use crate::errand::{self, Act};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::keeper::{Done, Job, Writer};
use crate::making::Making;
use kernel::prelude::*;
use ssi_core::copy::{KeepEffect, KeepEvent, Keeper};
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::bulk::{Bulk, Chunk};
use ssi_core::wire::copy::{Message, Offer, Refused};
use ssi_core::wire::Body;

/// Copies that one node takes in at the same time.
const COPIES_MAX: usize = 64;

struct Copy {
    op: OpId,
    keeper: Keeper,
    writer: Writer,
    making: Making,
    ended: bool,
}

/// All of them.
pub struct Copies {
    copies: Bag<KBox<Copy>>,
}

type Held = Option<(Chunk, KVec<u8>)>;

impl Copy {
    #[inline(never)]
    fn step(&mut self, context: &mut Context, event: KeepEvent, held: Held) {
        let Ok(mut effects) = Effects::reserve() else {
            return;
        };
        if let KeepEvent::Message(Message::Settled(_)) = event {
            self.making.settled();
        }
        if let Err(violation) = self.keeper.step(event, &mut |effect| effects.push(effect)) {
            pr_warn!("copy: {} in state {}\n", violation.event, violation.state);
            self.keeper.give_up(&mut |effect| effects.push(effect));
        }
        let mut held = held;
        for effect in effects {
            self.act(context, effect, held.take());
        }
    }

    fn act(&mut self, context: &mut Context, effect: KeepEffect, held: Held) {
        let job = match effect {
            KeepEffect::Open => Job::Open,
            KeepEffect::Store => match held {
                Some((chunk, bytes)) => Job::Store(chunk, bytes),
                None => return,
            },
            KeepEffect::Sync => Job::Sync,
            KeepEffect::Remove => Job::Remove,
            KeepEffect::Send(message) => {
                return context.send(self.keeper.sender(), Body::Copy(self.op, message));
            }
            KeepEffect::End => {
                self.ended = true;
                return;
            }
        };
        if !self.writer.give(job) {
            // More than the window: the core counts chunks, so this cannot be.
            pr_err!("copy: the writer is behind\n");
        }
    }
}

impl Copies {
    /// None yet.
    pub fn new() -> Copies {
        Copies { copies: Bag::new() }
    }

    fn step(&mut self, context: &mut Context, of: (OpId, NodeId), event: KeepEvent, held: Held) {
        let is = |copy: &&mut KBox<Copy>| (copy.op, copy.keeper.sender()) == of;
        if let Some(copy) = self.copies.iter_mut().find(is) {
            copy.step(context, event, held);
        }
        self.reap();
    }

    /// The thread of a copy has done an act.
    pub fn done(&mut self, context: &mut Context, op: OpId, sender: NodeId, done: Done) {
        let event = match done {
            Done::Opened => KeepEvent::Opened,
            Done::Stored => KeepEvent::Stored,
            Done::Synced => KeepEvent::Synced,
            Done::Removed => KeepEvent::Removed,
            Done::Failed(why) => KeepEvent::Failed(why.to_core()),
        };
        self.step(context, (op, sender), event, None);
    }

    /// A chunk came.
    pub fn chunk(&mut self, context: &mut Context, bulk: &Bulk, bytes: KVec<u8>) {
        let of = (bulk.op, bulk.sender);
        self.step(context, of, KeepEvent::Chunk, Some((bulk.chunk, bytes)));
    }

    /// A message for a partner came.
    #[inline(never)]
    pub fn message(&mut self, context: &mut Context, op: OpId, from: NodeId, message: Message) {
        let Message::Offer(offer) = message else {
            return self.step(context, (op, from), KeepEvent::Message(message), None);
        };
        match self.begin(context, op, from, &offer) {
            Ok(()) => self.step(context, (op, from), KeepEvent::Offered, None),
            Err(why) => {
                let failure = why.node(context.me().raw()).to_core();
                let refused = Message::Refused(Refused { failure });
                context.send(from, Body::Copy(op, refused));
            }
        }
    }

    /// A sender's last word may be lost with a connection.
    fn make_room(&mut self, context: &mut Context) {
        for copy in self
            .copies
            .iter_mut()
            .filter(|copy| copy.keeper.only_waits())
        {
            copy.step(context, KeepEvent::SenderDown, None);
        }
        self.reap();
    }

    fn reap(&mut self) {
        while self.copies.take(|copy| copy.ended).is_some() {}
    }

    fn begin(&mut self, context: &mut Context, op: OpId, from: NodeId, offer: &Offer) -> Outcome {
        let known = |copy: &KBox<Copy>| copy.op == op && copy.keeper.sender() == from;
        if self.copies.find(known).is_some() {
            return Err(Failure::new(FailureCode::Internal).text(format_args!("a second offer")));
        }
        if self.copies.len() >= COPIES_MAX {
            self.make_room(context);
        }
        if self.copies.len() >= COPIES_MAX {
            let why = Failure::new(FailureCode::Limit);
            return Err(why.text(format_args!("copies at the same time")));
        }
        let of = (&offer.owner, offer.version);
        let making = Making::begin(&context.node, op, of, context.hears(op.root))?;
        let copy = Copy {
            op,
            keeper: Keeper::new(from),
            writer: Writer::start(context.node.clone(), op, from, offer)?,
            making,
            ended: false,
        };
        Ok(self.copies.put(KBox::new(copy, GFP_KERNEL)?)?)
    }

    /// A node is dead, or messages to it are lost.
    pub fn peer_down(&mut self, context: &mut Context, node: NodeId) {
        for copy in self.copies.iter_mut() {
            if copy.keeper.sender() == node {
                copy.step(context, KeepEvent::SenderDown, None);
            }
        }
        self.reap();
    }
}

/// Does what another node, or this one, asks of the store here.
#[inline(never)]
pub fn run_errand(context: &mut Context, op: OpId, from: NodeId, message: &Message) {
    let act = match message {
        Message::Record(record) => KBox::new(*record, GFP_KERNEL).map(Act::Record),
        Message::Locate(locate) => KBox::new(*locate, GFP_KERNEL).map(Act::Locate),
        _ => return,
    };
    let Ok(act) = act else {
        return pr_err!("a question about the store was lost: out of memory\n");
    };
    if let Some(answer) = errand::send(context.node.clone(), op, from, act) {
        context.send(from, Body::Copy(op, answer));
    }
}
