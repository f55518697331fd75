// SPDX-License-Identifier: GPL-2.0
//! The second copies of one checkpoint: its part goes to a partner, its commit record to all.
use super::chunk::{Chunk, CHUNK_BYTES};
use super::media::record;
use super::worker::Job;
use super::World;
use crate::coverage::Protocol;
use crate::event::At;
use crate::plan::Media;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::{Event, Options, Report, Totals, Version};
use ssi_core::copy::{partner, Seal, SealEffect, SealEvent, SendEffect, SendEvent, Sender, Stake};
use ssi_core::failure::Failure;
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::survey;
use ssi_core::text::Text;
use ssi_core::wire::copy::{Message, Offer, Owner, Record};
use ssi_core::wire::Body;

/// What the worker has done for the copies of a checkpoint.
#[derive(Clone, Debug)]
pub enum Copied {
    /// It has sent chunks.
    Filled {
        /// Nothing is left to send.
        last: bool,
    },
    /// It could not.
    NotFilled(Failure),
    /// All parts are durable; this goes to the others.
    Record(Box<Record>),
}

/// The copies of one checkpoint.
pub struct Copying {
    owner: Owner,
    version: Version,
    /// Where the part comes from.
    pub sender: Sender,
    /// Where the record goes.
    pub seal: Seal,
    /// The application whose next number is being asked for, or made.
    naming: Option<u64>,
    totals: Option<Totals>,
    record: Option<Box<Record>>,
    report: Option<Report>,
    /// Bytes of the part that are on their way or there.
    sent: u64,
}

/// Whose files they are.
pub(super) fn owner(options: &Options) -> Owner {
    Owner {
        uid: options.uid,
        gid: options.gid,
        store: options.store,
    }
}

impl Copying {
    /// What the options ask for.
    pub(super) fn new(options: &Options) -> Option<Copying> {
        options.copies().then(|| Copying {
            owner: owner(options),
            version: Version {
                application: 0,
                number: 0,
            },
            sender: Sender::new(),
            seal: Seal::new(),
            naming: None,
            totals: None,
            record: None,
            report: None,
            sent: 0,
        })
    }

    /// Whose files they are.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Its number is being asked for, or is there.
    pub(super) fn is_naming(&mut self, application: Option<u64>) {
        self.naming = application;
    }

    /// Whether the next number of an application is being asked for.
    pub(super) fn names(&self, media: Media, application: u64) -> bool {
        Media::at(self.owner.store.as_bytes()) == media && self.naming == Some(application)
    }
}

impl World {
    fn copying(&mut self, at: At, op: OpId) -> Option<&mut Copying> {
        self.find_checkpoint(at, op)?.copying.as_mut()
    }

    /// Whether a checkpoint of `at` makes second copies.
    pub(super) fn has_copies(&mut self, at: At, op: OpId) -> bool {
        self.copying(at, op).is_some()
    }

    /// A checkpoint begins to write its part of a version.
    pub(super) fn begins_part(&mut self, at: At, op: OpId, version: Version) {
        let Some(copying) = self.copying(at, op) else {
            return;
        };
        copying.version = version;
        let media = Media::at(copying.owner.store.as_bytes());
        self.begin_stake(at, op, media, version);
    }

    /// It has ended.
    pub(super) fn ends_part(&mut self, at: At, op: OpId, committed: bool) {
        let copying = self.copying(at, op);
        if copying.is_none_or(|copying| copying.version.number == 0) {
            return;
        }
        if committed {
            self.stake(at, op, Stake::settled);
        }
        self.stake(at, op, Stake::end);
    }

    /// Has the commit record written: where there are copies, on the other nodes first.
    pub(super) fn commit(&mut self, at: At, op: OpId, report: Report) {
        let job = match self.copying(at, op) {
            Some(copying) => {
                copying.report = Some(report);
                Job::Record(report)
            }
            None => Job::Commit(report),
        };
        self.give(at, op, job);
    }

