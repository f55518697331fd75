// SPDX-License-Identifier: GPL-2.0
//! Commit records in the store: the file whose existence makes a version exist.

use kernel::prelude::*;
use ssi_core::checkpoint::Version;
use ssi_core::image::commit::{self, Commit, COMMIT_BYTES_MAX};
use ssi_core::image::part::ImageError;
use ssi_core::node::OpId;
use ssi_core::text::Text;

use super::copy::IsMade;
use super::path::Path;
use super::{sync_up, Store};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::fsio::{self, File, Open};
use crate::sys::powercut::{self, Step};

/// A commit file as it is.
pub type Bytes = Text<COMMIT_BYTES_MAX>;

/// Reads what another node sent.
pub(super) fn parsed(bytes: &[u8]) -> Outcome<(Commit, &str)> {
    commit::parse(bytes, fsio::digest).map_err(|what| {
        Failure::new(FailureCode::Damaged).text(format_args!("commit record: {what:?}"))
    })
}

/// The version that a record is of, as it came from another node.
pub fn version_in(bytes: &[u8]) -> Outcome<Version> {
    parsed(bytes).map(|(record, _)| version_of(&record))
}

/// The version that a record is of.
pub(super) fn version_of(record: &Commit) -> Version {
    Version {
        application: record.application,
        number: record.version,
    }
}

impl Store {
    /// Writes the commit record: from here on the version exists. Everything else of the version
    /// must be durable.
    pub fn write_commit(&self, record: &Commit, description: &str) -> Outcome {
        let folder = self.version(record.application, record.version)?;
        self.write_commit_in(&folder, record, description)
    }

    pub(super) fn write_commit_in(
        &self,
        folder: &Path,
        record: &Commit,
        description: &str,
    ) -> Outcome {
        let mut bytes = [0; COMMIT_BYTES_MAX];
        let len = commit::emit(record, description, fsio::digest, &mut bytes).map_err(|_| {
            Failure::new(FailureCode::BadArgument).text(format_args!("commit record"))
        })?;
        let temporary = folder.join(format_args!("commit.tmp"))?;
        let path = folder.join(format_args!("commit"))?;
        self.create_durable(&temporary, &bytes[..len])?;
        powercut::at(Step::CommitDurable);
        fsio::rename(temporary.as_cstr()?, path.as_cstr()?, &self.creds)
            .map_err(|error| path.failed(error))?;
        powercut::at(Step::CommitRenamed);
        sync_up(folder, self.path.bytes().len(), &self.creds)
    }

    fn create_durable(&self, path: &Path, bytes: &[u8]) -> Outcome {
        let write = || {
            let file = File::open(path.as_cstr()?, Open::Create, &self.creds)?;
            file.write_at(bytes, 0, &self.creds)?;
            powercut::at(Step::CommitWritten);
            file.sync()
        };
        write().map_err(|error| path.failed(error))
    }

    /// Reads a commit record.
    pub fn read_commit(&self, application: u64, version: u32) -> Outcome<Commit> {
        self.read_record(application, version)
            .map(|(record, _)| record)
    }

    /// Reads a commit record, and gives its file, too.
    pub fn read_record(&self, application: u64, version: u32) -> Outcome<(Commit, Bytes)> {
        let path = self
            .version(application, version)?
            .join(format_args!("commit"))?;
        let file = File::open(path.as_cstr()?, Open::Read, &self.creds).map_err(|error| {
            let code = if error == ENOENT {
                FailureCode::NoSuchVersion
            } else {
                FailureCode::Media
            };
            Failure::new(code).errno(error).bytes(path.bytes())
        })?;
        let mut bytes = [0; COMMIT_BYTES_MAX];
        let len = file
            .read_at(&mut bytes, 0)
            .map_err(|error| path.failed(error))?;
        let (record, _) =
            commit::parse(&bytes[..len], fsio::digest).map_err(|what| path.damaged(what))?;
        if record.application != application || record.version != version {
            return Err(path.damaged(ImageError::Order));
        }
        Ok((record, Text::cut(&bytes[..len])))
    }

    /// Whether this version is here; another one of that number is refused by name.
    pub fn has_version(&self, version: Version, digest: u64) -> Outcome<bool> {
        let (application, number) = (version.application, version.number);
        match self.read_commit(application, number) {
            Ok(record) if record.digest == digest => Ok(true),
            Ok(_) => {
                let path = core::str::from_utf8(self.path.bytes()).unwrap_or("the store");
                let why = Failure::new(FailureCode::BadArgument);
                Err(why.text(format_args!(
                    "{path} has another version {number} of application {application}"
                )))
            }
            Err(why) if why.code() == FailureCode::NoSuchVersion => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Writes the commit record that the root of operation `op` sent, and lets older versions go.
    /// The parts of a flush get the version's name with it.
    pub fn write_record(&self, bytes: &[u8], keep: u32, op: OpId, is_made: IsMade<'_>) -> Outcome {
        let (record, description) = parsed(bytes)?;
        let version = version_of(&record);
        if self.has_version(version, record.digest)? {
            self.remove_flush(version.application, op)?;
        } else if self.has_flush(version.application, op)? {
            self.name_flush(&record, description, op)?;
        } else {
            self.make_all(&self.version(record.application, record.version)?)?;
            self.write_commit(&record, description)?;
        }
        self.let_go_below(version, keep, is_made);
        Ok(())
    }
}
