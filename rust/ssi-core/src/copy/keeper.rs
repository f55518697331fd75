// SPDX-License-Identifier: GPL-2.0
//! The partner: takes a part in, chunk by chunk, and keeps it until it hears how it ends.

use super::Violation;
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits::COPY_WINDOW;
use crate::node::NodeId;
use crate::wire::copy::{Accept, Kept, Message, Refused, Took};

/// What happens to a keeper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepEvent {
    /// First event: an Offer came.
    Offered,
    /// [`KeepEffect::Open`] is done.
    Opened,
    /// A chunk came; the host holds it.
    Chunk,
    /// [`KeepEffect::Store`] is done for the oldest chunk that the host held.
    Stored,
    /// [`KeepEffect::Sync`] is done.
    Synced,
    /// [`KeepEffect::Remove`] is done.
    Removed,
    /// An act of the host failed.
    Failed(Failure),
    /// A message of the sender came.
    Message(Message),
    /// The sender died, or the connection with it broke.
    SenderDown,
}

/// What a keeper wants done, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepEffect {
    /// Make the folder of the part. It is an error where there is one: the store is shared.
    Open,
    /// Append the chunk that came to its file.
    Store,
    /// Make all files and their names durable.
    Sync,
    /// Remove what [`KeepEffect::Open`] made, and nothing where it failed.
    Remove,
    /// Send to the sender.
    Send(Message),
    /// The keeper can be dropped. Always the last effect.
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Fresh,
    Opening,
    /// This many chunks are not stored.
    Receiving {
        held: u32,
    },
    Syncing,
    /// The copy is durable. Whether the version is committed, the sender will say.
    Kept,
    Removing,
    Over,
}

/// One copy, where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keeper {
    pub(super) sender: NodeId,
    pub(super) state: State,
}

type Sink<'a> = &'a mut dyn FnMut(KeepEffect);

impl Keeper {
    /// Of the part that `sender` wrote.
    pub const fn new(sender: NodeId) -> Keeper {
        Keeper {
            sender,
            state: State::Fresh,
        }
    }

    /// Who wrote the part.
    pub const fn sender(&self) -> NodeId {
        self.sender
    }

    /// Whether nothing is due but to hear how it ends. A host that needs room may let such a
    /// keeper go with [`KeepEvent::SenderDown`]: the copy stays.
    pub const fn only_waits(&self) -> bool {
        matches!(self.state, State::Kept)
    }

