// SPDX-License-Identifier: GPL-2.0
//! Absolute paths of the store, and what to say when something is wrong with one.

use core::fmt::{self, Write};
use kernel::prelude::*;
use ssi_core::image::part::ImageError;

use crate::failure::{Failure, FailureCode, Outcome};

/// Longest path of a store, in bytes; leaves room for the names below it.
const STORE_PATH_MAX: usize = 3800;

/// An absolute path, NUL-terminated.
pub(super) struct Path(KVec<u8>);

impl Path {
    pub(super) fn new(bytes: &[u8]) -> Outcome<Path> {
        let bad = || Failure::new(FailureCode::BadArgument).bytes(bytes);
        if bytes.first() != Some(&b'/') || bytes.len() > STORE_PATH_MAX || bytes.contains(&0) {
            return Err(bad());
        }
        let mut path = KVec::with_capacity(bytes.len() + 1, GFP_KERNEL)?;
        path.extend_from_slice(bytes, GFP_KERNEL)?;
        path.push(0, GFP_KERNEL)?;
        Ok(Path(path))
    }

    pub(super) fn join(&self, name: fmt::Arguments<'_>) -> Outcome<Path> {
        let mut path = Appender(KVec::new());
        path.0.extend_from_slice(self.bytes(), GFP_KERNEL)?;
        path.write_char('/').map_err(|_| ENOMEM)?;
        path.write_fmt(name).map_err(|_| ENOMEM)?;
        path.0.push(0, GFP_KERNEL)?;
        Ok(Path(path.0))
    }

    pub(super) fn parent(&self) -> Option<&[u8]> {
        let bytes = self.bytes();
        let slash = bytes.iter().rposition(|byte| *byte == b'/')?;
        (slash > 0).then(|| &bytes[..slash])
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[..self.0.len() - 1]
    }

    pub(super) fn as_cstr(&self) -> Result<&CStr> {
        CStr::from_bytes_with_nul(&self.0).map_err(|_| EINVAL)
    }

    /// The media failed at this path.
    pub(super) fn failed(&self, error: Error) -> Failure {
        let code = if error == ENOMEM {
            FailureCode::NoMemory
        } else {
            FailureCode::Media
        };
        Failure::new(code).errno(error).bytes(self.bytes())
    }

    pub(super) fn damaged(&self, what: ImageError) -> Failure {
        let code = match what {
            ImageError::UnknownKind(_) | ImageError::UnknownVersion(_, _) => {
                FailureCode::Incompatible
            }
            ImageError::Length
            | ImageError::NotAFrame
            | ImageError::Value
            | ImageError::Digest
            | ImageError::Order => FailureCode::Damaged,
        };
        let path = core::str::from_utf8(self.bytes()).unwrap_or("part");
        Failure::new(code).text(format_args!("{what:?}: {path}"))
    }
}

struct Appender(KVec<u8>);

impl Write for Appender {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0
            .extend_from_slice(text.as_bytes(), GFP_KERNEL)
            .map_err(|_| fmt::Error)
    }
}
