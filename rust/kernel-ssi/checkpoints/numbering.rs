// SPDX-License-Identifier: GPL-2.0
//! The number of a version with copies: every store knows only what its own node has seen.

use super::Operation;
use crate::effects::Effects;
use crate::engine::Context;
use crate::timer::Timer;
use crate::worker::Job;
use kernel::prelude::*;
use ssi_core::checkpoint::{Event, Found, Version};
use ssi_core::node::NodeSet;
use ssi_core::survey::{self, Effect, Survey};
use ssi_core::wire::copy::{Locate, Message, Owner};
use ssi_core::wire::Body;

/// The question to all nodes, and what comes of it.
pub(super) struct Numbering {
    found: Found,
    survey: Survey,
    timer: Option<Timer>,
}

impl Numbering {
    fn question(&self, owner: Owner) -> Locate {
        Locate {
            version: Version {
                application: match self.found.application {
                    // A new application is named so, unless a store knows another of that name.
                    0 => self.found.head_root.into(),
                    known => known,
                },
                number: 0,
            },
            digest: 0,
            owner,
        }
    }
}

impl Operation {
    /// Makes the folder of the next version: where others have stores, too, after a question.
    #[inline(never)]
    pub(super) fn open(&mut self, context: &mut Context, found: Found, now_ms: u64) {
        if self.copying.is_none() {
            return self.give(context, Job::Open(found, 0));
        }
        let numbering = Numbering {
            found,
            survey: Survey::new(NodeSet::EMPTY),
            timer: None,
        };
        match KBox::new(numbering, GFP_KERNEL) {
            Ok(numbering) => {
                self.numbering = Some(numbering);
                let ask = context.peers.up();
                self.number(context, survey::Event::Start { ask }, now_ms);
            }
            Err(error) => self.fail(context, error.into()),
        }
    }

    /// Hands an event to the question; gives what the checkpoint has to hear.
    #[inline(never)]
    pub(super) fn number(
        &mut self,
        context: &mut Context,
        event: survey::Event,
        now_ms: u64,
    ) -> Option<Event> {
        let mut effects = Effects::reserve().ok()?;
        let owner = self.copying.as_ref()?.owner();
        let numbering = self.numbering.as_mut()?;
        numbering
            .survey
            .step(event, &mut |effect| effects.push(effect));
        let mut done = false;
        for effect in effects {
            match effect {
                Effect::Ask { to } => {
                    let message = Message::Locate(numbering.question(owner));
                    for node in to.iter() {
                        context.send(node, Body::Copy(self.op, message));
                    }
                }
                Effect::Timer { ms } => numbering.timer = Some(Timer::new(0, ms, now_ms)),
                Effect::Done => done = true,
            }
        }
        if !done {
            return None;
        }
        let numbering = self.numbering.take()?;
        match numbering.survey.failure() {
            Some(why) => return Some(Event::NotOpened(why)),
            None => {
                let job = Job::Open(numbering.found, numbering.survey.newest());
                self.give(context, job);
            }
        }
        None
    }

    /// Time passes.
    pub(super) fn number_tick(&mut self, context: &mut Context, now_ms: u64) {
        let timer = self
            .numbering
            .as_mut()
            .map(|numbering| &mut numbering.timer);
        let due = timer.and_then(|timer| Timer::take_due(timer, now_ms));
        if due.is_some() {
            if let Some(event) = self.number(context, survey::Event::Deadline, now_ms) {
                self.step(context, event, now_ms);
            }
        }
    }
}
