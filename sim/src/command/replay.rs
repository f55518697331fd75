// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim replay`: one run, told.
use super::{say, verdict, FINE};
use crate::plan::Plan;
use crate::world::World;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which run.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The seed.
    #[arg(required_unless_present = "plan")]
    seed: Option<u64>,
    /// A file that says what the run consists of, in place of a seed.
    #[arg(long, conflicts_with = "seed")]
    plan: Option<PathBuf>,
    /// Prints the plan, as a file for `--plan`, and does not run it.
    #[arg(long)]
    print: bool,
}

impl Arguments {
    /// Runs it.
    ///
    /// # Errors
    /// The file cannot be read, or makes no sense.
    pub fn run(&self) -> Result<ExitCode, String> {
        let plan = match (&self.plan, self.seed) {
            (Some(path), _) => Plan::read(path)?,
            (None, seed) => Plan::draw(seed.unwrap_or_default()),
        };
        if self.print {
            say(plan.to_text()?);
            return Ok(FINE);
        }
        let mut world = World::new(plan);
        world.trace = Some(Vec::new());
        world.run();
        for note in world.trace.iter().flatten() {
            say(note);
        }
        Ok(verdict(&world))
    }
}
