// SPDX-License-Identifier: GPL-2.0
//! The agent of a checkpoint: one table of states and events, and a function per transition.

use super::state::{Aborting, Opening, State, Stopping, Wait, Writing};
use super::{Counts, Effect, Event, Found, Options, Report, Seed, Totals, Version, Violation};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits;
use crate::node::{NodeId, NodeSet, OpId};
use crate::wire::checkpoint::{
    Abort, Aborted, Ack, Done, Enlist, Failed, Message, Orphaned, Release, SaveSend, SendSaved,
    Snapped, Snapshot, Write, Written,
};

/// Where effects go, in order.
pub type Sink<'a> = &'a mut dyn FnMut(Effect);

/// One node's share of a checkpoint.
#[derive(Clone, Debug)]
pub struct Agent {
    me: NodeId,
    root: NodeId,
    options: Options,
    /// Who engaged this agent; `None` at the root.
    parent: Option<NodeId>,
    /// Nodes whose agents this one engaged.
    children: NodeSet,
    /// Nodes that were sent an Enlist; the children are among them.
    enlisted: NodeSet,
    /// Nodes whose death matters: all that this agent exchanged messages with.
    known: NodeSet,
    /// Those of `known` that are dead.
    gone: NodeSet,
    found: Found,
    counts: Counts,
    opening: Opening,
    links: u32,
    /// Number of the timer that counts.
    timer: u32,
    pub(super) state: State,
}

impl Agent {
    /// The agent of node `me` in operation `op`. At the root the first event is
    /// [`Event::Start`], elsewhere the Enlist that `options` came with.
    pub fn new(me: NodeId, op: OpId, options: Options) -> Agent {
        Agent {
            me,
            root: op.root,
            options,
            parent: None,
            children: NodeSet::EMPTY,
            enlisted: NodeSet::EMPTY,
            known: NodeSet::EMPTY,
            gone: NodeSet::EMPTY,
            found: Found::NOTHING,
            counts: Counts::ZERO,
            opening: Opening::Absent,
            links: 0,
            timer: 0,
            state: State::Fresh,
        }
    }

    /// What was asked for.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How far the agent is: a number of [`crate::abi::step`].
    pub fn progress(&self) -> u32 {
        use crate::abi::step;
        match self.state {
            State::Fresh | State::Ended => step::IDLE,
            State::Stopping(_) | State::Stopped => step::STOP,
            State::SavingSend(_)
            | State::SendSaved
            | State::Snapshotting(_)
            | State::Snapped
            | State::Aborting(_) => step::SNAPSHOT,
            State::Released | State::Writing(_) => step::WRITE,
            State::Written | State::Committing(_) => step::COMMIT,
        }
    }

    /// Takes an event and says what to do: at most [`limits::STEP_EFFECTS_MAX`] effects.
    ///
    /// # Errors
    /// A [`Violation`] where the event cannot happen; the agent is as it was.
    pub fn step(&mut self, event: Event, out: Sink<'_>) -> Result<(), Violation> {
        super::table::step(self, event, out)
    }

    pub(super) fn is_root(&self) -> bool {
        self.me == self.root
    }

    /// The root decides first; others wait longer.
    fn arm(&mut self, ms: u32, out: Sink<'_>) {
        let ms = if self.is_root() {
            ms
        } else {
            ms.saturating_add(limits::PATIENCE_MS)
        };
        self.timer = self.timer.wrapping_add(1);
        out(Effect::Timer {
            number: self.timer,
            ms,
        });
    }

    fn send(&mut self, to: NodeId, message: Message, out: Sink<'_>) {
        self.known.insert(to);
        out(Effect::Send { to, message });
    }

    fn tell_children(&self, message: Message, out: Sink<'_>) {
        if !self.children.is_empty() {
            out(Effect::Multicast {
                to: self.children,
                message,
            });
        }
    }

    fn tell_parent(&mut self, message: Message, out: Sink<'_>) {
        if let Some(parent) = self.parent {
            self.send(parent, message, out);
        }
    }

