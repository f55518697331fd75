// SPDX-License-Identifier: GPL-2.0
//! What happens to a participant of a restart, and what it wants done.

use crate::failure::Failure;
use crate::node::{NodeId, NodeSet};
use crate::restart::Restored as Totals;
use crate::wire::restart::Message;

/// What happens to a participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentEvent {
    /// A message of this operation came. The first is an `Engage`.
    Message {
        /// From this node; may be the own one.
        from: NodeId,
        /// The message.
        message: Message,
    },
    /// The part is read, as [`AgentEffect::Build`] wants it.
    Read {
        /// The part.
        part: NodeId,
    },
    /// [`AgentEffect::Create`] of this part is done: every process of it is held.
    Built {
        /// The part.
        part: NodeId,
        /// What it held.
        totals: Totals,
    },
    /// [`AgentEffect::LetGo`] is done.
    Running,
    /// [`AgentEffect::TakeBack`] is done.
    TakenBack,
    /// An act of the host failed, or the host gives up.
    HostFailed(Failure),
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
    /// The time of [`AgentEffect::Timer`] with this number is over.
    Deadline(u32),
}

/// What a participant wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentEffect {
    /// Read the part that this node wrote, and say [`AgentEvent::Read`] before anything is made
    /// of it.
    Build {
        /// The part.
        part: NodeId,
    },
    /// Ask these nodes for the PIDs of the part: see [`crate::wire::restart::Claim`]. From now on,
    /// and until the operation is over here, others that ask for one of them are told that it is
    /// taken.
    Claim {
        /// The part.
        part: NodeId,
        /// Whom to ask; may include the own node.
        of: NodeSet,
    },
    /// Make the part's processes, and hold them. Nobody has one of its PIDs.
    Create {
        /// The part.
        part: NodeId,
    },
    /// Let all processes of all parts continue. Every part of the version is built.
    LetGo,
    /// Kill the helpers and all that they made, close the listener, drop the remap table.
    TakeBack,
    /// Send to one node; may be the own one.
    Send {
        /// Receiver.
        to: NodeId,
        /// The message.
        message: Message,
    },
    /// Send to several nodes.
    Multicast {
        /// Receivers, at least one.
        to: NodeSet,
        /// The message.
        message: Message,
    },
    /// Deliver [`AgentEvent::Deadline`] with `number` after `ms`. Replaces the timer before.
    Timer {
        /// Comes back in the event.
        number: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// The operation is over on this node. Always the last effect.
    End,
}

impl AgentEvent {
    /// Name of the event, or of the message that came.
    pub const fn name(&self) -> &'static str {
        match self {
            AgentEvent::Message { message, .. } => message.name(),
            AgentEvent::Read { .. } => "Read",
            AgentEvent::Built { .. } => "Built",
            AgentEvent::Running => "Running",
            AgentEvent::TakenBack => "TakenBack",
            AgentEvent::HostFailed(_) => "HostFailed",
            AgentEvent::PeerDown(_) => "PeerDown",
            AgentEvent::Deadline(_) => "Deadline",
        }
    }
}
