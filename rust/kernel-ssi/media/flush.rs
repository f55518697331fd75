// SPDX-License-Identifier: GPL-2.0
//! Versions that come from another store: `<store>/<application>/.flush-<operation>/` until one
//! rename makes a version of it, or another takes it away.

use core::fmt;
use kernel::prelude::*;
use ssi_core::checkpoint::Version;
use ssi_core::image::commit::Commit;
use ssi_core::image::part::ImageError;
use ssi_core::node::{Epoch, NodeId, OpId};

use super::frames::FrameReader;
use super::path::Path;
use super::record::{parsed, version_of};
use super::{remove_empty, sync_above, sync_up, visit, Folder, Store};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::fsio::{self, Entry, File, Open};
use crate::sys::powercut::{self, Step};
use crate::sys::vec::emptied;

/// Bytes that are read and written at once.
const BUFFER: usize = 1 << 18;

/// Starts the name of the folder of a flush.
const FLUSH: &[u8] = b".flush-";
/// Starts the name of one that is being removed.
const GONE: &[u8] = b".gone-";

/// An operation in the name of its folder.
struct Named(OpId);

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OpId {
            root,
            epoch,
            number,
        } = self.0;
        write!(out, "{}-{}-{number}", root.raw(), epoch.0)
    }
}

/// The operation of a name that [`Named`] wrote.
fn named(name: &[u8]) -> Option<OpId> {
    let mut fields = core::str::from_utf8(name).ok()?.split('-');
    let root = NodeId::new(fields.next()?.parse().ok()?)?;
    let epoch = Epoch(fields.next()?.parse().ok()?);
    let number = fields.next()?.parse().ok()?;
    Some(OpId {
        root,
        epoch,
        number,
    })
}

/// What a part that was written amounts to.
pub struct Copied {
    /// Bytes of its files.
    pub bytes: u64,
    /// Its digest.
    pub digest: u64,
}

impl Store {
    fn flush(&self, application: u64, op: OpId) -> Outcome<Path> {
        self.path
            .join(format_args!("{application}/.flush-{}", Named(op)))
    }

    /// Whether this operation has written parts here.
    pub(super) fn has_flush(&self, application: u64, op: OpId) -> Outcome<bool> {
        let folder = self.flush(application, op)?;
        match File::open(folder.as_cstr()?, Open::Folder, &self.creds) {
            Ok(_) => Ok(true),
            Err(error) if error == ENOENT => Ok(false),
            Err(error) => Err(folder.failed(error)),
        }
    }

    /// From now on no checkpoint gives this number to another version.
    pub fn reserve(&self, version: Version) -> Outcome {
        self.make_all(&self.path.join(format_args!("{}", version.application))?)?;
        self.retire(version.application, version.number)
    }

    /// Copies the part of `node` from another store into the folder of operation `op`, and makes
    /// it durable. `go_on` fails where it is not wanted any more.
    pub fn copy_part(
        &self,
        from: &Store,
        of: (Version, NodeId),
        op: OpId,
        go_on: &dyn Fn() -> Outcome,
    ) -> Outcome<Copied> {
        let (version, node) = of;
        let source = from.part(version.application, version.number, node)?;
        let flush = self.flush(version.application, op)?;
        self.make_all(&flush)?;
        let folder = self.part_in(&flush, node)?;
        fsio::make_folder(folder.path.as_cstr()?, &self.creds)
            .map_err(|error| folder.path.failed(error))?;
        powercut::at(Step::PartMade);
        let mut bytes = 0;
        let mut buffer = KVVec::with_capacity(BUFFER, GFP_KERNEL)?;
        for name in &source.files()? {
            let (old, new) = (source.open_file(*name)?, folder.create_file(*name)?);
            let mut pos = 0;
            loop {
                go_on()?;
                let left = old.file().size().saturating_sub(pos);
                buffer = emptied(buffer);
                buffer.extend_with(left.min(BUFFER as u64) as usize, 0, GFP_KERNEL)?;
                let got = old.file().read_at(&mut buffer, pos);
                let got = got.map_err(|error| old.failed(error))?;
                if got == 0 {
                    break;
                }
                new.file()
                    .write_at(&buffer[..got], pos, new.creds())
                    .map_err(|error| new.failed(error))?;
                pos += got as u64;
            }
            powercut::at(Step::PartWritten);
            new.sync()?;
            bytes += pos;
        }
        powercut::at(Step::PartDurable);
        folder.sync()?;
        powercut::at(Step::FoldersDurable);
        let digest = folder.digest_of(version, node)?;
        Ok(Copied { bytes, digest })
    }

