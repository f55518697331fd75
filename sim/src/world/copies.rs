// SPDX-License-Identifier: GPL-2.0
//! Copies of other nodes' parts that a node takes in, act by act.
use super::chunk::Chunk;
use super::store::File;
use super::World;
use crate::cost::Act;
use crate::coverage::Protocol;
use crate::event::{At, Event};
use crate::plan::Media;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::Version;
use ssi_core::copy::{KeepEffect, KeepEvent, Keeper, Stake};
use ssi_core::failure::Failure;
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::copy::{Message, Offer, Refused};
use ssi_core::wire::Body;
use std::collections::VecDeque;
use std::rc::Rc;

/// Copies that one node takes in at the same time: few, so that small clusters exceed it.
const COPIES_MAX: usize = 4;

/// One act, named after the core's effect.
#[derive(Clone, Debug)]
enum Job {
    Open,
    Store(Rc<Chunk>),
    Sync,
    Remove,
}

/// One of them.
pub struct Copy {
    /// The checkpoint.
    pub op: OpId,
    /// The protocol.
    pub keeper: Keeper,
    /// Which version it is of.
    pub version: Version,
    media: Media,
    jobs: VecDeque<Job>,
    /// The folder is made, and is to be removed on failure.
    made: bool,
    /// Bytes that are stored.
    stored: u64,
    ended: bool,
}

/// Which copy: its checkpoint, and who sends.
type Of = (OpId, NodeId);

impl World {
    fn copy_of(&mut self, at: At, (op, sender): Of) -> Option<&mut Copy> {
        let copies = &mut self.node_mut(at.node).engine.copies;
        let is = |copy: &&mut Copy| (copy.op, copy.keeper.sender()) == (op, sender);
        copies.iter_mut().find(is)
    }

    fn step_keeper(&mut self, at: At, of: Of, event: KeepEvent, held: Option<&Rc<Chunk>>) {
        let mut effects = Vec::new();
        let Some(copy) = self.copy_of(at, of) else {
            return;
        };
        let before = copy.keeper;
        let keeper = &mut copy.keeper;
        let result = keeper.step(event, &mut |effect| effects.push(effect));
        let after = *keeper;
        if before != after || !effects.is_empty() {
            let states = (before.state(), event.name(), after.state());
            self.copy_step(at, of.0, Protocol::Keeper, states);
        }
        if let Err(violation) = result {
            self.violated("copy keeper", (violation.state, violation.event));
        }
        for effect in effects {
            self.act_keeper(at, of, effect, held);
        }
        let copies = &mut self.node_mut(at.node).engine.copies;
        copies.retain(|copy| !copy.ended);
    }

    fn act_keeper(&mut self, at: At, of: Of, effect: KeepEffect, held: Option<&Rc<Chunk>>) {
        let job = match (effect, held) {
            (KeepEffect::Open, _) => Job::Open,
            (KeepEffect::Store, Some(chunk)) => Job::Store(chunk.clone()),
            (KeepEffect::Store, None) => return,
            (KeepEffect::Sync, _) => Job::Sync,
            (KeepEffect::Remove, _) => Job::Remove,
            (KeepEffect::Send(message), _) => {
                return self.send(at, of.1, Body::Copy(of.0, message));
            }
            (KeepEffect::End, _) => {
                if let Some(copy) = self.copy_of(at, of) {
                    copy.ended = true;
                    self.stake(at, of.0, Stake::end);
                }
                return;
            }
        };
        let Some(copy) = self.copy_of(at, of) else {
            return;
        };
        copy.jobs.push_back(job);
        if copy.jobs.len() == 1 {
            self.begin_keeping(at, of);
        }
    }

    fn begin_keeping(&mut self, at: At, of: Of) {
        let Some(job) = self.copy_of(at, of).and_then(|copy| copy.jobs.front()) else {
            return;
        };
        let node = at.node;
        let act = match job {
            Job::Open => Act::OpenVersion,
            Job::Store(chunk) => Act::Write {
                node,
                bytes: chunk.bytes,
            },
            Job::Sync => Act::Sync { node },
            Job::Remove => Act::Discard,
        };
        let time = self.slowly(at, act);
        self.queue.after(time, Event::Keep(at, of.0, of.1));
    }

    /// The act that a copy's thread is at is done.
    pub(super) fn keep(&mut self, at: At, op: OpId, sender: NodeId) {
        let of = (op, sender);
        let Some(job) = self.copy_of(at, of).and_then(|copy| copy.jobs.pop_front()) else {
            return;
        };
        self.begin_keeping(at, of);
        let event = self.done(at, of, &job).unwrap_or_else(KeepEvent::Failed);
        self.step_keeper(at, of, event, None);
        self.settle(at);
    }

    fn done(&mut self, at: At, of: Of, job: &Job) -> Result<KeepEvent, Failure> {
        if !matches!(job, Job::Remove) && self.node_mut(at.node).act_fails() {
            return Err(Failure::new(FailureCode::NoMemory).on(at.node));
        }
        match job {
            Job::Open => self.make_copy(at, of).map(|()| KeepEvent::Opened),
            Job::Store(chunk) => self.store_chunk(at, of, chunk).map(|()| KeepEvent::Stored),
            Job::Sync => self.sync_copy(at, of).map(|()| KeepEvent::Synced),
            Job::Remove => {
                self.remove_copy(at, of);
                Ok(KeepEvent::Removed)
            }
        }
    }

