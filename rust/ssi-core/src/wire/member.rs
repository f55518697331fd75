// SPDX-License-Identifier: GPL-2.0
//! Messages of membership: who I am, proof of it, and that I live.

use crate::abi::CLUSTER_NAME;
use crate::codec::{CodecError, Field};
use crate::node::{Epoch, NodeId};
use crate::record;

/// Random bytes that make every handshake another.
pub type Nonce = [u8; 16];

/// An HMAC-SHA256.
pub type Mac = [u8; 32];

record! {
    /// Both ends of a new connection say it first. Believed only after [`Proof`].
    pub struct Hello {
        /// Name of the cluster, padded with zeros.
        pub cluster: [u8; CLUSTER_NAME],
        /// Who speaks.
        pub node: NodeId,
        /// In which life.
        pub epoch: Epoch,
        /// Fresh for every connection.
        pub nonce: Nonce,
        /// Not 0: in this life it has written or restored a part, so that what runs there may have
        /// been restarted elsewhere.
        pub took_part: u32,
    }
}

record! {
    /// Shows that the sender has the cluster's key.
    pub struct Proof {
        /// HMAC over the [`crate::member::Transcript`] of the sender's role.
        pub mac: Mac,
    }
}

record! {
    /// Shows that the sender lives.
    pub struct Heartbeat {
        /// CHECKPOINTABLE processes that run on the sender.
        pub processes: u32,
    }
}

record! {
    /// Says why the connection will be closed.
    pub struct Refuse {
        /// The reason.
        pub reason: Reason,
    }
}

signals! {
    /// The sender leaves the cluster.
    Leave,
}

/// Why a peer is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
    /// It is of another cluster.
    Cluster = 1,
    /// It is not the node it should be.
    Node = 2,
    /// It does not have the key.
    Proof = 3,
    /// This epoch of it counts as dead: it must join anew.
    DeadEpoch = 4,
}

impl Field for Reason {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        // CAST: a `repr(u32)` enum.
        (*self as u32).put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        match u32::take(bytes)? {
            1 => Ok(Reason::Cluster),
            2 => Ok(Reason::Node),
            3 => Ok(Reason::Proof),
            4 => Ok(Reason::DeadEpoch),
            _ => Err(CodecError::Value),
        }
    }
}

protocol! {
    /// Membership between two nodes.
    pub enum Message {
        /// Who I am.
        Hello = 1,
        /// Proof of it.
        Proof = 2,
        /// I live.
        Heartbeat = 3,
        /// I refuse you.
        Refuse = 4,
        /// I leave.
        Leave = 5,
    }
}
