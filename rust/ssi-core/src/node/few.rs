// SPDX-License-Identifier: GPL-2.0
//! A few nodes: a set of any nodes with a bounded number of members.

use super::NodeId;

/// At most `N` nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Few<const N: usize> {
    slots: [Option<NodeId>; N],
}

impl<const N: usize> Few<N> {
    /// No node.
    pub const EMPTY: Few<N> = Few { slots: [None; N] };

    /// Adds a member; says whether it is one now.
    pub fn insert(&mut self, node: NodeId) -> bool {
        if self.contains(node) {
            return true;
        }
        match self.slots.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => {
                *slot = Some(node);
                true
            }
            None => false,
        }
    }

    /// Takes a member out; says whether it was one.
    pub fn remove(&mut self, node: NodeId) -> bool {
        match self.slots.iter_mut().find(|slot| **slot == Some(node)) {
            Some(slot) => {
                *slot = None;
                true
            }
            None => false,
        }
    }

    /// Whether `node` is a member.
    pub fn contains(&self, node: NodeId) -> bool {
        self.slots.contains(&Some(node))
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// The members, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.slots.iter().flatten().copied()
    }
}

impl<const N: usize> core::fmt::Debug for Few<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("{")?;
        for (index, node) in self.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{}", node.raw())?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let node = |raw| NodeId::beyond(raw).unwrap();
        let mut few = Few::<2>::EMPTY;
        assert!(few.is_empty());
        assert!(few.insert(node(70_000)) && few.insert(node(1)) && few.insert(node(1)));
        assert!(!few.insert(node(2)) && !few.contains(node(2)));
        assert_eq!(format!("{few:?}"), "{70000 1}");
        assert!(few.remove(node(70_000)) && !few.remove(node(70_000)));
        assert!(few.insert(node(2)) && few.contains(node(1)) && !few.is_empty());
    }
}
