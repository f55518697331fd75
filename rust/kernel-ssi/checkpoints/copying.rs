// SPDX-License-Identifier: GPL-2.0
//! The second copies of one checkpoint: its part goes to a partner, its commit record to all.

use super::{Checkpoints, Operation};
use crate::effects::Effects;
use crate::engine::Context;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::local::Local;
use crate::making::Making;
use crate::worker::Job;
use kernel::prelude::*;
use ssi_core::checkpoint::{Event, Options, Report, Totals, Version};
use ssi_core::copy::{partner_outside, Seal, SealEffect, SealEvent, SendEffect, SendEvent, Sender};
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::survey;
use ssi_core::wire::copy::{Locate, Message, Offer, Owner, Record};
use ssi_core::wire::Body;

/// What the worker has done for the copies of a checkpoint.
pub enum Copied {
    /// It has sent chunks.
    Filled {
        /// Nothing is left to send.
        last: bool,
    },
    /// It could not.
    NotFilled(Failure),
    /// All parts are durable; this goes to the others.
    Record(KBox<Record>),
}

/// The copies of one checkpoint.
pub(super) struct Copying {
    owner: Owner,
    version: Version,
    /// As long as this node has a share in it.
    making: Option<Making>,
    /// The application whose next number is being asked for, or is being taken.
    naming: Option<u64>,
    sender: Sender,
    seal: Seal,
    /// What is reported when the copy is durable.
    totals: Option<Totals>,
    record: Option<KBox<Record>>,
    report: Option<Report>,
}

impl Copying {
    /// What the options ask for.
    pub(super) fn new(options: &Options) -> Option<Copying> {
        options.copies().then(|| Copying {
            owner: Local::owner(options),
            version: Version {
                application: 0,
                number: 0,
            },
            making: None,
            naming: None,
            sender: Sender::new(),
            seal: Seal::new(),
            totals: None,
            record: None,
            report: None,
        })
    }

    /// Whose files they are.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Its number is being asked for; `None`: no more.
    pub(super) fn is_naming(&mut self, application: Option<u64>) {
        self.naming = application;
    }

    /// Whether the number that another checkpoint asks for is one that this one is about to take.
    pub(super) fn names(&self, locate: &Locate) -> bool {
        self.naming == Some(locate.version.application)
            && self.owner.store.as_bytes() == locate.owner.store.as_bytes()
    }

    /// The version that is written.
    pub(super) fn is_about(&mut self, context: &Context, op: OpId, version: Version) -> Outcome {
        self.version = version;
        let (of, awaits) = ((&self.owner, version), context.hears(op.root));
        self.making = Some(Making::begin(&context.node, op, of, awaits)?);
        Ok(())
    }

    /// It was committed.
    pub(super) fn settled(&self) {
        if let Some(making) = self.making.as_ref() {
            making.settled();
        }
    }
}

impl Operation {
    /// Has the commit record written: where there are copies, on the other nodes first.
    pub(super) fn commit(&mut self, context: &mut Context, report: Report) {
        let job = match self.copying.as_mut() {
            Some(copying) => {
                copying.report = Some(report);
                Job::Record(report)
            }
            None => Job::Commit(report),
        };
        self.give(context, job);
    }

    /// Takes an event of the worker that copies have to follow; gives back any other.
    pub(super) fn copy_first(&mut self, context: &mut Context, event: Event) -> Option<Event> {
        let Some(copying) = self.copying.as_mut() else {
            return Some(event);
        };
        if let Event::Opened(_) | Event::NotOpened(_) = event {
            copying.is_naming(None);
        }
        let Event::Written(Some(totals)) = event else {
            return Some(event);
        };
        copying.totals = Some(totals);
        let offer = Offer {
            version: copying.version,
            owner: copying.owner,
        };
        let group = &context.node.config.group;
        let partner = partner_outside(context.me(), &context.peers.up(), group);
        self.send_copy(context, SendEvent::Start { partner, offer })
    }

    /// Hands an event to the copy of the part; gives what the checkpoint has to hear.
    #[inline(never)]
    pub(super) fn send_copy(&mut self, context: &mut Context, event: SendEvent) -> Option<Event> {
        let mut effects = Effects::reserve().ok()?;
        let copying = self.copying.as_mut()?;
        let mut heard = None;
        let stepped = copying
            .sender
            .step(event, &mut |effect| effects.push(effect));
        if let Err(violation) = stepped {
            pr_warn!("copy: {} in state {}\n", violation.event, violation.state);
            let why = Failure::new(FailureCode::Internal);
            let failed = SendEvent::Failed(why.text(format_args!("second copy")).to_core());
            let _ = copying
                .sender
                .step(failed, &mut |effect| effects.push(effect));
        }
        for effect in effects {
            match effect {
                SendEffect::Send { to, message } => context.send(to, Body::Copy(self.op, message)),
                SendEffect::Fill { to, chunks } => self.give(context, Job::Fill(to, chunks)),
                SendEffect::Done => {
                    let totals = self
                        .copying
                        .as_mut()
                        .and_then(|copying| copying.totals.take());
                    heard = Some(Event::Written(totals));
                }
                SendEffect::Fail(why) => heard = Some(Event::HostFailed(why)),
            }
        }
        heard
    }

