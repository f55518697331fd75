// SPDX-License-Identifier: GPL-2.0
//! One peer: the handshake of its connections, and whether it lives.

use super::{Effect, Event, Link, Me};
use crate::abi::node_state;
use crate::limits;
use crate::node::{Epoch, NodeId};
use crate::wire::member::{Heartbeat, Hello, Leave, Mac, Message, Reason, Refuse};

mod handshake;

pub use handshake::same_mac;

/// Where effects go, in order.
pub type Sink<'a> = &'a mut dyn FnMut(Effect);

/// What was said in the introductions of a connection, beside the ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Said {
    /// The peer's life.
    pub epoch: Epoch,
    /// The peer has taken part in something.
    pub took_part: bool,
    /// This node has, as it said.
    pub we_took_part: bool,
}

/// Handshake of the newest connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shake {
    /// None under way.
    Idle,
    /// The host connects.
    Dialing,
    /// This node connected; the peer's Hello is awaited.
    Hello {
        link: Link,
        since_ms: u64,
        ours: Hello,
    },
    /// The host computes the HMACs.
    Proofs {
        link: Link,
        since_ms: u64,
        said: Said,
    },
    /// The peer's Proof is awaited.
    Proof {
        link: Link,
        since_ms: u64,
        said: Said,
        expected: Mac,
    },
}

/// Whether the peer lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    /// Never heard of, or it left.
    Absent,
    /// It lives, in this life; `link` is the connection, while there is one.
    Up { epoch: Epoch, link: Option<Link> },
    /// It was up.
    Down,
    /// It is not one of us.
    Refused,
}

/// Another node, as seen from this one.
#[derive(Clone, Debug)]
pub struct Peer {
    me: Me,
    node: NodeId,
    pub(super) shake: Shake,
    pub(super) life: Life,
    /// The newest life that counts as dead.
    dead: Option<Epoch>,
    /// What ran there counts as gone, although no life of it was met.
    pub(super) gone: bool,
    /// This node has written or restored a part.
    took_part: bool,
    processes: u32,
    /// How many of this node's processes the peer was told of.
    told: u32,
    /// Since when this node is here, without standing still.
    here_ms: u64,
    heard_ms: u64,
    beat_ms: u64,
    tick_ms: u64,
    dial_ms: u64,
    pause_ms: u32,
}

impl Peer {
    /// The peer `node`, from `now_ms` (monotonic) on.
    pub fn new(me: Me, node: NodeId, now_ms: u64) -> Peer {
        Peer {
            me,
            node,
            shake: Shake::Idle,
            life: Life::Absent,
            dead: None,
            gone: false,
            took_part: false,
            processes: 0,
            told: 0,
            here_ms: now_ms,
            heard_ms: now_ms,
            beat_ms: now_ms,
            tick_ms: now_ms,
            dial_ms: now_ms,
            pause_ms: limits::RECONNECT_MS_MIN,
        }
    }

    /// Which node it is.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// A number of [`node_state`].
    pub fn state(&self) -> u32 {
        match (self.life, self.shake) {
            (Life::Up { .. }, _) => node_state::UP,
            (Life::Refused, _) => node_state::REFUSED,
            (Life::Down, _) => node_state::DOWN,
            (Life::Absent, Shake::Idle | Shake::Dialing) => node_state::ABSENT,
            (Life::Absent, Shake::Hello { .. } | Shake::Proofs { .. } | Shake::Proof { .. }) => {
                node_state::JOINING
            }
        }
    }

    /// The life in which it is up.
    pub fn epoch(&self) -> Option<Epoch> {
        match self.life {
            Life::Up { epoch, .. } => Some(epoch),
            Life::Absent | Life::Down | Life::Refused => None,
        }
    }

