// SPDX-License-Identifier: GPL-2.0
//! The network between nodes: connections that carry messages in order until they break, and cuts.
use super::chunk::Chunk;
use super::relays::Batch;
use super::World;
use crate::cost::Act;
use crate::event::{At, EndIx, Event};
use crate::queue::{Nanos, MS};
use crate::trace::What;
use ssi_core::member::Link;
use ssi_core::node::NodeId;
use ssi_core::wire::{Message, LONGEST};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// A connection's number, never used twice.
pub type ConnectionId = u32;

/// How long a connect is tried where nothing answers.
const DIAL_MS: Nanos = 1_000 * MS;

/// What a connection carries.
#[derive(Clone, Debug)]
pub enum Item {
    /// A message, as bytes where the run goes through the codec.
    Message(Rc<Message>),
    /// Links for a child.
    Relay(Rc<Batch>),
    /// A chunk of a file.
    Chunk(Rc<Chunk>),
    /// The other end closed it.
    Closed,
}

/// One end.
pub struct End {
    /// Whose.
    pub at: At,
    /// It is open here.
    pub open: bool,
    /// What is on its way to it.
    queue: VecDeque<Item>,
    /// When the last of that arrives.
    last: Nanos,
    /// Arrivals that a cut holds up.
    held: usize,
}

/// A connection between two nodes; end 0 connected, end 1 accepted.
pub struct Connection {
    /// Both ends.
    pub ends: [End; 2],
    /// Nothing gets through any more, in either direction, whoever knows.
    broken: bool,
}

/// All connections, and where none gets through.
#[derive(Default)]
pub struct Network {
    /// By number.
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// From the first to the second nothing gets through.
    pub cuts: BTreeSet<(NodeId, NodeId)>,
    next: ConnectionId,
}

impl Network {
    fn connect(&mut self, from: At, to: At) -> ConnectionId {
        self.next += 1;
        let end = |at| End {
            at,
            open: true,
            queue: VecDeque::new(),
            last: 0,
            held: 0,
        };
        let connection = Connection {
            ends: [end(from), end(to)],
            broken: false,
        };
        self.connections.insert(self.next, connection);
        self.next
    }

    /// Which end of connection `id` is that of `at`.
    pub fn end_of(&self, id: ConnectionId, at: At) -> Option<EndIx> {
        let ends = &self.connections.get(&id)?.ends;
        ends.iter().position(|end| end.at == at && end.open)
    }
}

impl World {
    /// Sends on a connection of `at`, if it is still open there.
    pub fn send_on(&mut self, at: At, id: ConnectionId, message: Message) {
        let Some(mine) = self.network.end_of(id, at) else {
            return;
        };
        let message = self.through_codec(message);
        self.put(id, 1 - mine, Item::Message(Rc::new(message)));
    }

    /// The same for a chunk.
    pub(super) fn send_chunk_on(&mut self, at: At, id: ConnectionId, chunk: Rc<Chunk>) {
        if let Some(mine) = self.network.end_of(id, at) {
            self.put(id, 1 - mine, Item::Chunk(chunk));
        }
    }

    /// What comes out of the codec is what went in.
    fn through_codec(&mut self, message: Message) -> Message {
        if !self.plan.encode {
            return message;
        }
        let mut bytes = [0; LONGEST];
        let parsed = message
            .emit(&mut bytes)
            .and_then(|len| Message::parse(&bytes[..len]));
        match parsed {
            Ok(parsed) if parsed == message => {}
            other => self.breaks("codec", format!("{message:?} became {other:?}")),
        }
        message
    }

    /// Sends an item to an end. On a connection that is broken it is lost; where the other node has
    /// closed its end, its kernel says so.
    pub(super) fn put(&mut self, id: ConnectionId, to: EndIx, item: Item) {
        let Some(connection) = self.network.connections.get(&id) else {
            return;
        };
        let far = &connection.ends[to];
        if !connection.broken {
            self.on_its_way(id, to, item);
        } else if !far.open && self.is_alive(far.at) {
            self.on_its_way(id, 1 - to, Item::Closed);
        }
    }

    fn on_its_way(&mut self, id: ConnectionId, to: EndIx, item: Item) {
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let act = Act::Message {
            from: connection.ends[1 - to].at.node,
            to: connection.ends[to].at.node,
            bytes: match &item {
                Item::Chunk(chunk) => chunk.bytes,
                Item::Message(_) | Item::Relay(_) | Item::Closed => 100,
            },
        };
        let (from, receiver) = (connection.ends[1 - to].at.node, connection.ends[to].at.node);
        let end = &mut connection.ends[to];
        end.last = end.last.max(self.queue.now() + self.cost.of(act));
        let arrives = end.last;
        let sent = match &item {
            Item::Message(message) => Some(What::Sent {
                to: receiver,
                arrives,
                body: message.body,
            }),
            Item::Relay(batch) => Some(What::Relayed {
                to: receiver,
                arrives,
                op: batch.relay.op,
                links: batch.links.len(),
            }),
            Item::Chunk(_) | Item::Closed => None,
        };
        end.queue.push_back(item);
        self.queue.at(arrives, Event::Arrive(id, to));
        if let Some(what) = sent.filter(|_| self.tells_messages) {
            self.tell(from, what);
        }
    }

