// SPDX-License-Identifier: GPL-2.0
//! Versions that are being made here, or may still be committed: what the stores of this node have
//! of them without a commit record is not left over from a failed checkpoint.

use crate::bag::Bag;
use crate::failure::Outcome;
use crate::host::Joined;
use crate::sys::fsio;
use kernel::sync::Arc;
use ssi_core::checkpoint::Version;
use ssi_core::copy::Stake;
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::copy::Owner;

/// A version in a store.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Made {
    version: Version,
    /// Digest of the store's path.
    store: u64,
}

impl Made {
    fn of(owner: &Owner, version: Version) -> Made {
        Made {
            version,
            store: fsio::digest(owner.store.as_bytes()),
        }
    }
}

/// This node's stake in what one operation makes.
struct Staked {
    op: OpId,
    made: Made,
    stake: Stake,
}

/// All of them.
pub struct MadeHere {
    list: Bag<Staked>,
}

impl MadeHere {
    /// None yet.
    pub fn new() -> MadeHere {
        MadeHere { list: Bag::new() }
    }

    fn begin(&mut self, op: OpId, made: Made, awaits: bool) -> Outcome {
        let is = |staked: &Staked| (staked.op, staked.made) == (op, made);
        if self.list.find(is).is_some() {
            self.step(Stake::begin, is);
            return Ok(());
        }
        let mut stake = Stake::new(awaits);
        stake.begin();
        Ok(self.list.put(Staked { op, made, stake })?)
    }

    fn step(&mut self, event: fn(&mut Stake), are: impl Fn(&Staked) -> bool) {
        for staked in self.list.iter_mut().filter(|staked| are(staked)) {
            event(&mut staked.stake);
        }
        while self.list.take(|staked| staked.stake.is_over()).is_some() {}
    }

    /// The commit record of what `op` makes has come.
    pub fn record_came(&mut self, op: OpId) {
        self.step(Stake::heard, |staked| staked.op == op);
    }

    /// A node is dead, or messages to it are lost.
    pub fn peer_down(&mut self, node: NodeId) {
        self.step(Stake::heard, |staked| staked.op.root == node);
    }
}

/// This node makes a part of a version, or writes its commit record, as long as this lives.
pub struct Making {
    node: Arc<Joined>,
    op: OpId,
    made: Made,
}

impl Making {
    /// It begins. `awaits`: where the version is committed, its record will come from the root.
    pub fn begin(
        node: &Arc<Joined>,
        op: OpId,
        of: (&Owner, Version),
        awaits: bool,
    ) -> Outcome<Making> {
        let made = Made::of(of.0, of.1);
        node.made_here().lock().begin(op, made, awaits)?;
        Ok(Making {
            node: node.clone(),
            op,
            made,
        })
    }

    fn step(&self, event: fn(&mut Stake)) {
        let of = (self.op, self.made);
        let mut here = self.node.made_here().lock();
        here.step(event, |staked| (staked.op, staked.made) == of);
    }

    /// The version was committed.
    pub fn settled(&self) {
        self.step(Stake::settled);
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.step(Stake::end);
    }
}

/// Tells whether this node has a stake in a version of that store.
pub fn is_made<'a>(node: &'a Joined, owner: &'a Owner) -> impl Fn(Version) -> bool + 'a {
    move |version| {
        let wanted = Made::of(owner, version);
        let here = node.made_here().lock();
        let found = here.list.find(|staked| staked.made == wanted).is_some();
        found
    }
}
