// SPDX-License-Identifier: GPL-2.0
//! The coordinator of a restart: all parts run, or none is left behind.

mod engage;
mod go;

use engage::Engaging;
use go::Going;

use super::{Options, Restored as Totals, Violation};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::limits;
use crate::node::{NodeId, NodeSet};
use crate::place::Plan;
use crate::wire::restart::{Go, Message, Restore, TakeBack};

/// What happens to a coordinator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootEvent {
    /// First event.
    Start,
    /// A message of this operation came. Also from the agent of the own node.
    Message {
        /// From this node.
        from: NodeId,
        /// The message.
        message: Message,
    },
    /// A node died, or the connection with it broke.
    PeerDown(NodeId),
    /// The time of [`RootEffect::Timer`] with this number is over.
    Deadline(u32),
    /// The caller gives up, or the host does.
    Cancel(Failure),
}

/// What a coordinator wants done. A message to the own node goes to the agent there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootEffect {
    /// Send to one node.
    Send {
        /// Receiver.
        to: NodeId,
        /// The message.
        message: Message,
    },
    /// Send to several nodes.
    Multicast {
        /// Receivers, at least one.
        to: NodeSet,
        /// The message.
        message: Message,
    },
    /// Send `Restore` for every part of the plan to the node where it goes.
    SendParts,
    /// Deliver [`RootEvent::Deadline`] with `number` after `ms`. Replaces the timer before.
    Timer {
        /// Comes back in the event.
        number: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// Answer the caller.
    Reply(Result<Report, Failure>),
    /// The operation is over: the coordinator can be dropped. Always the last effect.
    End,
}

/// What a restart did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// What was restored.
    pub restored: Totals,
    /// Nodes that took part.
    pub nodes: NodeSet,
    /// Parts that went to another node than they came from.
    pub moved: u32,
}

/// What the coordinator waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// The first event.
    Fresh,
    /// `Engaged` from all, with the nodes that this one holds for alive.
    Engaging(Engaging),
    /// `Restored` for these parts.
    Creating { parts: NodeSet, restored: Totals },
    /// `Gone` from these.
    Going(Going),
    /// `TakenBack` from these.
    TakingBack { waiting: NodeSet, failure: Failure },
    /// Nothing.
    Ended,
}

/// The coordinator of one restart.
#[derive(Clone, Debug)]
pub struct Root {
    options: Options,
    plan: Plan,
    /// What the commit record promises.
    expected: Totals,
    /// Nodes that this one holds for alive.
    up: NodeSet,
    gone: NodeSet,
    timer: u32,
    pub(super) state: State,
}

type Sink<'a> = &'a mut dyn FnMut(RootEffect);

impl Root {
    /// A coordinator that restores the parts of `plan`. `expected` is what the commit record
    /// says of them all: processes and digest.
    pub fn new(options: Options, plan: Plan, expected: Totals) -> Root {
        Root {
            options,
            plan,
            expected,
            up: NodeSet::EMPTY,
            gone: NodeSet::EMPTY,
            timer: 0,
            state: State::Fresh,
        }
    }