    pub(super) fn is_parent(&self, node: NodeId) -> bool {
        self.parent == Some(node)
    }

    pub(super) fn has_enlisted(&self, node: NodeId) -> bool {
        self.enlisted.contains(node)
    }

    pub(super) fn is_current(&self, timer: u32) -> bool {
        self.timer == timer
    }

    // Stop.

    pub(super) fn start(&mut self, node: NodeId, seed: Seed, out: Sink<'_>) -> bool {
        if !self.is_root() {
            return false;
        }
        self.arm(limits::STOP_MS_MAX, out);
        self.look(
            Stopping {
                creditor: None,
                stops: 0,
                deficit: 0,
            },
            node,
            seed,
            out,
        );
        true
    }

    /// Looks from `seed`, here or on another node.
    pub(super) fn look(&mut self, at: Stopping, node: NodeId, seed: Seed, out: Sink<'_>) {
        self.links = self.links.saturating_add(1);
        if self.links > limits::LINKS_MAX {
            self.state = State::Stopping(at);
            let failure = Failure::new(FailureCode::Limit).on(self.me).named(b"links");
            self.abort(failure, None, out);
        } else if node == self.me {
            let stops = at.stops.saturating_add(1);
            self.state = State::Stopping(Stopping { stops, ..at });
            out(Effect::StopLocally { seed });
        } else {
            let deficit = at.deficit.saturating_add(1);
            self.state = State::Stopping(Stopping { deficit, ..at });
            self.enlisted.insert(node);
            self.gone.remove(node);
            self.send(
                node,
                Message::Enlist(Enlist {
                    options: self.options,
                    seed,
                }),
                out,
            );
        }
    }

    /// First Enlist ever: the sender becomes the parent.
    pub(super) fn engage(&mut self, from: NodeId, enlist: &Enlist, out: Sink<'_>) -> bool {
        if self.is_root() {
            return false;
        }
        self.parent = Some(from);
        self.options = enlist.options;
        self.enlist_again(from, enlist, out);
        true
    }

    /// An Enlist while idle: the Ack is owed until idle again.
    pub(super) fn enlist_again(&mut self, from: NodeId, enlist: &Enlist, out: Sink<'_>) {
        self.known.insert(from);
        self.gone.remove(from);
        self.arm(limits::STOP_MS_MAX, out);
        let at = Stopping {
            creditor: Some(from),
            stops: 0,
            deficit: 0,
        };
        self.look(at, self.me, enlist.seed, out);
    }

    /// An Enlist while busy: acknowledged at once, because the Ack that is owed already covers it.
    pub(super) fn enlist_busy(
        &mut self,
        at: Stopping,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_>,
    ) {
        self.ack(from, out);
        self.look(at, self.me, enlist.seed, out);
    }

    fn ack(&mut self, to: NodeId, out: Sink<'_>) {
        let adopted = u32::from(self.is_parent(to));
        self.send(
            to,
            Message::Ack(Ack {
                adopted,
                found: self.found,
            }),
            out,
        );
    }

    pub(super) fn stopped(&mut self, at: Stopping, found: &Found, out: Sink<'_>) -> bool {
        let Some(stops) = at.stops.checked_sub(1) else {
            return false;
        };
        self.found = self.found.and(found);
        self.stopping(Stopping { stops, ..at }, out);
        true
    }

    pub(super) fn acked(&mut self, at: Stopping, from: NodeId, ack: &Ack, out: Sink<'_>) -> bool {
        let Some(deficit) = at.deficit.checked_sub(1) else {
            return false;
        };
        if ack.adopted != 0 {
            self.children.insert(from);
        }
        self.found = self.found.and(&ack.found);
        self.stopping(Stopping { deficit, ..at }, out);
        true
    }

