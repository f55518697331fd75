// SPDX-License-Identifier: GPL-2.0
//! After all is stopped: send queues, snapshot, release, write, commit.

use super::{Agent, Sink};
use crate::checkpoint::state::{Opening, State, Wait, Writing};
use crate::checkpoint::{Counts, Effect, Report, Totals, Version};
use crate::limits;
use crate::node::NodeSet;
use crate::wire::checkpoint::{
    Done, Message, Orphaned, Release, SaveSend, SendSaved, Snapped, Snapshot, Write, Written,
};

impl<const F: usize> Agent<F> {
    pub(in crate::checkpoint) fn save_send(&mut self, out: Sink<'_, F>) {
        self.state = State::SavingSend(Wait::on(self.near.children()));
        self.tell_children(Message::SaveSend(SaveSend), out);
        out(Effect::SaveSend);
        self.arm(limits::SAVE_SEND_MS_MAX, out);
    }

    pub(in crate::checkpoint) fn send_saved(&mut self, wait: Wait<F>, out: Sink<'_, F>) {
        self.state = State::SavingSend(wait);
        if !wait.is_over() {
            return;
        }
        if self.is_root() {
            return self.snapshot(out);
        }
        self.state = State::SendSaved;
        self.tell_parent(Message::SendSaved(SendSaved), out);
        self.arm(limits::SAVE_SEND_MS_MAX, out);
    }

    pub(in crate::checkpoint) fn snapshot(&mut self, out: Sink<'_, F>) {
        self.state = State::Snapshotting(Wait::on(self.near.children()));
        self.tell_children(Message::Snapshot(Snapshot), out);
        out(Effect::Snapshot);
        self.arm(limits::SNAPSHOT_MS_MAX, out);
    }

    pub(in crate::checkpoint) fn snapped(
        &mut self,
        wait: Wait<F>,
        counts: &Counts,
        out: Sink<'_, F>,
    ) {
        self.counts = self.counts.plus(counts);
        self.state = State::Snapshotting(wait);
        if !wait.is_over() {
            return;
        }
        if self.is_root() {
            return self.release(out);
        }
        self.state = State::Snapped;
        self.tell_parent(
            Message::Snapped(Snapped {
                counts: self.counts,
            }),
            out,
        );
        self.arm(limits::SNAPSHOT_MS_MAX, out);
    }

    pub(in crate::checkpoint) fn release(&mut self, out: Sink<'_, F>) {
        self.state = State::Released;
        self.tell_children(Message::Release(Release), out);
        if !self.options.holds() {
            out(Effect::Release);
        }
        // Not before: the media may be slow, and nothing of it belongs into the pause.
        if self.is_root() {
            self.opening = Opening::Asked;
            out(Effect::OpenVersion { found: self.found });
        }
        self.arm(limits::OPEN_MS_MAX, out);
    }

    pub(in crate::checkpoint) fn opened(&mut self, opening: Opening) -> bool {
        let asked = self.opening == Opening::Asked;
        if asked {
            self.opening = opening;
        }
        asked
    }

    // Write and commit.

    pub(in crate::checkpoint) fn write(&mut self, version: Version, out: Sink<'_, F>) {
        self.state = State::Writing(Writing {
            wait: Wait::on(self.near.children()),
            version,
            sum: Written::NOTHING,
        });
        self.tell_children(Message::Write(Write { version }), out);
        out(Effect::Write { version });
        self.arm(limits::WRITE_MS_MAX, out);
    }

    pub(in crate::checkpoint) fn own_part(&self, totals: Option<Totals>) -> Written {
        match totals {
            Some(totals) => Written {
                totals,
                parts: 1,
                nodes: NodeSet::only(self.me),
            },
            None => Written::NOTHING,
        }
    }

    pub(in crate::checkpoint) fn written(
        &mut self,
        at: Writing<F>,
        part: &Written,
        out: Sink<'_, F>,
    ) {
        let sum = at.sum.plus(part);
        self.state = State::Writing(Writing { sum, ..at });
        if !at.wait.is_over() {
            return;
        }
        if self.is_root() {
            let report = Report {
                version: at.version,
                counts: self.counts,
                totals: sum.totals,
                parts: sum.parts,
                nodes: sum.nodes,
            };
            self.state = State::Committing(report);
            // TIMEOUT: none: a commit that hangs in the media is neither done nor undone.
            out(Effect::Commit { report });
            return;
        }
        self.state = State::Written;
        self.tell_parent(Message::Written(sum), out);
        self.arm(
            limits::WRITE_MS_MAX.saturating_add(limits::COMMIT_MS_MAX),
            out,
        );
    }

    pub(in crate::checkpoint) fn committed(&mut self, report: Report, out: Sink<'_, F>) {
        if self.options.holds() {
            return self.signal(Some(report), out);
        }
        self.tell_children(Message::Done(Done), out);
        out(Effect::Reply(Ok(report)));
        self.end(None, out);
    }

    pub(in crate::checkpoint) fn done(&mut self, out: Sink<'_, F>) {
        self.tell_children(Message::Done(Done), out);
        self.end(None, out);
    }

    /// The root may have committed before it was lost: the part stays. Without a commit record
    /// it is never offered.
    pub(in crate::checkpoint) fn orphan(&mut self, out: Sink<'_, F>) {
        self.tell_children(Message::Orphaned(Orphaned), out);
        if self.options.holds() {
            // Better twice than not at all: a version that exists does not mind that they run.
            out(Effect::Release);
        }
        self.end(None, out);
    }
}
