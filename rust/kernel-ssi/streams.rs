// SPDX-License-Identifier: GPL-2.0
//! How the two ends of a stream find each other at a restart: questions to the stream's home.

use crate::bag::Bag;
use crate::engine::{Context, Event};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::helper::Spec;
use crate::object::rebuild::{Bind as Bound, StreamBinder};
use crate::reply::Reply;
use crate::sys::crypto::hmac_sha256;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::image::socket::TcpPair;
use ssi_core::limits::STREAMS_MAX;
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::stream::{bind, Side, Slot, StreamId};
use ssi_core::wire::member::Mac;
use ssi_core::wire::stream::{Bind, Message};
use ssi_core::wire::Body;

/// What a MAC of a hello covers first, so that it is none of anything else.
const HELLO_LABEL: &[u8] = b"ssi restored connection";

fn damaged(what: &str) -> Failure {
    Failure::new(FailureCode::Damaged).text(format_args!("{what}"))
}

/// An end that looks for its other end.
pub struct BindRequest {
    bind: Bind,
    reply: Arc<Reply<Bound>>,
}

impl BindRequest {
    /// The participant that keeps the stream's entry.
    pub fn home(&self, participants: &NodeSet) -> Option<NodeId> {
        self.bind.id.home(participants)
    }

    /// Answers with a failure.
    pub fn fail(&self, why: Failure) {
        self.reply.give(Err(why));
    }
}

/// Asks, on behalf of the helper of one operation.
pub struct Binder<'a> {
    /// The operation.
    pub spec: &'a Spec,
}

impl Binder<'_> {
    fn ask(&self, bind: Bind) -> Outcome<Bound> {
        let reply = Reply::new()?;
        let request = BindRequest {
            bind,
            reply: reply.clone(),
        };
        let request = KBox::new(request, GFP_KERNEL)?;
        let asked = self
            .spec
            .node
            .events
            .put(Event::Bind(self.spec.op, request));
        asked.map_err(|_| Failure::new(FailureCode::NotJoined))?;
        reply.wait()?
    }
}

impl StreamBinder for Binder<'_> {
    fn operation(&self) -> u64 {
        let op = self.spec.op;
        (u64::from(op.root.raw()) << 32) | u64::from(op.number)
    }

    fn sign(&self, hello: &[u8]) -> Result<Mac> {
        let mut text = KVec::new();
        text.extend_from_slice(HELLO_LABEL, GFP_KERNEL)?;
        text.extend_from_slice(&self.spec.op.epoch.0.to_le_bytes(), GFP_KERNEL)?;
        text.extend_from_slice(hello, GFP_KERNEL)?;
        hmac_sha256(&self.spec.node.config.key, &text)
    }

    fn address(&self) -> u32 {
        let config = &self.spec.node.config;
        config.address_of(config.node).unwrap_or(0)
    }

    fn bind(&self, name: &TcpPair, node: u32, address: u32, port: u32) -> Outcome<Bound> {
        // The node counts for loopback addresses only; other names say 0.
        let node = NodeId::new(node).unwrap_or(self.spec.node.config.node);
        let id = StreamId::new(name.near, name.far, node);
        let (id, side) = id.ok_or_else(|| damaged("a connection of a socket with itself"))?;
        self.ask(Bind {
            id,
            side,
            address,
            port,
        })
    }
}

/// The streams of one restart, as seen by this node.
pub struct Streams {
    /// Those whose home this node is.
    slots: KVVec<Slot>,
    /// Ends of this node that wait for an answer.
    waiting: Bag<KBox<BindRequest>>,
}

impl Streams {
    /// None yet.
    pub fn new() -> Streams {
        Streams {
            slots: KVVec::new(),
            waiting: Bag::new(),
        }
    }

    /// An end of this node asks; `home` keeps the stream's entry.
    pub fn ask(
        &mut self,
        context: &mut Context,
        op: OpId,
        home: Option<NodeId>,
        request: KBox<BindRequest>,
    ) {
        let Some(home) = home else {
            return request.reply.give(Err(Failure::new(FailureCode::Internal)));
        };
        let message = Message::Bind(request.bind);
        let reply = request.reply.clone();
        if self.waiting.len() >= 2 * STREAMS_MAX {
            return reply.give(Err(
                Failure::new(FailureCode::Limit).text(format_args!("streams"))
            ));
        }
        match self.waiting.put(request) {
            Ok(()) => context.send(home, Body::Stream(op, message)),
            Err(why) => reply.give(Err(why.into())),
        }
    }

    /// A message about a stream came.
    pub fn message(&mut self, context: &mut Context, op: OpId, from: NodeId, message: Message) {
        match message {
            Message::Bind(question) => {
                if self.slots.is_empty() {
                    match KVVec::from_elem(Slot::Empty, STREAMS_MAX, GFP_KERNEL) {
                        Ok(slots) => self.slots = slots,
                        Err(_) => pr_warn!("no memory for the streams of a restart\n"),
                    }
                }
                let answer = bind(&mut self.slots, context.me(), &question);
                context.send(from, Body::Stream(op, answer));
            }
            Message::Create(answer) => self.answer(answer.id, answer.side, Ok(Bound::Create)),
            Message::Found(found) => {
                let (address, port) = (found.address, found.port);
                let bound = match u16::try_from(port) {
                    Ok(_) => Ok(Bound::Found { address, port }),
                    Err(_) => Err(damaged("a stream's port")),
                };
                self.answer(found.id, found.side, bound);
            }
            Message::Unbound(unbound) => {
                let why = Failure::from_core(&unbound.failure);
                self.answer(unbound.id, unbound.side, Err(why));
            }
        }
    }

    fn answer(&mut self, id: StreamId, side: Side, bound: Outcome<Bound>) {
        let end = self
            .waiting
            .take(|end| end.bind.id == id && end.bind.side == side);
        if let Some(end) = end {
            end.reply.give(bound);
        }
    }

    /// Fails every end that still waits.
    pub fn fail(&mut self, why: Failure) {
        while let Some(end) = self.waiting.take(|_| true) {
            end.reply.give(Err(why.clone()));
        }
    }
}
