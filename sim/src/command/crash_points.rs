// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim crash-points`: every story, with a power cut of every node at every point.
use super::{say, FINE, FOUND};
use crate::coverage::table;
use crate::crash::explore;
use crate::story::Story;
use clap::Args;
use indicatif::ProgressBar;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which stories.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Files, or folders of files ending in .txt.
    #[arg(default_value = "tests/scenarios")]
    stories: Vec<PathBuf>,
    /// Lists rows of the golden tables that no run took.
    #[arg(long)]
    rows: bool,
}

/// All files that are meant, in order.
///
/// # Errors
/// A name that cannot be read.
pub fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in named {
        let problem = |why: std::io::Error| format!("{}: {why}", path.display());
        if path.is_dir() {
            for entry in std::fs::read_dir(path).map_err(problem)? {
                files.push(entry.map_err(problem)?.path());
            }
        } else {
            files.push(path.clone());
        }
    }
    files.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    files.sort();
    Ok(files)
}

impl Arguments {
    /// Tells them all.
    ///
    /// # Errors
    /// A file that cannot be read or makes no sense, with its line.
    pub fn run(&self) -> Result<ExitCode, String> {
        let (bar, mut pairs, mut broken) = (ProgressBar::new(0), BTreeSet::new(), 0);
        for path in files(&self.stories)? {
            let name = path.display();
            let text = std::fs::read_to_string(&path).map_err(|why| format!("{name}: {why}"))?;
            let story = Story::parse(&text).map_err(|why| format!("{name}:{why}"))?;
            let found = explore(&story, &bar);
            say(format_args!(
                "{name}: {} power cuts, {} found",
                found.told,
                found.broken.len()
            ));
            for (crash, what) in found.broken.iter().take(5) {
                say(format_args!("  {crash:?} breaks {what}"));
            }
            broken += found.broken.len();
            pairs.extend(found.pairs);
        }
        bar.finish_and_clear();
        if self.rows {
            say(table::report(pairs.into_iter()));
        }
        match broken {
            0 => Ok(FINE),
            _ => Ok(FOUND()),
        }
    }
}
