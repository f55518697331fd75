// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim figures`: the Kerrighed paper's Figures 4 and 5, beside what was measured.

use super::{say, FINE};
use crate::cost::chart::write;
use crate::cost::document::{errors, write_into};
use crate::cost::figures::{application, beside, predicted, Figure};
use crate::cost::measured::Measured;
use crate::cost::profile::Profile;
use std::path::PathBuf;
use std::process::ExitCode;

/// MiB of each of the paper's 16 processes: 64 MB in all.
const PAPER_MIB: f64 = 4.0;

/// What to draw.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The cluster: a file of sim/profiles.
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// What `scripts/bench --json` measured on it: the figures are drawn beside that.
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
    /// MiB of each of the 16 processes, where nothing was measured.
    #[arg(long, value_name = "MIB", default_value_t = PAPER_MIB)]
    mib: f64,
    /// Where the CSV and SVG files go.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// What the names of the files begin with.
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// A document whose table of errors is to be made anew.
    #[arg(long, value_name = "FILE", requires = "measured")]
    document: Option<PathBuf>,
}

impl Arguments {
    /// Draws both figures and prints their bars.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn run(&self) -> Result<ExitCode, String> {
        let profile = Profile::load(&self.profile)?;
        if !(self.mib > 0.0 && self.mib < 1e9) {
            return Err("--mib: not a size".into());
        }
        let figures = match &self.measured {
            Some(file) => beside(&profile, &Measured::load(file)?)?,
            None => predicted(&profile, application(16, self.mib))?,
        };
        for figure in &figures {
            let name = format!("{}{}", self.prefix, figure.file);
            write(&self.out.join(format!("{name}.csv")), &figure.csv())?;
            write(&self.out.join(format!("{name}.svg")), &figure.svg()?)?;
            print(figure);
        }
        if let Some(document) = &self.document {
            write_into(document, "this machine", &errors(&figures, &profile.source))?;
        }
        Ok(FINE)
    }
}

fn print(figure: &Figure) {
    say(&figure.title);
    for bar in &figure.bars {
        let beside = match (bar.measured, bar.error()) {
            (Some(measured), Some(error)) => {
                format!(
                    "  measured {measured:>8.3} s  error {:>+6.1} %",
                    100.0 * error
                )
            }
            _ => String::new(),
        };
        let (what, store) = (&bar.what, bar.store.name());
        say(format_args!(
            "  {what:<12} {store:<12} {:>8.3} s{beside}",
            bar.predicted
        ));
    }
}
