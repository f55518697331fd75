// SPDX-License-Identifier: GPL-2.0
//! The nodes that an agent has enlisted and answers for: a bounded number.

use crate::node::{Few, NodeId};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Neighbour {
    node: NodeId,
    /// Enlists and Relays without an Ack.
    due: u32,
    /// Its agent was engaged by this one.
    child: bool,
    /// It is dead, or the connection broke.
    gone: bool,
}

/// At most `F` nodes, each either a child or still due to answer: who answers that somebody else
/// engaged it is that one's to care for, and is forgotten.
#[derive(Clone, Debug)]
pub(super) struct Near<const F: usize> {
    slots: [Option<Neighbour>; F],
    /// Where the search for the next child to relay to begins.
    turn: usize,
}

impl<const F: usize> Near<F> {
    pub(super) const EMPTY: Near<F> = Near {
        slots: [None; F],
        turn: 0,
    };

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
                    child: false,
                    gone: false,
                });
                true
            }
            None => false,
        }
    }

    /// Notes a Relay to the child whose turn it is, and gives that.
    pub(super) fn relay(&mut self) -> Option<NodeId> {
        let turn = self.turn;
        let (first, second) = self.slots.split_at_mut_checked(turn)?;
        let mut places = second.iter_mut().chain(first);
        let at = places.position(|slot| slot.is_some_and(|known| known.child))?;
        let at = turn.wrapping_add(at).checked_rem(F)?;
        self.turn = at.wrapping_add(1).checked_rem(F)?;
        let known = self.slots.get_mut(at)?.as_mut()?;
        known.due = known.due.saturating_add(1);
        Some(known.node)
    }

    /// Notes an Ack; `false` where none was due.
    pub(super) fn acked(&mut self, node: NodeId, adopted: bool) -> bool {
        let Some(known) = self.find(node) else {
            return false;
        };
        let Some(due) = known.due.checked_sub(1) else {
            return false;
        };
        known.due = due;
        known.child |= adopted;
        if due == 0 && !known.child {
            self.forget(node);
        }
        true
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
        assert!(near.acked(node(5), false) && near.contains(node(5)));
        assert!(near.acked(node(5), false) && !near.contains(node(5)));
        assert!(!near.acked(node(5), false) && near.enlist(node(7)));
        assert!(near.acked(node(6), true) && !near.acked(node(6), true));
        assert_eq!(near.children(), near.which(|known| known.node == node(6)));
        assert!(near.lose(node(7)) && !near.lose(node(5)));
        assert_eq!(near.living(), near.children());
    }

    #[test]
    fn children_take_turns() {
        let mut near = Near::<3>::EMPTY;
        assert_eq!(near.relay(), None);
        for raw in [5, 6, 7] {
            near.enlist(node(raw));
            near.acked(node(raw), raw != 6);
        }
        near.enlist(node(8));
        let turns: Vec<_> = (0..4).map(|_| near.relay().unwrap().raw()).collect();
        assert_eq!(turns, [5, 7, 5, 7]);
        assert!(near.acked(node(5), true) && near.acked(node(5), true));
        assert!(!near.acked(node(5), true));
    }
}
