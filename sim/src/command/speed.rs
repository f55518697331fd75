// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim speed`: how many events the state machines take in a second, and seeds in a minute.

use super::{say, FINE};
use crate::cost::coordination::checkpoint;
use crate::cost::profile::{Profile, Store};
use crate::cost::shape::{Application, SHAPES};
use crate::plan::Plan;
use crate::world::World;
use ssi_core::limits::FANOUT_MAX;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Nodes of the applications that are run: small enough for a processor's caches, as a mix.
const NODES: [u32; 3] = [10, 100, 1_000];

/// What to measure.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The cluster: a file of sim/profiles.
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Seconds for each of the two.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

impl Arguments {
    /// Prints both as JSON: on one processor.
    ///
    /// # Errors
    /// One line that says what is wrong with the profile.
    pub fn run(&self) -> Result<ExitCode, String> {
        let profile = Profile::load(&self.profile)?;
        let time = Duration::from_secs(self.seconds.max(1));
        let (steps, took) = until(time, |_| mixed(&profile));
        let protocol = steps as f64 / took;
        let (events, seeds, took) = explored(time);
        say(format_args!(
            "{{\"protocol_events_per_s\": {protocol:.0}, \"world_events_per_s\": {:.0}, \
             \"seeds_per_minute\": {:.0}}}",
            events as f64 / took,
            seeds as f64 / took * 60.0
        ));
        Ok(FINE)
    }
}

/// Sums what `once` gives, until the time is over; gives the seconds too.
fn until(time: Duration, mut once: impl FnMut(u64) -> u64) -> (u64, f64) {
    let start = Instant::now();
    let (mut sum, mut round) = (0, 0);
    while start.elapsed() < time {
        sum += once(round);
        round += 1;
    }
    (sum, start.elapsed().as_secs_f64())
}

/// Checkpoints of every shape and size: events of the core's agents.
fn mixed(profile: &Profile) -> u64 {
    let mut steps = 0;
    for shape in SHAPES {
        for nodes in NODES {
            let application = Application {
                nodes,
                processes: 16,
                memory: 1 << 20,
                shape,
            };
            steps += checkpoint::<FANOUT_MAX>(profile, application, Store::Parallel, 1).steps;
        }
    }
    steps
}

/// Whole worlds with faults and checkers: their events, their number, seconds.
fn explored(time: Duration) -> (u64, u64, f64) {
    let mut seeds = 0;
    let (events, took) = until(time, |seed| {
        let mut world = World::new(Plan::draw(seed));
        world.run();
        seeds += 1;
        world.events
    });
    (events, seeds, took)
}
