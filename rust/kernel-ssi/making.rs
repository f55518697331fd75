// SPDX-License-Identifier: GPL-2.0
//! Versions that are being made here: what the stores of this node have of them without a commit
//! record is not left over from a failed checkpoint.

use crate::bag::Bag;
use crate::failure::Outcome;
use crate::host::Joined;
use crate::sys::fsio;
use kernel::sync::Arc;
use ssi_core::checkpoint::Version;
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

/// All of them; one that is made by two is there twice.
pub struct MadeHere {
    list: Bag<Made>,
}

impl MadeHere {
    /// None yet.
    pub fn new() -> MadeHere {
        MadeHere { list: Bag::new() }
    }
}

/// This node makes a part of a version, or writes its commit record, as long as this lives.
pub struct Making {
    node: Arc<Joined>,
    made: Made,
}

impl Making {
    /// It begins.
    pub fn begin(node: &Arc<Joined>, owner: &Owner, version: Version) -> Outcome<Making> {
        let made = Made::of(owner, version);
        node.made_here().lock().list.put(made)?;
        Ok(Making {
            node: node.clone(),
            made,
        })
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let mut here = self.node.made_here().lock();
        here.list.take(|made| *made == self.made);
    }
}

/// Tells whether this node makes a version of that store.
pub fn is_made<'a>(node: &'a Joined, owner: &'a Owner) -> impl Fn(Version) -> bool + 'a {
    move |version| {
        let wanted = Made::of(owner, version);
        let here = node.made_here().lock();
        let found = here.list.find(|made| *made == wanted).is_some();
        found
    }
}
