// SPDX-License-Identifier: GPL-2.0
//! A version as one file: a tar archive of the files of its folder, the commit record first.
//!
//! The digests in the image cover every byte, so the archive has none of its own. Unpacking
//! checks all of them before it commits: the version comes whole or not at all.
use crate::exit::{Exit, Fault};
use crate::image::check::Check;
use crate::image::{damaged, unreadable, words, Committed, Name};
use crate::store::{commit_path, folder_of};
use ssi_core::image::commit::COMMIT_BYTES_MAX;
use ssi_core::image::part::ImageError;
use std::fmt::Display;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

mod renumber;

/// Ids that a version gets where its own is taken are below this, as those of the kernel.
const APPLICATION_END: u64 = 1 << 30;

/// How often another id is tried.
const TRIES: u32 = 64;

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    let exit = match error.raw_os_error() {
        Some(errno) if crate::exit::is_full(errno) => Exit::MediaFull,
        _ => Exit::Media,
    };
    Fault::new(exit, format!("{}: {error}", path.display()))
}

/// Writes the version in `folder` to `out`, called `shown`.
pub fn pack(folder: &Path, out: impl Write, shown: &Path) -> Result<(), Fault> {
    let committed = Committed::of_folder(folder)?;
    let names = Name::all(folder).map_err(|error| unreadable(&folder.display(), &error))?;
    for node in committed.commit.nodes.iter() {
        if !names.contains(&Name::Part(node)) {
            let why = format!(
                "{}: {} is not there: is the store the same folder on every node?",
                folder.display(),
                Name::Part(node)
            );
            return Err(Fault::new(Exit::Damaged, why));
        }
    }
    let mut archive = tar::Builder::new(out);
    let failed = |error: std::io::Error| unwritable(shown, &error);
    let others = names.iter().filter(|name| **name != Name::Commit);
    for name in [Name::Commit].iter().chain(others) {
        let path = folder.join(name.to_string());
        let file = File::open(&path).map_err(|error| unreadable(&path.display(), &error))?;
        let meta = file.metadata();
        let size = meta
            .map_err(|error| unreadable(&path.display(), &error))?
            .len();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_mtime(committed.commit.date);
        header.set_size(size);
        archive
            .append_data(&mut header, name.to_string(), file.take(size))
            .map_err(failed)?;
    }
    archive
        .into_inner()
        .and_then(|mut out| out.flush())
        .map_err(failed)
}

/// Hands over every file of the archive `from`, in order, each with its length.
fn each(
    from: impl Read,
    shown: &dyn Display,
    mut take: impl FnMut(Name, &mut dyn Read) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut archive = tar::Archive::new(from);
    let entries = archive
        .entries()
        .map_err(|error| no_archive(shown, &error))?;
    let mut first = true;
    for entry in entries {
        let mut entry = entry.map_err(|error| no_archive(shown, &error))?;
        let at = entry.raw_header_position();
        let path = entry.path_bytes();
        let name = std::str::from_utf8(&path).ok().and_then(Name::parse);
        let regular = entry.header().entry_type() == tar::EntryType::Regular;
        let Some(name) = name.filter(|name| regular && first == (*name == Name::Commit)) else {
            return Err(damaged(shown, at, &"no file of a version may stand here"));
        };
        first = false;
        drop(path);
        take(name, &mut entry)?;
    }
    match first {
        true => Err(damaged(shown, 0, &words(ImageError::NotAFrame))),
        false => Ok(()),
    }
}

fn no_archive(shown: &dyn Display, error: &std::io::Error) -> Fault {
    match error.raw_os_error() {
        Some(_) => unreadable(shown, error),
        // The error may repeat what is in the file.
        None => {
            let why = format!("{shown}: no exported checkpoint, or one that is damaged");
            Fault::new(Exit::Damaged, why)
        }
    }
}

/// Checks the exported version that `from` holds.
pub fn verify(from: impl Read, shown: &dyn Display) -> Result<crate::image::check::Sums, Fault> {
    let mut check = Check::default();
    each(from, shown, |name, file| {
        check.file(name, file, &format!("{shown}: {name}"))
    })?;
    check.done(shown)
}

/// Where an exported version went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// Application id: a fresh one if the store knows another application of that name.
    pub application: u64,
    /// Version, as it was.
    pub version: u32,
}

/// Unpacks the exported version that `from` holds into `store`, whole or not at all.
pub fn unpack(from: impl Read, shown: &dyn Display, store: &Path) -> Result<Unpacked, Fault> {
    let mut arrival = None;
    let done = each(from, shown, |name, file| match (&mut arrival, name) {
        (None, _) => {
            let mut bytes = Vec::new();
            let read = file
                .take(COMMIT_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes);
            read.map_err(|error| unreadable(shown, &error))?;
            let called = format!("{shown}: {name}");
            arrival = Some(Arrival::new(store, bytes, &called)?);
            Ok(())
        }
        (Some(arrival), name) => arrival.file(name, file, shown),
    });
    let Some(arrival) = arrival else {
        return Err(done
            .err()
            .unwrap_or_else(|| damaged(shown, 0, &"it is empty")));
    };
    match done.and_then(|()| arrival.commit(shown)) {
        Ok(unpacked) => Ok(unpacked),
        Err(fault) => {
            arrival.give_up();
            Err(fault)
        }
    }
}

