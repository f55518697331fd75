// SPDX-License-Identifier: GPL-2.0
//! Chunks of files on the connections between nodes.
use super::image::PartImage;
use super::peers::News;
use super::World;
use crate::event::At;
use ssi_core::member::{Event as Happens, Link};
use ssi_core::node::{Epoch, NodeId, OpId};
use ssi_core::wire::bulk::{self, Bulk, FileName};
use std::rc::Rc;

/// Bytes of a simulated chunk: more than the kernel's, so that a part is a few windows long.
pub const CHUNK_BYTES: u64 = 128 << 10;

/// A chunk. Of the bytes only their number and what all of them are is carried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// What stands before the bytes.
    pub bulk: Bulk,
    /// How many.
    pub bytes: u64,
    /// The part that they are of.
    pub image: Rc<PartImage>,
}

impl Chunk {
    pub(super) fn new(
        (sender, epoch): (NodeId, Epoch),
        op: OpId,
        (position, bytes): (u64, u64),
        image: Rc<PartImage>,
    ) -> Rc<Chunk> {
        let chunk = bulk::Chunk {
            file: FileName::Part,
            position,
        };
        let bulk = Bulk {
            sender,
            epoch,
            op,
            chunk,
        };
        Rc::new(Chunk { bulk, bytes, image })
    }
}

impl World {
    /// Sends a chunk; as with `send`.
    pub(super) fn send_chunk(&mut self, from: At, to: NodeId, chunk: Rc<Chunk>) {
        self.coverage.messages += 1;
        if self.plan.encode {
            let head = chunk.bulk.head(0).map(|bytes| Bulk::parse(&bytes));
            if head != Ok(Ok(chunk.bulk)) {
                self.breaks("codec", format!("{:?} became {head:?}", chunk.bulk));
            }
        }
        let slot = self.node(from.node).engine.peers.slot(to);
        match slot.and_then(|slot| slot.peer.link()) {
            Some(Link(id)) => self.send_chunk_on(from, id, chunk),
            None => {
                let engine = &mut self.node_mut(from.node).engine;
                engine.news.push_back(News::Down(to));
            }
        }
    }

    /// A chunk came on a connection.
    pub(super) fn received_chunk(&mut self, at: At, link: Link, chunk: &Rc<Chunk>) {
        let Some(which) = self.which(at, link) else {
            return self.close(at, link.0);
        };
        let (sender, epoch) = (chunk.bulk.sender, chunk.bulk.epoch);
        let slot = &self.node(at.node).engine.peers.slots[which];
        if slot.peer.believes(link, sender, epoch) {
            self.step_peer(at, which, Happens::Heard { link });
            let news = News::Chunk(chunk.clone());
            self.node_mut(at.node).engine.news.push_back(news);
        }
    }
}
