// SPDX-License-Identifier: GPL-2.0
//! Chunks of files and batches of links on the connections with peers.

use super::{News, Peers};
use kernel::prelude::*;
use ssi_core::member::{Event, Link};
use ssi_core::node::{Epoch, NodeId};
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

    /// Whether it counts what came on a connection and names this sender in this life. One that is
    /// no peer's yet is closed.
    fn believes(&mut self, now_ms: u64, link: Link, sender: (NodeId, Epoch)) -> bool {
        let Some((at, slot)) = self
            .owner(link)
            .and_then(|at| Some((at, self.slots.get(at)?)))
        else {
            self.closed(now_ms, link);
            return false;
        };
        let believed = slot.peer.believes(link, sender.0, sender.1);
        if believed {
            self.step(at, now_ms, Event::Heard { link });
        }
        believed
    }

    #[inline(never)]
    pub(super) fn chunk(&mut self, now_ms: u64, link: Link, bytes: KVec<u8>) {
        let Ok(bulk) = Bulk::parse(&bytes) else {
            return self.closed(now_ms, link);
        };
        if self.believes(now_ms, link, (bulk.sender, bulk.epoch)) {
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
        if self.believes(now_ms, link, (relay.sender, relay.epoch)) {
            self.tell(News::Relay(relay, bytes));
        }
    }
}
