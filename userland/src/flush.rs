// SPDX-License-Identifier: GPL-2.0
//! A version from the nodes' memory to disks, as a function: the call, its failure in words, and
//! what to say of it.
use crate::call::{self, Flush};
use crate::exit::{Exit, Fault};
use crate::message::{explain, Subject};
use crate::{memory, store};
use serde::Serialize;
use ssi_core::abi::{FlushReport, FLUSH_COPIES};
use std::path::Path;

/// A flush that was done, as JSON shows it.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub struct Flushed {
    application: u64,
    version: u32,
    /// It was in the store before.
    already: bool,
    nodes: u32,
    bytes: u64,
    total_ns: u64,
}

/// Writes a version that is in memory, the newest of the application unless one is named, to the
/// store `to`: one copy of it, or two where each node has a store of its own.
pub fn flush(
    application: u64,
    version: Option<u32>,
    to: &Path,
    copies: u32,
) -> Result<Flushed, Fault> {
    memory::check()?;
    let from = Path::new(memory::STORE);
    if to.starts_with(from) {
        let why = "the store of --store is the memory itself: name a folder on a disk";
        return Err(Fault::new(Exit::Usage, why));
    }
    let chosen = store::choose(from, application, version)?;
    let subject = Subject {
        pid: None,
        version: Some((application, chosen.version)),
        store: to.display().to_string(),
    };
    let done = call::flush(&Flush {
        application,
        version: chosen.version,
        from,
        to,
        flags: if copies == 2 { FLUSH_COPIES } else { 0 },
    });
    let report = done.map_err(|error| explain(&error, &subject))?;
    Ok(Flushed::new(application, chosen.version, &report))
}

impl Flushed {
    fn new(application: u64, version: u32, report: &FlushReport) -> Flushed {
        Flushed {
            application,
            version,
            already: report.nodes == 0,
            nodes: report.nodes,
            bytes: report.bytes,
            total_ns: report.total_ns,
        }
    }
}

impl std::fmt::Display for Flushed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (version, application) = (self.version, self.application);
        write!(out, "version {version} of application {application}")?;
        match self.already {
            true => write!(out, " is in the store already"),
            false => write!(
                out,
                " is in the store: {} bytes in {} ms",
                self.bytes,
                self.total_ns / 1_000_000
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let mut report = FlushReport {
            bytes: 4096,
            total_ns: 7_000_000,
            nodes: 2,
            reserved: 0,
        };
        assert_eq!(
            Flushed::new(9, 3, &report).to_string(),
            "version 3 of application 9 is in the store: 4096 bytes in 7 ms"
        );
        report.nodes = 0;
        assert!(Flushed::new(9, 3, &report).to_string().ends_with("already"));
    }
}
