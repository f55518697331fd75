// SPDX-License-Identifier: GPL-2.0
//! The command line: one file per subcommand, and what the exit codes say.
mod crash_points;
mod explore;
mod replay;

use clap::Parser;
use std::process::ExitCode;

/// Nothing was found.
pub const FINE: ExitCode = ExitCode::SUCCESS;
/// An invariant was broken.
pub const FOUND: fn() -> ExitCode = || ExitCode::from(1);
/// The arguments or a file make no sense.
pub const USAGE: fn() -> ExitCode = || ExitCode::from(2);

/// Simulates the protocols of cluster checkpoint/restart.
#[derive(Parser, Debug)]
#[command(name = "ssi-sim", version)]
pub enum Command {
    /// Runs many seeds and looks for one that breaks an invariant.
    Explore(explore::Arguments),
    /// Tells every story with a power cut of every node at every point.
    CrashPoints(crash_points::Arguments),
    /// Runs one seed, or a plan from a file, and says what happens.
    Replay(replay::Arguments),
}

impl Command {
    /// Does what was asked for.
    ///
    /// # Errors
    /// One line that says what is wrong with the arguments or files.
    pub fn run(self) -> Result<ExitCode, String> {
        match self {
            Command::Explore(arguments) => arguments.run(),
            Command::CrashPoints(arguments) => arguments.run(),
            Command::Replay(arguments) => arguments.run(),
        }
    }
}