    /// Makes the version of what all nodes wrote into the folder of operation `op`. Nothing is
    /// left to do where it is here already.
    pub fn commit_flush(&self, bytes: &[u8], op: OpId) -> Outcome {
        let (record, description) = parsed(bytes)?;
        let (version, folder) = (version_of(&record), self.flush(record.application, op)?);
        if self.has_version(version, record.digest)? {
            return self.remove_flush(version.application, op);
        }
        if self.part_folders(&folder)? != record.nodes {
            let why = Failure::new(FailureCode::BadArgument);
            return Err(why.text(format_args!(
                "not all parts are there: where the nodes do not share the store, use --copies=2"
            )));
        }
        let path = self.version(version.application, version.number)?;
        if File::open(path.as_cstr()?, Open::Folder, &self.creds).is_ok() {
            let why = Failure::new(FailureCode::BadArgument).text(format_args!(
                "version {} is there without a commit record: of a checkpoint that is being \
                 taken, or was not finished",
                version.number
            ));
            return Err(why);
        }
        self.finish(&folder, (&record, description), op)
    }

    /// The same where each node has a store of its own: what is here without a record is an
    /// earlier attempt's, as the number is reserved.
    pub(super) fn name_flush(&self, record: &Commit, description: &str, op: OpId) -> Outcome {
        let folder = self.flush(record.application, op)?;
        self.remove_version(record.application, record.version)?;
        self.finish(&folder, (record, description), op)
    }

    fn finish(&self, folder: &Path, record: (&Commit, &str), op: OpId) -> Outcome {
        let (record, description) = record;
        let version = version_of(record);
        self.write_commit_in(folder, record, description)?;
        if let Err(why) = self.give_name(folder, version) {
            // Another flush of the same version may have been faster.
            return match self.has_version(version, record.digest)? {
                true => self.remove_flush(version.application, op),
                false => Err(why),
            };
        }
        powercut::at(Step::CommitDone);
        Ok(())
    }

    fn give_name(&self, folder: &Path, version: Version) -> Outcome {
        let path = self.version(version.application, version.number)?;
        fsio::rename(folder.as_cstr()?, path.as_cstr()?, &self.creds)
            .map_err(|error| path.failed(error))?;
        sync_up(&path, self.path.bytes().len(), &self.creds)
    }

    /// Gives what operation `op` wrote here the version's name, without a record: other nodes may
    /// have that. Does nothing where a version of that number is here.
    pub fn keep_flush(&self, version: Version, op: OpId) -> Outcome {
        let path = self.version(version.application, version.number)?;
        let folder = self.flush(version.application, op)?;
        if !self.has_flush(version.application, op)? {
            return Ok(());
        }
        if File::open(path.as_cstr()?, Open::Folder, &self.creds).is_ok() {
            return self.remove_flush(version.application, op);
        }
        self.give_name(&folder, version)
    }

    /// Removes what operation `op` wrote. One rename decides between this and the version.
    pub fn remove_flush(&self, application: u64, op: OpId) -> Outcome {
        let folder = self.flush(application, op)?;
        // Two nodes may do this at the same time, each under a name of its own.
        let unique = crate::sys::thread::clock_ns();
        let gone = self
            .path
            .join(format_args!("{application}/.gone-{}-{unique}", Named(op)))?;
        match fsio::rename(folder.as_cstr()?, gone.as_cstr()?, &self.creds) {
            Ok(()) => self.remove_gone(&gone),
            Err(error) if error == ENOENT => Ok(()),
            Err(error) => Err(folder.failed(error)),
        }
    }

    /// Durably: after a power cut, too, nothing is there of what a user was told is removed.
    fn remove_gone(&self, gone: &Path) -> Outcome {
        self.empty_out(gone)?;
        remove_empty(gone, &self.creds)?;
        sync_above(gone, &self.creds)
    }

    /// Removes what earlier flushes of the application left, whose roots `lives` does not know.
    pub fn remove_leftovers(&self, application: u64, lives: &dyn Fn(&OpId) -> bool) -> Outcome {
        let folder = self.path.join(format_args!("{application}"))?;
        let (mut stale, mut gone) = (KVec::<OpId>::new(), KVec::<Path>::new());
        visit(&folder, &self.creds, &mut |name, entry| {
            let is_folder = matches!(entry, Entry::Folder | Entry::Unknown);
            let op = name.strip_prefix(FLUSH).and_then(named);
            if let Some(op) = op.filter(|op| is_folder && !lives(op)) {
                stale.push(op, GFP_KERNEL)?;
            }
            if is_folder && name.strip_prefix(GONE).and_then(named).is_some() {
                let name = core::str::from_utf8(name).map_err(|_| EINVAL)?;
                let path = folder.join(format_args!("{name}")).map_err(|_| ENOMEM)?;
                gone.push(path, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        for op in &stale {
            self.remove_flush(application, *op)?;
        }
        for path in &gone {
            self.remove_gone(path)?;
        }
        Ok(())
    }
}

impl Folder {
    /// The digest of the part, every record of which is checked on the way.
    fn digest_of(&self, version: Version, node: NodeId) -> Outcome<u64> {
        let mut part = FrameReader::open(self)?;
        if !part.is_of(version.application, version.number, node) {
            return Err(self.path.damaged(ImageError::Order));
        }
        while part.next()?.is_some() {}
        let tail = part.tail().ok_or(Failure::new(FailureCode::Internal))?;
        Ok(tail.digest)
    }
}
