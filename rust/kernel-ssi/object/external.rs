// SPDX-License-Identifier: GPL-2.0
//! Standard streams to outside: a terminal or pipe of the user, given anew at restart.

use super::file::gone;
use super::payload::{emit_only, invalid, only, Sink};
use super::OpenFile;
use crate::failure::Outcome;
use crate::sys::file::FileRef;
use kernel::c_str;
use kernel::str::CString;
use ssi_core::image::file::{External as Layout, EXTERNAL_PIPE, EXTERNAL_TERMINAL};
use ssi_core::image::frame::Kind;

/// Flags of open(2), include/uapi/asm-generic/fcntl.h.
const O_WRONLY: u32 = 1;
const O_RDWR: u32 = 2;
const O_APPEND: u32 = 0o2000;
const O_ACCMODE: u32 = 3;

/// A saved stream to outside.
#[derive(Clone, Copy)]
pub(super) struct External {
    record: Layout,
}

impl External {
    pub(super) fn terminal(open: &OpenFile) -> External {
        External::new(open, EXTERNAL_TERMINAL)
    }

    pub(super) fn pipe(open: &OpenFile) -> External {
        External::new(open, EXTERNAL_PIPE)
    }

    fn new(open: &OpenFile, what: u32) -> External {
        let writes = open.info.flags & O_ACCMODE != 0;
        let role = match open.fd {
            standard @ 0..=2 => standard,
            // A further descriptor of the terminal, as shells keep one.
            _ => writes.into(),
        };
        let record = Layout {
            flags: open.info.flags,
            role,
            what,
            reserved: 0,
        };
        External { record }
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        emit_only(Kind::External, id, &self.record, sink)
    }
}

/// What external standard streams become.
pub enum Stdio {
    /// Those of the calling process, where it has them; `/dev/null` otherwise.
    Caller,
    /// Output goes to the end of this file, input comes from `/dev/null`.
    Output(CString),
}

/// A stream to give anew.
pub(super) struct Rebuilt {
    record: Layout,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let record: Layout = only(payload)?;
        if record.role > 2 {
            return Err(invalid("standard stream"));
        }
        Ok(Rebuilt { record })
    }

    pub(super) fn create(&self, stdio: &Stdio) -> Outcome<FileRef> {
        let output = self.record.role != 0;
        match stdio {
            Stdio::Caller => {
                if let Some(file) = FileRef::of_current(self.record.role) {
                    return Ok(file);
                }
            }
            Stdio::Output(path) if output => {
                return FileRef::open(path, O_WRONLY | O_APPEND).map_err(|error| gone(path, error));
            }
            Stdio::Output(_) => {}
        }
        let null = c_str!("/dev/null");
        FileRef::open(null, O_RDWR).map_err(|error| gone(null, error))
    }
}
