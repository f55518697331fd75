// SPDX-License-Identifier: GPL-2.0
//! What a node has of a version that may still be committed, and must not be taken for left over.

/// As long as a node has a stake in a version, nobody removes what is there of it without a commit
/// record.
///
/// A part is written, or a copy of one kept, until the node hears how the checkpoint ended. That
/// news goes down the tree, or comes from the part's writer, and the commit record comes from the
/// root: the news may be faster. The stake in a version that was committed therefore ends with the
/// record, or with the connection on which it would come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stake {
    /// Acts under way here: a part, copies of others', the record itself.
    acts: u32,
    /// It was committed.
    settled: bool,
    /// The record has come, or will not come.
    heard: bool,
}

impl Stake {
    /// Nothing is under way. `awaits`: the record will come over a connection that is there.
    pub const fn new(awaits: bool) -> Stake {
        Stake {
            acts: 0,
            settled: false,
            heard: !awaits,
        }
    }

    /// An act begins.
    pub fn begin(&mut self) {
        self.acts = self.acts.saturating_add(1);
    }

    /// An act is over.
    pub fn end(&mut self) {
        self.acts = self.acts.saturating_sub(1);
    }

    /// The node hears that the version was committed.
    pub fn settled(&mut self) {
        self.settled = true;
    }

    /// The record has come, or the root died, or the connection with it broke.
    pub fn heard(&mut self) {
        self.heard = true;
    }

    /// Whether it can be dropped.
    pub const fn is_over(&self) -> bool {
        self.acts == 0 && (self.heard || !self.settled)
    }
}
