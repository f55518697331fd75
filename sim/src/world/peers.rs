// SPDX-License-Identifier: GPL-2.0
//! The peers of a node, hosted as the kernel does: membership in, news for the protocols out.
use super::chunk::Chunk;
use super::relays::Batch;
use super::{ConnectionId, World};
use crate::event::{At, Event};
use crate::queue::MS;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use ssi_core::member::{Effect, Event as Happens, Link, Me, Peer, Transcript};
use ssi_core::node::{NodeId, NodeSet};
use ssi_core::wire::member::{Mac, Message as Membership, Nonce};
use ssi_core::wire::{Body, Message};
use std::rc::Rc;

/// Name of the cluster.
const CLUSTER: [u8; 32] = *b"simulated\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What the protocols hear of peers.
#[derive(Clone, Debug)]
pub enum News {
    /// A node can be talked to.
    Up,
    /// A node is dead, or what was on its way to it may be lost.
    Down(NodeId),
    /// A message of a protocol came from a node.
    Message(NodeId, Rc<Message>),
    /// Links came for a child of their sender.
    Relay(Rc<Batch>),
    /// A chunk of a file came.
    Chunk(Rc<Chunk>),
    /// The others hold this node for dead.
    Expelled,
}

/// One peer and the connections with it.
pub struct Slot {
    /// The state machine.
    pub peer: Peer,
    /// Connections that may be its.
    pub connections: Vec<ConnectionId>,
}

/// All peers of a node.
#[derive(Default)]
pub struct Peers {
    /// One for each other node; none where membership never changes.
    pub slots: Vec<Slot>,
    /// Connections that have not said yet who they are.
    pub strangers: Vec<ConnectionId>,
}

impl Peers {
    /// The slot of a node.
    pub fn slot(&self, node: NodeId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.peer.node() == node)
    }
}

impl World {
    /// A node that was just switched on begins to look for its peers.
    pub(super) fn meet(&mut self, at: At) {
        let node = self.node(at.node);
        let (me, now_ms) = (
            Me {
                node: at.node,
                epoch: node.epoch,
                cluster: CLUSTER,
                failure_ms: self.plan.failure_ms,
            },
            node.clock.ms(self.queue.now()),
        );
        if self.plan.fixed_membership {
            return;
        }
        let others = self.nodes.iter().map(|node| node.at.node);
        let slots = others.filter(|node| *node != at.node).map(|node| Slot {
            peer: Peer::new(me, node, now_ms),
            connections: Vec::new(),
        });
        let slots = slots.collect();
        self.node_mut(at.node).engine.peers = Peers {
            slots,
            strangers: Vec::new(),
        };
        let tick_ms = self.tick_ms();
        let phase = self.random.below(tick_ms) * MS;
        self.queue.after(phase, Event::Tick(at));
    }

    pub(super) fn tick(&mut self, at: At) {
        let processes = self.capable_on(at.node);
        for which in 0..self.node(at.node).engine.peers.slots.len() {
            self.step_peer(at, which, Happens::Tick { processes });
        }
        self.settle(at);
        let tick_ms = self.tick_ms();
        self.queue.after(tick_ms * MS, Event::Tick(at));
    }

    /// Nodes that are up as `node` sees it, itself among them.
    pub fn up_from(&self, node: NodeId) -> NodeSet {
        let mut up = NodeSet::only(node);
        if self.plan.fixed_membership {
            for other in &self.nodes {
                up.insert(other.at.node);
            }
        }
        for slot in &self.node(node).engine.peers.slots {
            if slot.peer.epoch().is_some() {
                up.insert(slot.peer.node());
            }
        }
        up
    }

    /// Sends a message of a protocol, to the node itself too.
    pub(super) fn send(&mut self, from: At, to: NodeId, body: Body) {
        self.coverage.messages += 1;
        if to == from.node {
            let engine = &mut self.node_mut(to).engine;
            return engine.own.push_back(Rc::new(body));
        }
        if self.plan.fixed_membership {
            return self.send_direct(from.node, to, body);
        }
        let node = self.node(from.node);
        let slot = node.engine.peers.slot(to);
        match slot.and_then(|slot| slot.peer.link()) {
            Some(Link(id)) => {
                let (sender, epoch) = (from.node, node.epoch);
                let message = Message {
                    sender,
                    epoch,
                    body,
                };
                self.send_on(from, id, message);
            }
            None => {
                let engine = &mut self.node_mut(from.node).engine;
                engine.news.push_back(News::Down(to));
            }
        }
    }

    fn send_direct(&mut self, from: NodeId, to: NodeId, body: Body) {
        let delay = self.message_time(from, to);
        let event = Event::Direct {
            from,
            to: self.node(to).at,
            body: Rc::new(body),
        };
        self.queue.after(delay, event);
    }

