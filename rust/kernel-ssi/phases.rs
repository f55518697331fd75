// SPDX-License-Identifier: GPL-2.0
//! When the phases of a checkpoint ended, as its root saw it: what pause and total are made of.

use crate::sys::thread::clock_ns;
use ssi_core::abi::CheckpointReport;
use ssi_core::checkpoint::Effect;

/// Times of the monotonic clock, nanoseconds; 0 where a phase has not ended yet.
#[derive(Clone, Copy)]
pub struct Phases {
    called: u64,
    /// All processes are stopped.
    stopped: u64,
    /// All send queues are saved.
    sent: u64,
    /// All else is saved.
    saved: u64,
    /// All parts are durable.
    written: u64,
    /// The version is committed, and those that were held for that may get their signal.
    signalled: u64,
}

impl Phases {
    /// A checkpoint that was called for at `called`.
    pub fn since(called: u64) -> Phases {
        Phases {
            called,
            stopped: 0,
            sent: 0,
            saved: 0,
            written: 0,
            signalled: 0,
        }
    }

    /// Notes the time where `effect` begins the next phase.
    pub fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::SaveSend => self.stopped = clock_ns(),
            Effect::Snapshot => self.sent = clock_ns(),
            Effect::Release | Effect::OpenVersion { .. } if self.saved == 0 => {
                self.saved = clock_ns();
            }
            Effect::Commit { .. } => self.written = clock_ns(),
            Effect::Signal => self.signalled = clock_ns(),
            _ => {}
        }
    }

    /// Writes down how long each phase took, now that all is done. `released` is when the
    /// processes of this node were let go, or 0 where it had none.
    pub fn report(&self, released: u64, report: &mut CheckpointReport) {
        let (cut, committed, released) = match self.signalled {
            0 => {
                let released = released.max(self.saved);
                (released, clock_ns(), released)
            }
            // Held all the time: what ends the pause is no phase of its own.
            signalled => (self.saved, signalled, released.max(signalled)),
        };
        let ends = [
            self.called,
            self.stopped,
            self.sent,
            cut,
            self.written,
            committed,
        ];
        let took = |from: usize, to: usize| ends[to].saturating_sub(ends[from]);
        report.stop_ns = took(0, 1);
        report.send_ns = took(1, 2);
        report.snapshot_ns = took(2, 3);
        report.write_ns = took(3, 4);
        report.commit_ns = took(4, 5);
        report.pause_ns = released.saturating_sub(self.called);
        report.total_ns = clock_ns().saturating_sub(self.called);
    }
}
