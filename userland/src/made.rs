// SPDX-License-Identifier: GPL-2.0
//! Files that a tool makes for what it is about to do: gone again where nothing comes of it.
use crate::exit::{Exit, Fault};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// A file that is open for writing. One that was not there before is removed when this is dropped,
/// unless it was kept.
#[derive(Debug)]
pub struct Made {
    file: File,
    path: PathBuf,
    is_new: bool,
}

impl Made {
    /// Opens `path` to be written anew; what is in it stays there until [`Made::clear`].
    pub fn anew(path: &Path) -> Result<Made> {
        Made::open(path, OpenOptions::new().write(true))
    }

    /// Opens `path` to be appended to.
    pub fn appended(path: &Path) -> Result<Made> {
        Made::open(path, OpenOptions::new().append(true))
    }

    fn open(path: &Path, how: &mut OpenOptions) -> Result<Made> {
        let made = |file, is_new| Made {
            file,
            path: path.to_owned(),
            is_new,
        };
        match how.clone().create_new(true).open(path) {
            Ok(file) => Ok(made(file, true)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // Also what a link leads to that is not there yet.
                let file = how.create(true).truncate(false).open(path)?;
                Ok(made(file, false))
            }
            Err(error) => Err(error),
        }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Empties it, where it is a file on a disk.
    pub fn clear(&self) -> Result<()> {
        match self.file.metadata()?.is_file() {
            true => self.file.set_len(0),
            false => Ok(()),
        }
    }

    /// What it was made for is done.
    pub fn keep(mut self) {
        self.is_new = false;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.is_new {
            // Nothing is in it that anybody wants.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A file that could not be made or opened.
pub fn wrong(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Exit::System, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_not_kept_was_never_there() {
        let path = std::env::temp_dir().join(format!("ssi-made-{}", std::process::id()));
        drop(Made::anew(&path).unwrap());
        assert!(!path.exists());
        Made::appended(&path).unwrap().keep();
        assert!(path.exists());
        std::fs::write(&path, "precious").unwrap();
        drop(Made::anew(&path).unwrap());
        drop(Made::appended(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        let made = Made::anew(&path).unwrap();
        made.clear().unwrap();
        made.file().write_all(b"new").unwrap();
        made.keep();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        std::fs::remove_file(&path).unwrap();
    }
}
