// SPDX-License-Identifier: GPL-2.0
//! eventfd counters.

use super::file::done;
use super::payload::{invalid, take, Payload, Sink};
use super::scan::refuse;
use super::OpenFile;
use crate::failure::{FailureCode, Outcome};
use crate::sys::event::{make_counter, read_counter};
use crate::sys::file::FileRef;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::event::EventFd as Layout;
use ssi_core::image::frame::Kind;

/// A saved counter.
pub(super) struct EventFd {
    record: Layout,
}

impl EventFd {
    pub(super) fn save(open: &OpenFile) -> Outcome<EventFd> {
        let Some(file) = &open.file else {
            return Err(refuse(open, FailureCode::Internal));
        };
        if open.is_shared_outside() {
            let failure = refuse(open, FailureCode::OutsideEnd);
            return Err(failure.text(format_args!("eventfd")));
        }
        let (count, semaphore) = read_counter(file)?;
        let record = Layout {
            flags: open.info.flags,
            semaphore: semaphore.into(),
            count,
        };
        Ok(EventFd { record })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let mut payload = Payload::with_room(Layout::SIZE)?;
        payload.field(&self.record)?;
        sink(Kind::EventFd, id, payload.as_slice())
    }
}

/// A counter to make again.
pub(super) struct Rebuilt {
    record: Layout,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let record: Layout = take(&mut reader)?;
        done(reader)?;
        // The largest value that a counter can have: include/linux/eventfd.h.
        if record.semaphore > 1 || record.count == u64::MAX {
            return Err(invalid("eventfd"));
        }
        Ok(Rebuilt { record })
    }

    pub(super) fn create(&self) -> Outcome<FileRef> {
        let Layout {
            flags,
            semaphore,
            count,
        } = self.record;
        Ok(make_counter(count, semaphore != 0, flags)?)
    }
}
