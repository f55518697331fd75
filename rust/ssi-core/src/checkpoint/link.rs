// SPDX-License-Identifier: GPL-2.0
//! Links that lead to other nodes, and which child gets how many of them.

use super::Seed;
use crate::limits::RELAY_MAX;
use crate::node::NodeId;
use crate::record;

record! {
    /// Something that was found and leads to another node.
    pub struct Link {
        /// Where it leads.
        pub node: NodeId,
        /// What to look for there.
        pub seed: Seed,
    }
}

/// How many links each of at most `F` children gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shares<const F: usize> {
    slots: [Option<(NodeId, u32)>; F],
}

impl<const F: usize> Shares<F> {
    pub(super) const NONE: Shares<F> = Shares { slots: [None; F] };

    /// Adds a child's share.
    pub(super) fn add(&mut self, child: NodeId, count: u32) {
        // INVARIANT: nobody has more than `F` children.
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some((child, count));
        }
    }

    /// Who gets how many.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        self.slots.iter().flatten().copied()
    }

    /// The same in messages: receiver and number of links of each.
    pub fn batches(&self) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        self.iter().flat_map(|(child, count)| {
            let mut left = count;
            core::iter::from_fn(move || {
                let batch = left.min(BATCH);
                left = left.saturating_sub(batch);
                (batch > 0).then_some((child, batch))
            })
        })
    }
}

// CAST: far below 2^32.
const BATCH: u32 = RELAY_MAX as u32;

/// Messages for so many links to one child.
pub(super) const fn batches(count: u32) -> u32 {
    count.div_ceil(BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_in_batches() {
        let node = |raw| NodeId::new(raw).unwrap();
        let mut shares = Shares::<3>::NONE;
        assert_eq!(shares.batches().next(), None);
        shares.add(node(5), 2 * BATCH + 1);
        shares.add(node(6), BATCH);
        shares.add(node(7), 1);
        let found: Vec<_> = shares
            .batches()
            .map(|(to, count)| (to.raw(), count))
            .collect();
        assert_eq!(found, [(5, BATCH), (5, BATCH), (5, 1), (6, BATCH), (7, 1)]);
        let counts = shares.iter().map(|(_, count)| batches(count));
        assert_eq!(counts.collect::<Vec<_>>(), [3, 1, 1]);
        assert_eq!(batches(0), 0);
    }
}
