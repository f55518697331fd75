// SPDX-License-Identifier: GPL-2.0
//! The number of a version with copies: every store knows only what its own node has seen.

use super::Operation;
use crate::asking::Asking;
use crate::engine::Context;
use crate::worker::Job;
use kernel::prelude::*;
use ssi_core::checkpoint::{Event, Found, Version};
use ssi_core::node::{NodeId, NodeSet};
use ssi_core::survey;
use ssi_core::wire::copy::{Locate, Message, Owner};

/// The question to all nodes, and what comes of it.
pub(super) struct Numbering {
    found: Found,
    asking: Asking,
}

fn question(found: &Found, owner: Owner) -> Locate {
    Locate {
        version: Version {
            application: match found.application {
                // A new application is named so, unless a store knows another of that name.
                0 => found.head_root.into(),
                known => known,
            },
            number: 0,
        },
        digest: 0,
        owner,
    }
}

impl Operation {
    /// Makes the folder of the next version: where others have stores, too, after a question.
    #[inline(never)]
    pub(super) fn open(&mut self, context: &mut Context, found: Found, now_ms: u64) {
        let Some(copying) = self.copying.as_mut() else {
            return self.give(context, Job::Open(found, 0));
        };
        let question = question(&found, copying.owner());
        copying.is_naming(Some(question.version.application));
        let numbering = Numbering {
            found,
            asking: Asking::new(self.op, NodeSet::EMPTY, question),
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
    pub(super) fn number(
        &mut self,
        context: &mut Context,
        event: survey::Event,
        now_ms: u64,
    ) -> Option<Event> {
        self.numbering.as_mut()?.asking.step(context, event, now_ms);
        self.numbered(context)
    }

    /// A node has answered; gives what the checkpoint has to hear.
    pub(super) fn located(
        &mut self,
        context: &mut Context,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) -> Option<Event> {
        let asking = &mut self.numbering.as_mut()?.asking;
        asking.hear(context, from, message, now_ms);
        self.numbered(context)
    }

    #[inline(never)]
    fn numbered(&mut self, context: &mut Context) -> Option<Event> {
        let numbering = self
            .numbering
            .take_if(|numbering| numbering.asking.is_done())?;
        let survey = numbering.asking.survey();
        match survey.failure() {
            Some(why) => {
                if let Some(copying) = self.copying.as_mut() {
                    copying.is_naming(None);
                }
                Some(Event::NotOpened(why))
            }
            None => {
                self.give(context, Job::Open(numbering.found, survey.newest()));
                None
            }
        }
    }

    /// Time passes.
    pub(super) fn number_tick(&mut self, context: &mut Context, now_ms: u64) {
        if let Some(numbering) = self.numbering.as_mut() {
            numbering.asking.tick(context, now_ms);
            if let Some(event) = self.numbered(context) {
                self.step(context, event, now_ms);
            }
        }
    }
}
