// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim coverage`: whether stories and seeds take every row of the golden tables.
use super::crash_points::files;
use super::{say, FINE, FOUND};
use crate::coverage::table;
use crate::explore::explore;
use crate::story::Story;
use clap::Args;
use indicatif::ProgressBar;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which stories, and how many seeds.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Files, or folders of files ending in .txt.
    #[arg(default_value = "tests/scenarios")]
    stories: Vec<PathBuf>,
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
}

impl Arguments {
    /// Tells and runs them, and says which rows are missing.
    ///
    /// # Errors
    /// A file that cannot be read or makes no sense, with its line.
    pub fn run(&self) -> Result<ExitCode, String> {
        let (mut pairs, mut broken) = (BTreeSet::new(), Vec::new());
        for path in files(&self.stories)? {
            let name = path.display();
            let text = std::fs::read_to_string(&path).map_err(|why| format!("{name}: {why}"))?;
            let story = Story::parse(&text).map_err(|why| format!("{name}:{why}"))?;
            let world = story.tell(None).world;
            pairs.extend(world.coverage.pairs.into_keys());
            broken.extend(world.broken.map(|what| format!("{name} breaks {what:?}")));
        }
        let found = explore(0..self.seeds, 1, &ProgressBar::hidden());
        pairs.extend(found.pairs.iter().map(|entry| *entry.key()));
        let seeds = found.broken.iter();
        broken.extend(seeds.map(|(seed, what)| format!("seed {seed} breaks {what:?}")));
        for line in &broken {
            say(line);
        }
        say(table::report(pairs.iter().copied()));
        let all = table::missed(pairs.into_iter()).is_empty();
        match all && broken.is_empty() {
            true => Ok(FINE),
            false => Ok(FOUND()),
        }
    }
}