    /// Takes an event of the worker that copies have to follow; gives back any other.
    pub(super) fn copy_first(&mut self, at: At, op: OpId, event: Event) -> Option<Event> {
        let up = self.up_from(at.node);
        if let (Some(copying), Event::Opened(_) | Event::NotOpened(_)) =
            (self.copying(at, op), event)
        {
            copying.is_naming(None);
        }
        let (Some(copying), Event::Written(Some(totals))) = (self.copying(at, op), event) else {
            return Some(event);
        };
        copying.totals = Some(totals);
        let offer = Offer {
            version: copying.version,
            owner: copying.owner,
        };
        let partner = partner(at.node, &up);
        self.send_copy(at, op, SendEvent::Start { partner, offer })
    }

    /// Hands an event to the copy of the part; gives what the checkpoint has to hear.
    pub(super) fn send_copy(&mut self, at: At, op: OpId, event: SendEvent) -> Option<Event> {
        let mut effects = Vec::new();
        let copying = self.copying(at, op)?;
        let before = copying.sender;
        let sender = &mut copying.sender;
        let result = sender.step(event, &mut |effect| effects.push(effect));
        let after = *sender;
        let name = match event {
            SendEvent::Start { partner: None, .. } => "Start alone",
            SendEvent::Filled { last: true } => "Filled last",
            event => event.name(),
        };
        if before != after || !effects.is_empty() {
            let states = (before.state(), name, after.state());
            self.copy_step(at, op, Protocol::Sender, states);
        }
        if let Err(violation) = result {
            self.violated("copy sender", (violation.state, violation.event));
        }
        let mut heard = None;
        for effect in effects {
            match effect {
                SendEffect::Send { to, message } => self.send(at, to, Body::Copy(op, message)),
                SendEffect::Fill { to, chunks } => self.give(at, op, Job::Fill(to, chunks)),
                SendEffect::Done => {
                    self.check_twice(at, op);
                    let copying = self.copying(at, op)?;
                    heard = Some(Event::Written(copying.totals.take()));
                }
                SendEffect::Fail(why) => heard = Some(Event::HostFailed(why)),
            }
        }
        heard
    }

    /// What is reported to be durable twice is, unless the checkpoint has failed elsewhere: then
    /// the partner has removed what it had, and a node that slept reports it to nobody.
    fn check_twice(&mut self, at: At, op: OpId) {
        if self.spoiled.contains(&op) {
            return;
        }
        let media = self.media_of(at, op);
        let Some(version) = self.copying(at, op).map(|copying| copying.version) else {
            return;
        };
        if media.is_own() && self.holders(media, version, at.node).len() < 2 {
            let part = at.node.raw();
            let what = format!("part {part} of {version:?} is reported, and is not there twice");
            self.breaks("copies", what);
        }
    }

    /// Hands an event to the commit record's way; gives what the checkpoint has to hear.
    pub(super) fn seal(&mut self, at: At, op: OpId, event: SealEvent) -> Option<Event> {
        let mut effects = Vec::new();
        let copying = self.copying(at, op)?;
        let before = copying.seal;
        let seal = &mut copying.seal;
        seal.step(event, &mut |effect| effects.push(effect));
        let after = *seal;
        let report = copying.report;
        let name = match event {
            SealEvent::Start { to } if to.is_empty() => "Start alone",
            event => event.name(),
        };
        if before != after || !effects.is_empty() {
            let states = (before.state(), name, after.state());
            self.copy_step(at, op, Protocol::Seal, states);
        }
        let mut heard = None;
        for effect in effects {
            match (effect, report) {
                (SealEffect::Send { to }, _) => self.send_record(at, op, &to),
                (SealEffect::Done, Some(report)) => {
                    // Somebody may have it, or nobody.
                    let told = matches!(event, SealEvent::Recorded(_) | SealEvent::Start { .. });
                    if !told {
                        let media = self.media_of(at, op);
                        self.note_weak(media, &report);
                    }
                    self.give(at, op, Job::Commit(report));
                }
                (SealEffect::Done, None) => {}
                (SealEffect::Fail(why), _) => heard = Some(Event::NotCommitted(why)),
            }
        }
        heard
    }

