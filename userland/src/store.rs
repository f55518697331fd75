// SPDX-License-Identifier: GPL-2.0
//! The store as a list of versions: what `<store>/<application>/v<version>/commit` says.
use crate::exit::{Exit, Fault};
use crate::message::printable;
use serde::Serialize;
use ssi_core::image::commit::{self, COMMIT_BYTES_MAX};
use ssi_core::node::NodeId;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh64::xxh64;

/// A version that was committed.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Application id.
    pub application: u64,
    /// Version, from 1.
    pub version: u32,
    /// What the commit record says, unless it is damaged.
    #[serde(flatten)]
    pub content: Content,
}

/// What is known of a version.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// The commit record is whole.
    Whole(Summary),
    /// The commit record is not what the kernel wrote, and why.
    Damaged(String),
    /// The commit record is somebody else's.
    Private(String),
}

/// What a commit record says.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Seconds since 1970 at the cut.
    pub date: u64,
    /// The text given to `checkpoint -d`.
    pub description: String,
    /// User who took it.
    pub uid: u32,
    /// Nodes that wrote parts.
    pub nodes: Vec<u32>,
    /// Processes.
    pub processes: u32,
    /// Threads.
    pub threads: u32,
    /// Streams.
    pub streams: u32,
    /// Bytes in flight in streams.
    pub stream_bytes: u64,
    /// Bytes on the media.
    pub bytes: u64,
}

/// The committed versions in `store`, by application, then by version. Applications that are
/// closed to the caller are left out.
pub fn list(store: &Path) -> Result<Vec<Version>, Fault> {
    let mut versions = Vec::new();
    for application in folder(store, number)? {
        match list_of(store, application) {
            Ok(own) => versions.extend(own),
            Err(fault) if fault.exit == Exit::NotPermitted => {}
            Err(fault) => return Err(fault),
        }
    }
    versions.sort_by_key(|version| (version.application, version.version));
    Ok(versions)
}

fn list_of(store: &Path, application: u64) -> Result<Vec<Version>, Fault> {
    let numbers = folder(&store.join(application.to_string()), version_number)?;
    let found = |version| find(store, application, version);
    Ok(numbers.into_iter().filter_map(found).collect())
}

/// One version, or nothing where none was committed.
fn find(store: &Path, application: u64, version: u32) -> Option<Version> {
    let content = match read(&commit_path(store, application, version)) {
        Ok(bytes) => summary(&bytes, application, version),
        Err(error) if absent(error.kind()) => return None,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Content::Private(error.to_string())
        }
        Err(error) => Content::Damaged(error.to_string()),
    };
    Some(Version {
        application,
        version,
        content,
    })
}

/// The version to restart: the one named, or the newest of the application.
pub fn choose(store: &Path, application: u64, version: Option<u32>) -> Result<Version, Fault> {
    let missing = |what: String| Fault::new(Exit::NoSuchVersion, what);
    let found = match version {
        Some(version) => find(store, application, version).ok_or_else(|| {
            missing(format!(
                "version {version} of application {application} does not exist in {}: see \
                 restart --list",
                store.display()
            ))
        })?,
        None => {
            let none = || no_application(store, application);
            if !folder(store, number)?.contains(&application) {
                return Err(none());
            }
            let versions = list_of(store, application)?;
            let newest = versions.into_iter().max_by_key(|found| found.version);
            newest.ok_or_else(none)?
        }
    };
    let name = format!("version {} of application {application}", found.version);
    match &found.content {
        Content::Whole(_) => Ok(found),
        Content::Damaged(why) => Err(Fault::new(
            Exit::Damaged,
            format!("{name} is damaged: {why}; choose another with restart --list"),
        )),
        Content::Private(why) => Err(Fault::new(
            Exit::NotPermitted,
            format!("not permitted: {name} is somebody else's ({why})"),
        )),
    }
}

/// The store has nothing of this application.
pub fn no_application(store: &Path, application: u64) -> Fault {
    let store = store.display();
    Fault::new(
        Exit::NoSuchVersion,
        format!("no application {application} in {store}: see restart --list"),
    )
}

/// The folder of a version.
pub fn folder_of(store: &Path, application: u64, version: u32) -> PathBuf {
    store
        .join(application.to_string())
        .join(format!("v{version}"))
}

/// Its commit record, whose existence makes it exist.
pub fn commit_path(store: &Path, application: u64, version: u32) -> PathBuf {
    folder_of(store, application, version).join("commit")
}

fn absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than the largest record: what is longer is refused as too long.
    File::open(path)?
        .take(COMMIT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn summary(bytes: &[u8], application: u64, version: u32) -> Content {
    let (commit, description) = match commit::parse(bytes, |payload| xxh64(payload, 0)) {
        Ok(parsed) => parsed,
        Err(error) => return Content::Damaged(format!("its commit record is wrong ({error:?})")),
    };
    if (commit.application, commit.version) != (application, version) {
        let (application, version) = (commit.application, commit.version);
        return Content::Damaged(format!(
            "it is version {version} of application {application}"
        ));
    }
    Content::Whole(Summary {
        date: commit.date,
        description: printable(description),
        uid: commit.uid,
        nodes: commit.nodes.iter().map(NodeId::raw).collect(),
        processes: commit.processes,
        threads: commit.threads,
        streams: commit.streams,
        stream_bytes: commit.stream_bytes,
        bytes: commit.bytes,
    })
}

/// The entries of a folder whose names `parse` accepts.
fn folder<T>(path: &Path, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Fault> {
    let wrong = |error: std::io::Error| wrong(path, &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        if entry.file_type().map_err(wrong)?.is_dir() {
            names.extend(entry.file_name().to_str().and_then(&parse));
        }
    }
    Ok(names)
}

/// A store that cannot be read.
pub fn wrong(store: &Path, error: &std::io::Error) -> Fault {
    let exit = match error.kind() {
        ErrorKind::NotFound => Exit::NoSuchVersion,
        ErrorKind::PermissionDenied => Exit::NotPermitted,
        _ => Exit::Media,
    };
    let store = store.display();
    let text = format!("the store {store}: {error}; name another with --store");
    Fault::new(exit, text)
}

fn number(name: &str) -> Option<u64> {
    // Only the way in which the kernel writes it: no sign, no leading zero.
    name.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == name)
}

fn version_number(name: &str) -> Option<u32> {
    u32::try_from(number(name.strip_prefix('v')?)?).ok()
}
