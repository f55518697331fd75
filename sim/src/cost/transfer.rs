// SPDX-License-Identifier: GPL-2.0
//! Bytes on their way between a node and a media. They go in pieces, one after the other, so that
//! nodes that share a media get equal shares of it, and one that comes later does not wait for all.

use super::hardware::Hardware;
use super::profile::Store;
use crate::queue::Nanos;
use ssi_core::node::NodeId;

/// Pieces of one transfer.
const PIECES: u64 = 16;

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To the media.
    Write,
    /// From the media.
    Read,
}

/// What a node writes or reads.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// The node.
    pub node: NodeId,
    /// What it writes to or reads from.
    pub store: Store,
    way: Way,
    left: u64,
    piece: u64,
}

impl Transfer {
    /// So many bytes; begins with the first [`Transfer::go`].
    pub fn new(node: NodeId, store: Store, way: Way, bytes: u64) -> Transfer {
        Transfer {
            node,
            store,
            way,
            left: bytes,
            piece: bytes.div_ceil(PIECES),
        }
    }

    /// Goes on; gives when to call this again, or nothing once all is there.
    pub fn go(&mut self, hardware: &mut Hardware<'_>, now: Nanos) -> Option<Nanos> {
        if self.left == 0 {
            return None;
        }
        let bytes = self.piece.min(self.left);
        self.left -= bytes;
        Some(hardware.transfer(self.node, now, bytes, (self.store, self.way)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::profile::Profile;
    use crate::cost::shape::node;
    use crate::queue::{Queue, MS};
    use std::path::Path;

    const MIB: u64 = 1 << 20;

    /// When each of some reads of 64 MiB ends, all begun at once, by nodes 1, 2, …; in ms.
    fn ends(profile: &Profile, nodes: u32) -> Vec<u64> {
        let mut hardware = Hardware::new(profile, nodes);
        let mut queue = Queue::default();
        for raw in 1..=nodes {
            queue.at(0, Transfer::new(node(raw), Store::Nfs, Way::Read, 64 * MIB));
        }
        let mut ends = Vec::new();
        while let Some(mut transfer) = queue.pop() {
            match transfer.go(&mut hardware, queue.now()) {
                Some(then) => queue.at(then, transfer),
                None => ends.push(queue.now() / MS),
            }
        }
        ends
    }

    #[test]
    fn who_shares_a_server_gets_an_equal_share_and_a_part_no_more_than_it_can_take() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/paper.toml");
        let mut profile = Profile::load(&path).unwrap();
        profile.network.link_mib_s = 1e6;
        profile.nfs.read_mib_s = 64.0;
        profile.nfs.part_read_mib_s = 32.0;
        let (one, two, four) = (ends(&profile, 1), ends(&profile, 2), ends(&profile, 4));
        assert_eq!(one, [2000]);
        assert!(two.iter().all(|end| end.abs_diff(2000) < 100), "{two:?}");
        assert!(four.iter().all(|end| end.abs_diff(4000) < 300), "{four:?}");
    }
}
