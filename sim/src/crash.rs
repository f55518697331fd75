// SPDX-License-Identifier: GPL-2.0
//! A power cut of every node at every point of a story.
use crate::coverage::Pair;
use crate::story::{Crash, Story};
use crossbeam::channel;
use dashmap::DashMap;
use indicatif::ProgressBar;
use std::collections::BTreeSet;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Power cuts that broke an invariant, with what they broke.
    pub broken: Vec<(Crash, String)>,
    /// Stories that were told.
    pub told: u64,
    /// Pairs of state and event that were taken.
    pub pairs: BTreeSet<Pair>,
}

/// All power cuts that a story can have.
fn crashes(story: &Story, points: u64) -> impl Iterator<Item = Crash> {
    let nodes = story.plan.nodes;
    (1..=points).flat_map(move |point| {
        (1..=nodes).flat_map(move |node| [true, false].map(|boots| Crash { point, node, boots }))
    })
}

/// Tells the story with every power cut.
pub fn explore(story: &Story, bar: &ProgressBar) -> Found {
    let points = story.tell(None).points;
    let (pairs, broken): (DashMap<Pair, ()>, DashMap<u64, (Crash, String)>) = Default::default();
    let told = std::sync::atomic::AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let (sender, receiver) = channel::bounded(4 * cores);
    bar.inc_length(points * u64::from(story.plan.nodes) * 2);
    let work = || {
        for (number, crash) in &receiver {
            let world = story.tell(Some(crash)).world;
            told.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            for pair in world.coverage.pairs.keys() {
                pairs.insert(*pair, ());
            }
            if let Some(what) = world.broken {
                broken.insert(number, (crash, format!("{}: {}", what.checker, what.what)));
            }
            bar.inc(1);
        }
    };
    let ended = crossbeam::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|_| work());
        }
        for item in (0u64..).zip(crashes(story, points)) {
            if sender.send(item).is_err() {
                break;
            }
        }
        drop(sender);
    });
    let mut list: Vec<(u64, (Crash, String))> = broken.into_iter().collect();
    list.sort_by_key(|(number, _)| *number);
    let mut broken: Vec<(Crash, String)> = list.into_iter().map(|(_, found)| found).collect();
    if ended.is_err() {
        let nowhere = Crash {
            point: 0,
            node: 0,
            boots: false,
        };
        broken.push((nowhere, String::from("a run panicked")));
    }
    Found {
        broken,
        told: told.into_inner(),
        pairs: pairs.into_iter().map(|(pair, ())| pair).collect(),
    }
}
