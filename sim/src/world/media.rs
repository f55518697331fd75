// SPDX-License-Identifier: GPL-2.0
//! The store that all nodes share: folders, parts, commit records, and what a power cut leaves.
use super::image::{digest_of, PartImage};
use super::worker::{Job, Progress};
use super::World;
use crate::cost::Act;
use crate::event::At;
use crate::queue::Nanos;
use crate::random::Random;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::{Event as Happens, Found, Report, Totals, Version};
use ssi_core::failure::Failure;
use ssi_core::image::commit::{self, Commit, COMMIT_BYTES_MAX};
use ssi_core::node::{NodeId, OpId};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A file, as far as it has got.
#[derive(Clone, Debug)]
pub struct File<T> {
    /// Who writes it.
    pub by: At,
    /// What it holds; nothing while it is empty or torn.
    pub content: Option<T>,
    /// It survives a power cut of who writes it.
    pub durable: bool,
}

/// One version, or what is to become one.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// Parts by the node that wrote them.
    pub parts: BTreeMap<NodeId, File<Rc<PartImage>>>,
    /// The record under its temporary name.
    pub temporary: Option<File<Vec<u8>>>,
    /// The commit record: with it the version exists.
    pub commit: Option<File<Vec<u8>>>,
}

/// All versions of all applications.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// By application and number.
    pub folders: BTreeMap<(u64, u32), Folder>,
    /// Of each application, the highest number that was removed: none is used twice.
    removed: BTreeMap<u64, u32>,
}

impl Store {
    fn folder(&mut self, version: Version) -> Option<&mut Folder> {
        let key = (version.application, version.number);
        self.folders.get_mut(&key)
    }

    /// The commit record of a version that exists.
    pub fn committed(&self, application: u64, number: u32) -> Option<Commit> {
        let file = self.folders.get(&(application, number))?.commit.as_ref()?;
        let (commit, _) = commit::parse(file.content.as_ref()?, digest_of).ok()?;
        Some(commit)
    }

    /// The newest version of an application that exists.
    pub fn newest(&self, application: u64) -> Option<u32> {
        let mut versions = self
            .folders
            .range((application, 0)..=(application, u32::MAX));
        let newest = versions
            .rfind(|((application, number), _)| self.committed(*application, *number).is_some());
        newest.map(|((_, number), _)| *number)
    }

    fn open(&mut self, application: u64) -> u32 {
        let mut versions = self
            .folders
            .range((application, 0)..=(application, u32::MAX));
        let there = versions.next_back().map_or(0, |((_, number), _)| *number);
        let removed = self.removed.get(&application).copied().unwrap_or(0);
        let number = there.max(removed) + 1;
        self.folders
            .insert((application, number), Folder::default());
        number
    }

    /// Removes a version: its commit record first.
    pub fn remove(&mut self, version: Version) {
        let removed = self.removed.entry(version.application).or_default();
        *removed = version.number.max(*removed);
        self.folders.remove(&(version.application, version.number));
    }

    /// Removes a node's part, and the folder if nothing else is in it.
    pub fn remove_part(&mut self, version: Version, node: NodeId) {
        if let Some(folder) = self.folder(version) {
            folder.parts.remove(&node);
        }
    }

    /// A node loses power: each file of its that is not durable is whole, torn or lost.
    pub fn power_cut(&mut self, dead: At, random: &mut Random) {
        for folder in self.folders.values_mut() {
            folder.parts.retain(|_, file| keeps(file, dead, random));
            let tear = |slot: &mut Option<File<Vec<u8>>>, random: &mut Random| {
                if slot.as_mut().is_some_and(|file| !keeps(file, dead, random)) {
                    *slot = None;
                }
            };
            tear(&mut folder.temporary, random);
            let there = folder.commit.is_some();
            tear_name(&mut folder.commit, dead, random);
            if there && folder.commit.is_none() {
                folder.temporary = None;
            }
        }
    }
}

/// Whether anything is left of a file; what is left may be torn.
fn keeps<T>(file: &mut File<T>, dead: At, random: &mut Random) -> bool {
    if file.by != dead || file.durable {
        return true;
    }
    match random.below(3) {
        0 => false,
        1 => {
            file.content = None;
            true
        }
        _ => true,
    }
}

/// A file whose content is durable and whose new name may not be.
fn tear_name(slot: &mut Option<File<Vec<u8>>>, dead: At, random: &mut Random) {
    let lost = |file: &File<Vec<u8>>| file.by == dead && !file.durable;
    if slot.as_ref().is_some_and(lost) && random.once_in(2) {
        *slot = None;
    }
}

