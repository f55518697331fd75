// SPDX-License-Identifier: GPL-2.0
//! Where the images of a job are, and the tools that write and read them.
use super::decide::Level;
use super::record::{Job, Version};
use super::task;
use crate::{memory, store};
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

/// The newest of these versions that the memory of this node lists; 0: none, or the store is the
/// same on all nodes.
pub fn newest_here(job: &Job, versions: &[Version]) -> u32 {
    if !are_in_memory(job) {
        return 0;
    }
    let listed = |version: &&Version| {
        let (application, number) = (version.application, version.version);
        store::commit_path(Path::new(memory::STORE), application, number).exists()
    };
    let newest = versions.iter().rev().find(listed);
    newest.map_or(0, |version| version.version)
}

/// A tool with a report that is read here.
fn reporting(name: &str) -> Command {
    let mut command = Command::new(task::tool(name));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// `checkpoint`, to the media of the job.
pub fn checkpoint(job: &Job, disk: &Path, keep: usize) -> Command {
    let mut command = reporting("checkpoint");
    command.arg("--json");
    match are_in_memory(job) {
        true => command.args(["--media=memory".into(), format!("--keep={keep}")]),
        false => command.arg("--store").arg(disk),
    };
    command
}

/// `restart` of a version from where it is.
pub fn restart(job: &Job, disk: &Path, version: Version, level: Level) -> Command {
    let mut command = reporting("restart");
    command.arg("--json");
    match are_in_memory(job) && level == Level::Own {
        true => command.arg("--media=memory"),
        false => command.arg("--store").arg(disk),
    };
    command.args([version.application.to_string(), version.version.to_string()]);
    command
}

/// `ssictl flush`: a version from memory to disk.
pub fn flush(disk: &Path, version: Version) -> Command {
    let mut command = reporting("ssictl");
    command.args(["flush", "--json", "--store"]).arg(disk);
    command.args([version.application.to_string(), version.version.to_string()]);
    command
}
