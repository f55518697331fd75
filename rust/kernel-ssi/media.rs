// SPDX-License-Identifier: GPL-2.0
//! The store: folders of versions and parts, their names, and how they become durable.
//!
//! `<store>/<application>/v<version>/commit` and `…/node-<n>/{part,mm-<k>,shm-<k>}`. Paths are
//! absolute and resolved from the root of the task that uses them; rights are those of the
//! credentials that the store was opened with.

use core::fmt;
use kernel::prelude::*;
use ssi_core::image::part::ImageError;
use ssi_core::node::{NodeId, NodeSet};

use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::fsio::{self, Creds, Entry, File, Open};

mod copy;
mod flush;
mod frames;
mod path;
mod record;
pub use frames::{FrameReader, FrameWriter};
use path::Path;
pub use record::{version_in, Bytes as RecordBytes};

/// Most entries of one folder that are looked at.
const ENTRIES_MAX: u32 = 1 << 16;

/// Starts the name of the mark that a removed version leaves.
const RETIRED: &[u8] = b".v";

/// How often the next version number is tried when somebody else takes it.
const VERSION_TRIES: u32 = 64;

/// Where checkpoints are kept, and with whose rights.
pub struct Store {
    path: Path,
    creds: Creds,
}

impl Store {
    /// The store at `path`, which must be absolute.
    pub fn new(path: &[u8], creds: Creds) -> Outcome<Store> {
        let mut path = path;
        while path.len() > 1 && path.last() == Some(&b'/') {
            path = &path[..path.len() - 1];
        }
        Ok(Store {
            path: Path::new(path)?,
            creds,
        })
    }

    /// Whether there is, or was, an application with this id.
    pub fn has_application(&self, application: u64) -> Outcome<bool> {
        let folder = self.path.join(format_args!("{application}"))?;
        match File::open(folder.as_cstr()?, Open::Folder, &self.creds) {
            Ok(_) => Ok(true),
            Err(error) if error == ENOENT => Ok(false),
            Err(error) => Err(folder.failed(error)),
        }
    }

    /// Makes the folder of the next version of the application and returns its number: one more
    /// than the highest there is, committed or not, and than `above`.
    pub fn open_version(&self, application: u64, above: u32) -> Outcome<u32> {
        let folder = self.path.join(format_args!("{application}"))?;
        self.make_all(&folder)?;
        let mut version = self.highest_version(&folder)?.max(above);
        for _ in 0..VERSION_TRIES {
            version = version
                .checked_add(1)
                .ok_or_else(|| folder.failed(ENOSPC))?;
            let path = folder.join(format_args!("v{version}"))?;
            match fsio::make_folder(path.as_cstr()?, &self.creds) {
                Ok(()) => return Ok(version),
                Err(error) if error == EEXIST => {}
                Err(error) => return Err(path.failed(error)),
            }
        }
        Err(Failure::new(FailureCode::Busy).bytes(folder.bytes()))
    }

    /// Makes the folder of a node's part; it must not exist.
    pub fn create_part(&self, application: u64, version: u32, node: NodeId) -> Outcome<Folder> {
        self.make_all(&self.version(application, version)?)?;
        let folder = self.part(application, version, node)?;
        fsio::make_folder(folder.path.as_cstr()?, &self.creds)
            .map_err(|error| folder.path.failed(error))?;
        Ok(folder)
    }

    /// The folder of a node's part, which may or may not exist.
    pub fn part(&self, application: u64, version: u32, node: NodeId) -> Outcome<Folder> {
        self.part_in(&self.version(application, version)?, node)
    }

    fn part_in(&self, folder: &Path, node: NodeId) -> Outcome<Folder> {
        Ok(Folder {
            path: folder.join(format_args!("node-{}", node.raw()))?,
            store_len: self.path.bytes().len(),
            creds: self.creds.clone(),
        })
    }

    /// Removes a version: its commit record first, then whatever is below its folder. The number
    /// is not used again: a node that could not be asked may remove its part of it later.
    pub fn remove_version(&self, application: u64, version: u32) -> Outcome {
        let retired = self.retire(application, version);
        let folder = self.version(application, version)?;
        self.empty_out(&folder)?;
        // Without room for the mark the empty folder is one.
        retired?;
        remove_empty(&folder, &self.creds)
    }

