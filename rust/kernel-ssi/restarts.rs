// SPDX-License-Identifier: GPL-2.0
//! The restarts that this node takes part in: coordinators, agents, and the helpers that act.

mod operation;
mod survey;

use crate::bag::Bag;
use crate::claims::{taken, Claimed, Claims};
use crate::engine::Context;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::helper::Helper;
use crate::reply::Reply;
use crate::request::RestartRequest;
use crate::streams::{BindRequest, Streams};
use crate::team::{Done, Team};
use crate::timer::Timer;
use kernel::prelude::*;
use kernel::sync::Arc;
use operation::{Coordinator, Operation, Participant};
use ssi_core::abi::RestartReport;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{answer, stray, Agent, AgentEvent, Options, RootEvent};
use ssi_core::text::Path;
use ssi_core::wire::restart::{Claim, Message};
use ssi_core::wire::{stream, Body};
use survey::Surveying;

/// Restarts that one node takes part in at the same time.
const OPERATIONS_MAX: usize = 16;

struct Asked {
    request: KBox<RestartRequest>,
    helper: Arc<Helper>,
    reply: Arc<Reply<RestartReport>>,
}

/// All of them.
pub struct Restarts {
    operations: Bag<KBox<Operation>>,
    /// Calls on a node that has just joined: not before it is known who lives.
    early: Bag<Asked>,
    /// Those whose parts are looked for.
    surveys: Bag<KBox<Surveying>>,
    next_number: u64,
}

fn options(request: &RestartRequest) -> Outcome<Options> {
    let bad = |what| Failure::new(FailureCode::BadArgument).bytes(what);
    Ok(Options {
        application: request.application,
        version: request.version,
        uid: request.uid,
        gid: request.gid,
        flags: request.flags,
        store: Path::new(&request.store).ok_or_else(|| bad(b"store"))?,
        output: Path::new(&request.output).ok_or_else(|| bad(b"output file"))?,
    })
}

impl Restarts {
    /// None yet.
    pub fn new() -> Restarts {
        Restarts {
            operations: Bag::new(),
            early: Bag::new(),
            surveys: Bag::new(),
            next_number: 1,
        }
    }

    fn find(&mut self, op: OpId) -> Option<&mut Operation> {
        let mut operations = self.operations.iter_mut();
        operations
            .find(|operation| operation.op == op)
            .map(|operation| &mut **operation)
    }

    fn add(&mut self, operation: KBox<Operation>) -> Outcome {
        if self.operations.len() >= OPERATIONS_MAX {
            let why = Failure::new(FailureCode::Limit);
            return Err(why.text(format_args!("restarts at the same time")));
        }
        Ok(self.operations.put(operation)?)
    }

    fn reap(&mut self, context: &mut Context) {
        while let Some(operation) = self.operations.take(|operation| operation.ended()) {
            drop(operation);
            // What was restored may have been born elsewhere.
            let _ = context.node.events.try_put(crate::engine::Event::Announce);
        }
    }

    /// A user asks for a restart; `helper` is the user's own process.
    #[inline(never)]
    pub fn start(
        &mut self,
        context: &mut Context,
        request: KBox<RestartRequest>,
        helper: Arc<Helper>,
        reply: Arc<Reply<RestartReport>>,
        now_ms: u64,
    ) {
        let asked = Asked {
            request,
            helper,
            reply,
        };
        if context.peers.are_settled(now_ms) {
            return self.begin(context, asked, now_ms);
        }
        let (helper, reply) = (asked.helper.clone(), asked.reply.clone());
        if self.early.len() >= OPERATIONS_MAX || self.early.put(asked).is_err() {
            helper.end();
            let why = Failure::new(FailureCode::Limit);
            reply.give(Err(why.text(format_args!("restarts at the same time"))));
        }
    }

    /// The helper process with this number has started and asks for its job.
    pub fn help(&mut self, number: u64, reply: &Arc<Reply<Arc<Helper>>>) {
        let mut teams = self
            .operations
            .iter_mut()
            .filter_map(|operation| operation.participant.as_mut().map(|side| &mut side.team));
        let helper = teams.find_map(|team| team.arrived(number));
        reply.give(helper.ok_or(Failure::new(FailureCode::BadArgument)));
    }

    /// A helper's process has been killed.
    pub fn abandon(&mut self, context: &mut Context, helper: &Arc<Helper>, now_ms: u64) {
        let why = Failure::new(FailureCode::Internal).text(format_args!("helper was killed"));
        let gave_up = |asked: &Asked| Arc::ptr_eq(&asked.helper, helper);
        if let Some(asked) = self.early.take(gave_up) {
            asked.helper.end();
            return asked.reply.give(Err(why));
        }
        if self.give_up(helper, &why) {
            return;
        }
        for operation in self.operations.iter_mut() {
            let caller = operation.caller.as_ref();
            if caller.is_some_and(|caller| Arc::ptr_eq(caller, helper)) {
                operation.step_root(context, RootEvent::Cancel(why.to_core()), now_ms);
            }
            let team = operation.participant.as_mut().map(|side| &mut side.team);
            if let Some(event) = team.and_then(|team| team.lost(helper, &why)) {
                operation.step(context, event, now_ms);
            }
        }
        self.reap(context);
    }

    /// A helper has done a job.
    pub fn done(&mut self, context: &mut Context, op: OpId, done: Done, now_ms: u64) {
        if let Some(operation) = self.find(op) {
            let side = operation.participant.as_mut();
            if let Some(event) = side.and_then(|side| side.team.done(done)) {
                operation.step(context, event, now_ms);
            }
            self.reap(context);
        }
    }

