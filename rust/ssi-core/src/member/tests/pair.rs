// SPDX-License-Identifier: GPL-2.0
//! Two nodes, each with its view of the other, and connections between them.

use std::collections::VecDeque;

use crate::limits;
use crate::member::{Effect, Event, Link, Me, Peer, Transcript};
use crate::node::{Epoch, NodeId};
use crate::wire::member::{Mac, Message};

pub const KEY: u64 = 0x5eed;

pub fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

pub fn me(raw: u32, epoch: u64) -> Me {
    let failure_ms = limits::FAILURE_MS_DEFAULT;
    Me {
        node: node(raw),
        epoch: Epoch(epoch),
        cluster: [7; 32],
        failure_ms,
    }
}

/// Stands for the HMAC: depends on every bit of key and transcript.
pub fn fake_mac(key: u64, transcript: &Transcript) -> Mac {
    let mut state = key;
    let mut mac = [0; 32];
    for round in 0..4 {
        for byte in transcript.bytes().unwrap() {
            state = (state ^ u64::from(byte))
                .wrapping_mul(0x0000_0100_0000_01b3)
                .rotate_left(23);
        }
        mac[8 * round..8 * round + 8].copy_from_slice(&state.to_le_bytes());
    }
    mac
}

/// One node.
pub struct End {
    pub peer: Peer,
    pub key: u64,
    news: Vec<String>,
}

/// What is on its way to one end of a connection.
struct Wire {
    link: Link,
    to: u32,
    queue: VecDeque<Message>,
    /// This end has closed it, or it broke.
    shut: bool,
    /// The other end has, and this one will hear of it.
    closing: bool,
}

pub struct Pair {
    pub now_ms: u64,
    /// Nothing arrives, and nothing says so.
    pub cut: bool,
    /// To this node nothing arrives.
    pub deaf: Option<u32>,
    pub refuse_connects: bool,
    pub connects: u32,
    ends: [End; 2],
    wires: Vec<Wire>,
    links: u32,
}

impl Pair {
    pub fn new() -> Pair {
        let end = |raw: u32| End {
            peer: Peer::new(me(raw, 1), node(3 - raw), 0),
            key: KEY,
            news: Vec::new(),
        };
        Pair {
            now_ms: 0,
            cut: false,
            deaf: None,
            refuse_connects: false,
            connects: 0,
            ends: [end(1), end(2)],
            wires: Vec::new(),
            links: 0,
        }
    }

    pub fn end(&mut self, raw: u32) -> &mut End {
        &mut self.ends[raw as usize - 1]
    }

    pub fn state(&self, raw: u32) -> u32 {
        self.ends[raw as usize - 1].peer.state()
    }

    pub fn news(&self, raw: u32) -> Vec<String> {
        self.ends[raw as usize - 1].news.clone()
    }

    pub fn reboot(&mut self, raw: u32, epoch: u64) {
        self.end(raw).peer = Peer::new(me(raw, epoch), node(3 - raw), self.now_ms);
        for wire in self.wires.iter_mut().filter(|wire| wire.to == raw) {
            wire.shut = true;
        }
    }

    pub fn break_links(&mut self) {
        self.break_end(1);
        self.break_end(2);
    }

    /// `raw` loses its end of every connection, and the other hears nothing of it.
    pub fn break_end(&mut self, raw: u32) {
        let mine = self
            .wires
            .iter_mut()
            .filter(|wire| wire.to == raw && !wire.shut);
        let links: Vec<Link> = mine
            .map(|wire| {
                wire.shut = true;
                wire.link
            })
            .collect();
        for link in links {
            self.step(raw, Event::Closed { link });
        }
    }

    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            for raw in [1, 2] {
                self.step(
                    raw,
                    Event::Tick {
                        processes: 10 * raw,
                    },
                );
            }
            self.deliver();
            self.now_ms += u64::from(limits::TICK_MS);
        }
    }

    fn deliver(&mut self) {
        if self.cut {
            return;
        }
        for at in 0..self.wires.len() {
            while let Some((to, link, message)) = self.next(at) {
                match message {
                    // The host reads the first message of an accepted connection itself.
                    Some(Message::Hello(hello)) if to == 1 => {
                        let nonce = [self.links as u8; 16];
                        self.step(to, Event::Accepted { link, nonce, hello });
                    }
                    Some(message) => self.step(to, Event::Received { link, message }),
                    None => self.step(to, Event::Closed { link }),
                }
            }
        }
    }

    fn next(&mut self, at: usize) -> Option<(u32, Link, Option<Message>)> {
        let wire = &mut self.wires[at];
        if wire.shut || self.deaf == Some(wire.to) {
            return None;
        }
        let message = wire.queue.pop_front();
        if message.is_none() && !wire.closing {
            return None;
        }
        wire.shut = message.is_none();
        Some((wire.to, wire.link, message))
    }

    pub fn step(&mut self, raw: u32, event: Event) {
        let now_ms = self.now_ms;
        let mut effects = Vec::new();
        self.end(raw)
            .peer
            .step(now_ms, event, &mut |effect| effects.push(effect));
        assert!(effects.len() <= limits::STEP_EFFECTS_MAX, "{effects:?}");
        for effect in effects {
            self.act(raw, effect);
        }
    }

    fn act(&mut self, raw: u32, effect: Effect) {
        match effect {
            Effect::Connect => self.connect(raw),
            Effect::Send { link, message } => {
                let to = 3 - raw;
                let wire = self
                    .wires
                    .iter_mut()
                    .find(|wire| wire.link == link && wire.to == to);
                wire.unwrap().queue.push_back(message);
            }
            Effect::Prove { link, mine, theirs } => {
                let key = self.end(raw).key;
                let (mine, theirs) = (fake_mac(key, &mine), fake_mac(key, &theirs));
                self.step(raw, Event::Proofs { link, mine, theirs });
            }
            Effect::Close { link } => {
                for wire in self.wires.iter_mut().filter(|wire| wire.link == link) {
                    if wire.to == raw {
                        wire.shut = true;
                    } else {
                        wire.closing = true;
                    }
                }
            }
            Effect::Up { epoch, .. } => self.end(raw).news.push(format!("up {}", epoch.0)),
            Effect::Lost { epoch } => self.end(raw).news.push(format!("lost {}", epoch.0)),
            Effect::Down { epoch } => self.end(raw).news.push(format!("down {}", epoch.0)),
            Effect::Expelled => self.end(raw).news.push("expelled".into()),
        }
    }

    fn connect(&mut self, raw: u32) {
        assert_eq!(raw, 2, "the higher id connects");
        self.connects += 1;
        if self.refuse_connects || self.cut {
            return self.step(raw, Event::ConnectFailed);
        }
        self.links += 1;
        let link = Link(self.links);
        for to in [1, 2] {
            let queue = VecDeque::new();
            self.wires.push(Wire {
                link,
                to,
                queue,
                shut: false,
                closing: false,
            });
        }
        let nonce = [100 + self.links as u8; 16];
        self.step(raw, Event::Connected { link, nonce });
    }
}
