// SPDX-License-Identifier: GPL-2.0
//! Restarts that begin: every node that may be used is asked what it holds of the version.
use super::engine::Timer;
use super::restarts::{Coordinator, Restart};
use super::{Seen, World};
use crate::coverage::Protocol;
use crate::event::At;
use crate::plan::Media;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::Version;
use ssi_core::failure::Failure;
use ssi_core::image::commit::Commit;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{Options, Restored, RootEvent};
use ssi_core::survey::{Effect, Event, Survey};
use ssi_core::text::Path;
use ssi_core::wire::copy::{Locate, Message, Owner};
use ssi_core::wire::Body;

/// A restart whose parts are looked for.
pub struct Surveying {
    /// Which.
    pub op: OpId,
    /// The answers.
    pub survey: Survey,
    /// The call that waits for it.
    pub call: usize,
    options: Options,
    commit: Commit,
    timer: Option<Timer>,
}

impl Surveying {
    fn question(&self) -> Locate {
        let options = &self.options;
        Locate {
            version: Version {
                application: options.application,
                number: options.version,
            },
            digest: self.commit.digest,
            owner: Owner {
                uid: options.uid,
                gid: options.gid,
                store: options.store,
            },
        }
    }
}

impl World {
    /// A user of `at` asks for a restart of the newest version of an application that its store
    /// lists.
    pub(super) fn call_restart(&mut self, at: At, call: usize, application: u64, media: Media) {
        let store = self.store(at.node, media);
        let number = store.newest(application).unwrap_or(0);
        let Some(commit) = store.committed(application, number) else {
            let why = Failure::new(FailureCode::NoSuchVersion);
            return self.answer_restart(call, Err(why));
        };
        let op = self.node_mut(at.node).new_op();
        self.calls[call].op = Some(op);
        let surveying = Surveying {
            op,
            survey: Survey::new(commit.nodes),
            call,
            options: Options {
                application,
                version: number,
                uid: 1000,
                gid: 1000,
                flags: 0,
                store: Path::cut(media.path()),
                output: Path::EMPTY,
            },
            commit,
            timer: None,
        };
        self.node_mut(at.node).engine.surveys.push(surveying);
        let ask = self.up_from(at.node);
        self.step_survey(at, op, Event::Start { ask });
        self.settle(at);
    }

    fn surveying(&mut self, at: At, op: OpId) -> Option<&mut Surveying> {
        let surveys = &mut self.node_mut(at.node).engine.surveys;
        surveys.iter_mut().find(|surveying| surveying.op == op)
    }

    pub(super) fn step_survey(&mut self, at: At, op: OpId, event: Event) {
        let mut effects = Vec::new();
        let Some(surveying) = self.surveying(at, op) else {
            return;
        };
        let survey = &mut surveying.survey;
        let before = survey.clone();
        survey.step(event, &mut |effect| effects.push(effect));
        let (changed, after) = (before != *survey, survey.state());
        let locate = surveying.question();
        if changed || !effects.is_empty() {
            let states = (before.state(), event.name(), after);
            self.copy_step(at, op, Protocol::Survey, states);
        }
        for effect in effects {
            match effect {
                Effect::Ask { to } => {
                    for node in to.iter() {
                        self.send(at, node, Body::Copy(op, Message::Locate(locate)));
                    }
                }
                Effect::Timer { ms } => {
                    let timer = self.timer(at, 0, ms);
                    if let Some(surveying) = self.surveying(at, op) {
                        surveying.timer = Some(timer);
                    }
                }
                Effect::Done => self.engage_all(at, op),
            }
        }
    }

    /// Goes on with a restart whose parts are found, or are not.
    fn engage_all(&mut self, at: At, op: OpId) {
        let surveys = &mut self.node_mut(at.node).engine.surveys;
        let Some(which) = surveys.iter().position(|surveying| surveying.op == op) else {
            return;
        };
        let surveying = surveys.remove(which);
        let call = surveying.call;
        let plan = surveying.survey.plan();
        let made = plan.ok_or(surveying.survey.refusal()).and_then(|plan| {
            let expected = Restored {
                processes: surveying.commit.processes,
                streams: 0,
                head_root: 0,
                digest: surveying.commit.digest,
            };
            let coordinator = Coordinator::new(surveying.options, plan, expected, call);
            self.add_restart(at, Restart::coordinated(op, coordinator))
        });
        if let Err(why) = made {
            return self.answer_restart(call, Err(why));
        }
        let options = &surveying.options;
        let seen = Seen {
            parts: surveying.commit.nodes,
            version: (options.application, options.version),
            ..Seen::default()
        };
        self.seen.insert(op, seen);
        self.people.broods += 1;
        self.broods.insert(op, self.people.broods);
        self.step_root(at, op, RootEvent::Start);
    }

    /// A node has said what it holds.
    pub(super) fn holds(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        let event = match message {
            Message::Located(located) => Event::Located(from, located),
            Message::NotLocated(said) => Event::NotLocated(from, said.failure),
            _ => return,
        };
        self.step_survey(at, op, event);
    }

    fn surveyed(&self, at: At) -> Vec<OpId> {
        let surveys = self.node(at.node).engine.surveys.iter();
        surveys.map(|surveying| surveying.op).collect()
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn holder_down(&mut self, at: At, node: NodeId) {
        for op in self.surveyed(at) {
            self.step_survey(at, op, Event::PeerDown(node));
        }
    }

    /// Questions whose time is over.
    pub(super) fn survey_timers(&mut self, at: At, now_ms: u64) {
        for op in self.surveyed(at) {
            let timer = self.surveying(at, op).map(|found| &mut found.timer);
            let due = timer.and_then(|timer| timer.take_if(|timer| timer.due_ms <= now_ms));
            if due.is_some() {
                self.step_survey(at, op, Event::Deadline);
            }
        }
    }

    /// The caller gives up a restart whose parts are looked for.
    pub(super) fn give_up_survey(&mut self, at: At, op: OpId, why: Failure) {
        let surveys = &mut self.node_mut(at.node).engine.surveys;
        if let Some(which) = surveys.iter().position(|surveying| surveying.op == op) {
            let call = surveys.remove(which).call;
            self.answer_restart(call, Err(why));
        }
    }
}
