// SPDX-License-Identifier: GPL-2.0
//! Chunks of files and batches of links on the connections with peers.

use super::{News, Peers};
use kernel::prelude::*;
use ssi_core::member::{Event, Link};
use ssi_core::node::NodeId;
use ssi_core::wire::bulk::Bulk;
use ssi_core::wire::relay::Relay;

impl Peers {
    /// Sends a chunk or a batch, head and all; as with `send`.
    pub fn send_bytes(&mut self, to: NodeId, bytes: KVec<u8>) {
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

    #[inline(never)]
    pub(super) fn relay(&mut self, now_ms: u64, link: Link, bytes: KVec<u8>) {
        let Ok(relay) = Relay::parse(&bytes) else {
            return self.closed(now_ms, link);
        };
        let Some((at, slot)) = self
            .owner(link)
            .and_then(|at| Some((at, self.slots.get(at)?)))
        else {
            return self.closed(now_ms, link);
        };
        if slot.peer.believes(link, relay.sender, relay.epoch) {
            self.step(at, now_ms, Event::Heard { link });
            self.tell(News::Relay(relay, bytes));
        }
    }
}