    /// Removes all that belongs to a version from its folder, the commit record first.
    fn empty_out(&self, folder: &Path) -> Outcome {
        for name in ["commit", "commit.tmp"] {
            remove_if_there(&folder.join(format_args!("{name}"))?, &self.creds)?;
        }
        for node in self.part_folders(folder)?.iter() {
            self.part_in(folder, node)?.remove()?;
        }
        Ok(())
    }

    /// Nodes whose parts have a folder in that of a version.
    fn part_folders(&self, version: &Path) -> Outcome<NodeSet> {
        let mut nodes = NodeSet::EMPTY;
        visit(version, &self.creds, &mut |name, entry| {
            let node = number(name, b"node-").and_then(NodeId::new);
            if let (Some(node), Entry::Folder | Entry::Unknown) = (node, entry) {
                nodes.insert(node);
            }
            Ok(())
        })?;
        Ok(nodes)
    }

    fn version(&self, application: u64, version: u32) -> Outcome<Path> {
        self.path.join(format_args!("{application}/v{version}"))
    }

    /// The highest number that a version has or had.
    fn highest_version(&self, folder: &Path) -> Outcome<u32> {
        let mut highest = 0;
        visit(folder, &self.creds, &mut |name, _| {
            let there = number(name, b"v").or(number(name, RETIRED));
            highest = highest.max(there.unwrap_or(0));
            Ok(())
        })?;
        Ok(highest)
    }

