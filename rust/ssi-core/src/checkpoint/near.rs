// SPDX-License-Identifier: GPL-2.0
//! The nodes that an agent has enlisted and answers for: a bounded number.

use super::link::{batches, Shares};
use crate::node::{Few, NodeId};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Neighbour {
    node: NodeId,
    /// Enlists and Relays without an Ack.
    due: u32,
    /// Links that were relayed to it.
    given: u32,
    /// Its agent was engaged by this one.
    child: bool,
    /// It is dead, or the connection broke.
    gone: bool,
}

/// What an Ack says of its sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Acked {
    /// It is a child, or is forgotten: that was not known before.
    First,
    /// Nothing new.
    Again,
}

/// At most `F` nodes, each either a child or still due to answer: who answers that somebody else
/// engaged it is that one's to care for, and is forgotten.
#[derive(Clone, Debug)]
pub(super) struct Near<const F: usize> {
    slots: [Option<Neighbour>; F],
}

impl<const F: usize> Near<F> {
    pub(super) const EMPTY: Near<F> = Near { slots: [None; F] };

    /// Notes an Enlist to `node`; `false` where there is no room for one more.
    pub(super) fn enlist(&mut self, node: NodeId) -> bool {
        if let Some(known) = self.find(node) {
            known.due = known.due.saturating_add(1);
            return true;
        }
        match self.slots.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => {
                *slot = Some(Neighbour {
                    node,
                    due: 1,
                    given: 0,
                    child: false,
                    gone: false,
                });
                true
            }
            None => false,
        }
    }

    /// Divides `count` links among the children, so that in the end all have got as many, as far
    /// as that goes; notes the Relays, and gives how many those are.
    pub(super) fn share(&mut self, count: u32) -> (Shares<F>, u32) {
        let children = || self.slots.iter().flatten().filter(|known| known.child);
        let (number, given) = children().fold((0u32, count), |(number, given), known| {
            (number.saturating_add(1), given.saturating_add(known.given))
        });
        let level = given.checked_add(number.saturating_sub(1));
        let level = level.and_then(|given| given.checked_div(number));
        let (mut shares, mut left, mut relays) = (Shares::NONE, count, 0u32);
        for known in self.slots.iter_mut().flatten().filter(|known| known.child) {
            let share = level
                .unwrap_or(u32::MAX)
                .saturating_sub(known.given)
                .min(left);
            if share > 0 {
                left = left.saturating_sub(share);
                known.given = known.given.saturating_add(share);
                known.due = known.due.saturating_add(batches(share));
                relays = relays.saturating_add(batches(share));
                shares.add(known.node, share);
            }
        }
        (shares, relays)
    }

    /// Notes an Ack; `None` where none was due.
    pub(super) fn acked(&mut self, node: NodeId, adopted: bool) -> Option<Acked> {
        let known = self.find(node)?;
        known.due = known.due.checked_sub(1)?;
        if known.child {
            return Some(Acked::Again);
        }
        known.child = adopted;
        if !adopted {
            if known.due > 0 {
                return Some(Acked::Again);
            }
            self.forget(node);
        }
        Some(Acked::First)
    }

    /// Notes that a node is lost; says whether it is one of these.
    pub(super) fn lose(&mut self, node: NodeId) -> bool {
        match self.find(node) {
            Some(known) => {
                known.gone = true;
                true
            }
            None => false,
        }
    }

    pub(super) fn contains(&self, node: NodeId) -> bool {
        self.slots.iter().flatten().any(|known| known.node == node)
    }

    pub(super) fn has_children(&self) -> bool {
        self.slots.iter().flatten().any(|known| known.child)
    }

    /// How many have not said whose children they are.
    pub(super) fn undecided(&self) -> u32 {
        let undecided = self.slots.iter().flatten().filter(|known| !known.child);
        undecided.fold(0, |count: u32, _| count.saturating_add(1))
    }

    /// How many more nodes can be enlisted.
    pub(super) fn room(&self) -> u32 {
        let free = self.slots.iter().filter(|slot| slot.is_none());
        free.fold(0, |room: u32, _| room.saturating_add(1))
    }

    /// Those whose agents this one engaged.
    pub(super) fn children(&self) -> Few<F> {
        self.which(|known| known.child)
    }

    /// All that are not lost.
    pub(super) fn living(&self) -> Few<F> {
        self.which(|known| !known.gone)
    }

    fn which(&self, is: impl Fn(&Neighbour) -> bool) -> Few<F> {
        let mut few = Few::EMPTY;
        for known in self.slots.iter().flatten().filter(|known| is(known)) {
            few.insert(known.node);
        }
        few
    }

    fn find(&mut self, node: NodeId) -> Option<&mut Neighbour> {
        self.slots
            .iter_mut()
            .flatten()
            .find(|known| known.node == node)
    }

    fn forget(&mut self, node: NodeId) {
        for slot in &mut self.slots {
            if slot.is_some_and(|known| known.node == node) {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(raw: u32) -> NodeId {
        NodeId::new(raw).unwrap()
    }

    #[test]
    fn who_declines_makes_room() {
        let mut near = Near::<2>::EMPTY;
        assert!(near.enlist(node(5)) && near.enlist(node(6)) && near.enlist(node(5)));
        assert!(!near.enlist(node(7)) && near.room() == 0);
        assert_eq!(near.acked(node(5), false), Some(Acked::Again));
        assert!(near.contains(node(5)) && near.undecided() == 2);
        assert_eq!(near.acked(node(5), false), Some(Acked::First));
        assert!(!near.contains(node(5)) && near.undecided() == 1);
        assert_eq!(near.acked(node(5), false), None);
        assert!(near.enlist(node(7)));
        assert_eq!(near.acked(node(6), true), Some(Acked::First));
        assert_eq!(near.acked(node(6), true), None);
        assert_eq!(near.children(), near.which(|known| known.node == node(6)));
        assert!(near.lose(node(7)) && !near.lose(node(5)));
        assert_eq!(near.living(), near.children());
    }

    #[test]
    fn children_get_equal_shares() {
        fn share(near: &mut Near<3>, count: u32) -> (Vec<(u32, u32)>, u32) {
            let (shares, relays) = near.share(count);
            let shares = shares.iter().map(|(to, count)| (to.raw(), count));
            (shares.collect(), relays)
        }
        let mut near = Near::<3>::EMPTY;
        for raw in [5, 6, 7] {
            near.enlist(node(raw));
            near.acked(node(raw), raw != 6);
        }
        near.enlist(node(8));
        assert_eq!(share(&mut near, 7), (vec![(5, 4), (7, 3)], 2));
        assert_eq!(near.acked(node(8), true), Some(Acked::First));
        assert_eq!(share(&mut near, 3), (vec![(7, 1), (8, 2)], 2));
        // All get as many, in order, and a long share is more than one Relay.
        let long = 3 * crate::limits::RELAY_MAX as u32;
        let (shares, relays) = share(&mut near, long);
        let counts: Vec<_> = shares.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts.iter().sum::<u32>(), long);
        assert!(
            counts.iter().all(|count| count.abs_diff(long / 3) <= 2),
            "{counts:?}"
        );
        for (child, count) in shares {
            for _ in 0..batches(count) {
                assert_eq!(near.acked(node(child), true), Some(Acked::Again));
            }
        }
        assert_eq!(relays, 3);
        for (child, due) in [(5, 1), (7, 2), (8, 1)] {
            for _ in 0..due {
                assert_eq!(near.acked(node(child), true), Some(Acked::Again));
            }
            assert_eq!(near.acked(node(child), true), None);
        }
    }
}
