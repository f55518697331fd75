// SPDX-License-Identifier: GPL-2.0
//! How long what a node does for a checkpoint takes.

use super::{Coordination, Next};
use crate::cost::profile::us;
use crate::cost::shape::root_of;
use crate::cost::transfer::{Transfer, Way};
use crate::queue::Nanos;
use ssi_core::checkpoint::{Counts, Effect, Event, Found, Totals, Version};
use ssi_core::node::NodeId;

impl<const F: usize> Coordination<'_, F> {
    /// Writes on; what was written is made durable, and the agent hears of it.
    pub(super) fn write(&mut self, mut transfer: Transfer) {
        let now = self.queue.now();
        if let Some(then) = transfer.go(&mut self.hardware, now) {
            return self.queue.at(then, Next::Write(transfer));
        }
        let at = transfer.node;
        let totals = Totals {
            bytes: self.application.part_bytes(),
            digest: u64::from(at.raw()),
            pause_ns_max: 0,
        };
        let done = self.hardware.sync(at, now, self.store);
        let event = Event::Written(Some(totals));
        self.queue.at(done, Next::Done(at, Box::new(event)));
    }

    /// What a node is to write.
    pub(super) fn part(&self, of: NodeId) -> Transfer {
        Transfer::new(of, self.store, Way::Write, self.application.part_bytes())
    }

    /// When an act is done, and what the agent hears then.
    pub(super) fn work(&mut self, at: NodeId, effect: Effect<F>) -> (Nanos, Event) {
        let now = self.queue.now();
        let (processes, streams) = (
            self.application.processes,
            self.application.streams(at.raw()),
        );
        let node = self.hardware.profile.node;
        let times = |count: u32, each: f64| us(f64::from(count) * each);
        let bytes = self.application.part_bytes();
        match effect {
            Effect::StopLocally { .. } => {
                let first = !self.local(at).looked && self.local(at).stopped_at == 0;
                let time = if first {
                    self.local(at).stopped_at = now.max(1);
                    us(node.fixed_us) + times(processes, node.stop_us)
                } else {
                    us(node.stop_us)
                };
                let found = Found {
                    application: 0,
                    head_root: root_of(at.raw()).raw(),
                };
                (self.hardware.compute(at, now, time), Event::Stopped(found))
            }
            Effect::SaveSend => {
                let time = times(streams, node.stream_us);
                (self.hardware.compute(at, now, time), Event::SendSaved)
            }
            Effect::Snapshot => {
                let time = times(processes, node.save_us)
                    + times(streams, node.stream_us)
                    + node.page_tables(bytes);
                let counts = Counts {
                    processes,
                    threads: processes,
                    streams,
                    stream_bytes: 0,
                };
                (self.hardware.compute(at, now, time), Event::Snapped(counts))
            }
            Effect::OpenVersion { found } => {
                let version = Version {
                    application: u64::from(found.head_root),
                    number: 1,
                };
                (
                    self.hardware.sync(at, now, self.store),
                    Event::Opened(version),
                )
            }
            Effect::Commit { .. } => (self.hardware.sync(at, now, self.store), Event::Committed),
            Effect::Signal => (now, Event::Signalled(Counts::ZERO)),
            _ => (now, Event::Discarded),
        }
    }
}
