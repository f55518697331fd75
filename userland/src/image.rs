// SPDX-License-Identifier: GPL-2.0
//! Images of checkpoints, read on any machine: nothing in them is believed, everything is checked.
//!
//! A version is a set of files with fixed [`Name`]s, read from a folder here, or from a stream by
//! whoever has one. [`part::Part`] reads the records of a part, [`check::Check`] does what the
//! kernel does before it restarts a version, and more: it looks at every page.
use crate::exit::{Exit, Fault};
use crate::store;
use ssi_core::codec::Field;
use ssi_core::image::commit::{Commit, COMMIT_BYTES_MAX};
use ssi_core::image::frame::{Frame, Kind};
use ssi_core::image::part::{Header, ImageError};
use std::fmt::Display;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh64::xxh64;

pub mod check;
pub mod diff;
mod memory;
pub mod name;
pub mod part;
pub mod record;
pub mod show;
pub mod value;

pub use name::Name;

/// What a user means by a path, or by the number of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The folder of a version.
    Version(PathBuf),
    /// The file with the records of one node.
    Part(PathBuf),
    /// A commit record.
    Commit(PathBuf),
    /// What `checkpoint --exportable` wrote.
    Exported(PathBuf),
}

/// `bytes` are no image, and why: at `at` in `file`.
pub fn damaged(file: &dyn Display, at: u64, why: &dyn Display) -> Fault {
    Fault::new(Exit::Damaged, format!("{file}: at byte {at}: {why}"))
}

/// A file that cannot be read.
pub fn unreadable(file: &dyn Display, error: &std::io::Error) -> Fault {
    let exit = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Exit::NoSuchVersion,
        ErrorKind::PermissionDenied => Exit::NotPermitted,
        _ => Exit::Media,
    };
    Fault::new(exit, format!("{file}: {error}"))
}

/// What is wrong with an image, in words.
pub fn words(error: ImageError) -> String {
    match error {
        ImageError::Length => "it ends too early, or goes on too long".into(),
        ImageError::NotAFrame => "no record begins here: this is no image".into(),
        ImageError::Value => "a field holds a value that it cannot have".into(),
        ImageError::UnknownKind(kind) => format!("a record of kind {kind}, which must be known"),
        ImageError::UnknownVersion(kind, version) => {
            format!("{} in layout {version}, unknown to this tool", kind.name())
        }
        ImageError::Digest => "the digest is not that of the bytes".into(),
        ImageError::Order => "a record stands where it may not stand".into(),
    }
}

impl Target {
    /// What `text` means: `ID` or `ID:VERSION` is a version in `store`, all else is a path.
    pub fn parse(text: &str, store: &Path) -> Result<Target, Fault> {
        match numbers(text) {
            Some((application, version)) => {
                let found = store::choose(store, application, version)?;
                Ok(Target::Version(store::folder_of(
                    store,
                    application,
                    found.version,
                )))
            }
            None if matches!(Path::new(text).try_exists(), Ok(false)) => Err(Fault::new(
                Exit::NoSuchVersion,
                format!("{text:?} is neither ID, ID:VERSION nor a path: see restart --list"),
            )),
            None => Target::at(Path::new(text)),
        }
    }

    fn at(path: &Path) -> Result<Target, Fault> {
        let shown = path.display();
        let meta = std::fs::metadata(path).map_err(|error| unreadable(&shown, &error))?;
        if meta.is_dir() {
            return match path.join("part").exists() {
                true => Ok(Target::Part(path.join("part"))),
                false => Ok(Target::Version(path.to_owned())),
            };
        }
        let mut bytes = [0; Frame::SIZE];
        let mut file = File::open(path).map_err(|error| unreadable(&shown, &error))?;
        file.read_exact(&mut bytes)
            .map_err(|_| damaged(&shown, 0, &words(ImageError::NotAFrame)))?;
        if bytes.starts_with(b"commit\0") {
            return Ok(Target::Exported(path.to_owned()));
        }
        let header = Header::parse(&bytes).map_err(|why| damaged(&shown, 0, &words(why)))?;
        match header.kind {
            Some(Kind::Commit) => Ok(Target::Commit(path.to_owned())),
            _ => Ok(Target::Part(path.to_owned())),
        }
    }
}

/// `ID` or `ID:VERSION`.
fn numbers(text: &str) -> Option<(u64, Option<u32>)> {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b':')
    {
        return None;
    }
    match text.split_once(':') {
        Some((application, version)) => {
            Some((application.parse().ok()?, Some(version.parse().ok()?)))
        }
        None => Some((text.parse().ok()?, None)),
    }
}

/// A commit record with its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The record.
    pub commit: Commit,
    /// What `checkpoint -d` said.
    pub description: String,
}

impl Committed {
    /// Reads a commit record from `file`, called `shown`.
    pub fn read(file: &mut dyn Read, shown: &dyn Display) -> Result<Committed, Fault> {
        let mut bytes = Vec::new();
        // One byte more than the largest record: what is longer is refused as too long.
        file.take(COMMIT_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(shown, &error))?;
        Committed::parse(&bytes).map_err(|why| damaged(shown, 0, &words(why)))
    }

    /// The commit record that `bytes` are.
    pub fn parse(bytes: &[u8]) -> Result<Committed, ImageError> {
        let digest = |payload: &[u8]| xxh64(payload, 0);
        let (commit, description) = ssi_core::image::commit::parse(bytes, digest)?;
        Ok(Committed {
            commit,
            description: description.to_owned(),
        })
    }

    /// Reads the commit record of the version in `folder`.
    pub fn of_folder(folder: &Path) -> Result<Committed, Fault> {
        let path = folder.join("commit");
        let mut file = File::open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Fault::new(
                Exit::NoSuchVersion,
                format!("{}: no version was committed here", folder.display()),
            ),
            _ => unreadable(&path.display(), &error),
        })?;
        Committed::read(&mut file, &path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_version_and_all_else_a_path() {
        assert_eq!(numbers("37143"), Some((37143, None)));
        assert_eq!(numbers("37143:2"), Some((37143, Some(2))));
        for path in ["./7", "7/v1", "", ":", "7:", "+7", "7:1:2"] {
            assert_eq!(numbers(path), None, "{path}");
        }
    }
}
