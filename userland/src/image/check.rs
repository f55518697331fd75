// SPDX-License-Identifier: GPL-2.0
//! Checks a whole version: every record, every digest, every page, every sum.
use super::memory::{Memory, Pages};
use super::part::{Part, Record};
use super::{damaged, record, unreadable, words, Committed, Name};
use crate::exit::{Exit, Fault};
use serde::Serialize;
use ssi_core::codec::Field;
use ssi_core::image::commit::Commit;
use ssi_core::image::frame::Kind;
use ssi_core::image::part::{ImageError, PartHead, PartTail};
use ssi_core::image::process::{self, Process};
use ssi_core::image::tree;
use ssi_core::node::NodeId;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use xxhash_rust::xxh64::xxh64;

/// What a version that passed all checks amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Application id.
    pub application: u64,
    /// Version.
    pub version: u32,
    /// Nodes that wrote parts.
    pub nodes: u32,
    /// Processes.
    pub processes: u32,
    /// Records of all parts.
    pub records: u64,
    /// Pages of all page files.
    pub pages: u64,
    /// Bytes of all parts and page files.
    pub bytes: u64,
}

/// A version under examination: it takes file after file, the part of a node before its pages.
#[derive(Default)]
pub struct Check {
    committed: Option<Committed>,
    nodes: BTreeMap<u32, Node>,
}

/// What is known of one node's files.
struct Node {
    head: PartHead,
    tail: PartTail,
    /// Bytes of the part file.
    bytes: u64,
    processes: u32,
    memory: Memory,
    /// Page files that have not come yet.
    missing: Vec<Name>,
    pages: u64,
}

/// Checks the version in `folder`.
pub fn folder(folder: &Path) -> Result<Sums, Fault> {
    Committed::of_folder(folder)?;
    let names = Name::all(folder).map_err(|error| unreadable(&folder.display(), &error))?;
    let mut check = Check::default();
    for name in names {
        let path = folder.join(name.to_string());
        let file = File::open(&path).map_err(|error| unreadable(&path.display(), &error))?;
        check.file(
            name,
            BufReader::with_capacity(1 << 20, file),
            &path.display(),
        )?;
    }
    check.done(&folder.display())
}

impl Check {
    /// Checks one file, called `shown`, from its first byte to its last.
    pub fn file(&mut self, name: Name, from: impl Read, shown: &dyn Display) -> Result<(), Fault> {
        match name {
            Name::Commit => {
                let mut from = from;
                self.committed = Some(Committed::read(&mut from, shown)?);
                Ok(())
            }
            Name::Part(node) => {
                let read = Node::read(node, from, shown)?;
                match self.nodes.insert(node.raw(), read) {
                    None => Ok(()),
                    Some(_) => Err(damaged(shown, 0, &"it is there twice")),
                }
            }
            Name::Space(node, _) | Name::Shared(node, _) => {
                let known = self.nodes.get_mut(&node.raw());
                let known = known.ok_or_else(|| damaged(shown, 0, &"pages without their part"))?;
                known.page_file(&name, from, shown)
            }
        }
    }

    /// Checks that all files came, and the sums of the version called `shown`.
    pub fn done(&self, shown: &dyn Display) -> Result<Sums, Fault> {
        let wrong = |why: String| Fault::new(Exit::Damaged, format!("{shown}: {why}"));
        let Some(Committed { commit, .. }) = &self.committed else {
            return Err(wrong("the commit record is missing".into()));
        };
        self.complete(commit).map_err(wrong)?;
        Ok(Sums {
            application: commit.application,
            version: commit.version,
            nodes: commit.nodes.len(),
            processes: commit.processes,
            records: self.sum(|node| node.tail.frames.saturating_add(1)),
            pages: self.sum(|node| node.pages),
            bytes: commit.bytes,
        })
    }

    fn sum(&self, of: impl Fn(&Node) -> u64) -> u64 {
        self.nodes.values().map(of).fold(0, u64::saturating_add)
    }

