// SPDX-License-Identifier: GPL-2.0
//! All peers of this node: connections and messages in, membership and protocol messages out.

mod chunk;

use crate::bag::Bag;
use crate::effects::Effects;
use crate::failure::Outcome;
use crate::host::{Joined, Sink};
use crate::sys::thread::{random, Thread};
use crate::sys::{caps, crypto};
use crate::transport::{Conn, Connector, LinkEvent};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::{node_state, NodeStatus};
use ssi_core::limits::MESSAGE_BYTES_MAX;
use ssi_core::member::{Effect, Event, Link, Me, Peer, Transcript};
use ssi_core::node::{NodeId, NodeSet};
use ssi_core::wire::bulk::Bulk;
use ssi_core::wire::member::{Mac, Message as Membership, Nonce, Reason, Refuse};
use ssi_core::wire::relay::Relay;
use ssi_core::wire::{Body, Message};

/// Connections that have not said yet who they are.
const STRANGERS_MAX: usize = 64;

/// What the engine hears of peers.
pub enum News {
    /// A node can be talked to.
    Up,
    /// A node is dead, or what was on its way to it may be lost.
    Down(NodeId),
    /// A message of a protocol came from a node.
    Message(NodeId, KBox<Body>),
    /// A chunk of a file came.
    Chunk(KBox<Bulk>, KVec<u8>),
    /// Links for a child of their sender came.
    Relay(Relay, KVec<u8>),
    /// The others hold this node for dead.
    Expelled,
}

/// What a peer hears that is held for dead.
const DEAD_EPOCH: Membership = Membership::Refuse(Refuse {
    reason: Reason::DeadEpoch,
});

struct Slot {
    peer: Peer,
    address: u32,
    conns: Bag<Arc<Conn>>,
    /// It lives, but here it counts as dead, or there this node does.
    estranged: bool,
}

/// All peers.
pub struct Peers {
    node: Arc<Joined>,
    sink: Arc<Sink>,
    slots: KVec<Slot>,
    strangers: Bag<Arc<Conn>>,
    news: KVec<News>,
}

fn nonce() -> Nonce {
    let mut nonce = Nonce::default();
    random(&mut nonce);
    nonce
}

fn take(conns: &mut Bag<Arc<Conn>>, link: Link) -> Option<Arc<Conn>> {
    conns.take(|conn| conn.link == link)
}

impl Peers {
    /// No peer has been heard of yet.
    pub fn new(node: Arc<Joined>, sink: Arc<Sink>, now_ms: u64) -> Outcome<Peers> {
        let config = &node.config;
        let me = Me {
            node: config.node,
            epoch: config.epoch,
            cluster: config.cluster,
            failure_ms: config.failure_ms,
        };
        let mut slots = KVec::new();
        for (id, address) in config.nodes.iter().filter(|(id, _)| *id != me.node) {
            let slot = Slot {
                peer: Peer::new(me, *id, now_ms),
                address: *address,
                conns: Bag::new(),
                estranged: false,
            };
            slots.push(slot, GFP_KERNEL)?;
        }
        Ok(Peers {
            node,
            sink,
            slots,
            strangers: Bag::new(),
            news: KVec::new(),
        })
    }

    /// What has happened since the last call.
    pub fn news(&mut self) -> KVec<News> {
        core::mem::replace(&mut self.news, KVec::new())
    }

    fn tell(&mut self, news: News) {
        if self.news.push(news, GFP_KERNEL).is_err() {
            pr_err!("news of a peer were lost: out of memory\n");
        }
    }

    /// Nodes that are up, this one among them.
    pub fn up(&self) -> NodeSet {
        let mut up = NodeSet::only(self.node.config.node);
        for slot in self.slots.iter().filter(|slot| slot.peer.epoch().is_some()) {
            up.insert(slot.peer.node());
        }
        up
    }

    /// Whether it is known of every node if it lives.
    pub fn are_settled(&self, now_ms: u64) -> bool {
        self.slots.iter().all(|slot| slot.peer.is_settled(now_ms))
    }

