// SPDX-License-Identifier: GPL-2.0
//! The restarts that a node takes part in: coordinators and participants, hosted as in the kernel.
use super::engine::Timer;
use super::helpers::Team;
use super::World;
use crate::coverage::Protocol;
use crate::event::At;
use crate::trace::record::Protocol as Told;
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
use ssi_core::limits::STEP_EFFECTS_MAX;
use ssi_core::member::Peer;
use ssi_core::node::{NodeId, OpId};
use ssi_core::place::Plan;
use ssi_core::restart::{
    stray, Agent, AgentEffect, AgentEvent, Options, Restored, Root, RootEffect, RootEvent,
};
use ssi_core::wire::restart::{Engage, Failed, Message};
use ssi_core::wire::Body;

/// Restarts that one node takes part in at the same time.
const OPERATIONS_MAX: usize = 16;

/// The coordinator's side.
pub struct Coordinator {
    /// The protocol.
    pub root: Root,
    call: usize,
    timer: Option<Timer>,
    ended: bool,
}

/// The participant's side.
pub struct Participant {
    /// The protocol.
    pub agent: Agent,
    /// What acts for it.
    pub team: Team,
    timer: Option<Timer>,
    ended: bool,
}

/// One restart as a node sees it.
pub struct Restart {
    /// Which.
    pub op: OpId,
    /// On the node where it was asked for.
    pub coordinator: Option<Coordinator>,
    /// On a node that restores something.
    pub participant: Option<Participant>,
}

impl Coordinator {
    pub(super) fn new(options: Options, plan: Plan, expected: Restored, call: usize) -> Self {
        Coordinator {
            root: Root::new(options, plan, expected),
            call,
            timer: None,
            ended: false,
        }
    }
}

impl Restart {
    pub(super) fn coordinated(op: OpId, coordinator: Coordinator) -> Restart {
        Restart {
            op,
            coordinator: Some(coordinator),
            participant: None,
        }
    }
}

impl World {
    pub(super) fn find_restart(&mut self, at: At, op: OpId) -> Option<&mut Restart> {
        let operations = &mut self.node_mut(at.node).engine.restarts;
        operations.iter_mut().find(|operation| operation.op == op)
    }

    pub(super) fn participant(&mut self, at: At, op: OpId) -> Option<&mut Participant> {
        self.find_restart(at, op)?.participant.as_mut()
    }

    pub(super) fn add_restart(&mut self, at: At, restart: Restart) -> Result<(), Failure> {
        let node = self.node_mut(at.node);
        if node.engine.restarts.len() >= OPERATIONS_MAX {
            return Err(Failure::new(FailureCode::Limit).on(at.node));
        }
        if node.act_fails() {
            return Err(Failure::new(FailureCode::NoMemory).on(at.node));
        }
        node.engine.restarts.push(restart);
        self.touched.operations = true;
        Ok(())
    }

    /// What this node does concerns its peers.
    pub(super) fn each_peer(&mut self, at: At, event: fn(&mut Peer)) {
        for slot in &mut self.node_mut(at.node).engine.peers.slots {
            event(&mut slot.peer);
        }
    }

    /// Whether a node knows of all others if they live.
    pub(super) fn is_settled(&self, at: At) -> bool {
        let now_ms = self.now_ms(at.node);
        let mut slots = self.node(at.node).engine.peers.slots.iter();
        slots.all(|slot| slot.peer.is_settled(now_ms))
    }

    pub(super) fn restart_message(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        if let Message::Claim(claim) = &message {
            return self.claimed(at, op, from, claim);
        }
        if message.is_for_root() {
            return self.step_root(at, op, RootEvent::Message { from, message });
        }
        if self.participant(at, op).is_none() {
            let Message::Engage(engage) = message else {
                if let Some(answer) = stray(&message) {
                    self.send(at, from, Body::Restart(op, answer));
                }
                return;
            };
            if let Err(failure) = self.engage(at, op, &engage) {
                let failed = Message::Failed(Failed { failure });
                return self.send(at, from, Body::Restart(op, failed));
            }
        }
        self.step_restart(at, op, AgentEvent::Message { from, message });
    }

    fn engage(&mut self, at: At, op: OpId, engage: &Engage) -> Result<(), Failure> {
        let participant = Participant {
            agent: Agent::new(at.node, op, engage),
            team: Team::default(),
            timer: None,
            ended: false,
        };
        if let Some(operation) = self.find_restart(at, op) {
            operation.participant = Some(participant);
            return Ok(());
        }
        let restart = Restart {
            op,
            coordinator: None,
            participant: Some(participant),
        };
        self.add_restart(at, restart)
    }

    pub(super) fn restarts_peer_down(&mut self, at: At, node: NodeId) {
        let operations = &self.node(at.node).engine.restarts;
        let ops: Vec<OpId> = operations.iter().map(|operation| operation.op).collect();
        for op in ops {
            self.step_root(at, op, RootEvent::PeerDown(node));
            self.step_restart(at, op, AgentEvent::PeerDown(node));
        }
        self.holder_down(at, node);
    }