    /// The next item reaches end `to`.
    pub(super) fn arrive(&mut self, id: ConnectionId, to: EndIx) {
        let cuts = &self.network.cuts;
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let from = connection.ends[1 - to].at;
        let end = &mut connection.ends[to];
        if cuts.contains(&(from.node, end.at.node)) {
            end.held += 1;
            return;
        }
        let (at, open) = (end.at, end.open);
        let item = end.queue.pop_front();
        if !open || !self.is_alive(at) {
            return;
        }
        match item {
            Some(Item::Message(message)) => self.received(at, Link(id), &message),
            Some(Item::Relay(batch)) => self.received_relay(at, Link(id), &batch),
            Some(Item::Chunk(chunk)) => self.received_chunk(at, Link(id), &chunk),
            Some(Item::Closed) => {
                self.close_end(id, to);
                self.link_closed(at, Link(id));
            }
            None => {}
        }
        self.settle(at);
    }

    fn close_end(&mut self, id: ConnectionId, which: EndIx) {
        if let Some(connection) = self.network.connections.get_mut(&id) {
            connection.ends[which].open = false;
            connection.ends[which].queue.clear();
            if connection.ends.iter().all(|end| !end.open) {
                self.network.connections.remove(&id);
            }
        }
    }

    /// `at` closes its end after all that it has sent.
    pub(super) fn close(&mut self, at: At, id: ConnectionId) {
        if let Some(mine) = self.network.end_of(id, at) {
            self.put(id, 1 - mine, Item::Closed);
            self.close_end(id, mine);
        }
    }

    /// The connection breaks: what is on it and what is sent on it later is lost. An end hears of
    /// it at once if it `hears`.
    pub(super) fn break_connection(&mut self, id: ConnectionId, hears: [bool; 2]) {
        for (which, hears) in hears.into_iter().enumerate() {
            let Some(connection) = self.network.connections.get_mut(&id) else {
                return;
            };
            connection.broken = true;
            let end = &mut connection.ends[which];
            let (lost, at, open) = (end.queue.len(), end.at, end.open);
            end.queue.clear();
            self.touched.network |= lost > 0;
            if hears && open && self.is_alive(at) {
                self.on_its_way(id, which, Item::Closed);
            }
        }
    }

    /// A node loses power: its connections go silent, or break where its kernel says so.
    pub(super) fn drop_connections(&mut self, dead: At, hears: bool) {
        let mine = |connection: &Connection| connection.ends.iter().position(|end| end.at == dead);
        let ids: Vec<(ConnectionId, EndIx)> = self
            .network
            .connections
            .iter()
            .filter_map(|(id, connection)| Some((*id, mine(connection)?)))
            .collect();
        for (id, end) in ids {
            if hears {
                let mut who = [true; 2];
                who[end] = false;
                self.break_connection(id, who);
            }
            self.close_end(id, end);
        }
    }

    /// What was held up by a cut that is gone arrives.
    pub(super) fn release_held(&mut self) {
        let cuts = self.network.cuts.clone();
        let mut arrivals = Vec::new();
        for (id, connection) in &mut self.network.connections {
            for to in [0, 1] {
                let from = connection.ends[1 - to].at.node;
                let end = &mut connection.ends[to];
                if !cuts.contains(&(from, end.at.node)) {
                    let held = std::mem::take(&mut end.held);
                    arrivals.extend(std::iter::repeat_n((*id, to), held));
                }
            }
        }
        for (id, to) in arrivals {
            self.queue.after(MS, Event::Arrive(id, to));
        }
    }

    /// Whether something gets from one node to the other.
    pub fn reaches(&self, from: NodeId, to: NodeId) -> bool {
        !self.network.cuts.contains(&(from, to))
    }

    /// `at` begins to connect to `peer`.
    pub(super) fn dial(&mut self, at: At, peer: NodeId) {
        let there = self.node(peer).up;
        let delay = match self.reaches(at.node, peer) && self.reaches(peer, at.node) {
            true if there => self.message_time(at.node, peer) * 2,
            _ => DIAL_MS,
        };
        self.queue.after(delay, Event::Dialled(at, peer));
    }

    pub(super) fn message_time(&mut self, from: NodeId, to: NodeId) -> Nanos {
        let act = Act::Message {
            from,
            to,
            bytes: 100,
        };
        self.cost.of(act)
    }

    /// A connect succeeds, or it is given up.
    pub(super) fn dialled(&mut self, at: At, peer: NodeId) {
        let other = self.node(peer);
        let (there, up) = (other.at, other.up);
        if up && self.reaches(at.node, peer) && self.reaches(peer, at.node) {
            let id = self.network.connect(at, there);
            self.node_mut(peer).engine.peers.strangers.push(id);
            self.link_connected(at, peer, Link(id));
        } else {
            self.link_refused(at, peer);
        }
        self.settle(at);
    }
}
