// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim run`: one run from a file, with what happened in a trace.

use super::verdict;
use crate::plan::Plan;
use crate::trace::record::{to_bytes, Record};
use crate::world::World;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which run.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// A file that says what the run consists of: TOML.
    plan: PathBuf,
    /// Where what happened goes, for `ssi-sim show`.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

impl Arguments {
    /// Runs it.
    ///
    /// # Errors
    /// One line that says what is wrong with a file.
    pub fn run(&self) -> Result<ExitCode, String> {
        let mut world = World::new(Plan::read(&self.plan)?);
        world.trace = self.trace.as_ref().map(|_| Vec::new());
        world.tells_messages = true;
        world.run();
        if let (Some(file), Some(notes)) = (&self.trace, &world.trace) {
            let records: Vec<Record> = notes.iter().map(Record::from).collect();
            std::fs::write(file, to_bytes(&records)?)
                .map_err(|why| format!("{}: {why}", file.display()))?;
        }
        Ok(verdict(&world))
    }
}
