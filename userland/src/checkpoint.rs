// SPDX-License-Identifier: GPL-2.0
//! A checkpoint as a function: the call, its progress, its failure in words.
use crate::call::{self, Checkpoint};
use crate::exit::Fault;
use crate::message::{explain, Subject};
use crate::progress;
use ssi_core::abi::CheckpointReport;

/// Takes the checkpoint that `what` asks for, with a progress bar if there is a terminal.
pub fn take(what: &Checkpoint<'_>) -> Result<CheckpointReport, Fault> {
    let subject = Subject {
        pid: Some(what.pid),
        store: what.store.display().to_string(),
        ..Subject::default()
    };
    progress::shown(|| call::checkpoint(what)).map_err(|error| explain(&error, &subject))
}