impl World {
    fn media_time(&mut self, at: At, act: Act) -> Nanos {
        self.slowly(at, act)
    }

    /// Makes the folder of the application's next version.
    pub(super) fn open_version(&mut self, at: At, found: Found) -> Happens {
        let node = self.node_mut(at.node);
        if node.full || node.act_fails() {
            return Happens::NotOpened(Failure::new(FailureCode::Media).on(at.node));
        }
        let application = match found.application {
            0 => self.new_application(found.head_root),
            known => known,
        };
        let number = self.store.open(application);
        self.touched.store = true;
        Happens::Opened(Version {
            application,
            number,
        })
    }

    /// A new application is named after its head root, unless the store knows another of that
    /// name.
    fn new_application(&self, head_root: u32) -> u64 {
        let taken = |id: &u64| self.store.folders.range((*id, 0)..=(*id, u32::MAX)).next();
        let names = (0..64).map(|try_| (try_ << 32) | u64::from(head_root));
        let mut free = names.filter(|id| taken(id).is_none());
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
        worker.share.written = Some(version);
        if self.node(at.node).full {
            let why = Failure::new(FailureCode::Media).on(at.node);
            return Progress::Told(Happens::HostFailed(why));
        }
        image.application = version.application;
        self.touched.store = true;
        let bytes = image.bytes();
        match number {
            0 => self.create_part(at, version, &group, bytes),
            1 => {
                if let Some(file) = self.part(version, at.node) {
                    file.content = Some(Rc::new(image));
                }
                Progress::After(self.media_time(at, Act::Sync { node: at.node }))
            }
            _ => {
                let digest = image.digest();
                match self.part(version, at.node) {
                    Some(file) => file.durable = true,
                    None => {
                        let why = Failure::new(FailureCode::Media).on(at.node);
                        return Progress::Told(Happens::HostFailed(why));
                    }
                }
                Progress::Told(Happens::Written(Some(Totals {
                    bytes,
                    digest,
                    pause_ns_max: 0,
                })))
            }
        }
    }

    fn part(&mut self, version: Version, node: NodeId) -> Option<&mut File<Rc<PartImage>>> {
        self.store.folder(version)?.parts.get_mut(&node)
    }

    fn create_part(&mut self, at: At, version: Version, group: &[u32], bytes: u64) -> Progress {
        for member in group {
            self.process_mut(*member).application = version.application;
        }
        let file = File {
            by: at,
            content: None,
            durable: false,
        };
        // The kernel makes the folder where it is missing.
        let key = (version.application, version.number);
        let folder = self.store.folders.entry(key).or_default();
        folder.parts.insert(at.node, file);
        let node = at.node;
        Progress::After(self.media_time(at, Act::Write { node, bytes }))
    }

    /// Writes the commit record: under another name, synced, renamed, the name synced.
    pub(super) fn write_commit(
        &mut self,
        at: At,
        op: OpId,
        report: &Report,
        number: u32,
    ) -> Progress {
        let sync = Act::Sync { node: at.node };
        let full = self.node(at.node).full;
        self.touched.store = true;
        let Some(folder) = self.store.folder(report.version) else {
            let why = Failure::new(FailureCode::Media).on(at.node);
            return self.fail(at, op, Job::Commit(*report), why);
        };
        match number {
            0 => {
                let content = record(report);
                let wrong = full || content.is_none();
                folder.temporary = Some(File {
                    by: at,
                    content,
                    durable: false,
                });
                if wrong {
                    let why = Failure::new(FailureCode::Media).on(at.node);
                    return self.fail(at, op, Job::Commit(*report), why);
                }
                Progress::After(self.media_time(at, sync))
            }
            1 => {
                folder.commit = folder.temporary.take();
                Progress::After(self.media_time(at, sync))
            }
            _ => {
                if let Some(commit) = folder.commit.as_mut() {
                    commit.durable = true;
                }
                self.commits.push((report.version, at));
                Progress::Told(Happens::Committed)
            }
        }
    }

    /// The record could not be written: takes back what can be; says whether nothing is visible.
    pub(super) fn undo_commit(&mut self, at: At, _op: OpId, report: &Report) -> bool {
        self.touched.store = true;
        let Some(folder) = self.store.folder(report.version) else {
            return true;
        };
        folder.temporary = None;
        match folder.commit.as_mut() {
            Some(commit) => {
                commit.durable = true;
                self.commits.push((report.version, at));
                false
            }
            None => true,
        }
    }
}

fn record(report: &Report) -> Option<Vec<u8>> {
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
