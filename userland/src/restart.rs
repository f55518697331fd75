// SPDX-License-Identifier: GPL-2.0
//! A restart as a function: the call, its progress, its failure in words, and what comes after.
use crate::args::Substitute;
use crate::call::{self, Restart};
use crate::exit::{Exit, Fault};
use crate::made::{wrong, Made};
use crate::message::{explain, Subject};
use crate::{progress, proxy};
use ssi_core::abi::RestartReport;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
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

/// A standard stream of this process that another file stands in for, until this is dropped.
pub struct Substituted {
    descriptor: u32,
    own: OwnedFd,
    file: Option<Made>,
}

/// Opens files in place of standard streams of this process: those processes that come back on
/// this node get them where theirs led out of the application.
pub fn substitute(all: &[Substitute]) -> Result<Vec<Substituted>, Fault> {
    for (at, one) in all.iter().enumerate() {
        let descriptor = one.descriptor;
        let before = all.iter().take(at);
        if before.clone().any(|other| other.descriptor == descriptor) {
            let why = format!("--substitute {descriptor}=FILE is there twice");
            return Err(Fault::new(Exit::Usage, why));
        }
    }
    all.iter().map(Substituted::new).collect()
}

impl Substituted {
    fn new(what: &Substitute) -> Result<Substituted, Fault> {
        let Substitute { descriptor, file } = what;
        let failed = |error: std::io::Error| wrong(file, &error);
        let own = match descriptor {
            0 => nix::unistd::dup(std::io::stdin()),
            1 => nix::unistd::dup(std::io::stdout()),
            _ => nix::unistd::dup(std::io::stderr()),
        };
        let own = own.map_err(|errno| failed(errno.into()))?;
        let (opened, made) = match descriptor {
            0 => (File::open(file), None),
            _ => {
                let made = Made::appended(file).map_err(failed)?;
                (made.file().try_clone(), Some(made))
            }
        };
        replace(*descriptor, &opened.map_err(failed)?).map_err(|errno| failed(errno.into()))?;
        Ok(Substituted {
            descriptor: *descriptor,
            own,
            file: made,
        })
    }

    /// The restored processes have the file.
    pub fn keep(mut self) {
        if let Some(made) = self.file.take() {
            made.keep();
        }
    }
}

impl Drop for Substituted {
    fn drop(&mut self) {
        // What is said from here on goes where it always went.
        let _ = replace(self.descriptor, &self.own);
    }
}

fn replace(descriptor: u32, file: &impl AsFd) -> nix::Result<()> {
    match descriptor {
        0 => nix::unistd::dup2_stdin(file),
        1 => nix::unistd::dup2_stdout(file),
        _ => nix::unistd::dup2_stderr(file),
    }
}

/// Waits for the restored processes, sons of this one, and returns the exit status of `pid`.
pub fn follow(pid: u32) -> Result<ExitCode, Fault> {
    let elsewhere = || {
        let why = format!("the application runs on other nodes: process {pid} is none of this one");
        Fault::new(Exit::Elsewhere, why)
    };
    proxy::stand_in(pid)?.ok_or_else(elsewhere)
}