    fn stopping(&mut self, at: Stopping, out: Sink<'_>) {
        self.state = State::Stopping(at);
        if at.stops != 0 || at.deficit != 0 {
            return;
        }
        match at.creditor {
            Some(creditor) => {
                self.state = State::Stopped;
                self.ack(creditor, out);
                self.arm(limits::STOP_MS_MAX, out);
            }
            None if self.found == Found::NOTHING => {
                self.abort(Failure::new(FailureCode::NoSuchProcess), None, out);
            }
            None => {
                self.save_send(out);
                self.opening = Opening::Asked;
                out(Effect::OpenVersion { found: self.found });
            }
        }
    }

    // Send queues, snapshot, release.

    pub(super) fn save_send(&mut self, out: Sink<'_>) {
        self.state = State::SavingSend(Wait::on(self.children));
        self.tell_children(Message::SaveSend(SaveSend), out);
        out(Effect::SaveSend);
        self.arm(limits::SAVE_SEND_MS_MAX, out);
    }

    pub(super) fn send_saved(&mut self, wait: Wait, out: Sink<'_>) {
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

    pub(super) fn snapshot(&mut self, out: Sink<'_>) {
        self.state = State::Snapshotting(Wait::on(self.children));
        self.tell_children(Message::Snapshot(Snapshot), out);
        out(Effect::Snapshot);
        self.arm(limits::SNAPSHOT_MS_MAX, out);
    }

    pub(super) fn snapped(&mut self, wait: Wait, counts: &Counts, out: Sink<'_>) {
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

    pub(super) fn release(&mut self, out: Sink<'_>) {
        self.state = State::Released;
        self.tell_children(Message::Release(Release), out);
        out(Effect::Release);
        match self.opening {
            Opening::Open(version) => self.write(version, out),
            Opening::Asked | Opening::Absent => self.arm(limits::OPEN_MS_MAX, out),
        }
    }

    pub(super) fn opened(&mut self, opening: Opening) -> bool {
        let asked = self.opening == Opening::Asked;
        if asked {
            self.opening = opening;
        }
        asked
    }

    // Write and commit.

    pub(super) fn write(&mut self, version: Version, out: Sink<'_>) {
        self.state = State::Writing(Writing {
            wait: Wait::on(self.children),
            version,
            totals: Totals::ZERO,
            nodes: NodeSet::EMPTY,
        });
        self.tell_children(Message::Write(Write { version }), out);
        out(Effect::Write { version });
        self.arm(limits::WRITE_MS_MAX, out);
    }

    pub(super) fn own_part(&self, totals: Option<Totals>) -> Written {
        match totals {
            Some(totals) => Written {
                totals,
                nodes: NodeSet::only(self.me),
            },
            None => Written {
                totals: Totals::ZERO,
                nodes: NodeSet::EMPTY,
            },
        }
    }

    pub(super) fn written(&mut self, at: Writing, part: &Written, out: Sink<'_>) {
        let totals = at.totals.plus(&part.totals);
        let nodes = at.nodes.union(&part.nodes);
        self.state = State::Writing(Writing {
            totals,
            nodes,
            ..at
        });
        if !at.wait.is_over() {
            return;
        }
        if self.is_root() {
            let report = Report {
                version: at.version,
                counts: self.counts,
                totals,
                nodes,
            };
            self.state = State::Committing(report);
            // TIMEOUT: none: a commit that hangs in the media is neither done nor undone.
            out(Effect::Commit { report });
            return;
        }
        self.state = State::Written;
        self.tell_parent(Message::Written(Written { totals, nodes }), out);
        self.arm(
            limits::WRITE_MS_MAX.saturating_add(limits::COMMIT_MS_MAX),
            out,
        );
    }

    pub(super) fn committed(&mut self, report: Report, out: Sink<'_>) {
        self.tell_children(Message::Done(Done), out);
        out(Effect::Reply(Ok(report)));
        self.end(None, out);
    }

    pub(super) fn done(&mut self, out: Sink<'_>) {
        self.tell_children(Message::Done(Done), out);
        self.end(None, out);
    }

    /// The root may have committed before it was lost: the part stays. Without a commit record
    /// it is never offered.
    pub(super) fn orphan(&mut self, out: Sink<'_>) {
        self.tell_children(Message::Orphaned(Orphaned), out);
        self.end(None, out);
    }

    fn end(&mut self, failure: Option<Failure>, out: Sink<'_>) {
        self.state = State::Ended;
        out(Effect::End { failure });
    }

    // When something fails.

    /// Nothing has begun: only the caller hears of it.
    pub(super) fn give_up(&mut self, failure: Failure, out: Sink<'_>) {
        if self.is_root() {
            out(Effect::Reply(Err(failure)));
        }
        self.end(Some(failure), out);
    }

    /// Aborts this part of the tree. `asked_by` is who sent an Abort, if that is the cause.
    pub(super) fn abort(&mut self, failure: Failure, asked_by: Option<NodeId>, out: Sink<'_>) {
        let owed = asked_by.is_some() && asked_by == self.parent;
        if !owed && !self.parent.is_some_and(|parent| self.gone.contains(parent)) {
            self.tell_parent(Message::Failed(Failed { failure }), out);
        }
        let waiting = self.enlisted.without(&self.gone);
        if !waiting.is_empty() {
            out(Effect::Multicast {
                to: waiting,
                message: Message::Abort(Abort { failure }),
            });
        }
        self.state = State::Aborting(Aborting {
            owed,
            waiting,
            host_done: false,
            failure,
        });
        if let Some(asker) = asked_by.filter(|_| !owed) {
            self.send(asker, Message::Aborted(Aborted), out);
        }
        out(Effect::Discard);
        self.arm(limits::ABORT_MS_MAX, out);
    }

    /// An Abort while aborting. The parent gets its answer at the end, others at once: they do
    /// not wait for each other in a circle, because parents form a tree.
    pub(super) fn abort_again(&mut self, at: Aborting, from: NodeId, out: Sink<'_>) {
        if self.is_parent(from) {
            self.settle(Aborting { owed: true, ..at }, out);
        } else {
            self.send(from, Message::Aborted(Aborted), out);
        }
    }

    /// An Enlist while aborting: the sender must give up too.
    pub(super) fn enlist_failed(&mut self, at: Aborting, from: NodeId, out: Sink<'_>) {
        self.send(
            from,
            Message::Failed(Failed {
                failure: at.failure,
            }),
            out,
        );
    }

    /// Ends when nothing is left to wait for.
    pub(super) fn settle(&mut self, at: Aborting, out: Sink<'_>) {
        self.state = State::Aborting(at);
        if !at.host_done || !at.waiting.is_empty() || self.opening == Opening::Asked {
            return;
        }
        if let Opening::Open(version) = self.opening {
            out(Effect::RemoveVersion { version });
        }
        if self.is_root() {
            out(Effect::Reply(Err(at.failure)));
        }
        if at.owed {
            self.tell_parent(Message::Aborted(Aborted), out);
        }
        self.end(Some(at.failure), out);
    }

    /// Notes that a node died; says whether this agent is concerned.
    pub(super) fn lose(&mut self, node: NodeId) -> bool {
        let concerned = self.known.contains(node);
        if concerned {
            self.gone.insert(node);
        }
        concerned
    }

    pub(super) fn late_stop(&self) -> Failure {
        Failure::new(FailureCode::StopTimeout).on(self.me)
    }

    /// What a step that took too long is called.
    pub(super) fn late(&self, waiting: &NodeSet) -> Failure {
        match waiting.nth(0) {
            Some(node) => Failure::new(FailureCode::NodeUnreachable).on(node),
            None => self.late_stop(),
        }
    }

    pub(super) fn late_media(&self) -> Failure {
        Failure::new(FailureCode::Media).on(self.me)
    }

    pub(super) fn late_parent(&self) -> Failure {
        Failure::new(FailureCode::NodeUnreachable).on(self.parent.unwrap_or(self.root))
    }
}