    pub(super) fn step_peer(&mut self, at: At, which: usize, event: Happens) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let now = self.queue.now();
            let node = self.node_mut(at.node);
            let now_ms = node.clock.ms(now);
            let Some(slot) = node.engine.peers.slots.get_mut(which) else {
                return;
            };
            let mut effects = Vec::new();
            slot.peer
                .step(now_ms, event, &mut |effect| effects.push(effect));
            for effect in effects {
                next = self.act_peer(at, which, effect).or(next);
            }
        }
    }

    fn act_peer(&mut self, at: At, which: usize, effect: Effect) -> Option<Happens> {
        self.touched.membership = true;
        let node = self.node_mut(at.node);
        let epoch = node.epoch;
        let slot = node.engine.peers.slots.get_mut(which)?;
        let peer = slot.peer.node();
        match effect {
            Effect::Connect => self.dial(at, peer),
            Effect::Send { link, message } => {
                let message = Message {
                    sender: at.node,
                    epoch,
                    body: Body::Member(message),
                };
                self.send_on(at, link.0, message);
            }
            Effect::Prove { link, mine, theirs } => {
                let (mine, theirs) = (proof(&mine), proof(&theirs));
                return Some(Happens::Proofs { link, mine, theirs });
            }
            Effect::Close { link } => {
                slot.connections.retain(|id| *id != link.0);
                self.close(at, link.0);
            }
            Effect::Up { .. } => node.engine.news.push_back(News::Up),
            Effect::Lost { .. } | Effect::Down { .. } => {
                node.engine.news.push_back(News::Down(peer));
            }
            Effect::Expelled => node.engine.news.push_back(News::Expelled),
        }
        None
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = Nonce::default();
        for bytes in nonce.chunks_mut(8) {
            bytes.copy_from_slice(&self.random.any().to_le_bytes()[..bytes.len()]);
        }
        nonce
    }

    pub(super) fn which(&self, at: At, link: Link) -> Option<usize> {
        let slots = &self.node(at.node).engine.peers.slots;
        slots
            .iter()
            .position(|slot| slot.connections.contains(&link.0))
    }

    pub(super) fn link_connected(&mut self, at: At, peer: NodeId, link: Link) {
        let slots = &mut self.node_mut(at.node).engine.peers.slots;
        if let Some(which) = slots.iter().position(|slot| slot.peer.node() == peer) {
            slots[which].connections.push(link.0);
            let nonce = self.nonce();
            self.step_peer(at, which, Happens::Connected { link, nonce });
        }
    }

    pub(super) fn link_refused(&mut self, at: At, peer: NodeId) {
        let slots = &self.node(at.node).engine.peers.slots;
        if let Some(which) = slots.iter().position(|slot| slot.peer.node() == peer) {
            self.step_peer(at, which, Happens::ConnectFailed);
        }
    }

    pub(super) fn link_closed(&mut self, at: At, link: Link) {
        if let Some(which) = self.which(at, link) {
            self.step_peer(at, which, Happens::Closed { link });
            let slot = &mut self.node_mut(at.node).engine.peers.slots[which];
            slot.connections.retain(|id| *id != link.0);
        } else {
            let strangers = &mut self.node_mut(at.node).engine.peers.strangers;
            strangers.retain(|id| *id != link.0);
        }
    }

    /// A message came on a connection.
    pub(super) fn received(&mut self, at: At, link: Link, message: &Rc<Message>) {
        let Some(which) = self.which(at, link) else {
            return self.introduced(at, link, message);
        };
        if let Body::Member(message) = message.body {
            return self.step_peer(at, which, Happens::Received { link, message });
        }
        let slot = &self.node(at.node).engine.peers.slots[which];
        if slot.peer.believes(link, message.sender, message.epoch) {
            self.step_peer(at, which, Happens::Heard { link });
            let news = News::Message(message.sender, message.clone());
            self.node_mut(at.node).engine.news.push_back(news);
        }
    }

    /// The first message of a connection that was accepted: a Hello, or nothing.
    fn introduced(&mut self, at: At, link: Link, message: &Message) {
        let peers = &mut self.node_mut(at.node).engine.peers;
        peers.strangers.retain(|id| *id != link.0);
        let Body::Member(Membership::Hello(hello)) = message.body else {
            return self.close(at, link.0);
        };
        let slots = &mut peers.slots;
        match slots.iter().position(|slot| slot.peer.node() == hello.node) {
            Some(which) => {
                slots[which].connections.push(link.0);
                let nonce = self.nonce();
                self.step_peer(at, which, Happens::Accepted { link, nonce, hello });
            }
            None => self.close(at, link.0),
        }
    }
}

/// The proof of the cluster's key that belongs to a transcript; nothing where it has no bytes.
fn proof(transcript: &Transcript) -> Mac {
    let (Ok(bytes), Ok(mut mac)) = (
        transcript.bytes(),
        Hmac::<Sha256>::new_from_slice(b"simulated key"),
    ) else {
        return Mac::default();
    };
    mac.update(&bytes);
    mac.finalize().into_bytes().into()
}