    /// Hands an event to the commit record's way; gives what the checkpoint has to hear.
    #[inline(never)]
    pub(super) fn seal(&mut self, context: &mut Context, event: SealEvent) -> Option<Event> {
        let mut effects = Effects::reserve().ok()?;
        let copying = self.copying.as_mut()?;
        copying.seal.step(event, &mut |effect| effects.push(effect));
        let report = copying.report;
        let mut heard = None;
        for effect in effects {
            match effect {
                SealEffect::Send { to } => self.send_record(context, &to),
                SealEffect::Done => {
                    if let Some(report) = report {
                        self.give(context, Job::Commit(report));
                    }
                }
                SealEffect::Fail(why) => heard = Some(Event::NotCommitted(why)),
            }
        }
        heard
    }

    #[inline(never)]
    fn send_record(&mut self, context: &mut Context, to: &NodeSet) {
        let record = self
            .copying
            .as_mut()
            .and_then(|copying| copying.record.take());
        let Some(record) = record else {
            return;
        };
        for node in to.iter() {
            context.send(node, Body::Copy(self.op, Message::Record(*record)));
        }
    }

    fn copied(&mut self, context: &mut Context, copied: Copied) -> Option<Event> {
        match copied {
            Copied::Filled { last } => self.send_copy(context, SendEvent::Filled { last }),
            Copied::NotFilled(why) => self.send_copy(context, SendEvent::Failed(why.to_core())),
            Copied::Record(record) => {
                let mut to = context.peers.up();
                to.remove(context.me());
                if let Some(copying) = self.copying.as_mut() {
                    copying.record = Some(record);
                }
                self.seal(context, SealEvent::Start { to })
            }
        }
    }

    #[inline(never)]
    fn said(
        &mut self,
        context: &mut Context,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) -> Option<Event> {
        match message {
            Message::Recorded(_) => self.seal(context, SealEvent::Recorded(from)),
            Message::Unrecorded(said) => {
                self.seal(context, SealEvent::Unrecorded(from, said.failure))
            }
            Message::Located(_) | Message::NotLocated(_) => {
                self.located(context, from, message, now_ms)
            }
            _ => self.send_copy(context, SendEvent::Message { from, message }),
        }
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn copier_down(&mut self, context: &mut Context, node: NodeId, now_ms: u64) {
        if let Some(event) = self.number(context, survey::Event::PeerDown(node), now_ms) {
            self.step(context, event, now_ms);
        }
        if let Some(event) = self.send_copy(context, SendEvent::PeerDown(node)) {
            self.step(context, event, now_ms);
        }
        if let Some(event) = self.seal(context, SealEvent::PeerDown(node)) {
            self.step(context, event, now_ms);
        }
    }
}

impl Checkpoints {
    /// Whether somebody asks for a number that another checkpoint of this node is about to take: of
    /// two who ask each other none is told one that the other does not know of.
    pub fn is_naming(&self, op: OpId, locate: &Locate) -> bool {
        let others = self.operations.iter().filter(|other| other.op != op);
        let mut copies = others.filter_map(|other| other.copying.as_ref());
        locate.version.number == 0 && copies.any(|copying| copying.names(locate))
    }

    /// Whether this node takes part in the operation.
    pub fn has(&self, op: OpId) -> bool {
        self.operations
            .find(|operation| operation.op == op)
            .is_some()
    }

    /// Something happened to the copies of a checkpoint.
    pub fn copied(&mut self, context: &mut Context, op: OpId, copied: Copied, now_ms: u64) {
        if let Some(operation) = self.find(op) {
            if let Some(event) = operation.copied(context, copied) {
                operation.step(context, event, now_ms);
            }
            self.reap();
        }
    }

    /// A node said something about them.
    pub fn said(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) {
        if let Some(operation) = self.find(op) {
            if let Some(event) = operation.said(context, from, message, now_ms) {
                operation.step(context, event, now_ms);
            }
            self.reap();
        }
    }
}
