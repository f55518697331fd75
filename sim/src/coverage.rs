// SPDX-License-Identifier: GPL-2.0
//! Which pairs of state and event were taken, against those that the golden tables list.
pub mod table;

use std::collections::BTreeMap;

/// Whose table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// An agent of a checkpoint.
    Checkpoint {
        /// On the root.
        root: bool,
    },
    /// The coordinator of a restart.
    RestartRoot,
    /// A participant of a restart.
    RestartAgent,
    /// Who sends a second copy.
    Sender,
    /// Who keeps one.
    Keeper,
    /// A commit record on its way to all.
    Seal,
    /// The question who holds what.
    Survey,
}

/// A pair: protocol, state, who the event comes from, event.
pub type Pair = (Protocol, &'static str, &'static str, &'static str);

/// What was taken, and how often.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Pairs.
    pub pairs: BTreeMap<Pair, u64>,
    /// Messages of the protocols.
    pub messages: u64,
}

impl Coverage {
    /// Notes a step; says whether it is the first of its kind.
    pub fn took(
        &mut self,
        protocol: Protocol,
        state: &'static str,
        who: &'static str,
        event: &'static str,
    ) -> bool {
        let count = self.pairs.entry((protocol, state, who, event)).or_default();
        *count += 1;
        *count == 1
    }
}
