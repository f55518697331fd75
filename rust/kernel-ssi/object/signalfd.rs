// SPDX-License-Identifier: GPL-2.0
//! Signals as descriptors.

use super::payload::{emit_only, only, Sink};
use super::scan::own_file;
use super::OpenFile;
use crate::failure::Outcome;
use crate::sys::event::{make_signals, read_signals};
use crate::sys::file::FileRef;
use ssi_core::image::event::SignalFd as Layout;
use ssi_core::image::frame::Kind;

/// A saved signalfd. The signals themselves wait where they always do.
pub(super) struct SignalFd {
    record: Layout,
}

impl SignalFd {
    pub(super) fn save(open: &OpenFile) -> Outcome<SignalFd> {
        let file = own_file(open, "signalfd")?;
        let record = Layout {
            flags: open.info.flags,
            reserved: 0,
            mask: read_signals(file)?,
        };
        Ok(SignalFd { record })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        emit_only(Kind::SignalFd, id, &self.record, sink)
    }
}

/// A signalfd to make again.
pub(super) struct Rebuilt {
    record: Layout,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let record: Layout = only(payload)?;
        Ok(Rebuilt { record })
    }

    pub(super) fn create(&self) -> Outcome<FileRef> {
        Ok(make_signals(self.record.mask, self.record.flags)?)
    }
}
