// SPDX-License-Identifier: GPL-2.0
//! Restarts that begin: every node that may be used is asked what it holds of the version.

use super::{options, Asked, Coordinator, Operation, Restarts};
use crate::asking::Asking;
use crate::engine::Context;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::helper::Helper;
use crate::request::RestartRequest;
use crate::sys::thread::clock_ns;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::checkpoint::Version;
use ssi_core::node::{NodeId, OpId};
use ssi_core::place::Plan;
use ssi_core::restart::{Options, Restored, Root, RootEvent};
use ssi_core::survey::Event;
use ssi_core::wire::copy::{Locate, Message, Owner};

/// A restart whose parts are looked for.
pub(super) struct Surveying {
    asking: Asking,
    options: Options,
    asked: Asked,
    started_ns: u64,
}

fn question(options: &Options, request: &RestartRequest) -> Locate {
    Locate {
        version: Version {
            application: options.application,
            number: options.version,
        },
        digest: request.commit.digest,
        owner: Owner {
            uid: options.uid,
            gid: options.gid,
            store: options.store,
        },
    }
}

impl Surveying {
    /// The answer that the caller gets where nothing comes of it.
    pub(super) fn refuse(&self, why: Failure) {
        self.asked.helper.end();
        self.asked.reply.give(Err(why));
    }

    #[inline(never)]
    fn new(context: &mut Context, options: Options, asked: Asked) -> KBoxed {
        let parts = asked.request.commit.nodes;
        let question = question(&options, &asked.request);
        KBox::new(
            Surveying {
                asking: Asking::new(context.new_op(), parts, question),
                options,
                asked,
                started_ns: clock_ns(),
            },
            GFP_KERNEL,
        )
    }
}

type KBoxed = core::result::Result<KBox<Surveying>, kernel::alloc::AllocError>;

impl Restarts {
    /// Looks for the parts.
    #[inline(never)]
    pub(super) fn begin(&mut self, context: &mut Context, asked: Asked, now_ms: u64) {
        let options = match options(&asked.request) {
            Ok(options) => options,
            Err(why) => {
                asked.helper.end();
                return asked.reply.give(Err(why));
            }
        };
        let up = context.peers.up();
        let ask = match asked.request.nodes.is_empty() {
            true => up,
            false => up.both(&asked.request.nodes),
        };
        let (helper, reply) = (asked.helper.clone(), asked.reply.clone());
        let kept = Surveying::new(context, options, asked)
            .map_err(Failure::from)
            .and_then(|mut surveying| {
                surveying.asking.step(context, Event::Start { ask }, now_ms);
                if self.surveys.len() >= super::OPERATIONS_MAX {
                    let why = Failure::new(FailureCode::Limit);
                    return Err(why.text(format_args!("restarts at the same time")));
                }
                Ok(self.surveys.put(surveying)?)
            });
        if let Err(why) = kept {
            helper.end();
            return reply.give(Err(why));
        }
        self.surveyed(context, now_ms);
    }

    /// A node has said what it holds.
    #[inline(never)]
    pub fn located(
        &mut self,
        context: &mut Context,
        op: OpId,
        from: NodeId,
        message: Message,
        now_ms: u64,
    ) {
        let is = |surveying: &&mut KBox<Surveying>| surveying.asking.op() == op;
        if let Some(surveying) = self.surveys.iter_mut().find(is) {
            surveying.asking.hear(context, from, message, now_ms);
        }
        self.surveyed(context, now_ms);
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn holder_down(&mut self, context: &mut Context, node: NodeId, now_ms: u64) {
        for surveying in self.surveys.iter_mut() {
            let event = Event::PeerDown(node);
            surveying.asking.step(context, event, now_ms);
        }
        self.surveyed(context, now_ms);
    }

    /// Time passes.
    pub(super) fn survey_tick(&mut self, context: &mut Context, now_ms: u64) {
        for surveying in self.surveys.iter_mut() {
            surveying.asking.tick(context, now_ms);
        }
        self.surveyed(context, now_ms);
    }

    /// The caller is being killed; `false` where it has no restart that begins.
    pub(super) fn give_up(&mut self, helper: &Arc<Helper>, why: &Failure) -> bool {
        let its = |surveying: &KBox<Surveying>| Arc::ptr_eq(&surveying.asked.helper, helper);
        match self.surveys.take(its) {
            Some(surveying) => {
                surveying.refuse(why.clone());
                true
            }
            None => false,
        }
    }

    /// Goes on with those whose parts are found, or are not.
    fn surveyed(&mut self, context: &mut Context, now_ms: u64) {
        while let Some(surveying) = self.surveys.take(|surveying| surveying.asking.is_done()) {
            self.engage_all(context, surveying, now_ms);
        }
    }

    #[inline(never)]
    fn engage_all(&mut self, context: &mut Context, surveying: KBox<Surveying>, now_ms: u64) {
        let op = surveying.asking.op();
        let survey = surveying.asking.survey();
        let plan = survey.plan();
        let plan = plan.ok_or_else(|| Failure::from_core(&survey.refusal()));
        let made = plan.and_then(|plan| self.add(coordinated(&surveying, plan)?));
        if let Err(why) = made {
            return surveying.refuse(why);
        }
        if let Some(operation) = self.find(op) {
            operation.step_root(context, RootEvent::Start, now_ms);
        }
        self.reap(context);
    }
}

#[inline(never)]
fn coordinated(surveying: &Surveying, plan: Plan) -> Outcome<KBox<Operation>> {
    let commit = &surveying.asked.request.commit;
    let expected = Restored {
        processes: commit.processes,
        streams: 0,
        head_root: 0,
        digest: commit.digest,
    };
    let coordinator = Coordinator {
        root: Root::new(surveying.options, plan, expected),
        reply: surveying.asked.reply.clone(),
        timer: None,
        started_ns: surveying.started_ns,
        ended: false,
    };
    let operation = Operation {
        op: surveying.asking.op(),
        coordinator: Some(coordinator),
        participant: None,
        caller: Some(surveying.asked.helper.clone()),
    };
    Ok(KBox::new(operation, GFP_KERNEL)?)
}
