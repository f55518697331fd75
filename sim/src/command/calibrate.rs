// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim calibrate`: makes the profile of a machine from the figures of `scripts/bench`.

use super::FINE;
use crate::cost::chart::write;
use crate::cost::measured::Measured;
use std::path::PathBuf;
use std::process::ExitCode;

/// From what, and where to.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What `scripts/bench --json` wrote.
    measured: PathBuf,
    /// The profile.
    out: PathBuf,
}

impl Arguments {
    /// Writes the profile.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn run(&self) -> Result<ExitCode, String> {
        let profile = Measured::load(&self.measured)?.profile();
        write(&self.out, &profile.to_toml())?;
        Ok(FINE)
    }
}
