// SPDX-License-Identifier: GPL-2.0
//! Messages about second copies: of a part, of a commit record, and who holds which part.

use crate::checkpoint::Version;
use crate::failure::Failure;
use crate::image::commit::COMMIT_BYTES_MAX;
use crate::node::NodeSet;
use crate::record;
use crate::text::{Path, Text};

record! {
    /// To the partner: keep a copy of my part of this version.
    pub struct Offer {
        /// Which.
        pub version: Version,
        /// Whose files they are.
        pub owner: Owner,
    }
}

record! {
    /// Where files are on every node, and whose they are.
    pub struct Owner {
        /// User id.
        pub uid: u32,
        /// Group id.
        pub gid: u32,
        /// Absolute path of the store.
        pub store: Path,
    }
}

signals! {
    /// Answer to [`Offer`]: send. Chunks follow (`wire::bulk`).
    Accept,
    /// To the partner: that was all of it, make it durable.
    Finish,
    /// Answer to [`Finish`]: it is durable.
    Kept,
    /// To the partner: the operation is over, the copy stays.
    Settled,
    /// To the partner: the operation failed, remove the copy.
    Forget,
    /// Answer to [`Record`]: it is durable.
    Recorded,
}

record! {
    /// To who sends: these chunks are out of the way.
    pub struct Took {
        /// How many more.
        pub chunks: u32,
    }
}

record! {
    /// To who sends: the copy failed, nothing of it is kept.
    pub struct Refused {
        /// Why.
        pub failure: Failure,
    }
}

record! {
    /// From the root to all: the version is committed. All its parts are durable, twice.
    pub struct Record {
        /// Whose version it is.
        pub owner: Owner,
        /// So many versions of the application stay, this one among them; 0: all.
        pub keep: u32,
        /// The commit file.
        pub bytes: Text<COMMIT_BYTES_MAX>,
    }
}

record! {
    /// Answer to [`Record`]: it is not there.
    pub struct Unrecorded {
        /// Why.
        pub failure: Failure,
    }
}

record! {
    /// To any node: what do you hold of this version?
    pub struct Locate {
        /// Which; number 0: only the highest number is asked for.
        pub version: Version,
        /// The digest in its commit record. Parts of a version with another do not count.
        pub digest: u64,
        /// Whose version it is.
        pub owner: Owner,
    }
}

record! {
    /// Answer to [`Locate`].
    pub struct Located {
        /// Nodes whose parts are here.
        pub parts: NodeSet,
        /// Highest number that a version of the application has or had here, 0: none.
        pub newest: u32,
        /// CHECKPOINTABLE processes here.
        pub load: u32,
    }
}

record! {
    /// Answer to [`Locate`]: the media failed.
    pub struct NotLocated {
        /// Why.
        pub failure: Failure,
    }
}

protocol! {
    /// Second copies.
    pub enum Message {
        /// Keep a copy.
        Offer = 96,
        /// Send it.
        Accept = 97,
        /// Go on.
        Took = 98,
        /// That is all.
        Finish = 99,
        /// It is durable.
        Kept = 100,
        /// It failed.
        Refused = 101,
        /// It stays.
        Settled = 102,
        /// Remove it.
        Forget = 103,
        /// Keep the commit record.
        Record = 104,
        /// It is durable.
        Recorded = 105,
        /// It is not there.
        Unrecorded = 106,
        /// What do you hold?
        Locate = 107,
        /// This.
        Located = 108,
        /// I cannot say.
        NotLocated = 109,
    }
}
