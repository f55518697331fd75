// SPDX-License-Identifier: GPL-2.0
//! Second copies in the store: a part file by file, who has which, commit records of other nodes.

use core::fmt;
use kernel::prelude::*;
use ssi_core::checkpoint::Version;
use ssi_core::image::commit;
use ssi_core::node::{NodeId, NodeSet};
use ssi_core::wire::bulk::FileName;

use super::frames::FrameReader;
use super::{number, visit, Folder, PageFile, Store};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::fsio::{self, Entry, Open};

/// Versions without a commit record that are removed when a newer one is committed.
const STALE_MAX: usize = 64;

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
            if let (Some(name), Entry::Other) = (file_name(name), entry) {
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

    /// Writes the commit record that the root of a checkpoint sent, and removes what is left of
    /// older versions that were never committed.
    pub fn write_record(&self, bytes: &[u8]) -> Outcome {
        let (record, description) = commit::parse(bytes, fsio::digest).map_err(|what| {
            Failure::new(FailureCode::Damaged).text(format_args!("commit record: {what:?}"))
        })?;
        self.make_all(&self.version(record.application, record.version)?)?;
        self.write_commit(&record, description)?;
        for stale in &self.stale(record.application, record.version)? {
            self.remove_version(record.application, *stale)?;
        }
        Ok(())
    }

    /// Takes a commit record back that no other node has.
    pub fn remove_record(&self, version: Version) -> Outcome {
        let folder = self.version(version.application, version.number)?;
        super::remove_if_there(&folder.join(format_args!("commit"))?, &self.creds)?;
        super::sync_up(&folder, folder.bytes().len(), &self.creds)
    }

    /// Versions below `version` without a commit record.
    fn stale(&self, application: u64, version: u32) -> Outcome<KVec<u32>> {
        let mut stale = KVec::new();
        let folder = self.path.join(format_args!("{application}"))?;
        visit(&folder, &self.creds, &mut |name, entry| {
            let below = number(name, b"v").filter(|number| *number < version);
            if let (Some(number), Entry::Folder) = (below, entry) {
                if stale.len() < STALE_MAX {
                    stale.push(number, GFP_KERNEL)?;
                }
            }
            Ok(())
        })?;
        let mut removable = KVec::new();
        for number in &stale {
            match self.read_commit(application, *number) {
                Err(why) if why.code() == FailureCode::NoSuchVersion => {
                    removable.push(*number, GFP_KERNEL)?;
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(removable)
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
        let mut there = NodeSet::EMPTY;
        let folder = self.version(application, number)?;
        visit(&folder, &self.creds, &mut |name, entry| {
            if let (Some(node), Entry::Folder) = (super::number(name, b"node-"), entry) {
                if let Some(node) = NodeId::new(node) {
                    there.insert(node);
                }
            }
            Ok(())
        })?;
        let mut parts = NodeSet::EMPTY;
        for node in there.iter() {
            let folder = self.part(application, number, node)?;
            let counts = match FrameReader::open(&folder) {
                Ok(part) => part.is_of(application, number, node),
                // What is damaged is here: the restart says what is wrong with it.
                Err(_) => folder.files()?.iter().any(|name| *name == FileName::Part),
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
    fn is_of(&self, application: u64, version: u32, node: NodeId) -> bool {
        let head = self.head();
        (head.application, head.version, head.node) == (application, version, node.raw())
    }
}