    /// Name of the state, as in the golden table.
    pub const fn state(&self) -> &'static str {
        match self.state {
            State::Fresh => "Fresh",
            State::Opening => "Opening",
            State::Receiving { .. } => "Receiving",
            State::Syncing => "Syncing",
            State::Kept => "Kept",
            State::Removing => "Removing",
            State::Over => "Over",
        }
    }

    /// Takes an event and says what to do: at most two effects.
    ///
    /// # Errors
    /// A [`Violation`] where the event cannot happen; the keeper is as it was.
    pub fn step(&mut self, event: KeepEvent, out: Sink<'_>) -> Result<(), Violation> {
        use KeepEvent as E;
        use State as S;
        match (self.state, event) {
            (S::Fresh, E::Offered) => self.act(S::Opening, KeepEffect::Open, out),
            (S::Opening, E::Opened) => {
                self.state = S::Receiving { held: 0 };
                out(KeepEffect::Send(Message::Accept(Accept)));
            }
            (S::Receiving { held }, E::Chunk) => return self.chunk(held, out),
            (S::Receiving { held }, E::Stored) => {
                let held = held.saturating_sub(1);
                self.state = S::Receiving { held };
                out(KeepEffect::Send(Message::Took(Took { chunks: 1 })));
            }
            (S::Syncing, E::Synced) => {
                self.state = S::Kept;
                out(KeepEffect::Send(Message::Kept(Kept)));
            }
            (S::Removing, E::Removed) => self.act(S::Over, KeepEffect::End, out),
            (S::Opening | S::Receiving { .. } | S::Syncing, E::Failed(failure)) => {
                self.refuse(failure, out);
            }
            (_, E::Message(message)) => return self.message(message, out),
            // Whether the version is committed is not known: without its record it is not
            // offered, and a newer one removes it.
            (S::Kept, E::SenderDown) => self.act(S::Over, KeepEffect::End, out),
            (S::Opening | S::Receiving { .. } | S::Syncing, E::SenderDown) => {
                self.act(S::Removing, KeepEffect::Remove, out);
            }
            // What was under way when it failed.
            (S::Removing, E::Opened | E::Chunk | E::Stored | E::Synced | E::Failed(_))
            | (S::Syncing, E::Stored)
            | (S::Fresh | S::Removing | S::Over, E::SenderDown) => {}
            (S::Fresh, _)
            | (S::Opening, E::Offered | E::Chunk | E::Stored | E::Synced | E::Removed)
            | (S::Receiving { .. }, E::Offered | E::Opened | E::Synced | E::Removed)
            | (S::Syncing, E::Offered | E::Opened | E::Chunk | E::Removed)
            | (S::Kept | S::Over, _)
            | (S::Removing, E::Offered) => return Err(self.violation(event.name())),
        }
        Ok(())
    }

    fn message(&mut self, message: Message, out: Sink<'_>) -> Result<(), Violation> {
        use Message as M;
        use State as S;
        match (self.state, message) {
            (S::Receiving { .. }, M::Finish(_)) => self.act(S::Syncing, KeepEffect::Sync, out),
            (S::Kept, M::Settled(_)) => self.act(S::Over, KeepEffect::End, out),
            (S::Opening | S::Receiving { .. } | S::Syncing | S::Kept, M::Forget(_)) => {
                self.act(S::Removing, KeepEffect::Remove, out);
            }
            // It crossed with a refusal.
            (S::Removing, M::Finish(_) | M::Forget(_)) => {}
            (S::Fresh | S::Opening | S::Syncing | S::Kept | S::Over, M::Finish(_))
            | (
                S::Fresh | S::Opening | S::Receiving { .. } | S::Syncing | S::Removing | S::Over,
                M::Settled(_),
            )
            | (S::Fresh | S::Over, M::Forget(_))
            | (
                _,
                M::Offer(_)
                | M::Accept(_)
                | M::Took(_)
                | M::Kept(_)
                | M::Refused(_)
                | M::Record(_)
                | M::Recorded(_)
                | M::Unrecorded(_)
                | M::Locate(_)
                | M::Located(_)
                | M::NotLocated(_),
            ) => return Err(self.violation(message.name())),
        }
        Ok(())
    }

    fn chunk(&mut self, held: u32, out: Sink<'_>) -> Result<(), Violation> {
        if held >= COPY_WINDOW {
            return Err(self.violation("Chunk"));
        }
        let held = held.saturating_add(1);
        self.act(State::Receiving { held }, KeepEffect::Store, out);
        Ok(())
    }

    fn refuse(&mut self, failure: Failure, out: Sink<'_>) {
        out(KeepEffect::Send(Message::Refused(Refused { failure })));
        self.act(State::Removing, KeepEffect::Remove, out);
    }

    fn act(&mut self, state: State, effect: KeepEffect, out: Sink<'_>) {
        self.state = state;
        out(effect);
    }

    /// After a [`Violation`]: the copy fails.
    pub fn give_up(&mut self, out: Sink<'_>) {
        match self.state {
            State::Opening | State::Receiving { .. } | State::Syncing => {
                let why = Failure::new(FailureCode::Internal).named(b"second copy: wrong message");
                self.refuse(why, out);
            }
            State::Fresh => self.act(State::Over, KeepEffect::End, out),
            // What is durable stays; what is being removed will be.
            State::Kept | State::Removing | State::Over => {}
        }
    }

    const fn violation(&self, event: &'static str) -> Violation {
        Violation {
            state: self.state(),
            event,
        }
    }
}

impl KeepEvent {
    /// Name of the event, or of the message that came.
    pub const fn name(&self) -> &'static str {
        match self {
            KeepEvent::Offered => "Offered",
            KeepEvent::Opened => "Opened",
            KeepEvent::Chunk => "Chunk",
            KeepEvent::Stored => "Stored",
            KeepEvent::Synced => "Synced",
            KeepEvent::Removed => "Removed",
            KeepEvent::Failed(_) => "Failed",
            KeepEvent::Message(message) => message.name(),
            KeepEvent::SenderDown => "SenderDown",
        }
    }
}
