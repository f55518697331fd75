// SPDX-License-Identifier: GPL-2.0
//! Second copies: a part goes to a partner as well, and the commit record to everybody.
//!
//! See docs/protocol/copies.md. Where a checkpoint asks for copies, a host does the acts `Write`
//! and `Commit` of the checkpoint with these machines: a [`Sender`] on each node with a part, a
//! [`Keeper`] at its partner, and a [`Seal`] at the root. A [`Stake`] on each of these nodes says
//! how long nothing may remove what is there.

mod keeper;
mod seal;
mod sender;
mod stake;
#[cfg(test)]
mod tests;

pub use keeper::{KeepEffect, KeepEvent, Keeper};
pub use seal::{Seal, SealEffect, SealEvent};
pub use sender::{SendEffect, SendEvent, Sender};
pub use stake::Stake;

use crate::node::{NodeId, NodeSet};

/// An event that cannot happen in this state: a bug of the host or of a peer. The machine is as
/// it was; the host lets it fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Name of the state.
    pub state: &'static str,
    /// Name of the event or message.
    pub event: &'static str,
}

/// The node that keeps the second copy of `me`'s part: the next one that is up, in the order of
/// ids, after the highest comes the lowest. `None` where nobody else is up.
pub fn partner(me: NodeId, up: &NodeSet) -> Option<NodeId> {
    let others = || up.iter().filter(|node| *node != me);
    others().find(|node| *node > me).or_else(|| others().next())
}

/// The same where `group` may fail together, `me` among them: a node outside it, if any is up. The
/// first of the group that is up takes the first node after itself, the second the second, and so
/// on, so that nodes of another group have about as many partners each.
pub fn partner_outside(me: NodeId, up: &NodeSet, group: &NodeSet) -> Option<NodeId> {
    let outside = up.without(group).without(&NodeSet::only(me));
    let near = up.both(group);
    let before = near.iter().filter(|node| *node < me);
    let rank = before.fold(0u32, |count, _| count.saturating_add(1));
    let after = outside.iter().filter(|node| *node > me);
    let mut ring = after.chain(outside.iter().filter(|node| *node < me));
    match rank.checked_rem(outside.len()) {
        // CAST: less than 256.
        Some(at) => ring.nth(at as usize),
        None => partner(me, up),
    }
}
