// SPDX-License-Identifier: GPL-2.0
//! Who has written a part and sends it to a partner, chunk by chunk, at most a window ahead.

use super::Violation;
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits::COPY_WINDOW;
use crate::node::NodeId;
use crate::wire::copy::{Finish, Forget, Message, Offer, Settled};

/// What happens to a sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendEvent {
    /// The part is written and durable on this node. First event but for those that end it.
    Start {
        /// Who shall keep the copy; `None` where nobody is up.
        partner: Option<NodeId>,
        /// What the partner is told.
        offer: Offer,
    },
    /// A message of this copy came.
    Message {
        /// From this node.
        from: NodeId,
        /// The message.
        message: Message,
    },
    /// [`SendEffect::Fill`] is done.
    Filled {
        /// Nothing is left to send.
        last: bool,
    },
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
    /// The host cannot read the part.
    Failed(Failure),
    /// The checkpoint is over, and the part stays.
    Settle,
    /// The checkpoint failed, and the part is removed.
    Discard,
}

/// What a sender wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendEffect {
    /// Send to the partner.
    Send {
        /// Receiver.
        to: NodeId,
        /// The message.
        message: Message,
    },
    /// Send as many more chunks of the part to the partner, or as there are left. Answered by
    /// [`SendEvent::Filled`] after all of them are on their way.
    Fill {
        /// Receiver.
        to: NodeId,
        /// How many.
        chunks: u32,
    },
    /// The copy is durable.
    Done,
    /// There is no copy.
    Fail(Failure),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Fresh,
    /// `Accept` is due.
    Offered,
    /// `Took` is due for `flying` chunks, some of which the host may still be reading.
    Sending {
        flying: u32,
        filling: bool,
    },
    /// `Kept` is due.
    Finishing,
    /// Nothing is due, but the partner wants to hear how it ends.
    Kept,
    Over,
}

/// The copy of one part, where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    partner: Option<NodeId>,
    pub(super) state: State,
}

type Sink<'a> = &'a mut dyn FnMut(SendEffect);

impl Default for Sender {
    fn default() -> Sender {
        Sender::new()
    }
}

impl Sender {
    /// Nothing has been sent.
    pub const fn new() -> Sender {
        Sender {
            partner: None,
            state: State::Fresh,
        }
    }

