// SPDX-License-Identifier: GPL-2.0
//! Links that the core of a checkpoint cannot place yet: kept in order until it asks for them, or
//! leaves them to a child.

use kernel::prelude::*;
use ssi_core::checkpoint::Link;
use ssi_core::wire::relay::{self, Relay};

/// First in, first out.
pub struct Held {
    links: VVec<Link>,
    /// How many of them were handed back or sent.
    given: usize,
    /// How many more the core wants.
    wanted: usize,
}

impl Held {
    /// None.
    pub fn new() -> Held {
        Held {
            links: VVec::new(),
            given: 0,
            wanted: 0,
        }
    }

    /// Keeps these, too, and says how many they are. The core bounds how many there can be
    /// (`HELD_MAX`).
    pub fn keep(&mut self, links: impl Iterator<Item = Link>) -> Result<u32> {
        let mut count = 0;
        for link in links {
            self.links.push(link, GFP_KERNEL)?;
            count += 1;
        }
        Ok(count)
    }

    /// The message that leaves the oldest `count` to a child.
    pub fn relay(&mut self, relay: &Relay, count: u32) -> Result<KVec<u8>> {
        let end = self.given + count as usize;
        let links = self.links.get(self.given..end).ok_or(EINVAL)?;
        let mut bytes = KVec::from_elem(0u8, relay::bytes(count), GFP_KERNEL)?;
        relay
            .emit(&mut links.iter().copied(), &mut bytes)
            .map_err(|_| EINVAL)?;
        self.pass(end);
        Ok(bytes)
    }

    /// Those before `end` are gone.
    fn pass(&mut self, end: usize) {
        self.given = end;
        if self.given >= self.links.len() {
            self.links = VVec::new();
            self.given = 0;
        }
    }

    /// The core wants so many of them back.
    pub fn want(&mut self, count: u32) {
        self.wanted += count as usize;
    }

    /// The oldest, if the core wants it.
    pub fn take(&mut self) -> Option<Link> {
        self.wanted = self.wanted.checked_sub(1)?;
        let link = self.links.get(self.given).copied();
        self.pass(self.given + 1);
        link
    }
}