    /// Which part goes where.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What [`RootEffect::SendParts`] sends, and to whom.
    pub fn parts(&self) -> impl Iterator<Item = (NodeId, Message)> + '_ {
        self.plan
            .iter()
            .map(|(part, place)| (place, Message::Restore(Restore { part })))
    }

    /// Takes note of the nodes that this one holds for alive, itself among them. To be called
    /// before every step.
    pub fn sees(&mut self, up: NodeSet) {
        self.up = up;
    }

    /// Name of the state, as in the golden table.
    pub fn state(&self) -> &'static str {
        self.state.name()
    }

    /// Takes an event and says what to do: at most [`limits::STEP_EFFECTS_MAX`] effects.
    ///
    /// # Errors
    /// A [`Violation`] where the event cannot happen; the coordinator is as it was.
    pub fn step(&mut self, event: RootEvent, out: Sink<'_>) -> Result<(), Violation> {
        let violation = Violation {
            state: self.state.name(),
            event: event.name(),
        };
        let possible = match event {
            RootEvent::Start => self.start(out),
            RootEvent::Message { from, message } => self.message(from, &message, out),
            RootEvent::PeerDown(node) => self.peer_down(node, out),
            RootEvent::Deadline(number) => self.deadline(number, out),
            RootEvent::Cancel(failure) => self.cancel(failure, out),
        };
        if possible {
            Ok(())
        } else {
            Err(violation)
        }
    }

    fn start(&mut self, out: Sink<'_>) -> bool {
        if self.state != State::Fresh {
            return false;
        }
        let participants = self.plan.participants();
        if participants.is_empty() {
            self.finish(
                Err(Failure::new(FailureCode::Damaged).named(b"no parts")),
                out,
            );
            return true;
        }
        self.engage(out);
        true
    }

    fn message(&mut self, from: NodeId, message: &Message, out: Sink<'_>) -> bool {
        use Message as M;
        use State as S;
        match (self.state, message) {
            (S::Engaging(at), M::Engaged(engaged)) if at.waiting.contains(from) => {
                self.engaged(at, from, &engaged.up, out);
            }
            (S::Creating { parts, restored }, M::Restored(part))
                if parts.contains(part.part) && self.plan.place(part.part) == Some(from) =>
            {
                let parts = parts.without(&NodeSet::only(part.part));
                self.created(parts, restored.plus(&part.totals), out);
            }
            (_, M::Failed(_)) if !self.plan.participants().contains(from) => return false,
            (S::Engaging(_) | S::Creating { .. }, M::Failed(failed)) => {
                self.take_back(failed.failure, out);
            }
            // A participant lost this node, took its part back, and its word crossed with `Go`.
            (S::Going(_), M::Failed(failed)) => self.finish(Err(failed.failure), out),
            (S::Going(at), M::Gone(_)) if at.waiting.contains(from) => {
                let waiting = at.waiting.without(&NodeSet::only(from));
                self.going(Going { waiting, ..at }, out);
            }
            (S::TakingBack { waiting, failure }, M::TakenBack(_)) => {
                self.taking_back(waiting.without(&NodeSet::only(from)), failure, out);
            }
            // What was on its way when the operation failed comes to nothing.
            (S::TakingBack { .. } | S::Ended, M::Engaged(_) | M::Restored(_) | M::Failed(_))
            | (S::Ended, M::Gone(_) | M::TakenBack(_)) => {}
            (
                S::Fresh | S::Engaging(_) | S::Creating { .. } | S::Going(_),
                M::Engaged(_) | M::Restored(_) | M::Gone(_) | M::TakenBack(_),
            )
            | (S::Fresh, M::Failed(_))
            | (S::TakingBack { .. }, M::Gone(_)) => return false,
            (
                S::Fresh
                | S::Engaging(_)
                | S::Creating { .. }
                | S::Going(_)
                | S::TakingBack { .. }
                | S::Ended,
                M::Engage(_)
                | M::Restore(_)
                | M::Go(_)
                | M::TakeBack(_)
                | M::Claim(_)
                | M::Free(_)
                | M::Taken(_),
            ) => return false,
        }
        true
    }

    fn created(&mut self, parts: NodeSet, restored: Totals, out: Sink<'_>) {
        self.state = State::Creating { parts, restored };
        if !parts.is_empty() {
            return;
        }
        let Totals {
            processes, digest, ..
        } = self.expected;
        if restored.processes != processes || restored.digest != digest {
            let failure = Failure::new(FailureCode::Damaged).named(b"the parts are not the whole");
            return self.take_back(failure, out);
        }
        let waiting = self.plan.participants();
        self.state = State::Going(Going::new(waiting, restored));
        out(RootEffect::Multicast {
            to: waiting,
            message: Message::Go(Go),
        });
        self.arm(limits::GO_MS_MAX, out);
    }

    fn take_back(&mut self, failure: Failure, out: Sink<'_>) {
        let waiting = self.plan.participants().without(&self.gone);
        if !waiting.is_empty() {
            let message = Message::TakeBack(TakeBack { failure });
            out(RootEffect::Multicast {
                to: waiting,
                message,
            });
            self.arm(limits::ABORT_MS_MAX, out);
        }
        self.taking_back(waiting, failure, out);
    }

    fn taking_back(&mut self, waiting: NodeSet, failure: Failure, out: Sink<'_>) {
        self.state = State::TakingBack { waiting, failure };
        if waiting.is_empty() {
            self.finish(Err(failure), out);
        }
    }

    fn peer_down(&mut self, node: NodeId, out: Sink<'_>) -> bool {
        if !self.plan.participants().contains(node) {
            return true;
        }
        self.gone.insert(node);
        match self.state {
            State::Engaging(_) | State::Creating { .. } => {
                self.take_back(Failure::new(FailureCode::NodeDied).on(node), out);
            }
            State::Going(at) => self.go_lost(at, node, out),
            State::TakingBack { waiting, failure } => {
                self.taking_back(waiting.without(&NodeSet::only(node)), failure, out);
            }
            State::Fresh | State::Ended => {}
        }
        true
    }

    fn deadline(&mut self, number: u32, out: Sink<'_>) -> bool {
        if number != self.timer {
            return true;
        }
        match self.state {
            State::Engaging(at) => self.engage_late(at, out),
            State::Creating { parts, .. } => {
                let slow = parts.nth(0).and_then(|part| self.plan.place(part));
                self.take_back(unreachable(slow), out);
            }
            State::Going(at) => self.go_late(at, out),
            State::TakingBack { failure, .. } => self.finish(Err(failure), out),
            State::Fresh | State::Ended => {}
        }
        true
    }

    fn cancel(&mut self, failure: Failure, out: Sink<'_>) -> bool {
        match self.state {
            State::Fresh => self.finish(Err(failure), out),
            State::Engaging(_) | State::Creating { .. } => self.take_back(failure, out),
            State::Going(_) | State::TakingBack { .. } | State::Ended => {}
        }
        true
    }

    fn finish(&mut self, result: Result<Report, Failure>, out: Sink<'_>) {
        self.state = State::Ended;
        out(RootEffect::Reply(result));
        out(RootEffect::End);
    }

    fn arm(&mut self, ms: u32, out: Sink<'_>) {
        self.timer = self.timer.wrapping_add(1);
        out(RootEffect::Timer {
            number: self.timer,
            ms,
        });
    }
}

fn unreachable(node: Option<NodeId>) -> Failure {
    let failure = Failure::new(FailureCode::NodeUnreachable);
    node.map_or(failure, |node| failure.on(node))
}

impl State {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            State::Fresh => "Fresh",
            State::Engaging(_) => "Engaging",
            State::Creating { .. } => "Creating",
            State::Going(_) => "Going",
            State::TakingBack { .. } => "TakingBack",
            State::Ended => "Ended",
        }
    }
}

impl RootEvent {
    /// Name of the event, or of the message that came.
    pub const fn name(&self) -> &'static str {
        match self {
            RootEvent::Start => "Start",
            RootEvent::Message { message, .. } => message.name(),
            RootEvent::PeerDown(_) => "PeerDown",
            RootEvent::Deadline(_) => "Deadline",
            RootEvent::Cancel(_) => "Cancel",
        }
    }
}
