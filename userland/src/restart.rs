// SPDX-License-Identifier: GPL-2.0
//! A restart as a function: the call, its progress, its failure in words.
use crate::call::{self, Restart};
use crate::exit::Fault;
use crate::message::{explain, Subject};
use crate::progress;
use ssi_core::abi::RestartReport;

/// Restarts the version that `what` names, with a progress bar if there is a terminal.
pub fn run(what: &Restart<'_>) -> Result<RestartReport, Fault> {
    let subject = Subject {
        pid: None,
        version: Some((what.application, what.version)),
        store: what.store.display().to_string(),
    };
    progress::shown(|| call::restart(what)).map_err(|error| explain(&error, &subject))
}