    fn complete(&self, commit: &Commit) -> Result<(), String> {
        for node in commit.nodes.iter() {
            let number = node.raw();
            let Some(known) = self.nodes.get(&number) else {
                return Err(format!("node-{number}/part is missing"));
            };
            if let Some(name) = known.missing.first() {
                return Err(format!("{name} is missing"));
            }
            if (known.head.application, known.head.version) != (commit.application, commit.version)
            {
                return Err(format!("node-{number}/part is of another version"));
            }
        }
        let digests = self.nodes.values().map(|node| node.tail.digest);
        let bytes = |node: &Node| node.bytes.saturating_add(node.memory.bytes());
        let sums = [
            ("nodes", self.nodes.len() as u64, commit.nodes.len().into()),
            ("bytes", self.sum(bytes), commit.bytes),
            (
                "processes",
                self.sum(|node| node.processes.into()),
                commit.processes.into(),
            ),
            (
                "threads",
                self.sum(|node| node.tail.threads.into()),
                commit.threads.into(),
            ),
            ("digest", digests.fold(0, u64::wrapping_add), commit.digest),
        ];
        match sums.iter().find(|(_, found, said)| found != said) {
            None => Ok(()),
            Some((what, found, said)) => Err(format!(
                "the commit record says {what} {said}, the parts sum up to {found}"
            )),
        }
    }
}

impl Node {
    fn read(number: NodeId, from: impl Read, shown: &dyn Display) -> Result<Node, Fault> {
        let mut part = Part::new(from, shown);
        let mut memory = Memory::default();
        let mut processes = Vec::new();
        let mut head = None;
        while let Some(record) = part.read()? {
            let wrong = |why| part.wrong(record.at, why);
            if record.header.kind == Some(Kind::PartHead) {
                head = PartHead::take(&record.payload).ok();
            }
            note(&record, &mut memory, &mut processes).map_err(wrong)?;
        }
        let end = part.pos();
        let wrong = |why| part.wrong(end, why);
        // The first record is the head, and the last one the tail, or `read` would have failed.
        let (Some(head), Some(tail)) = (head, part.tail().copied()) else {
            return Err(wrong(ImageError::Order));
        };
        if head.node != number.raw() {
            return Err(damaged(
                shown,
                0,
                &format!("it is the part of node {}", head.node),
            ));
        }
        memory.done().map_err(wrong)?;
        if tail.page_bytes != memory.bytes() {
            return Err(wrong(ImageError::Length));
        }
        processes.sort_by_key(|process: &Process| process.pid);
        tree::check(&processes, &mut vec![0; processes.len()]).map_err(wrong)?;
        Ok(Node {
            head,
            tail,
            bytes: end,
            // CAST: at most PROCESSES_MAX, as the tree was checked.
            processes: processes.len() as u32,
            missing: memory.files(number),
            memory,
            pages: 0,
        })
    }

    fn page_file(
        &mut self,
        name: &Name,
        from: impl Read,
        shown: &dyn Display,
    ) -> Result<(), Fault> {
        let at = self.missing.iter().position(|missing| missing == name);
        let (Some(at), Some(pages)) = (at, self.memory.pages(name)) else {
            return Err(damaged(shown, 0, &"no part knows of this file"));
        };
        self.pages = self.pages.saturating_add(check_pages(pages, from, shown)?);
        self.missing.remove(at);
        Ok(())
    }
}

/// Checks a record, and keeps of it what later checks need.
fn note(
    record: &Record,
    memory: &mut Memory,
    processes: &mut Vec<Process>,
) -> Result<(), ImageError> {
    let Some(kind) = record.header.kind else {
        return Ok(());
    };
    record::said(kind, &record.payload)?;
    if kind == Kind::Process {
        processes.push(process::parse(&record.payload)?);
    }
    memory.add(kind, record.header.frame.subject, &record.payload)
}

/// Compares every run of pages with its digest; returns how many pages there are.
fn check_pages(pages: &Pages, from: impl Read, shown: &dyn Display) -> Result<u64, Fault> {
    let mut from = from;
    let (mut pos, mut count) = (0_u64, 0_u64);
    let mut bytes = Vec::new();
    for run in &pages.runs {
        bytes.resize(run.bytes() as usize, 0);
        from.read_exact(&mut bytes)
            .map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => damaged(shown, pos, &words(ImageError::Length)),
                _ => unreadable(shown, &error),
            })?;
        if xxh64(&bytes, 0) != run.digest {
            let why = format!(
                "the {} pages of address {:#x} are not what they were",
                run.pages, run.address
            );
            return Err(damaged(shown, pos, &why));
        }
        pos = pos.saturating_add(run.bytes());
        count = count.saturating_add(run.pages.into());
    }
    match from.read(&mut [0]) {
        Ok(0) => Ok(count),
        Ok(_) => Err(damaged(shown, pos, &words(ImageError::Length))),
        Err(error) => Err(unreadable(shown, &error)),
    }
}
