// SPDX-License-Identifier: GPL-2.0
//! Links beyond the fan-out: the host keeps them until a child is there, then they are left to the
//! children in batches.
//!
//! A batch goes only down the tree of parents and children, so none comes round again. The agent
//! counts links and never sees those that pass through.

use super::{Agent, Sink};
use crate::abi::FailureCode;
use crate::checkpoint::near::Acked;
use crate::checkpoint::state::{State, Stopping};
use crate::checkpoint::{Effect, Link};
use crate::failure::Failure;
use crate::limits;
use crate::node::NodeId;

/// At least one of `held` links: as many as each of a child and `others` would get.
fn share(held: u32, others: u32) -> u32 {
    let each = held.checked_div(others.saturating_add(1)).unwrap_or(0);
    each.saturating_add(1).min(held)
}

impl<const F: usize> Agent<F> {
    /// A Relay while busy: acknowledged at once, as an Enlist is.
    pub(in crate::checkpoint) fn relay_busy(&mut self, at: Stopping, count: u32, out: Sink<'_, F>) {
        if let Some(parent) = self.parent {
            self.ack(parent, out);
        }
        self.relayed(at, count, out);
    }

    /// A Relay while idle: the Ack is owed until idle again.
    pub(in crate::checkpoint) fn relay_again(
        &mut self,
        from: NodeId,
        count: u32,
        out: Sink<'_, F>,
    ) {
        self.arm(limits::STOP_MS_MAX, out);
        self.relayed(Stopping::owing(Some(from)), count, out);
    }

    fn relayed(&mut self, mut at: Stopping, count: u32, out: Sink<'_, F>) {
        at.held = at.held.saturating_add(count);
        if at.held > limits::HELD_MAX {
            let failure = Failure::new(FailureCode::Limit).on(self.me).named(b"links");
            return self.abort(failure, None, out);
        }
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

    /// Places as many links as can be placed now: asks for those that there is room for, and leaves
    /// the others to the children. While more may become children, only a new child gets its share,
    /// so that the first to answer does not get everything.
    pub(super) fn place(&mut self, at: &mut Stopping, news: Acked, out: Sink<'_, F>) {
        let room = self.near.room().saturating_sub(at.coming).min(at.held);
        if room > 0 {
            at.held = at.held.saturating_sub(room);
            at.coming = at.coming.saturating_add(room);
            out(Effect::Resume { count: room });
        }
        let others = self.near.undecided().saturating_add(at.coming);
        let count = match (self.near.has_children(), news) {
            (true, _) if others == 0 => at.held,
            (true, Acked::First) => share(at.held, others),
            (true, Acked::Again) | (false, _) => 0,
        };
        if count > 0 {
            let (shares, relays) = self.near.share(count);
            at.held = at.held.saturating_sub(count);
            at.deficit = at.deficit.saturating_add(relays);
            out(Effect::Relay(shares));
        }
    }
}
