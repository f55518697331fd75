// SPDX-License-Identifier: GPL-2.0
//! What users ask for, checked and copied in.

use crate::media::RecordBytes;
use kernel::prelude::*;
use ssi_core::checkpoint::Version;
use ssi_core::flush::Stores;
use ssi_core::image::commit::Commit;
use ssi_core::node::NodeSet;
use ssi_core::text::Path;
use ssi_core::wire::copy::Owner;

/// A checkpoint of the application of a process.
pub struct CheckpointRequest {
    /// When the call was made: nanoseconds of the monotonic clock.
    pub called_ns: u64,
    /// Any process of the application.
    pub pid: u32,
    /// `CHECKPOINT_*` bits.
    pub flags: u32,
    /// Signal for the processes, or 0.
    pub signal: u32,
    /// Absolute path of the store.
    pub store: KVec<u8>,
    /// For the picker.
    pub description: KVec<u8>,
    /// Versions that stay, with copies; 0: all.
    pub keep: u32,
    /// Who asks.
    pub uid: u32,
    /// Who asks.
    pub gid: u32,
    /// The process that asks, and waits.
    pub caller: u32,
}

/// What only the node that was asked knows of a request; nothing on the others.
#[derive(Default)]
pub struct Note {
    /// The process that was named.
    pub pid: u32,
    /// For the picker.
    pub description: KVec<u8>,
    /// Versions that stay, with copies; 0: all.
    pub keep: u32,
    /// The process that asks: it waits in its call, and never comes to rest.
    pub caller: u32,
}

/// A restart of a version.
pub struct RestartRequest {
    /// Application id.
    pub application: u64,
    /// Version of it.
    pub version: u32,
    /// Its commit record, read with the caller's rights.
    pub commit: Commit,
    /// Absolute path of the store.
    pub store: KVec<u8>,
    /// `RESTART_*` bits.
    pub flags: u32,
    /// Nodes that may be used; empty: all.
    pub nodes: NodeSet,
    /// Absolute path of the file for external standard streams, or empty.
    pub output: KVec<u8>,
    /// Who asks.
    pub uid: u32,
    /// Who asks.
    pub gid: u32,
}

/// A version to another store.
pub struct FlushRequest {
    /// Which.
    pub version: Version,
    /// The digest in its commit record.
    pub digest: u64,
    /// The nodes that wrote its parts.
    pub nodes: NodeSet,
    /// The commit file.
    pub bytes: RecordBytes,
    /// The store that has it.
    pub from: Path,
    /// Who asks, and the store that it goes to.
    pub owner: Owner,
    /// What the nodes see there.
    pub stores: Stores,
}