    /// An end of this node looks for its other end.
    pub fn bind(&mut self, context: &mut Context, op: OpId, request: KBox<BindRequest>) {
        let Some(side) = self
            .find(op)
            .and_then(|operation| operation.participant.as_mut())
        else {
            return request.fail(Failure::new(FailureCode::Internal));
        };
        let home = request.home(side.agent.participants());
        side.streams.ask(context, op, home, request);
    }

    /// A message about a stream came.
    pub fn stream(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: stream::Message,
    ) {
        if let Some(side) = self
            .find(op)
            .and_then(|operation| operation.participant.as_mut())
        {
            side.streams.message(context, op, from, message);
        }
    }

    /// A part is read.
    pub fn claim(&mut self, context: &mut Context, op: OpId, claimed: KBox<Claimed>, now_ms: u64) {
        let part = claimed.part();
        let Some(operation) = self.find(op) else {
            return;
        };
        let side = operation.participant.as_mut();
        if side.is_some_and(|side| side.claims.keep(claimed).is_ok()) {
            operation.step(context, AgentEvent::Read { part }, now_ms);
        }
        self.reap(context);
    }

    /// Somebody asks for PIDs.
    #[inline(never)]
    fn asked(&self, context: &mut Context, op: OpId, from: NodeId, claim: &Claim) {
        let is_claimed = |pid| {
            let mut operations = self.operations.iter();
            operations.any(|operation| operation.claims(pid, (op, claim.part)))
        };
        if let Some(answer) = answer(claim, taken(claim, is_claimed)) {
            context.send(from, Body::Restart(op, answer));
        }
    }

    #[inline(never)]
    fn engage(&mut self, context: &Context, op: OpId, message: &Message) -> Outcome<bool> {
        let Message::Engage(engage) = message else {
            return Ok(false);
        };
        let number = self.next_number;
        // Room for the numbers of this operation's helpers: one for each part.
        self.next_number += 256;
        let team = Team::new(context.node.clone(), op, engage, number)?;
        let participant = Participant {
            agent: Agent::new(context.me(), op, engage),
            team,
            streams: Streams::new(),
            claims: Claims::new(),
            timer: None,
            ended: false,
        };
        match self.find(op) {
            Some(operation) => operation.participant = Some(participant),
            None => {
                let operation = Operation {
                    op,
                    coordinator: None,
                    participant: Some(participant),
                    caller: None,
                };
                self.add(KBox::new(operation, GFP_KERNEL)?)?;
            }
        }
        Ok(true)
    }

    #[inline(never)]
    /// A message of a restart came: for the coordinator, or for the participant.
    pub fn message(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) {
        if let Message::Claim(claim) = &message {
            return self.asked(context, op, from, claim);
        }
        if message.is_for_root() {
            if let Some(operation) = self.find(op) {
                operation.step_root(context, RootEvent::Message { from, message }, now_ms);
            }
            return self.reap(context);
        }
        let known = self
            .find(op)
            .is_some_and(|operation| operation.participant.is_some());
        if !known {
            match self.engage(context, op, &message) {
                Ok(true) => {}
                Ok(false) => {
                    if let Some(answer) = stray(&message) {
                        context.send(from, Body::Restart(op, answer));
                    }
                    return;
                }
                Err(why) => {
                    let failure = why.node(context.me().raw()).to_core();
                    let failed = ssi_core::wire::restart::Failed { failure };
                    return context.send(from, Body::Restart(op, Message::Failed(failed)));
                }
            }
        }
        if let Some(operation) = self.find(op) {
            operation.step(context, AgentEvent::Message { from, message }, now_ms);
        }
        self.reap(context);
    }

    /// A node is dead, or messages to it are lost.
    pub fn peer_down(&mut self, context: &mut Context, node: NodeId, now_ms: u64) {
        for operation in self.operations.iter_mut() {
            operation.step_root(context, RootEvent::PeerDown(node), now_ms);
            operation.step(context, AgentEvent::PeerDown(node), now_ms);
        }
        self.holder_down(context, node, now_ms);
        self.reap(context);
    }

    /// Time passes.
    pub fn tick(&mut self, context: &mut Context, now_ms: u64) {
        if context.peers.are_settled(now_ms) {
            while let Some(asked) = self.early.take(|_| true) {
                self.begin(context, asked, now_ms);
            }
        }
        self.survey_tick(context, now_ms);
        for operation in self.operations.iter_mut() {
            let root = operation.coordinator.as_mut().map(|side| &mut side.timer);
            if let Some(number) = root.and_then(|timer| Timer::take_due(timer, now_ms)) {
                operation.step_root(context, RootEvent::Deadline(number), now_ms);
            }
            let agent = operation.participant.as_mut().map(|side| &mut side.timer);
            if let Some(number) = agent.and_then(|timer| Timer::take_due(timer, now_ms)) {
                operation.step(context, AgentEvent::Deadline(number), now_ms);
            }
        }
        self.reap(context);
    }
}

impl Drop for Restarts {
    fn drop(&mut self) {
        while let Some(asked) = self.early.take(|_| true) {
            asked.helper.end();
            asked.reply.give(Err(Failure::new(FailureCode::NotJoined)));
        }
        while let Some(surveying) = self.surveys.take(|_| true) {
            surveying.refuse(Failure::new(FailureCode::NotJoined));
        }
    }
}