    pub(super) fn restart_timers(&mut self, at: At, now_ms: u64) {
        let mut due = Vec::new();
        for operation in &mut self.node_mut(at.node).engine.restarts {
            let timer = operation.coordinator.as_mut().map(|side| &mut side.timer);
            let root = timer.and_then(|timer| timer.take_if(|timer| timer.due_ms <= now_ms));
            let timer = operation.participant.as_mut().map(|side| &mut side.timer);
            let agent = timer.and_then(|timer| timer.take_if(|timer| timer.due_ms <= now_ms));
            due.push((operation.op, root, agent));
        }
        for (op, root, agent) in due {
            if let Some(timer) = root {
                self.step_root(at, op, RootEvent::Deadline(timer.number));
            }
            if let Some(timer) = agent {
                self.step_restart(at, op, AgentEvent::Deadline(timer.number));
            }
        }
    }

    pub(super) fn step_root(&mut self, at: At, op: OpId, event: RootEvent) {
        let mut effects = Vec::with_capacity(STEP_EFFECTS_MAX);
        let up = self.up_from(at.node);
        let found = self.find_restart(at, op);
        let Some(side) = found.and_then(|operation| operation.coordinator.as_mut()) else {
            return;
        };
        side.root.sees(up);
        let before = (side.root.state(), "");
        let result = side.root.step(event, &mut |effect| effects.push(effect));
        let after = side.root.state();
        self.touched.operations = true;
        self.took(at, Protocol::RestartRoot, before, event.name());
        self.tell_step(at, (Told::Restart, op), (before.0, event.name(), after));
        if let Err(violation) = result {
            self.violated("restart root", (violation.state, violation.event));
        }
        for effect in effects {
            self.act_root(at, op, effect);
        }
        self.reap_restarts(at);
    }

    fn act_root(&mut self, at: At, op: OpId, effect: RootEffect) {
        let found = self.find_restart(at, op);
        let Some(side) = found.and_then(|operation| operation.coordinator.as_mut()) else {
            return;
        };
        match effect {
            RootEffect::Send { to, message } => self.send(at, to, Body::Restart(op, message)),
            RootEffect::Multicast { to, message } => {
                for node in to.iter() {
                    self.send(at, node, Body::Restart(op, message));
                }
            }
            RootEffect::SendParts => {
                let parts: Vec<(NodeId, Message)> = side.root.parts().collect();
                for (place, message) in parts {
                    self.send(at, place, Body::Restart(op, message));
                }
            }
            RootEffect::Timer { number, ms } => {
                let timer = self.timer(at, number, ms);
                let found = self.find_restart(at, op);
                if let Some(side) = found.and_then(|operation| operation.coordinator.as_mut()) {
                    side.timer = Some(timer);
                }
            }
            RootEffect::Reply(result) => {
                let call = side.call;
                self.answer_restart(call, result);
            }
            RootEffect::End => side.ended = true,
        }
    }

    pub(super) fn step_restart(&mut self, at: At, op: OpId, event: AgentEvent) {
        let mut effects = Vec::with_capacity(STEP_EFFECTS_MAX);
        let up = self.up_from(at.node);
        let Some(side) = self.participant(at, op) else {
            return;
        };
        side.agent.sees(up);
        let before = (side.agent.state(), "");
        let result = side.agent.step(event, &mut |effect| effects.push(effect));
        let after = side.agent.state();
        self.touched.operations = true;
        self.took(at, Protocol::RestartAgent, before, event.name());
        self.tell_step(at, (Told::Restart, op), (before.0, event.name(), after));
        if let Err(violation) = result {
            self.violated("restart agent", (violation.state, violation.event));
        }
        for effect in effects {
            self.act_restart(at, op, effect);
        }
        self.reap_restarts(at);
    }

    fn act_restart(&mut self, at: At, op: OpId, effect: AgentEffect) {
        match effect {
            AgentEffect::Build { part } => self.build(at, op, part),
            AgentEffect::Claim { part, of } => {
                self.each_peer(at, Peer::restores);
                self.claim(at, op, part, of);
            }
            AgentEffect::Create { part } => self.granted(at, op, part),
            AgentEffect::LetGo => self.let_team_go(at, op),
            AgentEffect::TakeBack => self.take_team_back(at, op),
            AgentEffect::Send { to, message } => self.send(at, to, Body::Restart(op, message)),
            AgentEffect::Multicast { to, message } => {
                for node in to.iter() {
                    self.send(at, node, Body::Restart(op, message));
                }
            }
            AgentEffect::Timer { number, ms } => {
                let timer = self.timer(at, number, ms);
                if let Some(side) = self.participant(at, op) {
                    side.timer = Some(timer);
                }
            }
            AgentEffect::End => {
                if let Some(side) = self.participant(at, op) {
                    side.ended = true;
                }
            }
        }
    }

    fn reap_restarts(&mut self, at: At) {
        let over = |operation: &Restart| {
            operation.coordinator.as_ref().is_none_or(|side| side.ended)
                && operation.participant.as_ref().is_none_or(|side| side.ended)
        };
        let operations = &mut self.node_mut(at.node).engine.restarts;
        let before = operations.len();
        operations.retain(|operation| !over(operation));
        if operations.len() < before {
            // What was restored may have been born elsewhere.
            self.announce(at);
        }
    }
}
