// SPDX-License-Identifier: GPL-2.0
//! What a node remembers of operations that it aborted, to answer messages that come late.

use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits::HISTORY_MAX;
use crate::node::OpId;
use crate::wire::checkpoint::{Aborted, Failed, Message};

#[derive(Clone, Copy, Debug)]
struct Entry {
    op: OpId,
    code: FailureCode,
    /// Raw id of the node that failed.
    node: u32,
}

impl Entry {
    fn answer(&self) -> Message {
        let mut failure = Failure::new(self.code);
        failure.node = self.node;
        Message::Failed(Failed { failure })
    }
}

/// The newest aborted operations. One per node, for all operations.
#[derive(Clone, Debug)]
pub struct History {
    entries: [Option<Entry>; HISTORY_MAX],
    next: usize,
}

impl Default for History {
    fn default() -> History {
        History::new()
    }
}

/// What to do with a message of an operation that has no agent on this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stray {
    /// Make an agent, and step it with the message: an Enlist.
    Engage,
    /// Answer this.
    Answer(Message),
    /// Nothing.
    Drop,
}

impl History {
    /// Of nothing.
    pub const fn new() -> History {
        History {
            entries: [None; HISTORY_MAX],
            next: 0,
        }
    }

    /// Notes that `op` was aborted on this node. Forgets the oldest.
    pub fn note(&mut self, op: OpId, failure: &Failure) {
        if let Some(entry) = self.entries.get_mut(self.next) {
            *entry = Some(Entry {
                op,
                code: failure.code,
                node: failure.node,
            });
        }
        self.next = match self.next.checked_add(1) {
            Some(next) if next < HISTORY_MAX => next,
            Some(_) | None => 0,
        };
    }

    /// What to do with a message of `op`, which has no agent here.
    pub fn stray(&self, op: OpId, message: &Message) -> Stray {
        match (message, self.find(op)) {
            (Message::Enlist(_), None) => Stray::Engage,
            (Message::Enlist(_), Some(entry)) => Stray::Answer(entry.answer()),
            (Message::Abort(_), _) => Stray::Answer(Message::Aborted(Aborted)),
            (
                Message::Ack(_)
                | Message::SaveSend(_)
                | Message::SendSaved(_)
                | Message::Snapshot(_)
                | Message::Snapped(_)
                | Message::Release(_)
                | Message::Write(_)
                | Message::Written(_)
                | Message::Done(_)
                | Message::Signal(_)
                | Message::Signalled(_)
                | Message::Failed(_)
                | Message::Aborted(_)
                | Message::Orphaned(_),
                _,
            ) => Stray::Drop,
        }
    }

    /// What to answer to a [`Relay`](crate::wire::relay::Relay) of `op`, which has no agent here.
    pub fn stray_relay(&self, op: OpId) -> Option<Message> {
        self.find(op).map(Entry::answer)
    }

    fn find(&self, op: OpId) -> Option<&Entry> {
        self.entries.iter().flatten().find(|entry| entry.op == op)
    }
}
