// SPDX-License-Identifier: GPL-2.0
//! Timers as descriptors: made idle, set when the processes are let go.

use super::payload::{emit_only, invalid, only, Sink};
use super::scan::{own_file, refuse};
use super::OpenFile;
use crate::failure::{FailureCode, Outcome};
use crate::sys::event::{make_timer, read_timer, start_timer, Timer};
use crate::sys::file::FileRef;
use kernel::prelude::*;
use ssi_core::image::event::{TimerFd as Layout, TIMER_ABSOLUTE, TIMER_CANCEL, TIMER_NS_END};
use ssi_core::image::frame::Kind;

/// A saved timer.
pub(super) struct TimerFd {
    record: Layout,
}

impl TimerFd {
    pub(super) fn save(open: &OpenFile) -> Outcome<TimerFd> {
        let file = own_file(open, "timerfd")?;
        let timer = read_timer(file).map_err(|error| {
            let failure = refuse(open, FailureCode::Unsupported).errno(error);
            failure.text(format_args!("timerfd of an alarm clock"))
        })?;
        let record = Layout {
            flags: open.info.flags,
            clock: timer.clock,
            settime: timer.settime,
            reserved: 0,
            ticks: timer.ticks,
            value_ns: timer.value_ns,
            interval_ns: timer.interval_ns,
        };
        Ok(TimerFd { record })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        emit_only(Kind::TimerFd, id, &self.record, sink)
    }
}

/// A timer to make again.
pub(super) struct Rebuilt {
    record: Layout,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let record: Layout = only(payload)?;
        let known = matches!(record.clock, 0 | 1 | 7);
        let flags = record.settime & !(TIMER_ABSOLUTE | TIMER_CANCEL);
        if !known || flags != 0 || record.value_ns.max(record.interval_ns) >= TIMER_NS_END {
            return Err(invalid("timerfd"));
        }
        Ok(Rebuilt { record })
    }

    pub(super) fn create(&self) -> Outcome<FileRef> {
        Ok(make_timer(self.record.clock, self.record.flags)?)
    }

    /// What is to be done when the processes are let go.
    pub(super) fn idle(&self, file: &FileRef) -> Idle {
        let Layout {
            clock,
            settime,
            ticks,
            value_ns,
            interval_ns,
            ..
        } = self.record;
        let timer = Timer {
            clock,
            settime,
            ticks,
            value_ns,
            interval_ns,
        };
        Idle {
            file: file.share(),
            timer,
        }
    }
}

/// A timer that is not set yet.
pub struct Idle {
    file: FileRef,
    timer: Timer,
}

impl Idle {
    /// Sets it, in the helper's context.
    pub fn start(self) {
        if let Err(error) = start_timer(&self.file, &self.timer) {
            // Nothing can fail any more; its process waits for longer than it meant to.
            pr_warn!("a timerfd is not set again: {error:?}\n");
        }
        self.file.close();
    }
}
