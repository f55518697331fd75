// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim interval`: how often a long job should checkpoint.

use super::{say, FINE};
use crate::cost::chart::{csv, curves, write, Curve, Frame, Scale};
use crate::cost::coordination::checkpoint;
use crate::cost::interval::{Job, Optima};
use crate::cost::profile::{Profile, Store};
use crate::cost::recovery;
use crate::cost::shape::{Application, Shape};
use ssi_core::limits::FANOUT_MAX;
use std::path::PathBuf;
use std::process::ExitCode;

/// Points of the curve.
const POINTS: i32 = 120;

/// The job, and where the figure goes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The cluster: a file of sim/profiles.
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Mean time between failures of all nodes together, hours.
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    mtbf: f64,
    /// Where the images go.
    #[arg(long, value_enum, default_value = "nfs")]
    media: Store,
    /// Nodes of the job, a tree.
    #[arg(long, default_value_t = 64)]
    nodes: u32,
    /// GiB of each node's part.
    #[arg(long, value_name = "GIB", default_value_t = 16.0)]
    gib: f64,
    /// Seconds of the whole checkpoint, in place of what the profile gives.
    #[arg(long, value_name = "SECONDS")]
    cost: Option<f64>,
    /// Seconds of the pause in it.
    #[arg(long, value_name = "SECONDS", requires = "cost")]
    pause: Option<f64>,
    /// Seconds from a failure until the job runs again, without the restart itself.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    down: f64,
    /// Shape of the Weibull distribution of failures; 1: without memory.
    #[arg(long, default_value_t = 1.0)]
    weibull: f64,
    /// Of the failures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The CSV and SVG files, without their endings.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn positive(name: &str, value: f64) -> Result<f64, String> {
    if value > 0.0 && value < 1e12 {
        Ok(value)
    } else {
        Err(format!("--{name}: {value} is not above 0"))
    }
}

