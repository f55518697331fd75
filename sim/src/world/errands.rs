// SPDX-License-Identifier: GPL-2.0
//! Short acts on the store that another node asked for, each in a thread of its own.
use super::media::Written;
use super::World;
use crate::cost::Act;
use crate::event::{At, Event};
use crate::plan::Media;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::Version;
use ssi_core::copy::Stake;
use ssi_core::failure::Failure;
use ssi_core::image::commit::{self, Commit};
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::wire::copy::{Locate, Located, Message, NotLocated, Record, Recorded, Unrecorded};
use ssi_core::wire::Body;

/// Errands of a node at the same time.
const ERRANDS_MAX: usize = 64;

/// What is to be done.
#[derive(Clone, Debug)]
enum Does {
    Record(Box<Record>),
    Locate(Box<Locate>),
}

/// One errand.
pub struct Errand {
    number: u64,
    op: OpId,
    to: NodeId,
    does: Does,
    step: u32,
    /// It is an act for a version in which this node has a stake.
    staked: bool,
}

impl Does {
    /// Where it writes the record of which version.
    fn recorded(&self) -> Option<(Media, Version)> {
        let Does::Record(record) = self else {
            return None;
        };
        let (commit, _) = commit::parse(record.bytes.as_bytes(), super::digest_of).ok()?;
        let media = Media::at(record.owner.store.as_bytes());
        Some((media, version_of(&commit)))
    }

    /// What is said where it could not be done.
    fn refusal(&self, failure: Failure) -> Message {
        match self {
            Does::Record(_) => Message::Unrecorded(Unrecorded { failure }),
            Does::Locate(_) => Message::NotLocated(NotLocated { failure }),
        }
    }
}

impl World {
    /// Does what another node, or this one, asks of the store here.
    pub(super) fn run_errand(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        let does = match message {
            Message::Record(record) => Does::Record(Box::new(record)),
            Message::Locate(locate) => Does::Locate(Box::new(locate)),
            _ => return,
        };
        let refused = match &does {
            _ if self.node(at.node).engine.errands.len() >= ERRANDS_MAX => Some(FailureCode::Limit),
            Does::Locate(locate) if self.is_naming(at, op, locate) => Some(FailureCode::Busy),
            Does::Record(_) | Does::Locate(_) => None,
        };
        let recorded = does.recorded().filter(|_| refused.is_none());
        if let Some((media, version)) = recorded {
            self.begin_stake(at, op, media, version);
        }
        if matches!(does, Does::Record(_)) {
            self.stake(at, op, Stake::heard);
        }
        if let Some(code) = refused {
            let refusal = does.refusal(Failure::new(code).on(at.node));
            return self.send(at, from, Body::Copy(op, refusal));
        }
        let node = at.node;
        let act = match &does {
            Does::Record(_) => Act::Write { node, bytes: 512 },
            Does::Locate(_) => Act::OpenVersion,
        };
        let time = self.slowly(at, act);
        let engine = &mut self.node_mut(at.node).engine;
        engine.errand += 1;
        let number = engine.errand;
        engine.errands.push(Errand {
            number,
            op,
            to: from,
            does,
            step: 0,
            staked: recorded.is_some(),
        });
        self.queue.after(time, Event::Errand(at, number));
    }

    /// Whether somebody asks for a number that another checkpoint of this node asks for: of two
    /// who ask each other, no one is told a number that the other does not know of.
    fn is_naming(&self, at: At, op: OpId, locate: &Locate) -> bool {
        let media = Media::at(locate.owner.store.as_bytes());
        let mut checkpoints = self.node(at.node).engine.checkpoints.iter();
        locate.version.number == 0
            && checkpoints.any(|operation| {
                let copying = operation.copying.as_ref().filter(|_| operation.op != op);
                copying.is_some_and(|copying| copying.names(media, locate.version.application))
            })
    }

