// SPDX-License-Identifier: GPL-2.0
//! Finding and stopping the application: a diffusing computation that ends at the root.

use super::{Agent, Sink};
use crate::abi::FailureCode;
use crate::checkpoint::near::Acked;
use crate::checkpoint::state::{State, Stopping};
use crate::checkpoint::{Effect, Found, Link, Seed};
use crate::failure::Failure;
use crate::limits;
use crate::node::NodeId;
use crate::wire::checkpoint::{Ack, Enlist, Failed, Message};

impl<const F: usize> Agent<F> {
    pub(in crate::checkpoint) fn locate(&mut self, home: NodeId, out: Sink<'_, F>) -> bool {
        if !self.is_root() {
            return false;
        }
        self.state = State::Locating(home);
        self.arm(limits::STOP_MS_MAX, out);
        true
    }

    pub(in crate::checkpoint) fn start(
        &mut self,
        node: NodeId,
        seed: Seed,
        out: Sink<'_, F>,
    ) -> bool {
        if !self.is_root() {
            return false;
        }
        self.arm(limits::STOP_MS_MAX, out);
        self.look(Stopping::owing(None), Link { node, seed }, out);
        true
    }

    /// Looks from a seed, here or on another node. Where there is no room for another node, the
    /// link waits until an Ack brings room or a child.
    pub(in crate::checkpoint) fn look(&mut self, mut at: Stopping, link: Link, out: Sink<'_, F>) {
        let Link { node, seed } = link;
        if node == self.me {
            at.stops = at.stops.saturating_add(1);
            self.looking = (at.stops == 1).then_some(seed);
            out(Effect::StopLocally { seed });
        } else if self.near.enlist(node) {
            at.deficit = at.deficit.saturating_add(1);
            let options = self.options;
            out(Effect::Send {
                to: node,
                message: Message::Enlist(Enlist { options, seed }),
            });
        } else {
            at.held = at.held.saturating_add(1);
            out(Effect::Hold(link));
        }
        self.state = State::Stopping(at);
    }

    /// The local stop found a link.
    pub(in crate::checkpoint) fn link(&mut self, at: Stopping, link: Link, out: Sink<'_, F>) {
        // The way by which the search came here needs not be gone back.
        if self
            .looking
            .is_some_and(|seed| seed.is_other_end(&link.seed))
        {
            return;
        }
        self.links = self.links.saturating_add(1);
        if self.links > limits::LINKS_MAX {
            let failure = Failure::new(FailureCode::Limit).on(self.me).named(b"links");
            return self.abort(failure, None, out);
        }
        self.look(at, link, out);
    }

    /// First Enlist ever: the sender becomes the parent.
    pub(in crate::checkpoint) fn engage(
        &mut self,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_, F>,
    ) -> bool {
        if !enlist.options.possible() {
            return false;
        }
        if self.is_root() {
            self.refuse_enlist(from, out);
            return true;
        }
        self.parent = Some(from);
        self.options = enlist.options;
        self.enlist_again(from, enlist, out);
        true
    }

    /// The operation is of an earlier life of this node, which was its root: somebody has not heard
    /// yet that it is over.
    fn refuse_enlist(&mut self, from: NodeId, out: Sink<'_, F>) {
        let failure = Failure::new(FailureCode::NodeDied).on(self.me);
        out(Effect::Send {
            to: from,
            message: Message::Failed(Failed { failure }),
        });
        self.end(Some(failure), out);
    }

    /// An Enlist while idle: the Ack is owed until idle again.
    pub(in crate::checkpoint) fn enlist_again(
        &mut self,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_, F>,
    ) {
        self.arm(limits::STOP_MS_MAX, out);
        self.look(Stopping::owing(Some(from)), self.here(enlist.seed), out);
    }

    /// An Enlist while busy: acknowledged at once, because the Ack that is owed already covers it.
    pub(in crate::checkpoint) fn enlist_busy(
        &mut self,
        at: Stopping,
        from: NodeId,
        enlist: &Enlist,
        out: Sink<'_, F>,
    ) {
        self.ack(from, out);
        self.look(at, self.here(enlist.seed), out);
    }

    fn here(&self, seed: Seed) -> Link {
        let node = self.me;
        Link { node, seed }
    }

    pub(super) fn ack(&mut self, to: NodeId, out: Sink<'_, F>) {
        let adopted = u32::from(self.is_parent(to));
        let found = self.found;
        out(Effect::Send {
            to,
            message: Message::Ack(Ack { adopted, found }),
        });
    }

    pub(in crate::checkpoint) fn stopped(
        &mut self,
        mut at: Stopping,
        found: &Found,
        out: Sink<'_, F>,
    ) -> bool {
        let Some(stops) = at.stops.checked_sub(1) else {
            return false;
        };
        at.stops = stops;
        // Which of several is under way now is not known.
        self.looking = None;
        self.found = self.found.and(found);
        self.proceed(at, Acked::Again, out);
        true
    }

    pub(in crate::checkpoint) fn acked(
        &mut self,
        mut at: Stopping,
        from: NodeId,
        ack: &Ack,
        out: Sink<'_, F>,
    ) -> bool {
        let Some(deficit) = at.deficit.checked_sub(1) else {
            return false;
        };
        let Some(news) = self.near.acked(from, ack.adopted != 0) else {
            return false;
        };
        at.deficit = deficit;
        self.found = self.found.and(&ack.found);
        self.proceed(at, news, out);
        true
    }

    /// Places what can be placed now, and is idle if nothing is left.
    pub(super) fn proceed(&mut self, mut at: Stopping, news: Acked, out: Sink<'_, F>) {
        self.place(&mut at, news, out);
        self.state = State::Stopping(at);
        if !at.is_over() {
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
            None if self.options.only_signals() => self.signal(None, out),
            None => self.save_send(out),
        }
    }
}