    fn send_record(&mut self, at: At, op: OpId, to: &NodeSet) {
        let Some(record) = self
            .copying(at, op)
            .and_then(|copying| copying.record.take())
        else {
            return;
        };
        for node in to.iter() {
            self.send(at, node, Body::Copy(op, Message::Record(*record)));
        }
    }

    /// The worker has done something for the copies.
    pub(super) fn copied(&mut self, at: At, op: OpId, copied: Copied) {
        let heard = match copied {
            Copied::Filled { last } => self.send_copy(at, op, SendEvent::Filled { last }),
            Copied::NotFilled(why) => self.send_copy(at, op, SendEvent::Failed(why)),
            Copied::Record(record) => {
                let mut to = self.up_from(at.node);
                to.remove(at.node);
                if let Some(copying) = self.copying(at, op) {
                    copying.record = Some(record);
                }
                self.seal(at, op, SealEvent::Start { to })
            }
        };
        self.heard(at, op, heard);
    }

    /// A node said something about the copies of a checkpoint.
    pub(super) fn said(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        let heard = match message {
            Message::Recorded(_) => self.seal(at, op, SealEvent::Recorded(from)),
            Message::Unrecorded(said) => {
                self.seal(at, op, SealEvent::Unrecorded(from, said.failure))
            }
            Message::Located(located) => self.number(at, op, survey::Event::Located(from, located)),
            Message::NotLocated(said) => {
                self.number(at, op, survey::Event::NotLocated(from, said.failure))
            }
            _ => self.send_copy(at, op, SendEvent::Message { from, message }),
        };
        self.heard(at, op, heard);
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn copier_down(&mut self, at: At, op: OpId, node: NodeId) {
        let numbered = self.number(at, op, survey::Event::PeerDown(node));
        self.heard(at, op, numbered);
        let sent = self.send_copy(at, op, SendEvent::PeerDown(node));
        self.heard(at, op, sent);
        let sealed = self.seal(at, op, SealEvent::PeerDown(node));
        self.heard(at, op, sealed);
    }

    /// What the machines of the copies have to say to the checkpoint.
    fn heard(&mut self, at: At, op: OpId, event: Option<Event>) {
        if let Some(event) = event {
            self.step_checkpoint(at, op, event);
        }
    }

    /// Reads the part back and sends its next chunks.
    pub(super) fn fill(&mut self, at: At, op: OpId, to: NodeId, chunks: u32) -> Copied {
        let media = self.media_of(at, op);
        let epoch = self.node(at.node).epoch;
        let Some(copying) = self.copying(at, op) else {
            return Copied::NotFilled(Failure::new(FailureCode::Internal));
        };
        let (version, mut sent) = (copying.version, copying.sent);
        let key = (version.application, version.number);
        let folder = self.store(at.node, media).folders.get(&key);
        let file = folder.and_then(|folder| folder.parts.get(&at.node));
        let Some(image) = file.and_then(|file| file.content.clone()) else {
            return Copied::NotFilled(World::media_failed(at));
        };
        let all = image.bytes();
        for _ in 0..chunks {
            let bytes = CHUNK_BYTES.min(all - sent);
            if bytes == 0 {
                break;
            }
            let chunk = Chunk::new((at.node, epoch), op, (sent, bytes), image.clone());
            self.send_chunk(at, to, chunk);
            sent += bytes;
        }
        if let Some(copying) = self.copying(at, op) {
            copying.sent = sent;
        }
        Copied::Filled { last: sent == all }
    }

    /// The commit record as it goes to other nodes.
    pub(super) fn make_record(&mut self, at: At, op: OpId, report: &Report) -> Option<Copied> {
        let keep = self.plan.keep;
        let owner = self.copying(at, op)?.owner;
        self.note_sealed(at, op, report);
        Some(Copied::Record(Box::new(Record {
            owner,
            keep,
            bytes: Text::cut(&record(report)?),
        })))
    }
}
