// SPDX-License-Identifier: GPL-2.0
//! The number of a version with copies: every store knows only what its own node has seen.
use super::engine::Timer;
use super::worker::Job;
use super::World;
use crate::coverage::Protocol;
use crate::event::At;
use ssi_core::checkpoint::{Event, Found, Version};
use ssi_core::node::{NodeSet, OpId};
use ssi_core::survey::{self, Effect, Survey};
use ssi_core::wire::copy::{Locate, Message, Owner};
use ssi_core::wire::Body;

/// The question to all nodes, and what comes of it.
pub struct Numbering {
    found: Found,
    /// The answers.
    pub survey: Survey,
    pub(super) timer: Option<Timer>,
}

impl Numbering {
    fn application(&self) -> u64 {
        match self.found.application {
            // A new application is named so, unless a store knows another of that name.
            0 => self.found.head_root.into(),
            known => known,
        }
    }

    fn question(&self, owner: Owner) -> Locate {
        Locate {
            version: Version {
                application: self.application(),
                number: 0,
            },
            digest: 0,
            owner,
        }
    }
}

impl World {
    fn numbering(&mut self, at: At, op: OpId) -> Option<&mut Numbering> {
        self.find_checkpoint(at, op)?.numbering.as_mut()
    }

    /// Makes the folder of the next version: where others have stores, too, after a question.
    pub(super) fn open(&mut self, at: At, op: OpId, found: Found) {
        if !self.has_copies(at, op) {
            return self.give(at, op, Job::Open(found, 0));
        }
        if let Some(operation) = self.find_checkpoint(at, op) {
            operation.numbering = Some(Numbering {
                found,
                survey: Survey::new(NodeSet::EMPTY),
                timer: None,
            });
        }
        let asked = self
            .numbering(at, op)
            .map(|numbering| numbering.application());
        if let Some(copying) = self
            .find_checkpoint(at, op)
            .and_then(|operation| operation.copying.as_mut())
        {
            copying.is_naming(asked);
        }
        let ask = self.up_from(at.node);
        self.number(at, op, survey::Event::Start { ask });
    }

    /// Hands an event to the question; gives what the checkpoint has to hear.
    pub(super) fn number(&mut self, at: At, op: OpId, event: survey::Event) -> Option<Event> {
        let mut effects = Vec::new();
        let owner = self.find_checkpoint(at, op)?.copying.as_ref()?.owner();
        let numbering = self.numbering(at, op)?;
        let survey = &mut numbering.survey;
        let before = survey.clone();
        survey.step(event, &mut |effect| effects.push(effect));
        let (changed, after) = (before != *survey, survey.state());
        let question = numbering.question(owner);
        if changed || !effects.is_empty() {
            let states = (before.state(), event.name(), after);
            self.copy_step(at, op, Protocol::Survey, states);
        }
        let mut done = false;
        for effect in effects {
            match effect {
                Effect::Ask { to } => {
                    for node in to.iter() {
                        self.send(at, node, Body::Copy(op, Message::Locate(question)));
                    }
                }
                Effect::Timer { ms } => {
                    let timer = self.timer(at, 0, ms);
                    self.numbering(at, op)?.timer = Some(timer);
                }
                Effect::Done => done = true,
            }
        }
        if !done {
            return None;
        }
        let operation = self.find_checkpoint(at, op)?;
        let numbering = operation.numbering.take()?;
        if let Some(why) = numbering.survey.failure() {
            operation.copying.as_mut()?.is_naming(None);
            return Some(Event::NotOpened(why));
        }
        let job = Job::Open(numbering.found, numbering.survey.newest());
        self.give(at, op, job);
        None
    }

    /// Questions whose time is over.
    pub(super) fn number_timers(&mut self, at: At, now_ms: u64) {
        let mut due = Vec::new();
        for operation in &mut self.node_mut(at.node).engine.checkpoints {
            let timer = operation.numbering.as_mut().map(|found| &mut found.timer);
            let timer = timer.and_then(|timer| timer.take_if(|timer| timer.due_ms <= now_ms));
            due.extend(timer.map(|_| operation.op));
        }
        for op in due {
            if let Some(event) = self.number(at, op, survey::Event::Deadline) {
                self.step_checkpoint(at, op, event);
            }
        }
    }
}
