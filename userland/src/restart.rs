// SPDX-License-Identifier: GPL-2.0
//! A restart as a function: the call, its progress, its failure in words, and what comes after.
use crate::call::{self, Restart};
use crate::exit::{Exit, Fault};
use crate::message::{explain, Subject};
use crate::{progress, proxy};
use ssi_core::abi::RestartReport;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::ExitCode;

/// Restarts the version that `what` names, with a progress bar if there is a terminal.
pub fn run(what: &Restart<'_>) -> Result<RestartReport, Fault> {
    let subject = Subject {
        pid: None,
        version: Some((what.application, what.version)),
        store: what.store.display().to_string(),
    };
    progress::shown(|| call::restart(what)).map_err(|error| explain(&error, &subject))
}

/// Opens `file` as standard stream `descriptor` of this process: those processes that come back
/// on this node get it where theirs led out of the application.
pub fn substitute(descriptor: u32, file: &Path) -> Result<(), Fault> {
    let wrong =
        |error: std::io::Error| Fault::new(Exit::System, format!("{}: {error}", file.display()));
    let opened = match descriptor {
        0 => File::open(file),
        _ => OpenOptions::new().append(true).create(true).open(file),
    };
    let opened = opened.map_err(wrong)?;
    let done = match descriptor {
        0 => nix::unistd::dup2_stdin(&opened),
        1 => nix::unistd::dup2_stdout(&opened),
        _ => nix::unistd::dup2_stderr(&opened),
    };
    done.map_err(|errno| wrong(errno.into()))
}

/// Waits for the restored processes, sons of this one, and returns the exit status of `pid`.
pub fn follow(pid: u32) -> Result<ExitCode, Fault> {
    let elsewhere = || {
        let why = format!("the application runs on other nodes: process {pid} is none of this one");
        Fault::new(Exit::Elsewhere, why)
    };
    proxy::stand_in(pid)?.ok_or_else(elsewhere)
}
