// SPDX-License-Identifier: GPL-2.0
//! eventfd counters.

use super::payload::{emit_only, invalid, only, Sink};
use super::scan::own_file;
use super::OpenFile;
use crate::failure::Outcome;
use crate::sys::event::{make_counter, read_counter};
use crate::sys::file::FileRef;
use ssi_core::image::event::EventFd as Layout;
use ssi_core::image::frame::Kind;

/// A saved counter.
pub(super) struct EventFd {
    record: Layout,
}

impl EventFd {
    pub(super) fn save(open: &OpenFile) -> Outcome<EventFd> {
        let file = own_file(open, "eventfd")?;
        let (count, semaphore) = read_counter(file)?;
        let record = Layout {
            flags: open.info.flags,
            semaphore: semaphore.into(),
            count,
        };
        Ok(EventFd { record })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        emit_only(Kind::EventFd, id, &self.record, sink)
    }
}

/// A counter to make again.
pub(super) struct Rebuilt {
    record: Layout,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let record: Layout = only(payload)?;
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
