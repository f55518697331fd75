// SPDX-License-Identifier: GPL-2.0
//! Messages of a flush between its root and the nodes that write parts.

use crate::checkpoint::Version;
use crate::failure::Failure;
use crate::flush::Stores;
use crate::node::NodeSet;
use crate::record;
use crate::text::Path;
use crate::wire::copy::Owner;

record! {
    /// To a node: write these parts of the version from one store of yours to another.
    pub struct Flush {
        /// Which.
        pub version: Version,
        /// The digest in its commit record.
        pub digest: u64,
        /// Of these nodes, perhaps none.
        pub parts: NodeSet,
        /// Whether all nodes see one store where they go.
        pub stores: Stores,
        /// Absolute path of the store that has them.
        pub from: Path,
        /// Where they go, and whose they are.
        pub owner: Owner,
    }
}

record! {
    /// Answer to [`Flush`]: they are durable. No version has them yet.
    pub struct Flushed {
        /// Bytes of their files.
        pub bytes: u64,
        /// Wrapping sum of their digests.
        pub digest: u64,
    }
}

record! {
    /// Answer to [`Flush`]: they are not there.
    pub struct Unflushed {
        /// Why.
        pub failure: Failure,
    }
}

signals! {
    /// To who wrote: the version is committed.
    Settled,
    /// To who wrote, or writes: remove it.
    Forget,
    /// Answer to [`Forget`].
    Forgotten,
}

protocol! {
    /// Writing a version to another store.
    pub enum Message {
        /// Write parts.
        Flush = 112,
        /// They are durable.
        Flushed = 113,
        /// They are not there.
        Unflushed = 114,
        /// They stay.
        Settled = 115,
        /// Remove them.
        Forget = 116,
        /// They are removed.
        Forgotten = 117,
    }
}
