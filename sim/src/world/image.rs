// SPDX-License-Identifier: GPL-2.0
//! What a part of a version holds, as the simulated media keeps it.
use super::population::Hold;
use super::streams::Bytes;
use ssi_core::node::{ClusterPid, NodeId};
use ssi_core::stream::End;
use std::hash::{Hash, Hasher};

/// A process as it was at the cut. The holds name ends by their number in the part.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ProcessImage {
    /// Its PID.
    pub pid: ClusterPid,
    /// Its father.
    pub father: Option<ClusterPid>,
    /// Bytes of its address space.
    pub memory: u64,
    /// Steps it had done.
    pub steps: u64,
    /// A signal had stopped it.
    pub frozen: bool,
    /// How it used its ends; `stream` is the number in [`PartImage::ends`].
    pub holds: Vec<Hold>,
}

/// One end of a stream at the cut.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EndImage {
    /// As the program knows this end and the other: address and port.
    pub near: (u32, u32),
    /// The other end.
    pub far: (u32, u32),
    /// Between processes of one node, without a network.
    pub local: bool,
    /// The other end of a local stream, at this number of the same part.
    pub other: Option<usize>,
    /// Nobody holds the other end.
    pub alone: bool,
    /// Position of the first byte in the send queue.
    pub send_first: u64,
    /// The send queue.
    pub send: Bytes,
    /// Position after what was received.
    pub recv_next: u64,
    /// The receive queue.
    pub recv: Bytes,
}

impl EndImage {
    /// Both names.
    pub fn names(&self) -> (End, End) {
        let end = |(address, port)| End { address, port };
        (end(self.near), end(self.far))
    }
}

/// What one node wrote.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartImage {
    /// The node.
    pub node: NodeId,
    /// The application.
    pub application: u64,
    /// Its processes.
    pub processes: Vec<ProcessImage>,
    /// The ends that they hold.
    pub ends: Vec<EndImage>,
}

impl PartImage {
    /// A digest that differs where anything does: FNV-1a over the content.
    pub fn digest(&self) -> u64 {
        let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
        self.hash(&mut fnv);
        fnv.finish()
    }

    /// Bytes on the media.
    pub fn bytes(&self) -> u64 {
        let memory: u64 = self.processes.iter().map(|process| process.memory).sum();
        // CAST: lists in memory.
        memory + 4096 * (1 + self.processes.len() as u64)
    }
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        // CAST: a usize has at most 64 bits here.
        self.write(&(number as u64).to_le_bytes());
    }
}

/// A digest of the bytes of a commit record.
pub fn digest_of(bytes: &[u8]) -> u64 {
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    fnv.write(bytes);
    fnv.finish()
}
