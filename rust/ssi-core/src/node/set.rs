// SPDX-License-Identifier: GPL-2.0
//! A set of nodes: one bit for each possible id.

use super::NodeId;
use crate::codec::{CodecError, Field, Show};

const WORDS: usize = 4;

/// A set of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeSet {
    words: [u64; WORDS],
}

impl NodeSet {
    /// No node.
    pub const EMPTY: NodeSet = NodeSet { words: [0; WORDS] };

    /// The set with one member.
    pub fn only(node: NodeId) -> NodeSet {
        let mut set = NodeSet::EMPTY;
        set.insert(node);
        set
    }

    /// The set whose member n is bit n % 64 of word n / 64; `None` where a bit is no node's.
    pub fn of_words(words: [u64; WORDS]) -> Option<NodeSet> {
        let [first, _, _, last] = words;
        // Neither 0 nor 255 is a node.
        (first & 1 == 0 && last >> 63 == 0).then_some(NodeSet { words })
    }

    /// As [`NodeSet::of_words`] takes them.
    pub const fn words(&self) -> [u64; WORDS] {
        self.words
    }

    /// Adds a member; says whether it is new. A node beyond the kernels' ids cannot be one.
    pub fn insert(&mut self, node: NodeId) -> bool {
        let (at, bit) = place(node);
        match self.words.get_mut(at) {
            Some(word) => {
                let before = *word;
                *word |= bit;
                *word != before
            }
            None => false,
        }
    }

    /// Takes a member out; says whether it was one.
    pub fn remove(&mut self, node: NodeId) -> bool {
        let (at, bit) = place(node);
        match self.words.get_mut(at) {
            Some(word) => {
                let was = *word & bit != 0;
                *word &= !bit;
                was
            }
            None => false,
        }
    }

    /// Whether `node` is a member.
    pub fn contains(&self, node: NodeId) -> bool {
        let (at, bit) = place(node);
        self.words.get(at).is_some_and(|word| word & bit != 0)
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many members there are.
    pub fn len(&self) -> u32 {
        let mut len = 0u32;
        for word in self.words {
            len = len.saturating_add(word.count_ones());
        }
        len
    }

    /// The members of either set.
    #[must_use]
    pub fn union(&self, other: &NodeSet) -> NodeSet {
        let mut set = *self;
        for (word, more) in set.words.iter_mut().zip(other.words) {
            *word |= more;
        }
        set
    }

    /// The members of both sets.
    #[must_use]
    pub fn both(&self, other: &NodeSet) -> NodeSet {
        self.without(&self.without(other))
    }

    /// The members that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &NodeSet) -> NodeSet {
        let mut set = *self;
        for (word, less) in set.words.iter_mut().zip(other.words) {
            *word &= !less;
        }
        set
    }

    /// The members in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        (1..=254)
            .filter_map(NodeId::new)
            .filter(|node| self.contains(*node))
    }

    /// The member with `index` smaller ones.
    pub fn nth(&self, index: u32) -> Option<NodeId> {
        let mut left = index;
        for node in self.iter() {
            match left.checked_sub(1) {
                Some(less) => left = less,
                None => return Some(node),
            }
        }
        None
    }
}

/// Word and bit of a node; no bit of a node that no kernel can be.
fn place(node: NodeId) -> (usize, u64) {
    let bit = if NodeId::new(node.raw()).is_some() {
        1u64.wrapping_shl(node.raw() & 63)
    } else {
        0
    };
    // CAST: 32 bits fit in a usize on every supported machine.
    ((node.raw() >> 6) as usize, bit)
}

impl core::fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("{")?;
        let mut first = true;
        for node in self.iter() {
            if !first {
                f.write_str(" ")?;
            }
            first = false;
            write!(f, "{}", node.raw())?;
        }
        f.write_str("}")
    }
}

impl Field for NodeSet {
    const SIZE: usize = 8 * WORDS;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        self.words.put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        NodeSet::of_words(Field::take(bytes)?).ok_or(CodecError::Value)
    }

    fn show<S: Show>(&self, out: &mut S) {
        out.list(|out| {
            for node in self.iter() {
                out.unsigned(node.raw().into());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(raw: u32) -> NodeId {
        NodeId::new(raw).unwrap()
    }

    #[test]
    fn members() {
        let mut set = NodeSet::EMPTY;
        assert!(set.is_empty());
        for raw in [254, 1, 64, 63] {
            assert!(set.insert(node(raw)));
            assert!(!set.insert(node(raw)));
        }
        assert_eq!(
            set.iter().map(NodeId::raw).collect::<Vec<_>>(),
            [1, 63, 64, 254]
        );
        assert_eq!(
            (set.len(), set.nth(3), set.nth(4)),
            (4, Some(node(254)), None)
        );
        assert!(set.remove(node(64)) && !set.remove(node(64)));
        assert_eq!(set.without(&NodeSet::only(node(1))).len(), 2);
        assert_eq!(set.union(&NodeSet::only(node(9))).nth(1), Some(node(9)));
        assert_eq!(format!("{set:?}"), "{1 63 254}");
        let mut other = NodeSet::only(node(63));
        other.insert(node(7));
        assert_eq!(set.both(&other), NodeSet::only(node(63)));
        assert_eq!(NodeSet::of_words(set.words()), Some(set));
    }

    #[test]
    fn literal_bytes() {
        let mut bytes = [0u8; 32];
        bytes[0] = 2;
        assert_eq!(NodeSet::take(&bytes), Ok(NodeSet::only(node(1))));
        bytes[0] = 1;
        assert_eq!(NodeSet::take(&bytes), Err(CodecError::Value));
        bytes[0] = 0;
        bytes[31] = 128;
        assert_eq!(NodeSet::take(&bytes), Err(CodecError::Value));
    }
}