    /// Name of the state, as in the golden table.
    pub const fn state(&self) -> &'static str {
        match self.state {
            State::Fresh => "Fresh",
            State::Offered => "Offered",
            State::Sending { .. } => "Sending",
            State::Finishing => "Finishing",
            State::Kept => "Kept",
            State::Over => "Over",
        }
    }

    /// Takes an event and says what to do: at most two effects.
    ///
    /// # Errors
    /// A [`Violation`] where the event cannot happen; the sender is as it was.
    pub fn step(&mut self, event: SendEvent, out: Sink<'_>) -> Result<(), Violation> {
        use State as S;
        match (self.state, event) {
            (S::Fresh, SendEvent::Start { partner, offer }) => self.start(partner, offer, out),
            (_, SendEvent::Message { from, message }) => return self.message(from, message, out),
            (
                S::Sending {
                    flying,
                    filling: true,
                },
                SendEvent::Filled { last },
            ) => {
                self.filled(flying, last, out);
            }
            (S::Offered | S::Sending { .. } | S::Finishing, SendEvent::PeerDown(node))
                if self.partner == Some(node) =>
            {
                self.fail(Failure::new(FailureCode::NodeDied).on(node), out);
            }
            (S::Fresh | S::Offered | S::Sending { .. } | S::Finishing, SendEvent::Failed(why)) => {
                self.say(Message::Forget(Forget), out);
                self.fail(why, out);
            }
            // After the copy was reported its loss is a loss of the version's, not of the
            // checkpoint's. What was being read when it failed comes to nothing.
            (_, SendEvent::PeerDown(_))
            | (S::Kept | S::Over, SendEvent::Failed(_))
            | (
                S::Over,
                SendEvent::Start { .. }
                | SendEvent::Filled { .. }
                | SendEvent::Settle
                | SendEvent::Discard,
            ) => {}
            (S::Fresh, SendEvent::Settle | SendEvent::Discard) => self.state = S::Over,
            (S::Kept, SendEvent::Settle) => {
                self.say(Message::Settled(Settled), out);
                self.state = S::Over;
            }
            (S::Offered | S::Sending { .. } | S::Finishing | S::Kept, SendEvent::Discard)
            | (S::Offered | S::Sending { .. } | S::Finishing, SendEvent::Settle) => {
                self.say(Message::Forget(Forget), out);
                self.state = S::Over;
            }
            (S::Offered | S::Sending { .. } | S::Finishing | S::Kept, SendEvent::Start { .. })
            | (
                S::Fresh | S::Offered | S::Sending { filling: false, .. } | S::Finishing | S::Kept,
                SendEvent::Filled { .. },
            ) => return Err(self.violation(event.name())),
        }
        Ok(())
    }

    fn message(&mut self, from: NodeId, message: Message, out: Sink<'_>) -> Result<(), Violation> {
        use Message as M;
        use State as S;
        if self.partner != Some(from) {
            return Err(self.violation(message.name()));
        }
        match (self.state, message) {
            (S::Offered, M::Accept(_)) => self.fill(from, 0, out),
            (S::Sending { flying, filling }, M::Took(took)) => {
                let Some(flying) = flying.checked_sub(took.chunks) else {
                    return Err(self.violation(message.name()));
                };
                self.state = S::Sending { flying, filling };
                if !filling && flying <= COPY_WINDOW / 2 {
                    self.fill(from, flying, out);
                }
            }
            (S::Finishing, M::Kept(_)) => {
                self.state = S::Kept;
                out(SendEffect::Done);
            }
            (S::Offered | S::Sending { .. } | S::Finishing, M::Refused(refused)) => {
                self.fail(refused.failure, out);
            }
            // The last of them are not waited for.
            (S::Finishing, M::Took(_))
            // On its way when this side gave up.
            | (S::Over, M::Accept(_) | M::Took(_) | M::Kept(_) | M::Refused(_)) => {}
            (
                S::Fresh | S::Sending { .. } | S::Finishing | S::Kept,
                M::Accept(_),
            )
            | (S::Fresh | S::Offered | S::Kept, M::Took(_))
            | (S::Fresh | S::Offered | S::Sending { .. } | S::Kept, M::Kept(_))
            | (S::Fresh | S::Kept, M::Refused(_))
            | (
                _,
                M::Offer(_)
                | M::Finish(_)
                | M::Settled(_)
                | M::Forget(_)
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

    fn start(&mut self, partner: Option<NodeId>, offer: Offer, out: Sink<'_>) {
        self.partner = partner;
        if partner.is_some() {
            self.state = State::Offered;
            self.say(Message::Offer(offer), out);
        } else {
            let nobody = Failure::new(FailureCode::NodeUnreachable);
            self.fail(nobody.named(b"no other node is up for second copies"), out);
        }
    }

    fn filled(&mut self, flying: u32, last: bool, out: Sink<'_>) {
        let Some(partner) = self.partner else {
            return;
        };
        if last {
            self.state = State::Finishing;
            self.say(Message::Finish(Finish), out);
        } else if flying <= COPY_WINDOW / 2 {
            self.fill(partner, flying, out);
        } else {
            self.state = State::Sending {
                flying,
                filling: false,
            };
        }
    }

    /// Half a window or more is free.
    fn fill(&mut self, to: NodeId, flying: u32, out: Sink<'_>) {
        self.state = State::Sending {
            flying: COPY_WINDOW,
            filling: true,
        };
        let chunks = COPY_WINDOW.saturating_sub(flying);
        out(SendEffect::Fill { to, chunks });
    }

    fn say(&self, message: Message, out: Sink<'_>) {
        if let Some(to) = self.partner {
            out(SendEffect::Send { to, message });
        }
    }

    fn fail(&mut self, why: Failure, out: Sink<'_>) {
        self.state = State::Over;
        out(SendEffect::Fail(why));
    }

    const fn violation(&self, event: &'static str) -> Violation {
        Violation {
            state: self.state(),
            event,
        }
    }
}

impl SendEvent {
    /// Name of the event, or of the message that came.
    pub const fn name(&self) -> &'static str {
        match self {
            SendEvent::Start { .. } => "Start",
            SendEvent::Message { message, .. } => message.name(),
            SendEvent::Filled { .. } => "Filled",
            SendEvent::PeerDown(_) => "PeerDown",
            SendEvent::Failed(_) => "Failed",
            SendEvent::Settle => "Settle",
            SendEvent::Discard => "Discard",
        }
    }
}
