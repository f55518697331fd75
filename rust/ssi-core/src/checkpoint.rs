// SPDX-License-Identifier: GPL-2.0
//! The checkpoint protocol: stop, snapshot, cut, write, commit.
//!
//! See docs/protocol/checkpoint.md. One [`Agent`] per operation and node. The host hands it
//! [`Event`]s and does its [`Effect`]s in the order in which they come.

mod agent;
mod history;
mod link;
mod near;
mod seed;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod totals;

pub use agent::{step, Agent, Sink};
pub use history::{History, Stray};
pub use link::{Link, Shares};
pub use seed::{Found, Options, Seed};
pub use totals::{Counts, Report, Totals, Version};

use crate::failure::Failure;
use crate::limits::FANOUT_MAX;
use crate::node::{Few, NodeId};
use crate::wire::checkpoint::Message;

/// What happens to an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// First event of the root's agent where this node does not know where the process runs: its
    /// home was asked. [`Event::Start`] or [`Event::Cancel`] follows.
    Asked(NodeId),
    /// `seed` was asked for, and `node` runs it: at the root the first event, or the second.
    Start {
        /// Where the process runs; may be the root itself.
        node: NodeId,
        /// [`Seed::Target`].
        seed: Seed,
    },
    /// The local stop found something that leads to another node. Not twice for the same link.
    Link {
        /// Where it leads.
        node: NodeId,
        /// What to look for there.
        seed: Seed,
    },
    /// A link that the host kept and [`Effect::Resume`] asked for.
    Again(Link),
    /// A [`Relay`](crate::wire::relay::Relay) came. The host has kept its links before, as those
    /// of [`Effect::Hold`].
    Relayed {
        /// From this node.
        from: NodeId,
        /// How many links.
        count: u32,
    },
    /// One [`Effect::StopLocally`] is done: its [`Event::Link`]s came before.
    Stopped(Found),
    /// [`Effect::SaveSend`] is done.
    SendSaved,
    /// [`Effect::Snapshot`] is done.
    Snapped(Counts),
    /// [`Effect::OpenVersion`] is done.
    Opened(Version),
    /// [`Effect::OpenVersion`] failed; nothing of it is left.
    NotOpened(Failure),
    /// [`Effect::Write`] is done and durable; `None` where this node has nothing to write.
    Written(Option<Totals>),
    /// [`Effect::Commit`] is done and durable.
    Committed,
    /// [`Effect::Commit`] failed, and no commit record exists.
    NotCommitted(Failure),
    /// [`Effect::Signal`] is done; the node is counted where it had processes.
    Signalled(Counts),
    /// [`Effect::Discard`] is done.
    Discarded,
    /// An act of the host failed; any but those with a failure event of their own.
    HostFailed(Failure),
    /// The caller gives up, or the host does after a [`Violation`].
    Cancel(Failure),
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
    /// The time of [`Effect::Timer`] with this number is over.
    Deadline(u32),
    /// A message of this operation came.
    Message {
        /// From this node.
        from: NodeId,
        /// The message.
        message: Message,
    },
}

/// What an agent wants done. `F` is the most nodes that one agent enlists itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect<const F: usize = FANOUT_MAX> {
    /// Find and stop what `seed` leads to on this node. Each gets its own [`Event::Stopped`]; the
    /// host works on several one after the other.
    StopLocally {
        /// Where to start.
        seed: Seed,
    },
    /// Keep this link behind those that are kept, until [`Effect::Resume`], [`Effect::Relay`] or
    /// [`Effect::Discard`].
    Hold(Link),
    /// Hand in as many of the links that are kept, the oldest first, each as [`Event::Again`].
    Resume {
        /// How many: at most as many as are kept.
        count: u32,
    },
    /// Send links that are kept, the oldest first, to these children: one
    /// [`Relay`](crate::wire::relay::Relay) for each of [`Shares::batches`].
    Relay(Shares<F>),
    /// Save the send queues of all TCP ends. All processes of the application are stopped.
    SaveSend,
    /// Save all else in memory. All send queues of the application are saved.
    Snapshot,
    /// Let the processes go. All processes of the application are snapshotted; where they are to
    /// be held until the commit, this comes only if its outcome will stay unknown.
    Release,
    /// Root: make the folder of the application's next version. Follows `Release` where that comes.
    OpenVersion {
        /// What is known of the application. Without an id it is new, and the host chooses one.
        found: Found,
    },
    /// Write the snapshot to the version's folder and make it durable. Follows `OpenVersion`; the
    /// processes carry the application's id from now on.
    Write {
        /// Which version.
        version: Version,
    },
    /// Root: write the commit record and make it durable. All parts are.
    Commit {
        /// What it says.
        report: Report,
    },
    /// Send the processes the signal that was asked for and let them go. All processes of the
    /// application are stopped, and the version is committed if there is to be one.
    Signal,
    /// Let the processes go if they are held, stop what is under way, remove what was saved on
    /// this node. Answered by [`Event::Discarded`].
    Discard,
    /// Root: remove the version's folder. All agents that live have discarded their parts.
    RemoveVersion {
        /// Which version.
        version: Version,
    },
    /// Root: answer the caller.
    Reply(Result<Report, Failure>),
    /// Send to one node. Where the receiver is not up, the host hands in [`Event::PeerDown`].
    Send {
        /// Receiver.
        to: NodeId,
        /// The message.
        message: Message,
    },
    /// Send to several nodes; as with `Send`.
    Multicast {
        /// Receivers, at least one.
        to: Few<F>,
        /// The message.
        message: Message,
    },
    /// Deliver [`Event::Deadline`] with `number` after `ms`. Replaces the timer before.
    Timer {
        /// Comes back in the event.
        number: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// The operation is over on this node: the agent can be dropped. Always the last effect.
    End {
        /// Why it was aborted: for [`History::note`].
        failure: Option<Failure>,
    },
}

/// An event that cannot happen in this state: a bug of the host or of a peer. The agent is as it
/// was; the host logs it and cancels the operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Name of the state.
    pub state: &'static str,
    /// Name of the event or message.
    pub event: &'static str,
}
