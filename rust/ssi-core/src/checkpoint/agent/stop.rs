// SPDX-License-Identifier: GPL-2.0
//! Finding and stopping the application: a diffusing computation that ends at the root.

use super::{Agent, Sink};
use crate::abi::FailureCode;
use crate::checkpoint::state::{Opening, State, Stopping};
use crate::checkpoint::{Effect, Found, Seed};
use crate::failure::Failure;
use crate::limits;
use crate::node::NodeId;
use crate::wire::checkpoint::{Ack, Enlist, Message};

impl Agent {
    pub(in crate::checkpoint) fn locate(&mut self, home: NodeId, out: Sink<'_>) -> bool {
        if !self.is_root() {
            return false;
        }
        self.known.insert(home);
        self.state = State::Locating(home);
        self.arm(limits::STOP_MS_MAX, out);
        true
    }

    pub(in crate::checkpoint) fn start(&mut self, node: NodeId, seed: Seed, out: Sink<'_>) -> bool {
        if !self.is_root() {
            return false;
        }
        self.arm(limits::STOP_MS_MAX, out);
        self.look(
            Stopping {
                creditor: None,
                stops: 0,
                deficit: 0,
            },
            node,
            seed,
            out,
        );
        true
    }

    /// Looks from `seed`, here or on another node.
    pub(in crate::checkpoint) fn look(
        &mut self,
        at: Stopping,
        node: NodeId,
        seed: Seed,
        out: Sink<'_>,
    ) {
        self.links = self.links.saturating_add(1);
        if self.links > limits::LINKS_MAX {
            self.state = State::Stopping(at);
            let failure = Failure::new(FailureCode::Limit).on(self.me).named(b"links");
            self.abort(failure, None, out);
        } else if node == self.me {
            let stops = at.stops.saturating_add(1);
            self.state = State::Stopping(Stopping { stops, ..at });
            out(Effect::StopLocally { seed });
        } else {
            let deficit = at.deficit.saturating_add(1);
            self.state = State::Stopping(Stopping { deficit, ..at });
            self.enlisted.insert(node);
            self.gone.remove(node);
            self.send(
                node,
                Message::Enlist(Enlist {
                    options: self.options,
                    seed,
                }),
                out,
            );
        }
    }

    /// First Enlist ever: the sender becomes the parent.
    pub(in crate::checkpoint) fn engage(
        &mut self,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_>,
    ) -> bool {
        if self.is_root() {
            return false;
        }
        self.parent = Some(from);
        self.options = enlist.options;
        self.enlist_again(from, enlist, out);
        true
    }

    /// An Enlist while idle: the Ack is owed until idle again.
    pub(in crate::checkpoint) fn enlist_again(
        &mut self,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_>,
    ) {
        self.known.insert(from);
        self.gone.remove(from);
        self.arm(limits::STOP_MS_MAX, out);
        let at = Stopping {
            creditor: Some(from),
            stops: 0,
            deficit: 0,
        };
        self.look(at, self.me, enlist.seed, out);
    }

    /// An Enlist while busy: acknowledged at once, because the Ack that is owed already covers it.
    pub(in crate::checkpoint) fn enlist_busy(
        &mut self,
        at: Stopping,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_>,
    ) {
        self.ack(from, out);
        self.look(at, self.me, enlist.seed, out);
    }

    fn ack(&mut self, to: NodeId, out: Sink<'_>) {
        let adopted = u32::from(self.is_parent(to));
        self.send(
            to,
            Message::Ack(Ack {
                adopted,
                found: self.found,
            }),
            out,
        );
    }

    pub(in crate::checkpoint) fn stopped(
        &mut self,
        at: Stopping,
        found: &Found,
        out: Sink<'_>,
    ) -> bool {
        let Some(stops) = at.stops.checked_sub(1) else {
            return false;
        };
        self.found = self.found.and(found);
        self.stopping(Stopping { stops, ..at }, out);
        true
    }

    pub(in crate::checkpoint) fn acked(
        &mut self,
        at: Stopping,
        from: NodeId,
        ack: &Ack,
        out: Sink<'_>,
    ) -> bool {
        let Some(deficit) = at.deficit.checked_sub(1) else {
            return false;
        };
        if ack.adopted != 0 {
            self.children.insert(from);
        }
        self.found = self.found.and(&ack.found);
        self.stopping(Stopping { deficit, ..at }, out);
        true
    }

    fn stopping(&mut self, at: Stopping, out: Sink<'_>) {
        self.state = State::Stopping(at);
        if at.stops != 0 || at.deficit != 0 {
            return;
        }
        match at.creditor {
            Some(creditor) => {
                self.state = State::Stopped;
                self.ack(creditor, out);
                self.arm(limits::STOP_MS_MAX, out);
            }
            None if self.found == Found::NOTHING => {
                self.abort(Failure::new(FailureCode::NoSuchProcess), None, out);
            }
            None => {
                self.save_send(out);
                self.opening = Opening::Asked;
                out(Effect::OpenVersion { found: self.found });
            }
        }
    }
}
