// SPDX-License-Identifier: GPL-2.0
//! The release of a restart: `Go` to all, again where a connection broke, until all answer.

use super::{unreachable, Report, Root, RootEffect, Sink, State, Totals};
use crate::limits;
use crate::node::{NodeId, NodeSet};
use crate::wire::restart::{Go, Message};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::restart) struct Going {
    /// Participants that have not answered.
    pub(super) waiting: NodeSet,
    /// Those of them that may not have heard it: the connection broke.
    pub(super) lost: NodeSet,
    /// How often they were told again.
    pub(super) again: u32,
    pub(super) restored: Totals,
}

impl Going {
    /// All of `waiting` have been told for the first time.
    pub(super) fn new(waiting: NodeSet, restored: Totals) -> Going {
        Going {
            waiting,
            lost: NodeSet::EMPTY,
            again: 0,
            restored,
        }
    }
}

impl Root {
    pub(super) fn going(&mut self, at: Going, out: Sink<'_>) {
        self.state = State::Going(at);
        if at.waiting.is_empty() {
            let nodes = self.plan.participants();
            let moved = self.plan.moved();
            self.finish(
                Ok(Report {
                    restored: at.restored,
                    nodes,
                    moved,
                }),
                out,
            );
        }
    }

    /// The connection with a participant broke, and `Go` may be lost with it. If only the
    /// connection is dead, the participant waits for another as long as this goes on.
    pub(super) fn go_lost(&mut self, at: Going, node: NodeId, out: Sink<'_>) {
        if at.waiting.contains(node) && !at.lost.contains(node) {
            let lost = at.lost.union(&NodeSet::only(node));
            self.state = State::Going(Going {
                lost,
                again: 0,
                ..at
            });
            self.arm(limits::GO_AGAIN_MS, out);
        }
    }

    pub(super) fn go_late(&mut self, at: Going, out: Sink<'_>) {
        if at.lost.is_empty() {
            self.finish(Err(unreachable(at.waiting.nth(0))), out);
        } else if at.again < limits::GO_AGAIN_MAX {
            self.state = State::Going(Going {
                again: at.again.saturating_add(1),
                ..at
            });
            out(RootEffect::Multicast {
                to: at.lost,
                message: Message::Go(Go),
            });
            self.arm(limits::GO_AGAIN_MS, out);
        } else {
            // They are dead. The application runs: that is a new failure, of it and not of the
            // restart.
            let waiting = at.waiting.without(&at.lost);
            self.arm(limits::GO_MS_MAX, out);
            self.going(
                Going {
                    waiting,
                    lost: NodeSet::EMPTY,
                    ..at
                },
                out,
            );
        }
    }
}