    /// Whether it is known if the peer lives: it does, it did, it was refused, or it has had the
    /// time to say so. Until then nobody may conclude that what ran there is gone. Time in which
    /// this node stood still is no such time.
    pub fn is_settled(&self, now_ms: u64) -> bool {
        match self.life {
            Life::Up { .. } | Life::Down | Life::Refused => true,
            Life::Absent => {
                let waited_ms = now_ms.saturating_sub(self.here_ms);
                let settle_ms = u64::from(limits::settle_ms(self.me.failure_ms));
                !self.was_away(now_ms) && waited_ms > settle_ms
            }
        }
    }

    /// This node writes its part of a version.
    pub fn saves(&mut self) {
        self.took_part = true;
    }

    /// This node restores a part. A peer that was never met counts as gone from now on, and what
    /// ran there may run here: a life of it that has taken part in anything is dead.
    pub fn restores(&mut self) {
        self.took_part = true;
        self.gone |= self.dead.is_none() && self.epoch().is_none();
    }

    /// Whether this node has stood still since its last tick, as a machine that was suspended does.
    fn was_away(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.tick_ms) > u64::from(self.me.failure_ms) / 2
    }

    /// The connection to send on.
    pub fn link(&self) -> Option<Link> {
        match self.life {
            Life::Up { link, .. } => link,
            Life::Absent | Life::Down | Life::Refused => None,
        }
    }

    /// CHECKPOINTABLE processes there, as last heard.
    pub fn processes(&self) -> u32 {
        self.processes
    }

    /// Whether a message of any protocol but membership counts: it came on the peer's proven
    /// connection, and names the peer in its present life as its sender.
    pub fn believes(&self, link: Link, sender: NodeId, epoch: Epoch) -> bool {
        sender == self.node
            && self.life
                == Life::Up {
                    epoch,
                    link: Some(link),
                }
    }

    /// Takes an event and says what to do: at most [`limits::STEP_EFFECTS_MAX`] effects.
    pub fn step(&mut self, now_ms: u64, event: Event, out: Sink<'_>) {
        match event {
            Event::Tick { processes } => self.tick(now_ms, processes, out),
            Event::Connected { link, nonce } => self.connected(now_ms, link, nonce, out),
            Event::ConnectFailed if self.shake == Shake::Dialing => self.back_off(now_ms),
            Event::ConnectFailed => {}
            Event::Accepted { link, nonce, hello } => {
                self.accepted(now_ms, link, (nonce, hello), out);
            }
            Event::Proofs { link, mine, theirs } => self.prove(link, mine, theirs, out),
            Event::Received { link, message } => self.received(now_ms, link, &message, out),
            Event::Heard { link } => self.heard(now_ms, link),
            Event::Closed { link } => self.closed(now_ms, link, out),
            Event::Leave => self.leave(out),
        }
    }

    fn shaking(&self) -> Option<(Link, u64)> {
        match self.shake {
            Shake::Idle | Shake::Dialing => None,
            Shake::Hello { link, since_ms, .. }
            | Shake::Proofs { link, since_ms, .. }
            | Shake::Proof { link, since_ms, .. } => Some((link, since_ms)),
        }
    }

    fn received_live(&mut self, now_ms: u64, link: Link, message: &Message, out: Sink<'_>) {
        match message {
            Message::Heartbeat(beat) => self.processes = beat.processes,
            Message::Leave(_) => {
                out(Effect::Close { link });
                self.die(out);
                self.life = Life::Absent;
            }
            Message::Refuse(Refuse {
                reason: Reason::DeadEpoch,
            }) => {
                out(Effect::Close { link });
                self.die(out);
                out(Effect::Expelled);
            }
            Message::Hello(_) | Message::Proof(_) | Message::Refuse(_) => {
                out(Effect::Close { link });
                self.closed(now_ms, link, out);
            }
        }
    }

    fn closed(&mut self, now_ms: u64, link: Link, out: Sink<'_>) {
        if self.shaking().is_some_and(|(shaking, _)| shaking == link) {
            self.back_off(now_ms);
        }
        match self.life {
            Life::Up {
                epoch,
                link: Some(live),
            } if live == link => {
                self.life = Life::Up { epoch, link: None };
                out(Effect::Lost { epoch });
            }
            Life::Up { .. } | Life::Absent | Life::Down | Life::Refused => {}
        }
    }

    // Life.

    /// The peer has proven itself on `link`, in this life.
    fn establish(&mut self, now_ms: u64, link: Link, said: Said, out: Sink<'_>) {
        if said.we_took_part != self.took_part {
            // The peer has to know before it believes this node: once more.
            return out(Effect::Close { link });
        }
        let epoch = said.epoch;
        if self.gone && said.took_part {
            self.dead = self.dead.max(Some(epoch));
            self.life = Life::Down;
        }
        let present = self.epoch();
        if self.dead.is_some_and(|dead| epoch <= dead) || present.is_some_and(|now| epoch < now) {
            return self.refuse(link, Reason::DeadEpoch, out);
        }
        if let Some(older) = self.link() {
            out(Effect::Close { link: older });
        }
        if present == Some(epoch) && self.link().is_some() {
            out(Effect::Lost { epoch });
        }
        if present.is_some_and(|present| present < epoch) {
            self.die(out);
        }
        self.life = Life::Up {
            epoch,
            link: Some(link),
        };
        self.gone = false;
        self.heard_ms = now_ms;
        self.beat_ms = now_ms;
        self.pause_ms = limits::RECONNECT_MS_MIN;
        out(Effect::Up { epoch, link });
    }

    fn die(&mut self, out: Sink<'_>) {
        if let Some(epoch) = self.epoch() {
            self.dead = Some(epoch);
            self.life = Life::Down;
            self.processes = 0;
            out(Effect::Down { epoch });
        }
    }

    fn heard(&mut self, now_ms: u64, link: Link) {
        if self.link() == Some(link) {
            self.heard_ms = now_ms;
        }
    }

    fn tick(&mut self, now_ms: u64, processes: u32, out: Sink<'_>) {
        let failure_ms = u64::from(self.me.failure_ms);
        if self.was_away(now_ms) {
            // This node was away, not the peer.
            self.heard_ms = now_ms;
            self.here_ms = now_ms;
        }
        self.tick_ms = now_ms;
        if let Some((link, since_ms)) = self.shaking() {
            if now_ms.saturating_sub(since_ms) > u64::from(limits::HANDSHAKE_MS_MAX) {
                out(Effect::Close { link });
                self.back_off(now_ms);
            }
        }
        if self.epoch().is_some() && now_ms.saturating_sub(self.heard_ms) > failure_ms {
            if let Some(link) = self.link() {
                out(Effect::Close { link });
            }
            self.die(out);
        }
        if let Some(link) = self.link() {
            let beat_ms = self.me.failure_ms / limits::HEARTBEATS_PER_FAILURE;
            let due = now_ms.saturating_sub(self.beat_ms) >= u64::from(beat_ms);
            // A node that has become free says so at once: what is restarted next may go there.
            if due || (processes == 0 && self.told > 0) {
                self.beat_ms = now_ms;
                self.told = processes;
                let message = Message::Heartbeat(Heartbeat { processes });
                out(Effect::Send { link, message });
            }
        } else if self.me.node > self.node && self.shake == Shake::Idle && now_ms >= self.dial_ms {
            self.shake = Shake::Dialing;
            out(Effect::Connect);
        }
    }

    fn leave(&mut self, out: Sink<'_>) {
        if let Some((link, _)) = self.shaking() {
            out(Effect::Close { link });
        }
        self.shake = Shake::Idle;
        if let Some(link) = self.link() {
            out(Effect::Send {
                link,
                message: Message::Leave(Leave),
            });
            out(Effect::Close { link });
        }
        self.life = Life::Absent;
    }
}
