// SPDX-License-Identifier: GPL-2.0
//! The kernel host of the protocols: turns kernel events into core events, effects into acts.
#![deny(unsafe_code)]
#![expect(unreachable_pub, reason = "one crate: pub means used outside its file")]

use kernel::prelude::*;

#[expect(dead_code, reason = "the operations that fail come with the protocols")]
mod failure;
#[expect(dead_code, reason = "the operations come with the protocols")]
mod freeze;
#[expect(dead_code, reason = "the snapshot and the writer come with the processes")]
mod media;
#[expect(dead_code, reason = "the snapshot and the writer come with the processes")]
mod memory;
#[expect(dead_code, reason = "the operations come with the protocols")]
mod restore;
#[expect(dead_code, reason = "the operations come with the protocols")]
mod snapshot;
#[expect(dead_code, reason = "its callers come with the operations")]
mod object;
#[expect(unsafe_code, dead_code, reason = "the one door to C")]
mod sys;

module! {
    type: SsiModule,
    name: "ssi",
    author: "The kernel-ssi authors",
    description: "Single system image: checkpoint/restart of parallel applications",
    license: "GPL",
}

struct SsiModule;

impl kernel::Module for SsiModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("loaded\n");
        Ok(SsiModule)
    }
}
