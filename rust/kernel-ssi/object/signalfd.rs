// SPDX-License-Identifier: GPL-2.0
//! Signals as descriptors.

use super::file::done;
use super::payload::{take, Payload, Sink};
use super::scan::refuse;
use super::OpenFile;
use crate::failure::{FailureCode, Outcome};
use crate::sys::event::{make_signals, read_signals};
use crate::sys::file::FileRef;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::event::SignalFd as Layout;
use ssi_core::image::frame::Kind;

/// A saved signalfd. The signals themselves wait where they always do.
pub(super) struct SignalFd {
    record: Layout,
}

impl SignalFd {
    pub(super) fn save(open: &OpenFile) -> Outcome<SignalFd> {
        let Some(file) = &open.file else {
            return Err(refuse(open, FailureCode::Internal));
        };
        if open.is_shared_outside() {
            let failure = refuse(open, FailureCode::OutsideEnd);
            return Err(failure.text(format_args!("signalfd")));
        }
        let record = Layout {
            flags: open.info.flags,
            reserved: 0,
            mask: read_signals(file)?,
        };
        Ok(SignalFd { record })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let mut payload = Payload::with_room(Layout::SIZE)?;
        payload.field(&self.record)?;
        sink(Kind::SignalFd, id, payload.as_slice())
    }
}

/// A signalfd to make again.
pub(super) struct Rebuilt {
    record: Layout,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let record: Layout = take(&mut reader)?;
        done(reader)?;
        Ok(Rebuilt { record })
    }

    pub(super) fn create(&self) -> Outcome<FileRef> {
        Ok(make_signals(self.record.mask, self.record.flags)?)
    }
}
