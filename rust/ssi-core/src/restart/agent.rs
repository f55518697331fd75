// SPDX-License-Identifier: GPL-2.0
//! A participant of a restart: builds its parts, holds them, and lets them go or takes them back.

mod claim;
mod event;
mod state;

pub use claim::answer;
use claim::Claims;
pub use event::{AgentEffect, AgentEvent};
use state::State;

use super::{Options, Violation};
use crate::failure::Failure;
use crate::limits;
use crate::node::{NodeId, NodeSet, OpId};
use crate::wire::restart::{Engage, Engaged, Failed, Go, Gone, Message, Restored, TakenBack};

/// One node's share of a restart.
#[derive(Clone, Debug)]
pub struct Agent {
    me: NodeId,
    root: NodeId,
    options: Options,
    participants: NodeSet,
    /// Nodes that this one holds for alive.
    up: NodeSet,
    root_gone: bool,
    timer: u32,
    pub(super) state: State,
}

type Sink<'a> = &'a mut dyn FnMut(AgentEffect);

/// The answer to a message of an operation that this node has no agent of. An [`Engage`] makes a
/// new agent and is not to be asked about.
pub fn stray(message: &Message) -> Option<Message> {
    match message {
        Message::TakeBack(_) => Some(Message::TakenBack(TakenBack)),
        Message::Engage(_)
        | Message::Engaged(_)
        | Message::Restore(_)
        | Message::Restored(_)
        | Message::Failed(_)
        | Message::Go(_)
        | Message::Gone(_)
        | Message::TakenBack(_)
        | Message::Claim(_)
        | Message::Free(_)
        | Message::Taken(_) => None,
    }
}

impl Agent {
    /// The agent of node `me` in operation `op`, which `engage` came with; it is also the first
    /// message to step with.
    pub fn new(me: NodeId, op: OpId, engage: &Engage) -> Agent {
        Agent {
            me,
            root: op.root,
            options: engage.options,
            participants: engage.participants,
            up: NodeSet::only(me),
            root_gone: false,
            timer: 0,
            state: State::Fresh,
        }
    }

