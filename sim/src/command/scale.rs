// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim scale`: one checkpoint and one restart on ten to a hundred thousand nodes.

use super::{say, FINE};
use crate::cost::chart::write;
use crate::cost::document;
use crate::cost::profile::{Profile, Store};
use crate::cost::scale::{busiest, figure, pause, restart, restart_busiest, run, table, Point};
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
        say("application           nodes   pause ms   total ms  messages  busiest  restart ms");
        let points = run(&profile, (memory, self.media), self.nodes, &print)?;
        write(&self.out.join("scale.csv"), &table(&points))?;
        self.draw(&points)?;
        if let Some(file) = &self.document {
            document::write_into(file, "scale", &document::scale(&points))?;
        }
        let steps: u64 = points.iter().map(|point| point.checkpoint.steps).sum();
        let took = start.elapsed().as_secs_f64();
        say(format_args!("{steps} protocol events in {took:.1} s"));
        Ok(FINE)
    }

    fn draw(&self, points: &[Point]) -> Result<(), String> {
        let svg = |name, title, unit, value: fn(&Point) -> Option<f64>| {
            let svg = figure(points, (title, unit), value)?;
            write(&self.out.join(name), &svg)
        };
        let title = "Messages of the busiest node in one checkpoint";
        svg("scale-messages.svg", title, "messages", busiest)?;
        svg("scale-pause.svg", "Pause of one checkpoint", "ms", pause)?;
        let title = "Messages of the busiest node in one restart";
        svg(
            "scale-restart-messages.svg",
            title,
            "messages",
            restart_busiest,
        )?;
        svg("scale-restart.svg", "One restart", "ms", restart)
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
    say(format_args!(
        "{:<20} {:>6} {:>10.2} {:>10.1} {:>9} {:>8} {restart:>11}{ended}",
        point.name(),
        point.nodes,
        ms(checkpoint.pause),
        ms(checkpoint.total),
        checkpoint.messages,
        checkpoint.busiest
    ));
}
