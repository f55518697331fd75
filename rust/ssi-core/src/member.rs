// SPDX-License-Identifier: GPL-2.0
//! Membership: one state machine per peer; handshake, heartbeats, suspicion, epochs.
//!
//! See docs/protocol/membership.md. The host keeps one [`Peer`] per configured node, hands it
//! [`Event`]s with the time, and does its [`Effect`]s in order. A peer's misbehaviour closes the
//! connection; an event of a connection that was closed means nothing. So no pair of state and
//! event is impossible.

mod peer;
#[cfg(test)]
mod tests;
mod transcript;

pub use peer::{same_mac, Peer, Sink};
pub use transcript::{Role, Transcript, TRANSCRIPT_BYTES};

use crate::abi::CLUSTER_NAME;
use crate::node::{Epoch, NodeId};
use crate::wire::member::{Hello, Mac, Message, Nonce};

/// The host's number of one connection with a peer. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link(pub u32);

/// Who this node is, and how patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Me {
    /// This node.
    pub node: NodeId,
    /// In this life.
    pub epoch: Epoch,
    /// Name of the cluster, padded with zeros.
    pub cluster: [u8; CLUSTER_NAME],
    /// Silence after which a peer counts as dead.
    pub failure_ms: u32,
}

/// What happens to a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Time passes: at least every [`crate::limits::tick_ms`].
    Tick {
        /// CHECKPOINTABLE processes that run on this node.
        processes: u32,
    },
    /// [`Effect::Connect`] succeeded.
    Connected {
        /// The new connection.
        link: Link,
        /// Fresh random bytes.
        nonce: Nonce,
    },
    /// [`Effect::Connect`] failed. The host gives up a connect after
    /// [`crate::limits::HANDSHAKE_MS_MAX`].
    ConnectFailed,
    /// A connection was accepted, and its first message claims to come from this peer.
    Accepted {
        /// The new connection.
        link: Link,
        /// Fresh random bytes.
        nonce: Nonce,
        /// That message.
        hello: Hello,
    },
    /// Answer to [`Effect::Prove`], before any later message of that connection.
    Proofs {
        /// The connection.
        link: Link,
        /// HMAC of this node's transcript.
        mine: Mac,
        /// HMAC of the peer's transcript.
        theirs: Mac,
    },
    /// A message of membership came.
    Received {
        /// On this connection.
        link: Link,
        /// The message.
        message: Message,
    },
    /// Anything else came that [`Peer::believes`].
    Heard {
        /// On this connection.
        link: Link,
    },
    /// The connection broke, or carried what is no message.
    Closed {
        /// The connection.
        link: Link,
    },
    /// This node leaves the cluster.
    Leave,
}

/// What a peer's state machine wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Connect to the peer; answered by [`Event::Connected`] or [`Event::ConnectFailed`].
    Connect,
    /// Send a message.
    Send {
        /// On this connection.
        link: Link,
        /// The message.
        message: Message,
    },
    /// Compute the HMACs of both transcripts; answered by [`Event::Proofs`].
    Prove {
        /// The connection.
        link: Link,
        /// What this node proves.
        mine: Transcript,
        /// What the peer must prove.
        theirs: Transcript,
    },
    /// Send what is queued, then close the connection. No event of it counts any more.
    Close {
        /// The connection.
        link: Link,
    },
    /// The peer can be talked to on `link`. The host announces its processes (`Hosts`).
    Up {
        /// In this life.
        epoch: Epoch,
        /// On this connection.
        link: Link,
    },
    /// The connection broke, and messages may be lost: every operation with the peer fails
    /// (`PeerDown`). The peer still counts as up.
    Lost {
        /// In this life.
        epoch: Epoch,
    },
    /// The peer is dead, in this life for ever. Operations fail, homes move.
    Down {
        /// Which life.
        epoch: Epoch,
    },
    /// The peer holds this node's life for dead: it must join anew.
    Expelled,
}
