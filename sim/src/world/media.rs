// SPDX-License-Identifier: GPL-2.0
//! What a checkpoint leaves on the media: the version's folder, this node's part, the record.
use super::image::{digest_of, PartImage};
use super::store::{File, Store};
use super::worker::{Job, Progress};
use super::World;
use crate::cost::Act;
use crate::event::At;
use crate::plan::Media;
use crate::queue::Nanos;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::{Event as Happens, Found, Report, Totals, Version};
use ssi_core::failure::Failure;
use ssi_core::image::commit::{self, Commit, COMMIT_BYTES_MAX};
use ssi_core::node::{NodeId, OpId};
use std::rc::Rc;

/// How far a commit record is that is being written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// The next step comes after a sync.
    Syncs,
    /// It is durable.
    Durable,
}

impl World {
    /// A store as a node sees it.
    pub fn store(&self, node: NodeId, media: Media) -> &Store {
        match media {
            Media::Shared => &self.shared,
            Media::Disk => &self.node(node).disk,
            Media::Memory => &self.node(node).memory,
        }
    }

    pub(super) fn store_mut(&mut self, node: NodeId, media: Media) -> &mut Store {
        self.touched.store = true;
        match media {
            Media::Shared => &mut self.shared,
            Media::Disk => &mut self.node_mut(node).disk,
            Media::Memory => &mut self.node_mut(node).memory,
        }
    }

    /// The store that an operation of `at` writes to.
    pub(super) fn media_of(&self, at: At, op: OpId) -> Media {
        let options = self.options_of(at, op);
        options.map_or(Media::Shared, |found| Media::at(found.store.as_bytes()))
    }

    pub(super) fn media_time(&mut self, at: At, act: Act) -> Nanos {
        self.slowly(at, act)
    }

    pub(super) fn media_failed(at: At) -> Failure {
        Failure::new(FailureCode::Media).on(at.node)
    }

    /// Makes the folder of the application's next version. Some store has or had one with the
    /// number `newest`, of this application or of a namesake.
    pub(super) fn open_version(&mut self, at: At, op: OpId, found: Found, newest: u32) -> Happens {
        let media = self.media_of(at, op);
        let node = self.node_mut(at.node);
        if node.full || node.act_fails() {
            return Happens::NotOpened(World::media_failed(at));
        }
        let (application, above) = match (found.application, newest) {
            (0, 0) => (self.new_application(at.node, media, found.head_root), 0),
            (0, _) => {
                let name = 1 + self.random.below(1 << 20);
                ((name << 32) | u64::from(found.head_root), 0)
            }
            (known, newest) => (known, newest),
        };
        let number = self.store_mut(at.node, media).open(application, above);
        Happens::Opened(Version {
            application,
            number,
        })
    }

    /// A new application is named after its head root, unless the store knows another of that
    /// name.
    fn new_application(&self, node: NodeId, media: Media, head_root: u32) -> u64 {
        let store = self.store(node, media);
        let names = (0..64).map(|try_| (try_ << 32) | u64::from(head_root));
        let mut free = names.filter(|id| !store.has_application(*id));
        free.next().unwrap_or(u64::from(head_root))
    }

    /// Writes this node's part and makes it durable: created, written, synced.
    pub(super) fn write_part(
        &mut self,
        at: At,
        op: OpId,
        version: Version,
        number: u32,
    ) -> Progress {
        let media = self.media_of(at, op);
        let Some(worker) = self.worker(at, op) else {
            return Progress::Silent;
        };
        let Some(mut image) = worker.share.image.clone() else {
            return Progress::Told(Happens::Written(None));
        };
        if image.processes.is_empty() {
            return Progress::Told(Happens::Written(None));
        }
        let group = worker.share.group.clone();
        if self.node(at.node).full {
            return Progress::Told(Happens::HostFailed(World::media_failed(at)));
        }
        image.application = version.application;
        let bytes = image.bytes();
        match number {
            0 => self.create_part(at, op, version, (&group, bytes)),
            1 => {
                if let Some(file) = self.part(at, media, version) {
                    file.content = Some(Rc::new(image));
                }
                Progress::After(self.media_time(at, Act::Sync { node: at.node }))
            }
            _ => {
                let digest = image.digest();
                match self.part(at, media, version) {
                    Some(file) => file.durable = true,
                    None => {
                        return Progress::Told(Happens::HostFailed(World::media_failed(at)));
                    }
                }
                self.store_mut(at.node, media).made(version).durable = true;
                Progress::Told(Happens::Written(Some(Totals {
                    bytes,
                    digest,
                    pause_ns_max: 0,
                })))
            }
        }
    }

    fn part(&mut self, at: At, media: Media, of: Version) -> Option<&mut File<Rc<PartImage>>> {
        let folder = self.store_mut(at.node, media).folder(of)?;
        folder.parts.get_mut(&at.node)
    }

