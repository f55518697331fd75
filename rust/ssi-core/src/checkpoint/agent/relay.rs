// SPDX-License-Identifier: GPL-2.0
//! Links beyond the fan-out: held until a child is there, then left to the children in batches.
//!
//! A batch goes only down the tree of parents and children, so none comes round again.

use super::{Agent, Sink};
use crate::checkpoint::near::Acked;
use crate::checkpoint::state::{State, Stopping};
use crate::checkpoint::{Effect, Link, Links};
use crate::limits;
use crate::node::NodeId;
use crate::wire::checkpoint::{Message, Relay};

/// At least one of `held` links: as many as each of a child and `others` would get.
fn share(held: u32, others: u32) -> u32 {
    let each = held.checked_div(others.saturating_add(1)).unwrap_or(0);
    each.saturating_add(1)
}

impl<const F: usize> Agent<F> {
    /// A Relay while busy: acknowledged at once, as an Enlist is.
    pub(in crate::checkpoint) fn relay_busy(
        &mut self,
        mut at: Stopping,
        links: &Links,
        out: Sink<'_, F>,
    ) {
        if let Some(parent) = self.parent {
            self.ack(parent, out);
        }
        self.hold(&mut at, links, out);
        self.proceed(at, Acked::Again, out);
    }

    /// A Relay while idle: the Ack is owed until idle again.
    pub(in crate::checkpoint) fn relay_again(
        &mut self,
        from: NodeId,
        links: &Links,
        out: Sink<'_, F>,
    ) {
        self.arm(limits::STOP_MS_MAX, out);
        let mut at = Stopping::owing(Some(from));
        self.hold(&mut at, links, out);
        self.proceed(at, Acked::Again, out);
    }

    /// A link that was held is here again.
    pub(in crate::checkpoint) fn again(
        &mut self,
        mut at: Stopping,
        link: Link,
        out: Sink<'_, F>,
    ) -> bool {
        let Some(coming) = at.coming.checked_sub(1) else {
            return false;
        };
        at.coming = coming;
        self.look(at, link, out);
        if let State::Stopping(at) = self.state {
            self.proceed(at, Acked::Again, out);
        }
        true
    }

    pub(super) fn hold(&mut self, at: &mut Stopping, links: &Links, out: Sink<'_, F>) {
        at.held = at.held.saturating_add(links.len());
        out(Effect::Hold(*links));
    }

    /// Asks for as many links as can be placed now: as many as there is room for; where there are
    /// children, all; but while others may still become children, only a new child's share, so that
    /// the first to answer does not get everything.
    pub(super) fn resume(&mut self, at: &mut Stopping, news: Acked, out: Sink<'_, F>) {
        let room = self.near.room().saturating_sub(at.coming);
        let others = self.near.undecided();
        let count = match (self.near.has_children(), news) {
            (true, _) if others == 0 => at.held,
            (true, Acked::First) => share(at.held, others).max(room),
            (true, Acked::Again) | (false, _) => room,
        };
        let count = count.min(at.held);
        if count > 0 {
            at.held = at.held.saturating_sub(count);
            at.coming = at.coming.saturating_add(count);
            out(Effect::Resume { count });
        }
    }

    /// Relays what was gathered, if nothing that could be added is on its way.
    pub(super) fn flush(&mut self, at: &mut Stopping, out: Sink<'_, F>) {
        if at.coming == 0 && !self.batch.is_empty() {
            self.relay(at, out);
        }
    }

    pub(super) fn relay(&mut self, at: &mut Stopping, out: Sink<'_, F>) {
        // INVARIANT: something is gathered only where there is a child.
        let Some(to) = self.near.relay() else { return };
        at.deficit = at.deficit.saturating_add(1);
        let links = core::mem::replace(&mut self.batch, Links::NONE);
        out(Effect::Send {
            to,
            message: Message::Relay(Relay { links }),
        });
    }
}
