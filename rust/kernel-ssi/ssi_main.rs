// SPDX-License-Identifier: GPL-2.0
//! The kernel host of the protocols: turns kernel events into core events, effects into acts.
#![deny(unsafe_code)]
#![expect(unreachable_pub, reason = "one crate: pub means used outside its file")]

use kernel::prelude::*;

mod asking;
mod bag;
mod checkpoints;
mod claims;
mod copies;
mod effects;
mod engine;
mod errand;
mod failure;
mod flusher;
mod flushes;
mod freeze;
mod held;
mod helper;
mod host;
mod join;
mod keeper;
mod local;
mod making;
mod media;
mod memory;
mod object;
mod part;
mod peers;
mod phases;
mod processes;
mod queue;
mod reply;
mod request;
mod restarts;
mod restore;
mod snapshot;
mod streams;
#[expect(unsafe_code, reason = "the one door to C")]
mod sys;
mod syscall;
mod team;
mod timer;
mod transport;
mod worker;

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
        host::start()?;
        sys::entry::register()?;
        pr_info!("loaded\n");
        Ok(SsiModule)
    }
}
