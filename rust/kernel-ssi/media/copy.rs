// SPDX-License-Identifier: GPL-2.0
//! Second copies in the store: a part file by file, who has which, commit records of other nodes.

use core::fmt;
use kernel::prelude::*;
use ssi_core::checkpoint::Version;
use ssi_core::node::{NodeId, NodeSet};
use ssi_core::sort;
use ssi_core::wire::bulk::FileName;

use super::frames::FrameReader;
use super::{number, visit, Folder, PageFile, Store};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::fsio::{self, Entry, Open};

/// Whether a version is being made on this node.
pub type IsMade<'a> = &'a dyn Fn(Version) -> bool;

/// A file's name in the folder of its part.
struct Named(FileName);

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FileName::Part => out.write_str("part"),
            FileName::Memory(number) => write!(out, "mm-{number}"),
            FileName::Shared(number) => write!(out, "shm-{number}"),
        }
    }
}

/// The file with this name, if a part can have it.
fn file_name(name: &[u8]) -> Option<FileName> {
    if name == b"part" {
        return Some(FileName::Part);
    }
    let memory = number(name, b"mm-").map(FileName::Memory);
    memory.or_else(|| number(name, b"shm-").map(FileName::Shared))
}

impl Folder {
    /// The files of the part.
    pub fn files(&self) -> Outcome<KVec<FileName>> {
        let mut files = KVec::new();
        visit(&self.path, &self.creds, &mut |name, entry| {
            if let (Some(name), Entry::Other | Entry::Unknown) = (file_name(name), entry) {
                files.push(name, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        Ok(files)
    }

    /// Opens a file of the part, to read it as it is.
    pub fn open_file(&self, name: FileName) -> Outcome<PageFile> {
        self.open(format_args!("{}", Named(name)), Open::Read)
    }

    /// Makes a file of the part.
    pub fn create_file(&self, name: FileName) -> Outcome<PageFile> {
        self.open(format_args!("{}", Named(name)), Open::Create)
    }
}

impl Store {
    /// Makes the folder for the copy of a part that another node wrote.
    pub fn create_copy(&self, version: Version, node: NodeId) -> Outcome<Folder> {
        let (application, number) = (version.application, version.number);
        self.make_all(&self.version(application, number)?)?;
        let folder = self.part(application, number, node)?;
        match fsio::make_folder(folder.path.as_cstr()?, &self.creds) {
            Ok(()) => Ok(folder),
            Err(error) if error == EEXIST => Err(Failure::new(FailureCode::BadArgument)
                .errno(error)
                .text(format_args!(
                    "second copies need a store on each node, and this one is shared, or has it"
                ))),
            Err(error) => Err(folder.path.failed(error)),
        }
    }

    /// `version` is committed: removes what is left of older ones that never were, and those that
    /// are more than `keep` together with it, the oldest first; 0 keeps all. What there is of one
    /// that `is_made` is not left over: it may still be committed.
    pub fn let_go_below(&self, version: Version, keep: u32, is_made: IsMade<'_>) {
        // The new version is there, whatever becomes of the old ones.
        if self.try_let_go_below(version, keep, is_made).is_err() {
            pr_warn!("older versions could not be removed\n");
        }
    }

    fn try_let_go_below(&self, version: Version, keep: u32, is_made: IsMade<'_>) -> Outcome {
        let mut older = self.below(version)?;
        sort::by_key(&mut older, |number| *number);
        let (mut stale, mut whole) = (KVec::new(), KVec::new());
        for number in &older {
            match self.read_commit(version.application, *number) {
                Ok(_) => whole.push(*number, GFP_KERNEL)?,
                Err(why) if why.code() == FailureCode::NoSuchVersion => {
                    stale.push(*number, GFP_KERNEL)?;
                }
                Err(_) => {}
            }
        }
        let surplus = match keep {
            0 => 0,
            keep => (whole.len() + 1).saturating_sub(keep as usize),
        };
        let is_left = |number: &&u32| {
            !is_made(Version {
                number: **number,
                ..version
            })
        };
        let left = stale.iter().filter(is_left);
        for number in Iterator::chain(left, whole.iter().take(surplus)) {
            self.remove_version(version.application, *number)?;
        }
        Ok(())
    }

    /// Numbers below that of `version` that have a folder.
    fn below(&self, version: Version) -> Outcome<KVec<u32>> {
        let mut below = KVec::new();
        let folder = self.path.join(format_args!("{}", version.application))?;
        visit(&folder, &self.creds, &mut |name, entry| {
            let older = number(name, b"v").filter(|number| *number < version.number);
            if let (Some(number), Entry::Folder | Entry::Unknown) = (older, entry) {
                below.push(number, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        Ok(below)
    }

    /// Nodes whose parts of the version are here. Where this node has a commit record of another
    /// version of that number, with another digest, the parts do not count.
    pub fn parts(&self, version: Version, digest: u64) -> Outcome<NodeSet> {
        let (application, number) = (version.application, version.number);
        match self.read_commit(application, number) {
            Ok(record) if record.digest != digest => return Ok(NodeSet::EMPTY),
            Err(why) if why.code() != FailureCode::NoSuchVersion => return Err(why),
            Ok(_) | Err(_) => {}
        }
        let mut parts = NodeSet::EMPTY;
        let version = self.version(application, number)?;
        for node in self.part_folders(&version)?.iter() {
            let folder = self.part(application, number, node)?;
            let counts = match FrameReader::open(&folder) {
                Ok(part) => part.is_of(application, number, node),
                // What is damaged is here: the restart says what is wrong with it.
                Err(_) => folder.files()?.contains(&FileName::Part),
            };
            if counts {
                parts.insert(node);
            }
        }
        Ok(parts)
    }

    /// The highest number that a version of the application has or had here, 0: none.
    pub fn newest(&self, application: u64) -> Outcome<u32> {
        self.highest_version(&self.path.join(format_args!("{application}"))?)
    }
}

impl FrameReader {
    pub(super) fn is_of(&self, application: u64, version: u32, node: NodeId) -> bool {
        let head = self.head();
        (head.application, head.version, head.node) == (application, version, node.raw())
    }
}