    /// An errand goes on, or is done.
    pub(super) fn errand(&mut self, at: At, number: u64) {
        let errands = &mut self.node_mut(at.node).engine.errands;
        let Some(which) = errands.iter().position(|errand| errand.number == number) else {
            return;
        };
        let mut errand = errands.remove(which);
        let answer = match errand.does.clone() {
            Does::Record(record) => self.record_here(at, &record, errand.step),
            Does::Locate(locate) => self.located(at, &locate).map(Some),
        };
        let answer = answer.unwrap_or_else(|why| Some(errand.does.refusal(why)));
        match answer {
            Some(answer) => {
                if errand.staked {
                    self.stake(at, errand.op, Stake::end);
                }
                self.send(at, errand.to, Body::Copy(errand.op, answer));
            }
            None => {
                errand.step += 1;
                self.node_mut(at.node).engine.errands.push(errand);
                let time = self.slowly(at, Act::Sync { node: at.node });
                self.queue.after(time, Event::Errand(at, number));
            }
        }
        self.settle(at);
    }

    /// A step of writing the commit record that the root of a checkpoint sent.
    fn record_here(
        &mut self,
        at: At,
        record: &Record,
        step: u32,
    ) -> Result<Option<Message>, Failure> {
        let media = Media::at(record.owner.store.as_bytes());
        let bytes = record.bytes.as_bytes().to_vec();
        let commit = parsed(at, &bytes)?;
        let version = version_of(&commit);
        let undone = |world: &mut World, why| match world.undo_record(at, media, version) {
            true => Err(why),
            false => Ok(Written::Durable),
        };
        if step == 0 {
            self.store_mut(at.node, media).made(version);
        }
        let written = match self.node_mut(at.node).act_fails() {
            true => undone(self, Failure::new(FailureCode::NoMemory).on(at.node)),
            false => {
                let done = self.write_record(at, media, version, (step, Some(bytes)));
                done.or_else(|why| undone(self, why))
            }
        };
        match written? {
            Written::Syncs => Ok(None),
            Written::Durable => {
                self.let_go_below(at, media, version, record.keep);
                Ok(Some(Message::Recorded(Recorded)))
            }
        }
    }

    /// What is here of a version.
    fn located(&mut self, at: At, locate: &Locate) -> Result<Message, Failure> {
        if self.node_mut(at.node).act_fails() {
            return Err(Failure::new(FailureCode::NoMemory).on(at.node));
        }
        let media = Media::at(locate.owner.store.as_bytes());
        let store = self.store(at.node, media);
        let parts = match locate.version.number {
            0 => Some(NodeSet::EMPTY),
            _ => store.parts(locate.version, locate.digest),
        };
        let parts = parts.ok_or(Failure::new(FailureCode::Damaged).on(at.node))?;
        Ok(Message::Located(Located {
            parts,
            newest: store.highest(locate.version.application),
            load: self.capable_on(at.node),
        }))
    }

    /// `version` is committed: removes what is left of older ones that never were, and those that
    /// are more than `keep` together with it, the oldest first; 0 keeps all. What this node has a
    /// stake in is not left over: it may still be committed.
    pub(super) fn let_go_below(&mut self, at: At, media: Media, version: Version, keep: u32) {
        let (whole, stale) = self.store(at.node, media).below(version);
        let surplus = match keep {
            0 => 0,
            keep => (whole.len() + 1).saturating_sub(keep as usize),
        };
        let gone: Vec<u32> = stale
            .into_iter()
            .filter(|number| {
                !self.is_under_way(
                    at,
                    media,
                    Version {
                        number: *number,
                        ..version
                    },
                )
            })
            .chain(whole.into_iter().take(surplus))
            .collect();
        for number in gone {
            let version = Version { number, ..version };
            self.store_mut(at.node, media).remove(version);
        }
    }
}

fn parsed(at: At, bytes: &[u8]) -> Result<Commit, Failure> {
    let damaged = Failure::new(FailureCode::Damaged).on(at.node);
    let record = commit::parse(bytes, super::digest_of);
    record.map(|(commit, _)| commit).map_err(|_| damaged)
}

fn version_of(commit: &Commit) -> Version {
    Version {
        application: commit.application,
        number: commit.version,
    }
}
