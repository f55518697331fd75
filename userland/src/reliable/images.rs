// SPDX-License-Identifier: GPL-2.0
//! Where the images of a job are, and the tools that write and read them.
use super::record::Job;
use super::task;
use crate::memory;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether they are in the nodes' memory; the folder of the job is in the store in either case.
pub fn are_in_memory(job: &Job) -> bool {
    job.media == "memory"
}

/// The store of the images.
pub fn store(job: &Job, store: &Path) -> PathBuf {
    match are_in_memory(job) {
        true => memory::STORE.into(),
        false => store.into(),
    }
}

/// `checkpoint` or `restart` for this media, with a report that is read here.
pub fn tool(job: &Job, store: &Path, name: &str) -> Command {
    let mut command = Command::new(task::tool(name));
    command.arg("--json");
    match are_in_memory(job) {
        true => command.arg("--media=memory"),
        false => command.arg("--store").arg(store),
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