/// A version on its way into a store.
struct Arrival {
    committed: Committed,
    /// The commit record as it came.
    bytes: Vec<u8>,
    store: PathBuf,
    application: u64,
    /// Its folder; `None` where the store has this very version.
    folder: Option<PathBuf>,
    check: Check,
}

impl Arrival {
    fn new(store: &Path, bytes: Vec<u8>, shown: &dyn Display) -> Result<Arrival, Fault> {
        let mut check = Check::default();
        check.file(Name::Commit, &bytes[..], shown)?;
        let committed = Committed::read(&mut &bytes[..], shown)?;
        let (application, version) = (committed.commit.application, committed.commit.version);
        let there = std::fs::read(commit_path(store, application, version));
        let (application, folder) = match there.is_ok_and(|there| there == bytes) {
            true => (application, None),
            false => {
                let application = make_application(store, application)?;
                let folder = folder_of(store, application, version);
                std::fs::create_dir(&folder).map_err(|error| unwritable(&folder, &error))?;
                (application, Some(folder))
            }
        };
        Ok(Arrival {
            committed,
            bytes,
            store: store.to_owned(),
            application,
            folder,
            check,
        })
    }

    /// Checks one file while it is written.
    fn file(&mut self, name: Name, from: &mut dyn Read, shown: &dyn Display) -> Result<(), Fault> {
        let called = format!("{shown}: {name}");
        let Some(folder) = &self.folder else {
            return self.check.file(name, from, &called);
        };
        let path = folder.join(name.to_string());
        let failed = |error| unwritable(&path, &error);
        if let (Name::Part(_), Some(parent)) = (name, path.parent()) {
            std::fs::create_dir(parent).map_err(failed)?;
        }
        let file = File::create_new(&path).map_err(failed)?;
        let mut copy = Copy {
            from,
            to: &file,
            failed: None,
        };
        let checked = self.check.file(name, &mut copy, &called);
        if let Some(error) = copy.failed {
            return Err(failed(error));
        }
        checked?;
        file.sync_all().map_err(failed)
    }

    /// All came: from here on the version exists.
    fn commit(&self, shown: &dyn Display) -> Result<Unpacked, Fault> {
        self.check.done(shown)?;
        let version = self.committed.commit.version;
        let unpacked = Unpacked {
            application: self.application,
            version,
        };
        let Some(folder) = &self.folder else {
            return Ok(unpacked);
        };
        let bytes = match self.application == self.committed.commit.application {
            true => self.bytes.clone(),
            false => renumber::renumber(folder, &self.committed, self.application)?,
        };
        let failed = |error| unwritable(folder, &error);
        for node in self.committed.commit.nodes.iter() {
            sync(&folder.join(format!("node-{}", node.raw()))).map_err(failed)?;
        }
        let temporary = folder.join("commit.tmp");
        let write = || {
            let mut file = File::create_new(&temporary)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, folder.join("commit"))?;
            let above = folder.parent().unwrap_or(&self.store);
            [folder, above, &self.store]
                .iter()
                .try_for_each(|path| sync(path))
        };
        write().map_err(failed)?;
        Ok(unpacked)
    }

    /// Nothing is left of it.
    fn give_up(&self) {
        if let Some(folder) = &self.folder {
            // What cannot be removed has no commit record, and so is no version.
            let _ = std::fs::remove_dir_all(folder);
            let _ = folder.parent().map(std::fs::remove_dir);
        }
    }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes the folder of an application that the store does not know; named `wanted` if it can be.
fn make_application(store: &Path, wanted: u64) -> Result<u64, Fault> {
    std::fs::create_dir_all(store).map_err(|error| unwritable(store, &error))?;
    let mut id = wanted;
    for _ in 0..TRIES {
        let folder = store.join(id.to_string());
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(id),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&folder, &error)),
        }
        id = random()?.rem_euclid(APPLICATION_END).max(1);
    }
    Err(Fault::new(
        Exit::Limit,
        format!("{}: no free application id", store.display()),
    ))
}

fn random() -> Result<u64, Fault> {
    let mut bytes = [0; 8];
    let path = Path::new("/dev/urandom");
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| unreadable(&path.display(), &error))?;
    Ok(u64::from_le_bytes(bytes))
}

/// Reads, and writes what was read.
struct Copy<'a> {
    from: &'a mut dyn Read,
    to: &'a File,
    failed: Option<std::io::Error>,
}

impl Read for Copy<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(bytes)?;
        let read = bytes.get(..count).unwrap_or_default();
        let mut to = self.to;
        if let Err(error) = to.write_all(read) {
            self.failed = Some(error);
            return Err(ErrorKind::Other.into());
        }
        Ok(count)
    }
}
