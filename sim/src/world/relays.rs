// SPDX-License-Identifier: GPL-2.0
//! Batches of links from agents of checkpoints to their children, beside the messages.
use super::network::Item;
use super::peers::News;
use super::{ConnectionId, World};
use crate::event::{At, Event};
use ssi_core::checkpoint::Link;
use ssi_core::member::{Event as Happens, Link as PeerLink};
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::relay::{bytes, links, Relay};
use std::rc::Rc;

/// A batch on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Whose it is.
    pub relay: Relay,
    /// What it says.
    pub links: Vec<Link>,
}

impl World {
    pub(super) fn send_relay(&mut self, from: At, to: NodeId, op: OpId, links: Vec<Link>) {
        self.coverage.messages += 1;
        let node = self.node(from.node);
        let relay = Relay {
            sender: from.node,
            epoch: node.epoch,
            op,
        };
        let slot = node.engine.peers.slot(to);
        let connection = slot.and_then(|slot| slot.peer.link());
        let batch = self.relay_through_codec(Batch { relay, links });
        if self.plan.fixed_membership {
            let delay = self.message_time(from.node, to);
            let event = Event::Relay {
                to: self.node(to).at,
                batch,
            };
            return self.queue.after(delay, event);
        }
        match connection {
            Some(PeerLink(id)) => self.send_relay_on(from, id, batch),
            None => {
                let engine = &mut self.node_mut(from.node).engine;
                engine.news.push_back(News::Down(to));
            }
        }
    }

    fn send_relay_on(&mut self, at: At, id: ConnectionId, batch: Rc<Batch>) {
        if let Some(mine) = self.network.end_of(id, at) {
            self.put(id, 1 - mine, Item::Relay(batch));
        }
    }

    /// What comes out of the codec is what went in.
    fn relay_through_codec(&mut self, batch: Batch) -> Rc<Batch> {
        if self.plan.encode {
            // CAST: far below 2^32.
            let mut out = vec![0; bytes(batch.links.len() as u32)];
            let emitted = batch.relay.emit(&mut batch.links.iter().copied(), &mut out);
            let parsed = emitted
                .and_then(|()| Relay::parse(&out))
                .map(|relay| Batch {
                    relay,
                    links: links(&out).collect(),
                });
            if parsed.as_ref() != Ok(&batch) {
                self.breaks("codec", format!("{batch:?} became {parsed:?}"));
            }
        }
        Rc::new(batch)
    }

    /// A batch came on a connection.
    pub(super) fn received_relay(&mut self, at: At, link: PeerLink, batch: &Rc<Batch>) {
        let Some(which) = self.which(at, link) else {
            return self.close(at, link.0);
        };
        let slot = &self.node(at.node).engine.peers.slots[which];
        if slot
            .peer
            .believes(link, batch.relay.sender, batch.relay.epoch)
        {
            self.step_peer(at, which, Happens::Heard { link });
            let news = News::Relay(batch.clone());
            self.node_mut(at.node).engine.news.push_back(news);
        }
    }

    pub(super) fn relay_arrives(&mut self, to: At, batch: &Batch) {
        self.checkpoint_relay(to, batch);
        self.settle(to);
    }
}
