// SPDX-License-Identifier: GPL-2.0
//! What a proof of the cluster's key is computed over.

use crate::abi::CLUSTER_NAME;
use crate::codec::{CodecError, Field};
use crate::node::{Epoch, NodeId};
use crate::record;
use crate::wire::member::{Hello, Nonce};

/// Who of the two proves. Differs between the ends, so a proof cannot be sent back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Role {
    /// The end that connected.
    Connector = 1,
    /// The end that accepted.
    Acceptor = 2,
}

impl Role {
    /// The other end's role.
    pub const fn other(self) -> Role {
        match self {
            Role::Connector => Role::Acceptor,
            Role::Acceptor => Role::Connector,
        }
    }
}

impl Field for Role {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        // CAST: a `repr(u32)` enum.
        (*self as u32).put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        match u32::take(bytes)? {
            1 => Ok(Role::Connector),
            2 => Ok(Role::Acceptor),
            _ => Err(CodecError::Value),
        }
    }
}

record! {
    /// The bytes under an HMAC: both ends as they introduced themselves, and who proves.
    pub struct Transcript {
        /// Who proves.
        pub role: Role,
        /// Name of the cluster.
        pub cluster: [u8; CLUSTER_NAME],
        /// The end that connected.
        pub connector: NodeId,
        /// Its epoch.
        pub connector_epoch: Epoch,
        /// Its nonce.
        pub connector_nonce: Nonce,
        /// Whether it has taken part in anything.
        pub connector_took_part: u32,
        /// The end that accepted.
        pub acceptor: NodeId,
        /// Its epoch.
        pub acceptor_epoch: Epoch,
        /// Its nonce.
        pub acceptor_nonce: Nonce,
        /// Whether it has taken part in anything.
        pub acceptor_took_part: u32,
    }
}

/// Bytes of a [`Transcript`].
pub const TRANSCRIPT_BYTES: usize = Transcript::SIZE;

impl Transcript {
    /// What the end of `role` proves after these two introductions.
    pub const fn new(role: Role, connector: &Hello, acceptor: &Hello) -> Transcript {
        Transcript {
            role,
            cluster: connector.cluster,
            connector: connector.node,
            connector_epoch: connector.epoch,
            connector_nonce: connector.nonce,
            connector_took_part: connector.took_part,
            acceptor: acceptor.node,
            acceptor_epoch: acceptor.epoch,
            acceptor_nonce: acceptor.nonce,
            acceptor_took_part: acceptor.took_part,
        }
    }

    /// The bytes to compute the HMAC over.
    ///
    /// # Errors
    /// None in practice: the buffer has the length of the layout.
    pub fn bytes(&self) -> Result<[u8; TRANSCRIPT_BYTES], CodecError> {
        let mut bytes = [0; TRANSCRIPT_BYTES];
        self.put(&mut bytes)?;
        Ok(bytes)
    }
}
