// SPDX-License-Identifier: GPL-2.0
//! A sender and its keeper with a connection between them, driven by chance.

use super::node;
use crate::abi::FailureCode;
use crate::checkpoint::Version;
use crate::copy::{KeepEffect, KeepEvent, Keeper, SendEffect, SendEvent, Sender};
use crate::failure::Failure;
use crate::limits::COPY_WINDOW;
use crate::text::Path;
use crate::trial::Random;
use crate::wire::copy::{Message, Offer, Owner};
use std::collections::VecDeque;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Nothing,
    /// Both hear that the connection is lost, with all that is on it.
    Break,
    KeeperFails,
    SenderFails,
    Discard,
}

#[derive(Clone, Copy)]
enum Packet {
    Message(Message),
    Chunk,
}

pub struct Pair {
    random: Random,
    sender: Sender,
    pub keeper: Option<Keeper>,
    there: VecDeque<Packet>,
    back: VecDeque<Message>,
    /// Acts of the keeper's host that are not done.
    jobs: VecDeque<KeepEffect>,
    /// Chunks that the sender's host shall send.
    fill: Option<u32>,
    broken: bool,
    keeper_fails: bool,
    /// Chunks of the part.
    pub part: u32,
    sent: u32,
    stored: u32,
    /// Chunks that are durable at the keeper.
    pub durable: Option<u32>,
    pub was_durable: bool,
    pub in_doubt: bool,
    pub answer: Option<Result<(), Failure>>,
}

pub fn offer() -> Offer {
    Offer {
        version: Version {
            application: 1,
            number: 2,
        },
        owner: Owner {
            uid: 0,
            gid: 0,
            store: Path::cut(b"/store"),
        },
    }
}

impl Pair {
    pub fn new(seed: u64) -> Pair {
        let mut random = Random::new(seed);
        let part = random.below(60) as u32;
        let mut pair = Pair {
            random,
            sender: Sender::new(),
            keeper: None,
            there: VecDeque::new(),
            back: VecDeque::new(),
            jobs: VecDeque::new(),
            fill: None,
            broken: false,
            keeper_fails: false,
            part,
            sent: 0,
            stored: 0,
            durable: None,
            was_durable: false,
            in_doubt: false,
            answer: None,
        };
        let partner = Some(node(2));
        let offer = offer();
        pair.sender(SendEvent::Start { partner, offer });
        pair
    }

    fn sender(&mut self, event: SendEvent) {
        let mut effects = Vec::new();
        let stepped = self.sender.step(event, &mut |effect| effects.push(effect));
        assert_eq!(stepped, Ok(()), "{event:?}");
        assert!(effects.len() <= 2);
        for effect in effects {
            match effect {
                SendEffect::Send { message, .. } => {
                    if !self.broken {
                        self.there.push_back(Packet::Message(message));
                    }
                }
                SendEffect::Fill { chunks, .. } => {
                    assert!(self.fill.is_none() && chunks > 0);
                    self.fill = Some(chunks);
                }
                SendEffect::Done => {
                    assert!(self.answer.is_none());
                    self.was_durable = self.durable == Some(self.part);
                    self.answer = Some(Ok(()));
                }
                SendEffect::Fail(why) => {
                    assert!(self.answer.is_none());
                    self.answer = Some(Err(why));
                }
            }
        }
    }

    fn keeper(&mut self, event: KeepEvent) {
        let Some(mut keeper) = self.keeper else {
            return;
        };
        let kept = keeper.state() == "Kept";
        let mut effects = Vec::new();
        let stepped = keeper.step(event, &mut |effect| effects.push(effect));
        assert_eq!(stepped, Ok(()), "{event:?}");
        assert!(effects.len() <= 2);
        self.keeper = Some(keeper);
        for effect in effects {
            match effect {
                KeepEffect::Send(message) => {
                    if !self.broken {
                        self.back.push_back(message);
                    }
                }
                KeepEffect::End => {
                    self.keeper = None;
                    self.in_doubt = kept && event == KeepEvent::SenderDown;
                }
                act => self.jobs.push_back(act),
            }
        }
    }

    /// One thing happens; `false` where nothing is left to happen.
    pub fn advance(&mut self) -> bool {
        let ready = [
            !self.there.is_empty(),
            !self.back.is_empty(),
            !self.jobs.is_empty(),
            self.fill.is_some(),
        ];
        let open: Vec<usize> = (0..4).filter(|at| ready[*at]).collect();
        if open.is_empty() {
            return self.end();
        }
        match open[self.random.below(open.len())] {
            0 => self.arrive(),
            1 => {
                if let Some(message) = self.back.pop_front() {
                    let from = node(2);
                    self.sender(SendEvent::Message { from, message });
                }
            }
            2 => self.work(),
            _ => self.send(),
        }
        true
    }

    /// The checkpoint comes to its end.
    fn end(&mut self) -> bool {
        let over = self.sender.state() == "Over";
        if !over && self.answer == Some(Ok(())) {
            self.sender(SendEvent::Settle);
        }
        !over && !self.there.is_empty()
    }

    fn arrive(&mut self) {
        match self.there.pop_front() {
            Some(Packet::Message(Message::Offer(_))) => {
                self.keeper = Some(Keeper::new(node(1)));
                self.keeper(KeepEvent::Offered);
            }
            Some(Packet::Message(message)) => self.keeper(KeepEvent::Message(message)),
            Some(Packet::Chunk) => {
                self.keeper(KeepEvent::Chunk);
                assert!(self.jobs.len() <= COPY_WINDOW as usize + 2);
            }
            None => {}
        }
    }

    fn send(&mut self) {
        let chunks = self.fill.take().unwrap_or(0).min(self.part - self.sent);
        self.sent += chunks;
        for _ in 0..chunks {
            if !self.broken {
                self.there.push_back(Packet::Chunk);
            }
        }
        let last = self.sent == self.part;
        self.sender(SendEvent::Filled { last });
    }

    fn work(&mut self) {
        let Some(job) = self.jobs.pop_front() else {
            return;
        };
        if self.keeper_fails && job != KeepEffect::Remove {
            self.keeper_fails = false;
            let why = Failure::new(FailureCode::Media).on(node(2));
            return self.keeper(KeepEvent::Failed(why));
        }
        match job {
            KeepEffect::Open => self.keeper(KeepEvent::Opened),
            KeepEffect::Store => {
                self.stored += 1;
                self.keeper(KeepEvent::Stored);
            }
            KeepEffect::Sync => {
                self.durable = Some(self.stored);
                self.keeper(KeepEvent::Synced);
            }
            KeepEffect::Remove => {
                self.durable = None;
                self.keeper(KeepEvent::Removed);
            }
            KeepEffect::Send(_) | KeepEffect::End => unreachable!(),
        }
    }

    pub fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::Nothing => {}
            Fault::Break => {
                self.broken = true;
                self.there.clear();
                self.back.clear();
                self.sender(SendEvent::PeerDown(node(2)));
                self.keeper(KeepEvent::SenderDown);
            }
            Fault::KeeperFails => self.keeper_fails = true,
            Fault::SenderFails => self.sender(SendEvent::Failed(Failure::new(FailureCode::Media))),
            Fault::Discard => self.sender(SendEvent::Discard),
        }
    }
}
