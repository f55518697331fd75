// SPDX-License-Identifier: GPL-2.0
//! A node that writes parts, under a name of their own until the version is committed.

use super::{Stores, Violation};
use crate::failure::Failure;
use crate::wire::flush::{Flushed, Forgotten, Message, Unflushed};

/// What happens to a writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteEvent {
    /// First event: `Flush` came.
    Asked,
    /// [`WriteEffect::Write`] is done.
    Written(Flushed),
    /// It could not be done.
    Failed(Failure),
    /// [`WriteEffect::Remove`] is done.
    Removed,
    /// [`WriteEffect::Keep`] is done.
    Kept,
    /// `Settled` came.
    Settled,
    /// `Forget` came.
    Forget,
    /// The root died, or the connection with it broke.
    RootDown,
}

/// What a writer wants done, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteEffect {
    /// Write the parts into the folder of this flush, and make them durable.
    Write,
    /// End what is under way, and remove the folder of this flush. Where the version has been
    /// made of it, there is none: one rename decides between the two.
    Remove,
    /// Give the folder the version's name, without a record, where it is still there: other
    /// nodes may have the record. A record that came before is written before.
    Keep,
    /// Send to the root.
    Send(Message),
    /// The writer can be dropped. Always the last effect.
    End,
}

/// Who hears that all is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hears {
    /// The root has not asked for it yet.
    Later,
    /// The root.
    Root,
    /// Nobody.
    Nobody,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Fresh,
    Writing,
    /// The parts are durable: the version may be committed by now.
    Written,
    Removing(Hears),
    /// All is removed, and `Forget` is due.
    Removed,
    Keeping,
    Over,
}

/// The share of one node in a flush.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    stores: Stores,
    pub(super) state: State,
}

type Sink<'a> = &'a mut dyn FnMut(WriteEffect);

impl Writer {
    /// To such stores.
    pub const fn new(stores: Stores) -> Writer {
        Writer {
            stores,
            state: State::Fresh,
        }
    }

    /// Name of the state, as in the golden table.
    pub const fn state(&self) -> &'static str {
        match self.state {
            State::Fresh => "Fresh",
            State::Writing => "Writing",
            State::Written => "Written",
            State::Removing(Hears::Later) => "Removing",
            State::Removing(Hears::Root) => "Removing, for the root",
            State::Removing(Hears::Nobody) => "Removing, alone",
            State::Removed => "Removed",
            State::Keeping => "Keeping",
            State::Over => "Over",
        }
    }

    /// Takes an event and says what to do: at most two effects.
    ///
    /// # Errors
    /// A [`Violation`] where the event cannot happen; the writer is as it was.
    pub fn step(&mut self, event: WriteEvent, out: Sink<'_>) -> Result<(), Violation> {
        use State as S;
        use WriteEvent as E;
        match (self.state, event) {
            (S::Fresh, E::Asked) => self.act(S::Writing, WriteEffect::Write, out),
            (S::Writing, E::Written(flushed)) => {
                let answer = Message::Flushed(flushed);
                self.act(S::Written, WriteEffect::Send(answer), out);
            }
            (S::Writing, E::Failed(failure)) => {
                let answer = Message::Unflushed(Unflushed { failure });
                out(WriteEffect::Send(answer));
                self.remove(Hears::Later, out);
            }
            (S::Writing | S::Written, E::Forget) => self.remove(Hears::Root, out),
            (S::Writing, E::RootDown) => self.remove(Hears::Nobody, out),
            (S::Written, E::RootDown) => self.doubt(out),
            (S::Written, E::Settled) => self.settle(out),
            (S::Removing(hears), E::Removed) => self.removed(hears, out),
            (S::Removing(_), E::Forget) => self.state = S::Removing(Hears::Root),
            (S::Removing(_), E::RootDown) => self.state = S::Removing(Hears::Nobody),
            (S::Removed, E::Forget) => self.removed(Hears::Root, out),
            (S::Keeping, E::Kept) | (S::Removed, E::RootDown) => {
                self.act(S::Over, WriteEffect::End, out);
            }
            // What was under way when it was given up; what a root that was lost says on a new
            // connection: it comes too late to change anything.
            (S::Removing(_), E::Written(_) | E::Failed(_) | E::Settled)
            | (S::Keeping, E::Settled | E::Forget)
            | (S::Fresh | S::Keeping | S::Over, E::RootDown) => {}
            (S::Fresh | S::Keeping | S::Over, _)
            | (S::Writing, E::Asked | E::Removed | E::Kept | E::Settled)
            | (S::Written, E::Asked | E::Written(_) | E::Failed(_) | E::Removed | E::Kept)
            | (S::Removing(_), E::Asked | E::Kept)
            | (
                S::Removed,
                E::Asked | E::Written(_) | E::Failed(_) | E::Removed | E::Kept | E::Settled,
            ) => return Err(self.violation(event.name())),
        }
        Ok(())
    }

    /// The root may have committed, or may not.
    fn doubt(&mut self, out: Sink<'_>) {
        match self.stores {
            // The store knows.
            Stores::Shared => self.remove(Hears::Nobody, out),
            Stores::Own => self.act(State::Keeping, WriteEffect::Keep, out),
        }
    }

    fn settle(&mut self, out: Sink<'_>) {
        match self.stores {
            Stores::Shared => self.act(State::Over, WriteEffect::End, out),
            // The record may not have come here.
            Stores::Own => self.act(State::Keeping, WriteEffect::Keep, out),
        }
    }

    fn remove(&mut self, hears: Hears, out: Sink<'_>) {
        self.act(State::Removing(hears), WriteEffect::Remove, out);
    }

    fn removed(&mut self, hears: Hears, out: Sink<'_>) {
        match hears {
            Hears::Later => self.state = State::Removed,
            Hears::Root => {
                out(WriteEffect::Send(Message::Forgotten(Forgotten)));
                self.act(State::Over, WriteEffect::End, out);
            }
            Hears::Nobody => self.act(State::Over, WriteEffect::End, out),
        }
    }

    fn act(&mut self, state: State, effect: WriteEffect, out: Sink<'_>) {
        self.state = state;
        out(effect);
    }

    const fn violation(&self, event: &'static str) -> Violation {
        Violation {
            state: self.state(),
            event,
        }
    }
}

impl WriteEvent {
    /// Name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            WriteEvent::Asked => "Asked",
            WriteEvent::Written(_) => "Written",
            WriteEvent::Failed(_) => "Failed",
            WriteEvent::Removed => "Removed",
            WriteEvent::Kept => "Kept",
            WriteEvent::Settled => "Settled",
            WriteEvent::Forget => "Forget",
            WriteEvent::RootDown => "RootDown",
        }
    }
}