    fn make_copy(&mut self, at: At, of: Of) -> Result<(), Failure> {
        let full = self.node(at.node).full;
        let lost = World::media_failed(at);
        let copy = self.copy_of(at, of).ok_or(lost)?;
        let (media, version) = (copy.media, copy.version);
        if full {
            return Err(lost);
        }
        let folder = self.store_mut(at.node, media).made(version);
        if folder.parts.contains_key(&of.1) {
            return Err(Failure::new(FailureCode::BadArgument).on(at.node));
        }
        folder.parts.insert(of.1, File::new(at));
        if let Some(copy) = self.copy_of(at, of) {
            copy.made = true;
        }
        Ok(())
    }

    fn copied_file(&mut self, at: At, of: Of) -> Option<&mut File<Rc<super::PartImage>>> {
        let copy = self.copy_of(at, of).filter(|copy| copy.made)?;
        let (media, version) = (copy.media, copy.version);
        let folder = self.store_mut(at.node, media).folder(version)?;
        folder.parts.get_mut(&of.1)
    }

    fn store_chunk(&mut self, at: At, of: Of, chunk: &Chunk) -> Result<(), Failure> {
        let lost = World::media_failed(at);
        if self.node(at.node).full {
            return Err(lost);
        }
        let copy = self.copy_of(at, of).ok_or(lost)?;
        if copy.stored != chunk.bulk.chunk.position {
            return Err(Failure::new(FailureCode::Internal).named(b"a chunk is lost"));
        }
        copy.stored += chunk.bytes;
        let all = copy.stored == chunk.image.bytes();
        let file = self.copied_file(at, of).ok_or(lost)?;
        file.begun = true;
        if all {
            file.content = Some(chunk.image.clone());
        }
        Ok(())
    }

    fn sync_copy(&mut self, at: At, of: Of) -> Result<(), Failure> {
        let lost = World::media_failed(at);
        self.copied_file(at, of).ok_or(lost)?.durable = true;
        let copy = self.copy_of(at, of).ok_or(lost)?;
        let (media, version) = (copy.media, copy.version);
        self.store_mut(at.node, media).made(version).durable = true;
        Ok(())
    }

    fn remove_copy(&mut self, at: At, of: Of) {
        let Some(copy) = self.copy_of(at, of).filter(|copy| copy.made) else {
            return;
        };
        copy.made = false;
        let (media, version) = (copy.media, copy.version);
        self.store_mut(at.node, media).remove_part(version, of.1);
    }

    /// A chunk came.
    pub(super) fn chunk(&mut self, at: At, chunk: &Rc<Chunk>) {
        let of = (chunk.bulk.op, chunk.bulk.sender);
        self.step_keeper(at, of, KeepEvent::Chunk, Some(chunk));
    }

    /// A message for a partner came.
    pub(super) fn keeper_message(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        let of = (op, from);
        if matches!(message, Message::Settled(_)) {
            self.stake(at, op, Stake::settled);
        }
        let Message::Offer(offer) = message else {
            return self.step_keeper(at, of, KeepEvent::Message(message), None);
        };
        match self.begin_copy(at, of, &offer) {
            Ok(()) => self.step_keeper(at, of, KeepEvent::Offered, None),
            Err(failure) => {
                let refused = Message::Refused(Refused { failure });
                self.send(at, from, Body::Copy(op, refused));
            }
        }
    }

    fn begin_copy(&mut self, at: At, of: Of, offer: &Offer) -> Result<(), Failure> {
        if self.copy_of(at, of).is_some() {
            return Err(Failure::new(FailureCode::Internal).on(at.node));
        }
        if self.node(at.node).engine.copies.len() >= COPIES_MAX {
            self.make_room(at);
        }
        if self.node(at.node).engine.copies.len() >= COPIES_MAX {
            return Err(Failure::new(FailureCode::Limit).on(at.node));
        }
        let media = Media::at(offer.owner.store.as_bytes());
        self.begin_stake(at, of.0, media, offer.version);
        self.node_mut(at.node).engine.copies.push(Copy {
            op: of.0,
            keeper: Keeper::new(of.1),
            version: offer.version,
            media,
            jobs: VecDeque::new(),
            made: false,
            stored: 0,
            ended: false,
        });
        Ok(())
    }

    /// A sender's last word may be lost with a connection.
    fn make_room(&mut self, at: At) {
        let copies = self.node(at.node).engine.copies.iter();
        let waiting = copies.filter(|copy| copy.keeper.only_waits());
        let waiting: Vec<Of> = waiting
            .map(|copy| (copy.op, copy.keeper.sender()))
            .collect();
        for of in waiting {
            self.step_keeper(at, of, KeepEvent::SenderDown, None);
        }
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn copies_peer_down(&mut self, at: At, node: NodeId) {
        let copies = self.node(at.node).engine.copies.iter();
        let its = copies.filter(|copy| copy.keeper.sender() == node);
        let its: Vec<OpId> = its.map(|copy| copy.op).collect();
        for op in its {
            self.step_keeper(at, (op, node), KeepEvent::SenderDown, None);
        }
    }
}
