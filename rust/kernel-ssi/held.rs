// SPDX-License-Identifier: GPL-2.0
//! Links that the core of a checkpoint cannot place yet: kept in order until it asks for them.

use kernel::prelude::*;
use ssi_core::checkpoint::{Link, Links};

/// First in, first out.
pub struct Held {
    links: VVec<Link>,
    /// How many of them were handed back.
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

    /// Keeps these, too. The core bounds how many there can be (`LINKS_MAX`, `RELAY_MAX`).
    pub fn keep(&mut self, links: &Links) -> Result {
        for link in links.iter() {
            self.links.push(link, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// The core wants so many of them back.
    pub fn want(&mut self, count: u32) {
        self.wanted += count as usize;
    }

    /// The oldest, if the core wants it.
    pub fn take(&mut self) -> Option<Link> {
        self.wanted = self.wanted.checked_sub(1)?;
        let link = self.links.get(self.given).copied();
        self.given += 1;
        if self.given >= self.links.len() {
            self.links = VVec::new();
            self.given = 0;
        }
        link
    }
}