    /// This node writes its part of a version.
    pub fn saves(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.peer.saves();
        }
    }

    /// This node restores a part: who was never met counts as gone.
    pub fn restores(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.peer.restores();
        }
    }

    fn conn(&self, to: NodeId) -> Option<Arc<Conn>> {
        let slot = self.slots.iter().find(|slot| slot.peer.node() == to)?;
        let link = slot.peer.link()?;
        slot.conns.find(|conn| conn.link == link).cloned()
    }

    /// Sends a message of a protocol. Where there is no connection, `Down` is told.
    #[inline(never)]
    pub fn send(&mut self, to: NodeId, body: &Body) {
        match self.conn(to) {
            Some(conn) => self.send_on(&conn, body),
            None => self.tell(News::Down(to)),
        }
    }

    #[inline(never)]
    fn send_on(&self, conn: &Conn, body: &Body) {
        let message = Message {
            sender: self.node.config.node,
            epoch: self.node.config.epoch,
            body: *body,
        };
        let mut bytes = [0; MESSAGE_BYTES_MAX];
        let mut copy = KVec::new();
        let emitted = message.emit(&mut bytes).ok();
        let queued = emitted
            .and_then(|len| bytes.get(..len))
            .and_then(|bytes| copy.extend_from_slice(bytes, GFP_KERNEL).ok());
        match queued {
            Some(()) => conn.send(copy),
            // A message that cannot be sent is a connection that is lost.
            None => conn.abort(),
        }
    }

    fn step(&mut self, at: usize, now_ms: u64, event: Event) {
        let mut next = Some(event);
        // Ends: only `Prove` and a `Connect` that fails at once have an event of their own, and
        // neither leads to another.
        while let Some(event) = next.take() {
            let Ok(mut effects) = Effects::reserve() else {
                return;
            };
            if let Some(slot) = self.slots.get_mut(at) {
                slot.peer
                    .step(now_ms, event, &mut |effect| effects.push(effect));
            }
            for effect in effects {
                next = self.act(at, effect).or(next);
            }
        }
    }

    /// Does an effect; what comes of it at once is the event that is returned.
    #[inline(never)]
    fn act(&mut self, at: usize, effect: Effect) -> Option<Event> {
        let slot = self.slots.get_mut(at)?;
        let node = slot.peer.node();
        match effect {
            Effect::Connect => {
                let address = slot.address;
                return self.connect(at, address);
            }
            Effect::Send { link, message } => {
                // It has proven itself, in a life that was given up here.
                slot.estranged |= message == DEAD_EPOCH;
                let conn = slot.conns.find(|conn| conn.link == link).cloned()?;
                self.send_on(&conn, &Body::Member(message));
            }
            Effect::Prove { link, mine, theirs } => {
                return Some(match self.macs(&mine, &theirs) {
                    Ok((mine, theirs)) => Event::Proofs { link, mine, theirs },
                    Err(_) => Event::Closed { link },
                });
            }
            Effect::Close { link } => {
                if let Some(conn) = take(&mut slot.conns, link) {
                    conn.close();
                }
            }
            Effect::Up { .. } => {
                slot.estranged = false;
                self.tell(News::Up);
            }
            Effect::Lost { .. } | Effect::Down { .. } => self.tell(News::Down(node)),
            Effect::Expelled => {
                slot.estranged = true;
                self.tell(News::Expelled);
            }
        }
        None
    }

    fn macs(&self, mine: &Transcript, theirs: &Transcript) -> Result<(Mac, Mac)> {
        let key = &self.node.config.key;
        let mine = mine.bytes().map_err(|_| EINVAL)?;
        let theirs = theirs.bytes().map_err(|_| EINVAL)?;
        Ok((
            crypto::hmac_sha256(key, &mine)?,
            crypto::hmac_sha256(key, &theirs)?,
        ))
    }

    fn connect(&self, at: usize, address: u32) -> Option<Event> {
        let config = &self.node.config;
        let connector = Connector {
            from: config.address_of(config.node).unwrap_or(0),
            address,
            port: config.port,
            tag: at as u32,
            sink: self.sink.clone(),
        };
        match Thread::start(c_str!("ssi_link"), connector) {
            Ok(_) => None,
            Err(_) => Some(Event::ConnectFailed),
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now_ms: u64) {
        let processes = caps::count();
        for at in 0..self.slots.len() {
            self.step(at, now_ms, Event::Tick { processes });
        }
    }

    /// Says goodbye to all.
    pub fn leave(&mut self, now_ms: u64) {
        for at in 0..self.slots.len() {
            self.step(at, now_ms, Event::Leave);
        }
    }

    /// Something happened on a connection.
    pub fn link(&mut self, now_ms: u64, event: LinkEvent) {
        match event {
            LinkEvent::Accepted(conn) => {
                if self.strangers.len() < STRANGERS_MAX {
                    // Out of memory: the connection is dropped, and so closed.
                    let _ = self.strangers.put(conn);
                }
            }
            LinkEvent::Connected(conn, tag) => {
                let (at, link) = (tag as usize, conn.link);
                let kept = self.slots.get_mut(at).map(|slot| slot.conns.put(conn));
                match kept {
                    Some(Ok(())) => {
                        let nonce = nonce();
                        self.step(at, now_ms, Event::Connected { link, nonce });
                    }
                    Some(Err(_)) => self.step(at, now_ms, Event::ConnectFailed),
                    None => {}
                }
            }
            LinkEvent::NotConnected(tag) => self.step(tag as usize, now_ms, Event::ConnectFailed),
            LinkEvent::Received(link, bytes) => self.received(now_ms, link, bytes),
            LinkEvent::Closed(link) => self.closed(now_ms, link),
        }
    }

    fn owner(&self, link: Link) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.conns.iter().any(|conn| conn.link == link))
    }

    fn closed(&mut self, now_ms: u64, link: Link) {
        if let Some(at) = self.owner(link) {
            self.step(at, now_ms, Event::Closed { link });
            if let Some(slot) = self.slots.get_mut(at) {
                drop(take(&mut slot.conns, link));
            }
        } else {
            drop(take(&mut self.strangers, link));
        }
    }

    #[inline(never)]
    fn received(&mut self, now_ms: u64, link: Link, bytes: KVec<u8>) {
        if Bulk::is(&bytes) {
            return self.chunk(now_ms, link, bytes);
        }
        if Relay::is(&bytes) {
            return self.relay(now_ms, link, bytes);
        }
        let Ok(message) = Message::parse(&bytes) else {
            return self.closed(now_ms, link);
        };
        let Some(at) = self.owner(link) else {
            return self.introduced(now_ms, link, &message);
        };
        if let Body::Member(message) = message.body {
            return self.step(at, now_ms, Event::Received { link, message });
        }
        let Some(slot) = self.slots.get(at) else {
            return;
        };
        if slot.peer.believes(link, message.sender, message.epoch) {
            self.step(at, now_ms, Event::Heard { link });
            match KBox::new(message.body, GFP_KERNEL) {
                Ok(body) => self.tell(News::Message(message.sender, body)),
                // A message that is lost is a connection that is lost.
                Err(_) => self.closed(now_ms, link),
            }
        }
    }

    /// The first message of a connection that was accepted: a Hello, or nothing.
    fn introduced(&mut self, now_ms: u64, link: Link, message: &Message) {
        let Some(conn) = take(&mut self.strangers, link) else {
            return;
        };
        let Body::Member(Membership::Hello(hello)) = message.body else {
            return;
        };
        let at = self
            .slots
            .iter()
            .position(|slot| slot.peer.node() == hello.node);
        let Some((at, slot)) = at.and_then(|at| Some((at, self.slots.get_mut(at)?))) else {
            return;
        };
        if slot.conns.put(conn).is_ok() {
            let nonce = nonce();
            self.step(at, now_ms, Event::Accepted { link, nonce, hello });
        }
    }

    /// All nodes as `ssi_ctl` shows them.
    pub fn status(&self) -> Result<KVec<NodeStatus>> {
        let config = &self.node.config;
        let mut status = KVec::with_capacity(config.nodes.len(), GFP_KERNEL)?;
        for (id, address) in config.nodes.iter() {
            let slot = self.slots.iter().find(|slot| slot.peer.node() == *id);
            let mut entry = NodeStatus {
                node: id.raw(),
                state: node_state::UP,
                address: *address,
                processes: 0,
                epoch: config.epoch.0,
            };
            match slot {
                Some(slot) => {
                    entry.state = match slot.estranged {
                        true => node_state::ESTRANGED,
                        false => slot.peer.state(),
                    };
                    entry.epoch = slot.peer.epoch().map_or(0, |epoch| epoch.0);
                    entry.processes = slot.peer.processes();
                }
                None => entry.processes = caps::count(),
            }
            status.push(entry, GFP_KERNEL)?;
        }
        Ok(status)
    }
}
