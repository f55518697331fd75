// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim explore`: many seeds.
use super::{say, FINE, FOUND};
use crate::coverage::table;
use crate::explore::explore;
use crate::plan::Plan;
use crate::shrink::shrink;
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
    /// Lists rows of the golden tables that no run took.
    #[arg(long)]
    rows: bool,
    /// Does not make a small story of what is found.
    #[arg(long)]
    whole: bool,
}

impl Arguments {
    /// Runs them.
    ///
    /// # Errors
    /// A story that cannot be written down.
    pub fn run(&self) -> Result<ExitCode, String> {
        let bar = ProgressBar::new(self.seeds);
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} seeds {wide_bar} {eta}") {
            bar.set_style(style);
        }
        let found = explore(self.first..self.first + self.seeds, self.most, &bar);
        bar.finish_and_clear();
        say(format_args!(
            "{} seeds, {} events",
            found.seeds, found.events
        ));
        for (seed, broken) in &found.broken {
            say(format_args!(
                "seed {seed} breaks {}: {}",
                broken.checker, broken.what
            ));
            say(format_args!(
                "  cargo run -p sim --release -- replay {seed}"
            ));
        }
        if self.rows {
            let pairs = found.pairs.iter().map(|entry| *entry.key());
            say(table::report(pairs));
        }
        if let Some((seed, broken)) = found.broken.first().filter(|_| !self.whole) {
            let small = shrink(Plan::draw(*seed), broken.checker);
            say(format_args!(
                "the same in a small story (replay --plan FILE):\n{}",
                small.to_text()?
            ));
        }
        match found.broken.is_empty() {
            true => Ok(FINE),
            false => Ok(FOUND()),
        }
    }
}
