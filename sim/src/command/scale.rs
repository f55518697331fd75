// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim scale`: one checkpoint and one restart on ten to a hundred thousand nodes.

use super::FINE;
use crate::cost::chart::write;
use crate::cost::document;
use crate::cost::profile::{Profile, Store};
use crate::cost::scale::{busiest, figure, pause, run, table, Point};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// How far, and where the figures go.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The cluster: a file of sim/profiles.
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Most nodes.
    #[arg(long, default_value_t = 100_000)]
    nodes: u32,
    /// MiB of each of the 16 processes of a node.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    mib: u64,
    /// Where the images go.
    #[arg(long, value_enum, default_value = "parallel")]
    media: Store,
    /// Where the CSV and SVG files go.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// A document whose table of sizes is to be made anew.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

impl Arguments {
    /// Runs, draws and prints.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn run(&self) -> Result<ExitCode, String> {
        let profile = Profile::load(&self.profile)?;
        let memory = self.mib.checked_mul(1 << 20).ok_or("--mib: too much")?;
        let start = Instant::now();
        println!(
            "application           nodes   pause ms   total ms  messages  busiest  restart ms"
        );
        let points = run(&profile, (memory, self.media), self.nodes, &print)?;
        write(&self.out.join("scale.csv"), &table(&points))?;
        let title = "Messages of the busiest node in one checkpoint";
        let svg = figure(&points, (title, "messages"), busiest)?;
        write(&self.out.join("scale-messages.svg"), &svg)?;
        let svg = figure(&points, ("Pause of one checkpoint", "ms"), pause)?;
        write(&self.out.join("scale-pause.svg"), &svg)?;
        if let Some(file) = &self.document {
            document::write_into(file, "scale", &document::scale(&points))?;
        }
        let steps: u64 = points.iter().map(|point| point.checkpoint.steps).sum();
        let took = start.elapsed().as_secs_f64();
        println!("{steps} protocol events in {took:.1} s");
        Ok(FINE)
    }
}

fn print(point: &Point) {
    let ms = |ns: u64| ns as f64 / 1e6;
    let checkpoint = &point.checkpoint;
    let restart = point
        .restart
        .map_or("-".into(), |restart| format!("{:.1}", ms(restart.total)));
    let ended = match checkpoint.result {
        Ok(_) => String::new(),
        Err(why) => format!("  failed: {:?}", why.code),
    };
    println!(
        "{:<20} {:>6} {:>10.2} {:>10.1} {:>9} {:>8} {restart:>11}{ended}",
        point.name(),
        point.nodes,
        ms(checkpoint.pause),
        ms(checkpoint.total),
        checkpoint.messages,
        checkpoint.busiest
    );
}
