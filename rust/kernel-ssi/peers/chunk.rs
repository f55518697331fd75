// SPDX-License-Identifier: GPL-2.0
//! Chunks of files on the connections with peers.

use super::{News, Peers};
use kernel::prelude::*;
use ssi_core::member::{Event, Link};
use ssi_core::node::NodeId;
use ssi_core::wire::bulk::Bulk;

impl Peers {
    /// Sends a chunk, head and all; as with `send`.
    pub fn send_chunk(&mut self, to: NodeId, bytes: KVec<u8>) {
        match self.conn(to) {
            Some(conn) => conn.send(bytes),
            None => self.tell(News::Down(to)),
        }
    }

    #[inline(never)]
    pub(super) fn chunk(&mut self, now_ms: u64, link: Link, bytes: KVec<u8>) {
        let Ok(bulk) = Bulk::parse(&bytes) else {
            return self.closed(now_ms, link);
        };
        let Some((at, slot)) = self
            .owner(link)
            .and_then(|at| Some((at, self.slots.get(at)?)))
        else {
            return self.closed(now_ms, link);
        };
        if slot.peer.believes(link, bulk.sender, bulk.epoch) {
            self.step(at, now_ms, Event::Heard { link });
            match KBox::new(bulk, GFP_KERNEL) {
                Ok(bulk) => self.tell(News::Chunk(bulk, bytes)),
                Err(_) => self.closed(now_ms, link),
            }
        }
    }
}
