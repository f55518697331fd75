// SPDX-License-Identifier: GPL-2.0
//! What is promised of versions with second copies: noted when they are sealed, for the checkers.
use super::image::PartImage;
use super::World;
use crate::event::At;
use crate::plan::Media;
use crate::queue::Nanos;
use ssi_core::checkpoint::{Report, Version};
use ssi_core::node::{NodeId, OpId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One part of a version when its commit record was made.
#[derive(Clone, Debug)]
pub struct SealedPart {
    /// What it held.
    pub image: Option<Rc<PartImage>>,
    /// On whose stores it was, durable; those whose power was cut later lose it in memory.
    pub holders: BTreeSet<NodeId>,
}

/// A version whose commit record was made, and goes to all nodes.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Where.
    pub media: Media,
    /// Which.
    pub version: Version,
    /// In its record.
    pub digest: u64,
    /// Its parts.
    pub parts: BTreeMap<NodeId, SealedPart>,
    /// On whose stores its record has been, durable; without those that lost their memory.
    pub recorded: BTreeSet<NodeId>,
    /// Some node has, or had, its record.
    pub exists: bool,
    /// Since then.
    pub since: Nanos,
    /// Whether anybody but the root has the record is not known, or the root has it not.
    pub weak: bool,
}

impl World {
    /// Nodes on whose stores a part is, durable and whole.
    pub(super) fn holders(&self, media: Media, of: Version, part: NodeId) -> BTreeSet<NodeId> {
        let key = (of.application, of.number);
        let holds = |node: &&super::Node| {
            let folder = self.store(node.at.node, media).folders.get(&key);
            let file = folder.and_then(|folder| folder.parts.get(&part));
            file.is_some_and(|file| file.durable && file.content.is_some())
        };
        let nodes = self.nodes.iter().filter(holds);
        nodes.map(|node| node.at.node).collect()
    }

    /// The commit record of a version is made: all its parts must be durable, twice.
    pub(super) fn note_sealed(&mut self, at: At, op: OpId, report: &Report) {
        let (media, version) = (self.media_of(at, op), report.version);
        let key = (version.application, version.number);
        let mut parts = BTreeMap::new();
        for part in report.nodes.iter() {
            let holders = self.holders(media, version, part);
            let first = holders.first().map(|node| self.store(*node, media));
            let file = first.and_then(|store| store.folders.get(&key)?.parts.get(&part));
            let image = file.and_then(|file| file.content.clone());
            parts.insert(part, SealedPart { image, holders });
        }
        let made = self.calls.iter().find(|call| call.op == Some(op));
        self.sealed.push(Sealed {
            media,
            version,
            digest: report.totals.digest,
            parts,
            recorded: BTreeSet::new(),
            exists: false,
            since: made.map_or(0, |call| call.made_at),
            weak: false,
        });
        self.touched.store = true;
    }

    /// A node has a commit record of a version, and will have it.
    pub(super) fn note_recorded(&mut self, node: NodeId, media: Media, version: Version) {
        let store = self.store(node, media);
        let Some(commit) = store.committed(version.application, version.number) else {
            return;
        };
        let is = |sealed: &&mut Sealed| {
            (sealed.media, sealed.version, sealed.digest) == (media, version, commit.digest)
        };
        if let Some(sealed) = self.sealed.iter_mut().find(is) {
            sealed.recorded.insert(node);
            sealed.exists = true;
        }
    }

    /// It is not known that two nodes have the record of a version.
    pub(super) fn note_weak(&mut self, media: Media, report: &Report) {
        let (version, digest) = (report.version, report.totals.digest);
        for sealed in &mut self.sealed {
            let is = (sealed.media, sealed.version, sealed.digest) == (media, version, digest);
            sealed.weak |= is;
        }
    }

    /// A node's memory is lost with all that was in it.
    pub(super) fn note_lost_memory(&mut self, node: NodeId) {
        let in_memory = self.sealed.iter_mut();
        for sealed in in_memory.filter(|sealed| sealed.media == Media::Memory) {
            sealed.recorded.remove(&node);
            for part in sealed.parts.values_mut() {
                part.holders.remove(&node);
            }
        }
    }

    /// The root has written its own record.
    pub(super) fn committed(&mut self, at: At, op: OpId, report: &Report) {
        if self.has_copies(at, op) {
            let (media, keep) = (self.media_of(at, op), self.plan.keep);
            self.let_go_below(at, media, report.version, keep);
            self.check_recorded(media, report);
        }
    }

    /// What is reported to be committed has its record on two nodes, where the root knows that.
    fn check_recorded(&mut self, media: Media, report: &Report) {
        let its = |sealed: &&Sealed| {
            (sealed.media, sealed.version, sealed.digest)
                == (media, report.version, report.totals.digest)
        };
        let Some(sealed) = self.sealed.iter().find(its) else {
            return;
        };
        let lost = self.crashes.iter().filter(|(at, _)| *at >= sealed.since);
        let lost = if media == Media::Memory {
            lost.count()
        } else {
            0
        };
        if !sealed.weak && media.is_own() && sealed.recorded.len() + lost < 2 {
            let nodes = &sealed.recorded;
            let what = format!(
                "{:?} in {media:?} has its record on {nodes:?}",
                sealed.version
            );
            self.breaks("copies", what);
        }
    }
}
