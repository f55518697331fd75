// SPDX-License-Identifier: GPL-2.0
//! Many seeds, on all cores.
use crate::check::Broken;
use crate::coverage::Pair;
use crate::plan::Plan;
use crate::world::World;
use crossbeam::channel;
use dashmap::DashMap;
use indicatif::ProgressBar;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an exploration found.
#[derive(Debug, Default)]
pub struct Found {
    /// Seeds that broke an invariant, ascending.
    pub broken: Vec<(u64, Broken)>,
    /// Seeds that were run.
    pub seeds: u64,
    /// Events of all runs.
    pub events: u64,
    /// How often each pair of state and event was taken.
    pub pairs: DashMap<Pair, u64>,
}

/// Runs all seeds; stops after `most` that broke something.
pub fn explore(seeds: Range<u64>, most: usize, bar: &ProgressBar) -> Found {
    let pairs: DashMap<Pair, u64> = DashMap::new();
    let broken: DashMap<u64, Broken> = DashMap::new();
    let (events, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let (sender, receiver) = channel::bounded(4 * cores);
    let work = || {
        for seed in &receiver {
            let mut world = World::new(Plan::draw(seed));
            world.run();
            events.fetch_add(world.events, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
            for (pair, count) in world.coverage.pairs {
                *pairs.entry(pair).or_default() += count;
            }
            if let Some(what) = world.broken {
                broken.insert(seed, what);
            }
            bar.inc(1);
        }
    };
    let ended = crossbeam::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|_| work());
        }
        for seed in seeds {
            if broken.len() >= most || sender.send(seed).is_err() {
                break;
            }
        }
        drop(sender);
    });
    if ended.is_err() {
        let what = Broken {
            checker: "panic",
            what: String::from("a run panicked"),
        };
        broken.insert(u64::MAX, what);
    }
    let mut broken: Vec<(u64, Broken)> = broken.into_iter().collect();
    broken.sort_by_key(|(seed, _)| *seed);
    Found {
        broken,
        seeds: done.into_inner(),
        events: events.into_inner(),
        pairs,
    }
}
