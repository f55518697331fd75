// SPDX-License-Identifier: GPL-2.0
//! Which store a checkpoint goes to: one that all nodes share, or one that is each node's own.
use serde::{Deserialize, Serialize};

/// A kind of store.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// One store for all nodes.
    #[default]
    Shared,
    /// A disk of each node's own: what is durable on it survives a power cut.
    Disk,
    /// Memory of each node's own: lost with the node.
    Memory,
}

impl Media {
    /// Where it is, on every node.
    pub const fn path(self) -> &'static [u8] {
        match self {
            Media::Shared => b"/store",
            Media::Disk => b"/disk",
            Media::Memory => b"/memory",
        }
    }

    /// The store at a path.
    pub fn at(path: &[u8]) -> Media {
        let all = [Media::Disk, Media::Memory];
        let found = all.into_iter().find(|media| media.path() == path);
        found.unwrap_or(Media::Shared)
    }

    /// Each node has one of its own, so that every part is wanted twice.
    pub fn is_own(self) -> bool {
        self != Media::Shared
    }

    /// Its name in a story.
    pub fn named(name: &str) -> Option<Media> {
        match name {
            "disk" => Some(Media::Disk),
            "memory" => Some(Media::Memory),
            "shared" => Some(Media::Shared),
            _ => None,
        }
    }
}