    /// What is restarted, and for whom.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// All nodes that take part: among them are the homes of the streams.
    pub fn participants(&self) -> &NodeSet {
        &self.participants
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
    /// A [`Violation`] where the event cannot happen; the agent is as it was.
    pub fn step(&mut self, event: AgentEvent, out: Sink<'_>) -> Result<(), Violation> {
        let violation = Violation {
            state: self.state.name(),
            event: event.name(),
        };
        let possible = match event {
            AgentEvent::Message { from, message } => self.message(from, &message, out),
            AgentEvent::PeerDown(node) => self.peer_down(node, out),
            AgentEvent::Deadline(number) => self.deadline(number, out),
            AgentEvent::Read { .. }
            | AgentEvent::Built { .. }
            | AgentEvent::Running
            | AgentEvent::TakenBack
            | AgentEvent::HostFailed(_) => self.host(event, out),
        };
        if possible {
            Ok(())
        } else {
            Err(violation)
        }
    }

    fn message(&mut self, from: NodeId, message: &Message, out: Sink<'_>) -> bool {
        use Message as M;
        use State as S;
        let root = from == self.root;
        // Whatever broke is whole again.
        self.root_gone &= !root;
        match (self.state, message) {
            (S::Fresh, M::Engage(_)) if root => {
                self.state = S::Building {
                    asked: NodeSet::EMPTY,
                    left: NodeSet::EMPTY,
                    claims: Claims::NONE,
                };
                self.tell_view(out);
                self.arm(
                    limits::CREATE_MS_MAX.saturating_add(limits::PATIENCE_MS),
                    out,
                );
            }
            // The views of who lives differed.
            (S::Building { asked, .. }, M::Engage(_)) if root && asked.is_empty() => {
                self.tell_view(out);
            }
            (
                S::Building {
                    mut asked,
                    mut left,
                    claims,
                },
                M::Restore(restore),
            ) if root && !asked.contains(restore.part) => {
                asked.insert(restore.part);
                left.insert(restore.part);
                self.state = S::Building {
                    asked,
                    left,
                    claims,
                };
                out(AgentEffect::Build { part: restore.part });
            }
            (S::Building { claims, .. }, M::Free(free)) if claims.awaits(free.part, from) => {
                self.free(claims, from, out);
            }
            (S::Building { claims, .. }, M::Taken(taken)) if claims.awaits(taken.part, from) => {
                self.fail(claim::taken(from, taken.pid), out);
            }
            // From the root, or passed on by one who got it.
            (S::Building { asked, left, .. }, M::Go(_))
                if self.participants.contains(from) || root =>
            {
                if asked.is_empty() || !left.is_empty() {
                    return false;
                }
                self.go(out);
            }
            (S::Orphaned, M::Go(_)) if self.participants.contains(from) || root => self.go(out),
            (S::Building { .. } | S::Orphaned, M::TakeBack(_)) if root => {
                self.take_back(State::TakingBack { owed: true }, out);
            }
            (S::TakingBack { .. }, M::TakeBack(_)) if root => {
                self.state = S::TakingBack { owed: true };
            }
            // What was on its way comes to nothing: a `Go` that others pass on too, or what the
            // root said before it heard that this agent failed.
            (S::Going | S::Ended, M::Go(_) | M::Engage(_))
            | (S::TakingBack { .. }, M::Go(_) | M::Restore(_) | M::Engage(_))
            | (S::TakingBack { .. } | S::Ended, M::Free(_) | M::Taken(_)) => {}
            (
                S::Fresh | S::Building { .. } | S::Orphaned,
                M::Engage(_) | M::Restore(_) | M::Go(_) | M::TakeBack(_),
            )
            | (S::Fresh | S::Building { .. } | S::Orphaned | S::Going, M::Free(_) | M::Taken(_))
            | (S::Going | S::Ended, M::Restore(_) | M::TakeBack(_))
            | (S::TakingBack { .. }, M::TakeBack(_)) => return false,
            (
                S::Fresh
                | S::Building { .. }
                | S::Orphaned
                | S::Going
                | S::TakingBack { .. }
                | S::Ended,
                M::Engaged(_)
                | M::Restored(_)
                | M::Failed(_)
                | M::Gone(_)
                | M::TakenBack(_)
                | M::Claim(_),
            ) => return false,
        }
        true
    }

    fn host(&mut self, event: AgentEvent, out: Sink<'_>) -> bool {
        use AgentEvent as E;
        use State as S;
        match (self.state, event) {
            (S::Building { left, claims, .. }, E::Read { part })
                if left.contains(part) && claims.is_new(part) =>
            {
                self.claim(claims.with(part), out);
            }
            (
                S::Building {
                    asked,
                    mut left,
                    claims,
                },
                E::Built { part, totals },
            ) if left.contains(part) && claims.has(part) => {
                left.remove(part);
                self.state = S::Building {
                    asked,
                    left,
                    claims,
                };
                self.tell_root(Message::Restored(Restored { part, totals }), out);
            }
            (S::Going, E::Running) => {
                self.tell_root(Message::Gone(Gone), out);
                self.end(out);
            }
            (S::TakingBack { owed }, E::TakenBack) => {
                if owed {
                    self.tell_root(Message::TakenBack(TakenBack), out);
                }
                self.end(out);
            }
            (S::Building { .. } | S::Orphaned, E::HostFailed(failure)) => {
                self.fail(failure, out);
            }
            // What was under way when the operation failed comes to nothing.
            (
                S::TakingBack { .. } | S::Ended,
                E::Read { .. } | E::Built { .. } | E::HostFailed(_),
            ) => {}
            (
                S::Fresh | S::Building { .. } | S::Orphaned | S::Going,
                E::Read { .. } | E::Built { .. },
            )
            | (
                S::Fresh | S::Building { .. } | S::Orphaned | S::TakingBack { .. } | S::Ended,
                E::Running,
            )
            | (S::Fresh | S::Building { .. } | S::Orphaned | S::Going | S::Ended, E::TakenBack)
            | (S::Fresh | S::Going, E::HostFailed(_)) => return false,
            (
                S::Fresh
                | S::Building { .. }
                | S::Orphaned
                | S::Going
                | S::TakingBack { .. }
                | S::Ended,
                E::Message { .. } | E::PeerDown(_) | E::Deadline(_),
            ) => return false,
        }
        true
    }

    fn peer_down(&mut self, node: NodeId, out: Sink<'_>) -> bool {
        if node != self.root {
            self.lost(node, out);
            return true;
        }
        self.root_gone = true;
        match self.state {
            State::Building { asked, left, .. } if !asked.is_empty() && left.is_empty() => {
                self.orphan(out);
            }
            // Something is not built, so nobody got a `Go`.
            State::Building { .. } => self.take_back(State::TakingBack { owed: false }, out),
            State::Orphaned
            | State::Going
            | State::TakingBack { .. }
            | State::Fresh
            | State::Ended => {}
        }
        true
    }

    fn deadline(&mut self, number: u32, out: Sink<'_>) -> bool {
        if number != self.timer {
            return true;
        }
        match self.state {
            State::Building { asked, left, .. } if !asked.is_empty() && left.is_empty() => {
                self.orphan(out);
            }
            State::Building { .. } | State::Orphaned => {
                self.take_back(State::TakingBack { owed: false }, out);
            }
            State::Fresh | State::Going | State::TakingBack { .. } | State::Ended => {}
        }
        true
    }

    /// The root may have said `Go` to others before it was lost; they pass it on before they
    /// let anything go.
    fn orphan(&mut self, out: Sink<'_>) {
        self.state = State::Orphaned;
        self.arm(limits::ORPHAN_MS, out);
    }

    fn go(&mut self, out: Sink<'_>) {
        let mut others = self.participants;
        others.remove(self.me);
        others.remove(self.root);
        if !others.is_empty() {
            out(AgentEffect::Multicast {
                to: others,
                message: Message::Go(Go),
            });
        }
        self.state = State::Going;
        out(AgentEffect::LetGo);
    }

    fn fail(&mut self, failure: Failure, out: Sink<'_>) {
        self.tell_root(Message::Failed(Failed { failure }), out);
        self.take_back(State::TakingBack { owed: false }, out);
    }

    fn take_back(&mut self, state: State, out: Sink<'_>) {
        self.state = state;
        out(AgentEffect::TakeBack);
    }

    fn tell_view(&mut self, out: Sink<'_>) {
        let up = self.up;
        self.tell_root(Message::Engaged(Engaged { up }), out);
    }

    fn tell_root(&mut self, message: Message, out: Sink<'_>) {
        if !self.root_gone {
            out(AgentEffect::Send {
                to: self.root,
                message,
            });
        }
    }

    fn end(&mut self, out: Sink<'_>) {
        self.state = State::Ended;
        out(AgentEffect::End);
    }

    fn arm(&mut self, ms: u32, out: Sink<'_>) {
        self.timer = self.timer.wrapping_add(1);
        out(AgentEffect::Timer {
            number: self.timer,
            ms,
        });
    }
}
