// SPDX-License-Identifier: GPL-2.0
//! One restart as this node sees it: the coordinator's side, the participant's side, or both.

use crate::claims::Claims;
use crate::effects::Effects;
use crate::engine::Context;
use crate::failure::{Failure, FailureCode};
use crate::helper::Helper;
use crate::reply::Reply;
use crate::streams::Streams;
use crate::sys::thread::clock_ns;
use crate::team::Team;
use crate::timer::Timer;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::RestartReport;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{Agent, AgentEffect, AgentEvent, Report, Root, RootEffect, RootEvent};
use ssi_core::wire::Body;

/// The coordinator's side, on the node where the restart was asked for.
pub(super) struct Coordinator {
    pub(super) root: Root,
    pub(super) reply: Arc<Reply<RestartReport>>,
    pub(super) timer: Option<Timer>,
    pub(super) started_ns: u64,
    pub(super) ended: bool,
}

/// The participant's side.
pub(super) struct Participant {
    pub(super) agent: Agent,
    pub(super) team: Team,
    pub(super) streams: Streams,
    pub(super) claims: Claims,
    pub(super) timer: Option<Timer>,
    pub(super) ended: bool,
}

pub(super) struct Operation {
    pub(super) op: OpId,
    pub(super) coordinator: Option<Coordinator>,
    pub(super) participant: Option<Participant>,
    /// The process that asked for the restart, on its node.
    pub(super) caller: Option<Arc<Helper>>,
}

impl Coordinator {
    fn report(&self, report: &Report) -> RestartReport {
        RestartReport {
            nodes: report.nodes.len(),
            processes: report.restored.processes,
            streams: report.restored.streams,
            moved: report.moved,
            total_ns: clock_ns().saturating_sub(self.started_ns),
            pid: report.restored.head_root,
            reserved: 0,
        }
    }
}

impl Operation {
    #[inline(never)]
    pub(super) fn step_root(&mut self, context: &mut Context, event: RootEvent, now_ms: u64) {
        let Ok(mut effects) = Effects::reserve() else {
            return;
        };
        let Some(coordinator) = self.coordinator.as_mut() else {
            return;
        };
        let root = &mut coordinator.root;
        root.sees(context.peers.up());
        if let Err(violation) = root.step(event, &mut |effect| effects.push(effect)) {
            pr_warn!(
                "restart: {} in state {}\n",
                violation.event,
                violation.state
            );
        }
        for effect in effects {
            self.act_root(context, effect, now_ms);
        }
    }

    #[inline(never)]
    fn act_root(&mut self, context: &mut Context, effect: RootEffect, now_ms: u64) {
        let Some(coordinator) = self.coordinator.as_mut() else {
            return;
        };
        match effect {
            RootEffect::Send { to, message } => context.send(to, Body::Restart(self.op, message)),
            RootEffect::Multicast { to, message } => {
                for node in to.iter() {
                    context.send(node, Body::Restart(self.op, message));
                }
            }
            RootEffect::SendParts => {
                for (place, message) in coordinator.root.parts() {
                    context.send(place, Body::Restart(self.op, message));
                }
            }
            RootEffect::Timer { number, ms } => {
                coordinator.timer = Some(Timer::new(number, ms, now_ms));
            }
            RootEffect::Reply(result) => {
                let answer = result.map(|report| coordinator.report(&report));
                let answer = answer.map_err(|why| Failure::from_core(&why));
                coordinator.reply.give(answer);
            }
            RootEffect::End => coordinator.ended = true,
        }
    }

    #[inline(never)]
    pub(super) fn step(&mut self, context: &mut Context, event: AgentEvent, now_ms: u64) {
        let Ok(mut effects) = Effects::reserve() else {
            return;
        };
        let Some(participant) = self.participant.as_mut() else {
            return;
        };
        let agent = &mut participant.agent;
        agent.sees(context.peers.up());
        if let Err(violation) = agent.step(event, &mut |effect| effects.push(effect)) {
            pr_warn!(
                "restart: {} in state {}\n",
                violation.event,
                violation.state
            );
        }
        for effect in effects {
            self.act(context, effect, now_ms);
        }
    }

    #[inline(never)]
    fn act(&mut self, context: &mut Context, effect: AgentEffect, now_ms: u64) {
        let Some(participant) = self.participant.as_mut() else {
            return;
        };
        match effect {
            AgentEffect::Build { part } => participant.team.build(part, self.caller.take()),
            AgentEffect::Claim { part, of } => {
                context.peers.restores();
                participant.claims.ask(context, self.op, part, of);
            }
            AgentEffect::Create { part } => participant.claims.grant(part),
            AgentEffect::LetGo => participant.team.let_go(),
            AgentEffect::TakeBack => {
                let why = Failure::new(FailureCode::Internal).text(format_args!("taken back"));
                participant.claims.give_up();
                participant.streams.fail(why);
                participant.team.take_back();
            }
            AgentEffect::Send { to, message } => context.send(to, Body::Restart(self.op, message)),
            AgentEffect::Multicast { to, message } => {
                for node in to.iter() {
                    context.send(node, Body::Restart(self.op, message));
                }
            }
            AgentEffect::Timer { number, ms } => {
                participant.timer = Some(Timer::new(number, ms, now_ms));
            }
            AgentEffect::End => participant.ended = true,
        }
    }

    /// Whether a part that this node makes claims the PID, other than `asking` itself.
    pub(super) fn claims(&self, pid: u32, asking: (OpId, NodeId)) -> bool {
        let own = (asking.0 == self.op).then_some(asking.1);
        let side = self.participant.as_ref();
        side.is_some_and(|side| side.claims.has(pid, own))
    }

    pub(super) fn ended(&self) -> bool {
        self.coordinator.as_ref().is_none_or(|side| side.ended)
            && self.participant.as_ref().is_none_or(|side| side.ended)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if let Some(caller) = self.caller.take() {
            caller.end();
        }
    }
}