    fn create_part(
        &mut self,
        at: At,
        op: OpId,
        version: Version,
        (group, bytes): (&[u32], u64),
    ) -> Progress {
        let media = self.media_of(at, op);
        for member in group {
            self.process_mut(*member).application = version.application;
        }
        // The kernel makes the folder of the version where it is missing; that of the part must
        // not be there.
        let folder = self.store_mut(at.node, media).made(version);
        if folder.parts.contains_key(&at.node) {
            return Progress::Told(Happens::HostFailed(World::media_failed(at)));
        }
        let mut file = File::new(at);
        file.begun = true;
        folder.parts.insert(at.node, file);
        if let Some(worker) = self.worker(at, op) {
            worker.share.written = Some(version);
        }
        let node = at.node;
        Progress::After(self.media_time(at, Act::Write { node, bytes }))
    }

    /// A step of writing a commit record: under another name, synced, renamed, the name synced.
    /// The folder of the version must be there.
    pub(super) fn write_record(
        &mut self,
        at: At,
        media: Media,
        version: Version,
        (number, content): (u32, Option<Vec<u8>>),
    ) -> Result<Written, Failure> {
        let full = self.node(at.node).full;
        let Some(folder) = self.store_mut(at.node, media).folder(version) else {
            return Err(World::media_failed(at));
        };
        match number {
            0 => {
                let wrong = full || content.is_none();
                let mut file = File::new(at);
                file.begun = true;
                file.content = content;
                folder.temporary = Some(file);
                match wrong {
                    true => Err(World::media_failed(at)),
                    false => Ok(Written::Syncs),
                }
            }
            1 => {
                folder.commit = folder.temporary.take();
                Ok(Written::Syncs)
            }
            _ => {
                if let Some(commit) = folder.commit.as_mut() {
                    commit.durable = true;
                }
                folder.durable = true;
                self.note_recorded(at.node, media, version);
                Ok(Written::Durable)
            }
        }
    }

    /// Writes the commit record of a version.
    pub(super) fn write_commit(
        &mut self,
        at: At,
        op: OpId,
        report: &Report,
        number: u32,
    ) -> Progress {
        let media = self.media_of(at, op);
        let content = record(report);
        match self.write_record(at, media, report.version, (number, content)) {
            Ok(Written::Syncs) => Progress::After(self.media_time(at, Act::Sync { node: at.node })),
            Ok(Written::Durable) => {
                self.commits.push((media, report.version, at));
                self.committed(at, op, report);
                Progress::Told(Happens::Committed)
            }
            Err(why) => self.fail(at, op, Job::Commit(*report), why),
        }
    }

    /// The record could not be written: takes back what can be; says whether nothing is visible.
    pub(super) fn undo_commit(&mut self, at: At, op: OpId, report: &Report) -> bool {
        let media = self.media_of(at, op);
        let gone = self.undo_record(at, media, report.version);
        // Where other nodes have it, it is there whatever becomes of this one.
        let stays = media.is_own() && self.has_copies(at, op);
        if stays && gone {
            self.note_weak(media, report);
        }
        if !gone || stays {
            self.commits.push((media, report.version, at));
            self.committed(at, op, report);
        }
        gone && !stays
    }

    /// Removes the folder of a version that was never committed.
    pub(super) fn remove_version(&mut self, at: At, op: OpId, version: Version) {
        let media = self.media_of(at, op);
        self.store_mut(at.node, media).remove(version);
    }

    /// Takes back a record that could not be written, unless it is visible.
    pub(super) fn undo_record(&mut self, at: At, media: Media, version: Version) -> bool {
        let Some(folder) = self.store_mut(at.node, media).folder(version) else {
            return true;
        };
        folder.temporary = None;
        if let Some(commit) = folder.commit.as_mut() {
            commit.durable = true;
            self.note_recorded(at.node, media, version);
            return false;
        }
        true
    }
}

/// The commit record of a version, as it stands in its file.
pub(super) fn record(report: &Report) -> Option<Vec<u8>> {
    let record = Commit {
        application: report.version.application,
        version: report.version.number,
        pid: 0,
        date: 0,
        nodes: report.nodes,
        processes: report.counts.processes,
        threads: report.counts.threads,
        streams: report.counts.streams,
        uid: 1000,
        stream_bytes: report.counts.stream_bytes,
        bytes: report.totals.bytes,
        digest: report.totals.digest,
        description_len: 0,
        reserved: 0,
    };
    let mut bytes = [0; COMMIT_BYTES_MAX];
    let len = commit::emit(&record, "", digest_of, &mut bytes).ok()?;
    Some(bytes[..len].to_vec())
}
