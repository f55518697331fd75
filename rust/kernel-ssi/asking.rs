// SPDX-License-Identifier: GPL-2.0
//! A question to all nodes that may be used: what do you hold of this version? The one host of
//! the core's surveys: numbers of versions, restarts and flushes ask with it.

use crate::effects::Effects;
use crate::engine::Context;
use crate::timer::Timer;
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::survey::{Effect, Event, Survey};
use ssi_core::wire::copy::{Locate, Message};
use ssi_core::wire::Body;

/// A question, and the answers so far.
pub struct Asking {
    op: OpId,
    question: Locate,
    survey: Survey,
    timer: Option<Timer>,
    done: bool,
}

impl Asking {
    /// Who has the parts that `parts` wrote? Nobody has been asked.
    #[inline(never)]
    pub fn new(op: OpId, parts: NodeSet, question: Locate) -> Asking {
        Asking {
            op,
            question,
            survey: Survey::new(parts),
            timer: None,
            done: false,
        }
    }

    /// The operation that asks.
    pub fn op(&self) -> OpId {
        self.op
    }

    /// Whether all who live have answered.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The answers.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Hands in an event.
    #[inline(never)]
    pub fn step(&mut self, context: &mut Context, event: Event, now_ms: u64) {
        let Ok(mut effects) = Effects::reserve() else {
            return;
        };
        self.survey.step(event, &mut |effect| effects.push(effect));
        for effect in effects {
            match effect {
                Effect::Ask { to } => {
                    for node in to.iter() {
                        let message = Message::Locate(self.question);
                        context.send(node, Body::Copy(self.op, message));
                    }
                }
                Effect::Timer { ms } => self.timer = Some(Timer::new(0, ms, now_ms)),
                Effect::Done => self.done = true,
            }
        }
    }

    /// A node has said what it holds, or that it cannot say.
    pub fn hear(&mut self, context: &mut Context, from: NodeId, message: Message, now_ms: u64) {
        let event = match message {
            Message::Located(located) => Event::Located(from, located),
            Message::NotLocated(said) => Event::NotLocated(from, said.failure),
            _ => return,
        };
        self.step(context, event, now_ms);
    }

    /// Time passes.
    pub fn tick(&mut self, context: &mut Context, now_ms: u64) {
        if Timer::take_due(&mut self.timer, now_ms).is_some() {
            self.step(context, Event::Deadline, now_ms);
        }
    }
}
