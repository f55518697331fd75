// SPDX-License-Identifier: GPL-2.0
//! A store: folders, parts, commit records, and what a power cut leaves of them.
use super::image::{digest_of, PartImage};
use crate::event::At;
use crate::random::Random;
use ssi_core::checkpoint::Version;
use ssi_core::image::commit::{self, Commit};
use ssi_core::node::{NodeId, NodeSet};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A file, as far as it has got.
#[derive(Clone, Debug)]
pub struct File<T> {
    /// Who writes it.
    pub by: At,
    /// It is there, and not only the folder that it goes to.
    pub begun: bool,
    /// What it holds; nothing while it is empty or torn.
    pub content: Option<T>,
    /// It survives a power cut of who writes it.
    pub durable: bool,
}

impl<T> File<T> {
    /// A file that `by` begins; nothing is in it.
    pub fn new(by: At) -> File<T> {
        File {
            by,
            begun: false,
            content: None,
            durable: false,
        }
    }
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
    /// Its name survives a power cut.
    pub durable: bool,
}

impl Folder {
    fn record(&self) -> Option<Commit> {
        let file = self.commit.as_ref()?;
        let (commit, _) = commit::parse(file.content.as_ref()?, digest_of).ok()?;
        Some(commit)
    }
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
    pub(super) fn folder(&mut self, version: Version) -> Option<&mut Folder> {
        let key = (version.application, version.number);
        self.folders.get_mut(&key)
    }

    /// The folder of a version, which is made where it is missing.
    pub(super) fn made(&mut self, version: Version) -> &mut Folder {
        let key = (version.application, version.number);
        self.folders.entry(key).or_default()
    }

    /// The commit record of a version that exists.
    pub fn committed(&self, application: u64, number: u32) -> Option<Commit> {
        self.folders.get(&(application, number))?.record()
    }

    fn numbers(&self, application: u64) -> impl DoubleEndedIterator<Item = (u32, &Folder)> {
        let all = (application, 0)..=(application, u32::MAX);
        let versions = self.folders.range(all);
        versions.map(|((_, number), folder)| (*number, folder))
    }

    /// The newest version of an application that exists.
    pub fn newest(&self, application: u64) -> Option<u32> {
        let mut versions = self.numbers(application);
        let newest = versions.rfind(|(_, folder)| folder.record().is_some());
        newest.map(|(number, _)| number)
    }

    /// The highest number that a version of the application has or had, 0: none.
    pub fn highest(&self, application: u64) -> u32 {
        let there = self.numbers(application).next_back();
        let removed = self.removed.get(&application).copied().unwrap_or(0);
        there.map_or(0, |(number, _)| number).max(removed)
    }

    /// Whether there is, or was, an application with this id.
    pub fn has_application(&self, application: u64) -> bool {
        self.highest(application) > 0
    }

    /// Makes the folder of the next version, above `above`.
    pub(super) fn open(&mut self, application: u64, above: u32) -> u32 {
        let number = self.highest(application).max(above) + 1;
        let key = (application, number);
        self.folders.insert(key, Folder::default());
        number
    }

    /// Removes a version: its commit record first.
    pub fn remove(&mut self, version: Version) {
        let removed = self.removed.entry(version.application).or_default();
        *removed = version.number.max(*removed);
        self.folders.remove(&(version.application, version.number));
    }

    /// Removes a node's part.
    pub fn remove_part(&mut self, version: Version, node: NodeId) {
        if let Some(folder) = self.folder(version) {
            folder.parts.remove(&node);
        }
    }

    /// Nodes whose parts of a version are here, unless another version has that number here;
    /// `None` where that cannot be read.
    pub(super) fn parts(&self, version: Version, digest: u64) -> Option<NodeSet> {
        let mut parts = NodeSet::EMPTY;
        let key = (version.application, version.number);
        let Some(folder) = self.folders.get(&key) else {
            return Some(parts);
        };
        if folder.commit.is_some() && folder.record()?.digest != digest {
            return Some(parts);
        }
        for (node, _) in folder.parts.iter().filter(|(_, file)| file.begun) {
            parts.insert(*node);
        }
        Some(parts)
    }

    /// Older versions than `version` that have a commit record, and that have none.
    pub(super) fn below(&self, version: Version) -> (Vec<u32>, Vec<u32>) {
        let older = self.numbers(version.application);
        let older = older.filter(|(number, _)| *number < version.number);
        let (whole, stale): (Vec<_>, Vec<_>) =
            older.partition(|(_, folder)| folder.commit.is_some());
        let numbers = |list: Vec<(u32, &Folder)>| list.iter().map(|(number, _)| *number).collect();
        (numbers(whole), numbers(stale))
    }

    /// A node loses power: each file of its that is not durable is whole, torn or lost.
    pub(super) fn power_cut(&mut self, dead: At, random: &mut Random) {
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

    /// The same, of a store of its own: names of folders, too, are lost.
    pub(super) fn power_cut_own(&mut self, dead: At, random: &mut Random) {
        self.power_cut(dead, random);
        self.folders.retain(|_, folder| {
            let empty = folder.parts.is_empty() && folder.commit.is_none();
            folder.durable || !empty || random.once_in(2)
        });
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