impl Arguments {
    /// Simulates, draws and prints.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn run(&self) -> Result<ExitCode, String> {
        let job = self.job()?;
        let standing = job.blocking();
        let lives = job.lives(self.seed);
        let (behind, still) = (job.optima(&lives), standing.optima(&lives));
        print(&job, &behind, &standing, &still, &lives);
        let range = (still.daly.min(behind.simulated) / 12.0, still.daly * 12.0);
        let periods: Vec<f64> = (0..=POINTS)
            .map(|step| range.0 * (range.1 / range.0).powf(f64::from(step) / f64::from(POINTS)))
            .collect();
        let rows: Vec<[f64; 4]> = periods
            .iter()
            .map(|period| {
                let formula = standing.daly_efficiency(*period);
                let simulated = standing.efficiency(*period, &lives);
                [*period, job.efficiency(*period, &lives), simulated, formula]
            })
            .collect();
        write(&self.out.with_extension("csv"), &table(&rows))?;
        let marks = vec![
            ("best, written behind".into(), behind.simulated),
            ("best, standing still".into(), still.simulated),
            ("Young".into(), still.young),
            ("Daly".into(), still.daly),
        ];
        write(&self.out.with_extension("svg"), &self.draw(&rows, marks)?)?;
        Ok(FINE)
    }

    fn job(&self) -> Result<Job, String> {
        let profile = Profile::load(&self.profile)?;
        if self.nodes == 0 || self.nodes > 100_000 {
            return Err("--nodes: between 1 and 100000 are possible".into());
        }
        if !(self.weibull >= 0.3 && self.weibull <= 5.0) {
            return Err("--weibull: between 0.3 and 5 is possible".into());
        }
        if !(self.down >= 0.0 && self.down < 1e9) {
            return Err("--down: not a time".into());
        }
        let application = Application {
            nodes: self.nodes,
            processes: 16,
            // CAST: a size; saturates.
            memory: (positive("gib", self.gib)? * (1u64 << 30) as f64 / 16.0) as u64,
            shape: Shape::Tree,
        };
        let (pause, total) = match self.cost {
            Some(cost) => (self.pause.unwrap_or(cost), positive("cost", cost)?),
            None => self.checkpoint(&profile, application)?,
        };
        if !(pause > 0.0 && pause <= total) {
            return Err("--pause: between 0 and the cost".into());
        }
        let restart = self.restart(&profile, application)?;
        Ok(Job {
            mtbf: positive("mtbf", self.mtbf)? * 3600.0,
            weibull: self.weibull,
            pause,
            write: total - pause,
            restart: self.down + restart,
        })
    }

    /// Pause and whole, seconds.
    fn checkpoint(&self, profile: &Profile, all: Application) -> Result<(f64, f64), String> {
        let outcome = checkpoint::<FANOUT_MAX>(profile, all, self.media, 1);
        match outcome.result {
            Ok(_) => Ok((outcome.pause as f64 / 1e9, outcome.total as f64 / 1e9)),
            Err(why) => Err(format!("the checkpoint of this job fails: {:?}", why.code)),
        }
    }

    /// Seconds. A larger job is taken as one of as many nodes as there can be in a restart.
    fn restart(&self, profile: &Profile, all: Application) -> Result<f64, String> {
        let nodes = all.nodes.min(recovery::NODES_MAX);
        let scaled = Application {
            nodes,
            memory: all.memory * u64::from(all.nodes) / u64::from(nodes),
            ..all
        };
        let shared = matches!(self.media, Store::Nfs | Store::Parallel);
        let application = if shared {
            scaled
        } else {
            Application { nodes, ..all }
        };
        let outcome = recovery::restart(profile, application, self.media, nodes)?;
        Ok(outcome.total as f64 / 1e9)
    }

    fn draw(&self, rows: &[[f64; 4]], marks: Vec<(String, f64)>) -> Result<String, String> {
        let names = [
            "written behind",
            "standing still",
            "standing still, Daly's formula",
        ];
        let lines: Vec<Curve> = names
            .iter()
            .zip(1..)
            .map(|(name, column)| Curve {
                name: (*name).into(),
                points: rows.iter().map(|row| (row[0], row[column])).collect(),
            })
            .collect();
        let frame = Frame {
            title: format!(
                "{} nodes, {} GiB each, {}, MTBF {} h",
                self.nodes,
                self.gib,
                self.media.name(),
                self.mtbf
            ),
            x: "seconds of work between two checkpoints".into(),
            y: "efficiency".into(),
            y_scale: Scale::Linear,
            marks,
        };
        curves(&frame, &lines)
    }
}

fn table(rows: &[[f64; 4]]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|value| format!("{value:.6}")).collect())
        .collect();
    let head = [
        "period_s",
        "written_behind",
        "standing_still",
        "standing_still_daly",
    ];
    csv(&head, &rows)
}

fn print(job: &Job, behind: &Optima, standing: &Job, still: &Optima, lives: &[f64]) {
    let percent = |part: f64| 100.0 * part;
    say(format_args!(
        "checkpoint {:.3} s, of which the job stands still {:.3} s; restart {:.1} s",
        job.cost(),
        job.pause,
        job.restart
    ));
    let off = |formula: f64, simulated: f64| percent(formula / simulated - 1.0);
    say(format_args!(
        "standing still:  best period {:>9.1} s, efficiency {:.2} %; Young {:.1} s ({:+.1} %), \
         Daly {:.1} s ({:+.1} %)",
        still.simulated,
        percent(standing.efficiency(still.simulated, lives)),
        still.young,
        off(still.young, still.simulated),
        still.daly,
        off(still.daly, still.simulated)
    ));
    say(format_args!(
        "written behind:  best period {:>9.1} s, efficiency {:.2} %; with the pause for the cost \
         Young {:.1} s, Daly {:.1} s",
        behind.simulated,
        percent(job.efficiency(behind.simulated, lives)),
        behind.young,
        behind.daly
    ));
    if !standing.is_dalys() {
        say("Daly's assumptions do not hold: failures with a memory, or a cost near the MTBF");
    }
    if job.write > 0.0 {
        say("written behind, Daly's assumption of a job that stands still does not hold");
    }
}
