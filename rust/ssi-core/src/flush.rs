// SPDX-License-Identifier: GPL-2.0
//! Flushes: a committed version is written from the nodes' memory to another store.
//!
//! See docs/protocol/flush.md. A [`Root`] on the node that was asked, a [`Writer`] on each node
//! that writes parts, and [`Shares`] say who writes which.

mod root;
mod shares;
#[cfg(test)]
mod tests;
mod writer;

pub use crate::copy::Violation;
pub use root::{Root, RootEffect, RootEvent};
pub use shares::Shares;
pub use writer::{WriteEffect, WriteEvent, Writer};

use crate::codec::{CodecError, Field};

/// What the nodes see where a version is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stores {
    /// All the same store: every part goes there once, and the record.
    Shared,
    /// Each its own: every part goes to two of them, and the record to all.
    Own,
}

impl Stores {
    /// How often each part is written.
    pub const fn copies(self) -> u64 {
        match self {
            Stores::Shared => 1,
            Stores::Own => 2,
        }
    }
}

impl Field for Stores {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        let raw: u32 = match self {
            Stores::Shared => 1,
            Stores::Own => 2,
        };
        raw.put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        match u32::take(bytes)? {
            1 => Ok(Stores::Shared),
            2 => Ok(Stores::Own),
            _ => Err(CodecError::Value),
        }
    }
}
