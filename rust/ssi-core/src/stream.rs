// SPDX-License-Identifier: GPL-2.0
//! Streams: their cluster-unique ids, their homes, and the remap table of a restart.
//!
//! See docs/protocol/streams.md.

mod table;
#[cfg(test)]
mod tests;

pub use table::{bind, Slot};

use crate::codec::{CodecError, Field, Show};
use crate::node::{NodeId, NodeSet};
use crate::record;

/// One end of a TCP connection, as the application sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct End {
    /// IPv4 address, host byte order.
    pub address: u32,
    /// Port, host byte order, at most 65535.
    pub port: u32,
}

impl End {
    /// No end.
    pub const NONE: End = End {
        address: 0,
        port: 0,
    };

    /// Whether the address is of 127.0.0.0/8, and so means another end on every node.
    pub const fn is_loopback(&self) -> bool {
        self.address >> 24 == 127
    }
}

impl Field for End {
    const SIZE: usize = 8;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        [self.address, self.port].put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        let [address, port]: [u32; 2] = Field::take(bytes)?;
        if port > u32::from(u16::MAX) {
            return Err(CodecError::Value);
        }
        Ok(End { address, port })
    }

    fn show<S: Show>(&self, out: &mut S) {
        out.place(self.address, self.port);
    }
}

record! {
    /// A stream's name: its two ends, the smaller first.
    pub struct StreamId {
        /// The smaller end.
        pub low: End,
        /// The larger end.
        pub high: End,
        /// Raw id of the node for connections over the loopback interface, otherwise 0.
        pub node: u32,
    }
}

/// Which end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Side {
    /// [`StreamId::low`].
    Low = 1,
    /// [`StreamId::high`].
    High = 2,
}

impl Field for Side {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        // CAST: a `repr(u32)` enum.
        (*self as u32).put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        match u32::take(bytes)? {
            1 => Ok(Side::Low),
            2 => Ok(Side::High),
            _ => Err(CodecError::Value),
        }
    }
}

impl StreamId {
    /// The id of the connection between `near` and `far`, seen on node `on`, and which of its
    /// sides `near` is. `None` for a socket that is connected to itself.
    pub fn new(near: End, far: End, on: NodeId) -> Option<(StreamId, Side)> {
        let node = if near.is_loopback() && far.is_loopback() {
            on.raw()
        } else {
            0
        };
        match near.cmp(&far) {
            core::cmp::Ordering::Less => Some((
                StreamId {
                    low: near,
                    high: far,
                    node,
                },
                Side::Low,
            )),
            core::cmp::Ordering::Greater => Some((
                StreamId {
                    low: far,
                    high: near,
                    node,
                },
                Side::High,
            )),
            core::cmp::Ordering::Equal => None,
        }
    }

    /// A number that spreads ids evenly, the same on every node: the fields, each mixed in by
    /// the finalizer of MurmurHash3 (Austin Appleby, public domain).
    pub fn hash(&self) -> u32 {
        let mut hash = 0u32;
        let fields = [
            self.low.address,
            self.low.port,
            self.high.address,
            self.high.port,
            self.node,
        ];
        for field in fields {
            hash = mix(hash.rotate_left(5) ^ field);
        }
        hash
    }

    /// The participant that keeps the stream's entry in the remap table.
    pub fn home(&self, participants: &NodeSet) -> Option<NodeId> {
        participants.nth(self.hash().checked_rem(participants.len())?)
    }
}

fn mix(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