    /// Leaves a mark that the number was used, in place of marks of lower ones.
    fn retire(&self, application: u64, version: u32) -> Outcome {
        let folder = self.path.join(format_args!("{application}"))?;
        let mark = folder.join(format_args!(".v{version}"))?;
        match fsio::make_folder(mark.as_cstr()?, &self.creds) {
            Ok(()) => sync(&folder, &self.creds)?,
            Err(error) if error == EEXIST => {}
            Err(error) => return Err(mark.failed(error)),
        }
        let mut older = KVec::<u32>::new();
        visit(&folder, &self.creds, &mut |name, _| {
            if let Some(number) = number(name, RETIRED).filter(|number| *number < version) {
                older.push(number, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        for number in &older {
            remove_empty(&folder.join(format_args!(".v{number}"))?, &self.creds)?;
        }
        Ok(())
    }

    /// Makes a folder and those above it.
    fn make_all(&self, folder: &Path) -> Outcome {
        let bytes = folder.bytes();
        for end in 1..=bytes.len() {
            if end < bytes.len() && bytes[end] != b'/' {
                continue;
            }
            let path = Path::new(&bytes[..end])?;
            match fsio::make_folder(path.as_cstr()?, &self.creds) {
                Ok(()) => {}
                Err(error) if error == EEXIST => {}
                // Folders above the store may be closed to us and still be passed.
                Err(_) if end < self.path.bytes().len() => {}
                Err(error) => return Err(path.failed(error)),
            }
        }
        Ok(())
    }
}

/// The folder of one part.
pub struct Folder {
    path: Path,
    store_len: usize,
    creds: Creds,
}

impl Folder {
    /// Makes a page file.
    pub fn create_pages(&self, name: fmt::Arguments<'_>) -> Outcome<PageFile> {
        self.open(name, Open::CreatePages)
    }

    /// Opens a page file for reading.
    pub fn open_pages(&self, name: fmt::Arguments<'_>) -> Outcome<PageFile> {
        self.open(name, Open::ReadPages)
    }

    fn open(&self, name: fmt::Arguments<'_>, how: Open) -> Outcome<PageFile> {
        let path = self.path.join(name)?;
        let file = File::open(path.as_cstr()?, how, &self.creds)
            .map_err(|error| missing(&path, error, how))?;
        Ok(PageFile {
            file,
            path,
            creds: self.creds.clone(),
        })
    }

    /// Returns when the names in the folder, and those of the folders above it up to the store,
    /// are durable. Files are made durable one by one before.
    pub fn sync(&self) -> Outcome {
        sync_up(&self.path, self.store_len, &self.creds)
    }

    /// Removes the folder with the files that a part can have; anything else in it stays, and is
    /// reported.
    pub fn remove(&self) -> Outcome {
        let mut files = KVec::<Path>::new();
        visit(&self.path, &self.creds, &mut |name, entry| {
            let ours = name == b"part"
                || number(name, b"mm-").is_some()
                || number(name, b"shm-").is_some();
            if ours && entry != Entry::Folder {
                let name = core::str::from_utf8(name).map_err(|_| EINVAL)?;
                let path = self.path.join(format_args!("{name}")).map_err(|_| ENOMEM)?;
                files.push(path, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        for file in &files {
            remove_if_there(file, &self.creds)?;
        }
        remove_empty(&self.path, &self.creds)
    }
}

/// A file of pages, or of frames.
pub struct PageFile {
    file: File,
    path: Path,
    creds: Creds,
}

impl PageFile {
    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// With whose rights it is written.
    pub fn creds(&self) -> &Creds {
        &self.creds
    }

    /// The media failed at this file.
    pub fn failed(&self, error: Error) -> Failure {
        self.path.failed(error)
    }

    /// The file is not what the part says it is.
    pub fn damaged(&self, what: ImageError) -> Failure {
        self.path.damaged(what)
    }

    /// Returns when all that was written is durable.
    pub fn sync(&self) -> Outcome {
        self.file.sync().map_err(|error| self.failed(error))
    }
}

/// A file that a committed version must have and has not is damage.
fn missing(path: &Path, error: Error, how: Open) -> Failure {
    match how {
        Open::Read | Open::ReadPages if error == ENOENT => Failure::new(FailureCode::Damaged)
            .errno(error)
            .bytes(path.bytes()),
        Open::Read | Open::ReadPages | Open::Create | Open::CreatePages | Open::Folder => {
            path.failed(error)
        }
    }
}

fn sync_up(folder: &Path, store_len: usize, creds: &Creds) -> Outcome {
    let bytes = folder.bytes();
    let mut len = bytes.len();
    while len >= store_len && len > 0 {
        let path = Path::new(&bytes[..len])?;
        sync(&path, creds)?;
        len = path.parent().map_or(0, |parent| parent.len());
    }
    Ok(())
}

/// The folder that has this entry, or had it.
fn sync_above(path: &Path, creds: &Creds) -> Outcome {
    match path.parent() {
        Some(above) => sync(&Path::new(above)?, creds),
        None => Ok(()),
    }
}

fn sync(folder: &Path, creds: &Creds) -> Outcome {
    let done = File::open(folder.as_cstr()?, Open::Folder, creds).and_then(|file| file.sync());
    done.map_err(|error| folder.failed(error))
}

fn visit(folder: &Path, creds: &Creds, each: &mut dyn FnMut(&[u8], Entry) -> Result) -> Outcome {
    let file = match File::open(folder.as_cstr()?, Open::Folder, creds) {
        Ok(file) => file,
        Err(error) if error == ENOENT => return Ok(()),
        Err(error) => return Err(folder.failed(error)),
    };
    let mut seen = 0;
    file.names(&mut |name, entry| {
        seen += 1;
        if seen > ENTRIES_MAX {
            return Err(E2BIG);
        }
        each(name, entry)
    })
    .map_err(|error| folder.failed(error))
}

fn remove_if_there(path: &Path, creds: &Creds) -> Outcome {
    match fsio::remove_file(path.as_cstr()?, creds) {
        Ok(()) => Ok(()),
        Err(error) if error == ENOENT => Ok(()),
        Err(error) => Err(path.failed(error)),
    }
}

fn remove_empty(path: &Path, creds: &Creds) -> Outcome {
    match fsio::remove_folder(path.as_cstr()?, creds) {
        Ok(()) => Ok(()),
        Err(error) if error == ENOENT => Ok(()),
        Err(error) => Err(path.failed(error)),
    }
}

/// The decimal number after `prefix`, as we write it: no sign, no leading zero.
fn number(name: &[u8], prefix: &[u8]) -> Option<u32> {
    let digits = name.strip_prefix(prefix)?;
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') || digits[0] == b'+' {
        return None;
    }
    core::str::from_utf8(digits).ok()?.parse().ok()
}
