// SPDX-License-Identifier: GPL-2.0
//! What an agent waits for, and the names of states and events.

use super::{Counts, Event, Report, Version};
use crate::failure::Failure;
use crate::node::{Few, NodeId, NodeSet};
use crate::wire::checkpoint::Written;

/// What an agent waits for. Each variant holds just what it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State<const F: usize> {
    /// The first event.
    Fresh,
    /// The root. The answer of the home of the PID.
    Locating(NodeId),
    /// Local stops, and answers to Enlists.
    Stopping(Stopping),
    /// Not the root. `SaveSend`, or another Enlist.
    Stopped,
    /// The host's and the children's send queues.
    SavingSend(Wait<F>),
    /// Not the root. `Snapshot`.
    SendSaved,
    /// The host's and the children's snapshots.
    Snapshotting(Wait<F>),
    /// Not the root. `Release`.
    Snapped,
    /// The processes run again. `Write`; at the root the version's folder.
    Released,
    /// The host's and the children's parts.
    Writing(Writing<F>),
    /// Not the root. `Done`. The root may have committed, so the part must stay.
    Written,
    /// The root's commit record.
    Committing(Report),
    /// The host's and the children's signals. Nothing is undone any more.
    Signalling(Signalling<F>),
    /// The host's discarding, and answers to Aborts.
    Aborting(Aborting<F>),
    /// Nothing.
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stopping {
    /// Who gets an Ack when nothing is left to do; `None` at the root.
    pub creditor: Option<NodeId>,
    /// Local stops under way.
    pub stops: u32,
    /// Own Enlists and Relays without an Ack.
    pub deficit: u32,
    /// Links that the host keeps, because neither room nor a child is there yet to take them.
    pub held: u32,
    /// Links that the host was asked for again.
    pub coming: u32,
}

impl Stopping {
    /// Nothing is under way.
    pub(super) const fn owing(creditor: Option<NodeId>) -> Stopping {
        Stopping {
            creditor,
            stops: 0,
            deficit: 0,
            held: 0,
            coming: 0,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.stops == 0 && self.deficit == 0 && self.held == 0 && self.coming == 0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wait<const F: usize> {
    /// The host has done its part.
    pub host_done: bool,
    /// Children that have not answered.
    pub children: Few<F>,
}

impl<const F: usize> Wait<F> {
    pub(super) fn on(children: Few<F>) -> Self {
        Wait {
            host_done: false,
            children,
        }
    }

    /// The wait after `child` has answered.
    pub(super) fn heard(mut self, child: NodeId) -> Self {
        self.children.remove(child);
        self
    }

    pub(super) fn is_over(&self) -> bool {
        self.host_done && self.children.is_empty()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Writing<const F: usize> {
    pub wait: Wait<F>,
    pub version: Version,
    /// What is written so far.
    pub sum: Written,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Signalling<const F: usize> {
    pub wait: Wait<F>,
    /// At the root: the version that was committed before, if one was to be.
    pub report: Option<Report>,
    /// Processes that got the signal so far.
    pub counts: Counts,
    /// Nodes of those processes.
    pub nodes: NodeSet,
    /// A node whose processes may not have got it, 0: none.
    pub lost: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Aborting<const F: usize> {
    /// The parent asked, and gets `Aborted` when nothing is left to do.
    pub owed: bool,
    /// Enlisted nodes that have not answered.
    pub waiting: Few<F>,
    /// The host has discarded.
    pub host_done: bool,
    /// The first failure.
    pub failure: Failure,
}

/// How far the root is with the version's folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opening {
    /// Not asked for, or failed.
    Absent,
    /// The host is at it.
    Asked,
    /// It is there.
    Open(Version),
}

impl<const F: usize> State<F> {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            State::Fresh => "Fresh",
            State::Locating(_) => "Locating",
            State::Stopping(_) => "Stopping",
            State::Stopped => "Stopped",
            State::SavingSend(_) => "SavingSend",
            State::SendSaved => "SendSaved",
            State::Snapshotting(_) => "Snapshotting",
            State::Snapped => "Snapped",
            State::Released => "Released",
            State::Writing(_) => "Writing",
            State::Written => "Written",
            State::Committing(_) => "Committing",
            State::Signalling(_) => "Signalling",
            State::Aborting(_) => "Aborting",
            State::Ended => "Ended",
        }
    }
}

impl Event {
    /// Name of the event, or of the message that came.
    pub const fn name(&self) -> &'static str {
        match self {
            Event::Asked(_) => "Asked",
            Event::Start { .. } => "Start",
            Event::Link { .. } => "Link",
            Event::Again(_) => "Again",
            Event::Relayed { .. } => "Relay",
            Event::Stopped(_) => "Stopped",
            Event::SendSaved => "SendSaved",
            Event::Snapped(_) => "Snapped",
            Event::Opened(_) => "Opened",
            Event::NotOpened(_) => "NotOpened",
            Event::Written(_) => "Written",
            Event::Committed => "Committed",
            Event::NotCommitted(_) => "NotCommitted",
            Event::Signalled(_) => "Signalled",
            Event::Discarded => "Discarded",
            Event::HostFailed(_) => "HostFailed",
            Event::Cancel(_) => "Cancel",
            Event::PeerDown(_) => "PeerDown",
            Event::Deadline(_) => "Deadline",
            Event::Message { message, .. } => message.name(),
        }
    }
}
