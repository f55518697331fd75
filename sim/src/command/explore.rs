// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim explore`: many seeds.
use super::{FINE, FOUND};
use crate::explore::explore;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;

/// How many seeds, and which.
#[derive(Args, Debug)]
pub struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Stops after so many seeds that break an invariant.
    #[arg(long, default_value_t = 1)]
    most: usize,
}

impl Arguments {
    /// Runs them.
    ///
    /// # Errors
    /// None.
    pub fn run(&self) -> Result<ExitCode, String> {
        let bar = ProgressBar::new(self.seeds);
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} seeds {wide_bar} {eta}") {
            bar.set_style(style);
        }
        let found = explore(self.first..self.first + self.seeds, self.most, &bar);
        bar.finish_and_clear();
        println!("{} seeds, {} events", found.seeds, found.events);
        for (seed, broken) in &found.broken {
            println!("seed {seed} breaks {}: {}", broken.checker, broken.what);
        }
        match found.broken.is_empty() {
            true => Ok(FINE),
            false => Ok(FOUND()),
        }
    }
}
