// SPDX-License-Identifier: GPL-2.0
//! The command line: one file per subcommand, and what the exit codes say.
mod calibrate;
mod coverage;
mod crash_points;
mod explore;
mod figures;
mod interval;
mod replay;
mod run;
mod say;
mod scale;
mod show;
mod speed;

use crate::world::World;
use clap::Parser;
use say::say;
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
    /// Tells every story, runs some seeds, and says which rows of the golden tables are missing.
    Coverage(coverage::Arguments),
    /// Runs one seed, or a plan from a file, and says what happens.
    Replay(replay::Arguments),
    /// Runs a plan from a file, and keeps what happens in a trace.
    Run(run::Arguments),
    /// Prints a trace, or draws it as a message sequence chart.
    Show(show::Arguments),
    /// Predicts the Kerrighed paper's figures 4 and 5, beside what was measured.
    Figures(figures::Arguments),
    /// Draws the efficiency of a long job over the period of its checkpoints.
    Interval(interval::Arguments),
    /// Draws what one checkpoint costs on ten to a hundred thousand nodes.
    Scale(scale::Arguments),
    /// Makes the profile of a machine from the figures of `scripts/bench`.
    Calibrate(calibrate::Arguments),
    /// Measures the simulator itself.
    Speed(speed::Arguments),
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
            Command::Coverage(arguments) => arguments.run(),
            Command::Replay(arguments) => arguments.run(),
            Command::Run(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
            Command::Figures(arguments) => arguments.run(),
            Command::Interval(arguments) => arguments.run(),
            Command::Scale(arguments) => arguments.run(),
            Command::Calibrate(arguments) => arguments.run(),
            Command::Speed(arguments) => arguments.run(),
        }
    }
}

/// Says how the run of a world ended.
fn verdict(world: &World) -> ExitCode {
    say(format_args!("{} events", world.events));
    match &world.broken {
        Some(broken) => {
            say(format_args!("breaks {}: {}", broken.checker, broken.what));
            FOUND()
        }
        None => FINE,
    }
}
