// SPDX-License-Identifier: GPL-2.0
//! Regular files and directories: by path, flags, offset and length.

use super::payload::{copy, invalid, take, Payload, Sink};
use super::scan::refuse;
use super::OpenFile;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::file::{kind, traits, FileRef};
use crate::sys::flush::Flush;
use kernel::prelude::*;
use kernel::str::CString;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::file::{RegularFile, FILE_DIRECTORY, FILE_WRITABLE, PATH_BYTES_MAX};
use ssi_core::image::frame::Kind;

/// O_APPEND, include/uapi/asm-generic/fcntl.h.
const O_APPEND: u32 = 0o2000;

/// A saved file.
pub(super) struct Regular {
    record: RegularFile,
    path: KVVec<u8>,
    /// Of one that is open for writing.
    flush: Option<Flush>,
}

/// The path of an open file.
pub(super) fn path_of(open: &OpenFile) -> Outcome<KVVec<u8>> {
    let mut path = KVVec::from_elem(0u8, PATH_BYTES_MAX as usize + 1, GFP_KERNEL)?;
    let Some(file) = &open.file else {
        return Err(refuse(open, FailureCode::Internal));
    };
    let len = file
        .path(&mut path)
        .map_err(|error| refuse(open, FailureCode::Unsupported).errno(error))?;
    copy(&path[..len])
}

/// A path of an image, as the kernel takes it.
pub(super) fn parse_path(path: &[u8]) -> Outcome<CString> {
    if path.len() > PATH_BYTES_MAX as usize || path.first() != Some(&b'/') || path.contains(&0) {
        return Err(invalid("path"));
    }
    let mut with_nul: KVVec<u8> = KVVec::with_capacity(path.len() + 1, GFP_KERNEL)?;
    with_nul.extend_from_slice(path, GFP_KERNEL)?;
    with_nul.push(0, GFP_KERNEL)?;
    let path = CStr::from_bytes_with_nul(&with_nul).map_err(|_| invalid("path"))?;
    Ok(path.to_cstring()?)
}

/// The failure of an open by path.
pub(super) fn gone(path: &CStr, error: Error) -> Failure {
    let code = if error == ENOMEM {
        FailureCode::NoMemory
    } else {
        FailureCode::FileGone
    };
    Failure::new(code).errno(error).bytes(path.as_bytes())
}

/// The failure of a path that leads to something else than at the cut.
pub(super) fn changed(path: &CStr) -> Failure {
    // ESTALE, include/uapi/asm-generic/errno.h.
    gone(path, Error::from_errno(-116))
}

impl Regular {
    pub(super) fn save(open: &OpenFile) -> Outcome<Regular> {
        let path = path_of(open)?;
        // A made-up file has no content of its own; one without a name cannot be found again.
        if open.info.traits & (traits::UNLINKED | traits::SYNTHETIC) != 0 {
            return Err(refuse(open, FailureCode::Unsupported).bytes(&path));
        }
        let directory = open.info.kind == kind::DIRECTORY;
        let writable = open.info.traits & traits::WRITE != 0;
        let record = RegularFile {
            flags: open.info.flags,
            traits: if directory { FILE_DIRECTORY } else { 0 }
                | if writable { FILE_WRITABLE } else { 0 },
            pos: open.info.pos,
            size: open.info.size,
        };
        let flush = match &open.file {
            Some(file) if writable && !directory => Some(Flush::of(file)?),
            _ => None,
        };
        Ok(Regular {
            record,
            path,
            flush,
        })
    }

    /// Returns when what it held at the cut is durable: the version is worth nothing without it.
    pub(super) fn flush(&self) -> Outcome {
        let Some(flush) = &self.flush else {
            return Ok(());
        };
        flush.run().map_err(|error| {
            let failure = Failure::new(FailureCode::Media).errno(error);
            failure.bytes(&self.path)
        })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let mut payload = Payload::with_room(RegularFile::SIZE + self.path.len())?;
        payload.field(&self.record)?;
        payload.bytes(&self.path)?;
        sink(Kind::RegularFile, id, payload.as_slice())
    }
}

/// A file to open.
pub(super) struct Rebuilt {
    record: RegularFile,
    path: CString,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let record: RegularFile = take(&mut reader)?;
        if record.traits & !(FILE_DIRECTORY | FILE_WRITABLE) != 0 {
            return Err(invalid("file"));
        }
        let path = parse_path(reader.rest())?;
        Ok(Rebuilt { record, path })
    }

    /// Whether what came behind the old end was written through this open file. A data base, which
    /// writes anywhere, would lose pages that others of the file refer to.
    fn appends(&self) -> bool {
        self.record.flags & O_APPEND != 0 || self.record.pos == self.record.size
    }

    /// Opens it with the caller's rights, and changes nothing of it.
    pub(super) fn create(&self) -> Outcome<FileRef> {
        let file = FileRef::open(&self.path, self.record.flags)
            .map_err(|error| gone(&self.path, error))?;
        let info = file.info();
        let directory = self.record.traits & FILE_DIRECTORY != 0;
        let wanted = if directory {
            kind::DIRECTORY
        } else {
            kind::REGULAR
        };
        if info.kind != wanted {
            return Err(changed(&self.path));
        }
        if self.is_written() && info.size < self.record.size {
            return Err(changed(&self.path));
        }
        if self.record.pos != 0 {
            file.seek(self.record.pos)
                .map_err(|error| gone(&self.path, error))?;
        }
        Ok(file)
    }

    /// Gives one that was being written at its end its length back, with the caller's rights.
    pub(super) fn finish(&self, file: &FileRef) -> Outcome {
        if self.is_written() && self.appends() && file.info().size > self.record.size {
            file.cut(self.record.size)
                .map_err(|error| gone(&self.path, error))?;
        }
        Ok(())
    }

    fn is_written(&self) -> bool {
        let written = self.record.traits & FILE_WRITABLE != 0;
        written && self.record.traits & FILE_DIRECTORY == 0
    }
}
