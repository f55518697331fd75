// SPDX-License-Identifier: GPL-2.0
//! Figures 4 and 5 of the Kerrighed paper, predicted for a cluster, beside what was measured.

use super::chart::{bars, csv, Group};
use super::measured::Measured;
use super::profile::{Profile, Store};
use super::shape::{Application, Shape};
use super::{coordination, recovery};
use crate::queue::Nanos;
use ssi_core::limits::FANOUT_MAX;

/// Nodes of the paper's cluster, and of the bench's.
pub const NODES: u32 = 4;
const MIB: f64 = 1_048_576.0;
const S: f64 = 1e9;

/// One bar of a figure.
pub struct Bar {
    /// What was done.
    pub what: String,
    /// Where the images were.
    pub store: Store,
    /// Seconds.
    pub predicted: f64,
    /// Seconds, where somebody has measured it.
    pub measured: Option<f64>,
}

impl Bar {
    /// By how much the prediction is off: 0.1 is 10 % too long.
    pub fn error(&self) -> Option<f64> {
        self.measured
            .map(|measured| self.predicted / measured - 1.0)
    }
}

/// A figure.
pub struct Figure {
    /// Its name as a file.
    pub file: &'static str,
    /// What it shows.
    pub title: String,
    /// What is done in it, in a word.
    pub short: &'static str,
    /// Its bars.
    pub bars: Vec<Bar>,
}

/// The ring of the bench: 16 processes on four nodes, `mib` MiB each.
pub fn application(processes: u32, mib: f64) -> Application {
    Application {
        nodes: NODES,
        processes: processes / NODES,
        // CAST: a size.
        memory: (mib * MIB) as u64,
        shape: Shape::Ring,
    }
}

fn seconds(time: Nanos) -> f64 {
    // CAST: far below 2^53.
    time as f64 / S
}

/// A checkpoint of all processes at once, in seconds.
///
/// # Errors
/// Why it failed.
pub fn at_once(profile: &Profile, all: Application, store: Store) -> Result<f64, String> {
    let outcome = coordination::checkpoint::<FANOUT_MAX>(profile, all, store, 1);
    match outcome.result {
        Ok(_) => Ok(seconds(outcome.total)),
        Err(why) => Err(format!("the checkpoint failed: {why:?}")),
    }
}

/// One process after the other, each when the one before is committed, in seconds.
///
/// # Errors
/// Why one failed.
pub fn one_by_one(profile: &Profile, all: Application, store: Store) -> Result<f64, String> {
    let alone = Application {
        nodes: 1,
        processes: 1,
        ..all
    };
    let each = at_once(profile, alone, store)?;
    Ok(each * f64::from(all.nodes * all.processes))
}

fn restarted(profile: &Profile, all: Application, store: Store, up: u32) -> Result<f64, String> {
    let outcome = recovery::restart(profile, all, store, up)?;
    match outcome.result {
        Ok(_) => Ok(seconds(outcome.total)),
        Err(why) => Err(format!("the restart failed: {why:?}")),
    }
}

/// Both figures for a cluster of which nothing was measured.
///
/// # Errors
/// Why a run failed.
pub fn predicted(profile: &Profile, all: Application) -> Result<[Figure; 2], String> {
    let bar = |what: &str, store, predicted| Bar {
        what: what.into(),
        store,
        predicted,
        measured: None,
    };
    let mut checkpoints = Vec::new();
    let mut restarts = Vec::new();
    for store in [Store::Nfs, Store::Disk] {
        checkpoints.push(bar("sequential", store, one_by_one(profile, all, store)?));
        checkpoints.push(bar("parallel", store, at_once(profile, all, store)?));
        for up in [2, 3, 4] {
            let time = restarted(profile, all, store, up)?;
            restarts.push(bar(&format!("{up} nodes"), store, time));
        }
    }
    Ok(both(profile, checkpoints, restarts))
}

/// Both figures as the bench has them, with what it measured.
///
/// # Errors
/// Why a run failed.
pub fn beside(profile: &Profile, measured: &Measured) -> Result<[Figure; 2], String> {
    let parallel = &measured.parallel;
    if parallel.nodes != NODES || !parallel.processes.is_multiple_of(NODES) {
        return Err(format!("the figures are about {NODES} nodes"));
    }
    let all = application(parallel.processes, parallel.mib);
    let bar = |what: &str, store, predicted, ns: f64| Bar {
        what: what.into(),
        store,
        predicted,
        measured: Some(ns / S),
    };
    let sequential = one_by_one(profile, all, Store::Disk)?;
    let at_once = at_once(profile, all, Store::Disk)?;
    let checkpoints = vec![
        bar(
            "sequential",
            Store::Disk,
            sequential,
            parallel.one_by_one.total_ns,
        ),
        bar("parallel", Store::Disk, at_once, parallel.at_once.total_ns),
    ];
    let mut restarts = Vec::new();
    for restart in &measured.restarts {
        let time = restarted(profile, all, Store::Nfs, restart.nodes)?;
        let what = format!("{} nodes", restart.nodes);
        restarts.push(bar(&what, Store::Nfs, time, restart.median.total_ns));
    }
    Ok(both(profile, checkpoints, restarts))
}

fn both(profile: &Profile, checkpoints: Vec<Bar>, restarts: Vec<Bar>) -> [Figure; 2] {
    let title = |what| format!("{what} ({})", profile.name);
    [
        Figure {
            file: "figure-4",
            title: title("Checkpoint of 16 processes on 4 nodes"),
            short: "checkpoint",
            bars: checkpoints,
        },
        Figure {
            file: "figure-5",
            title: title("Restart of 16 processes"),
            short: "restart",
            bars: restarts,
        },
    ]
}

impl Figure {
    /// As comma-separated values.
    pub fn csv(&self) -> String {
        let or_none =
            |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
        let rows: Vec<Vec<String>> = self
            .bars
            .iter()
            .map(|bar| {
                vec![
                    bar.what.clone(),
                    bar.store.name().into(),
                    format!("{:.4}", bar.predicted),
                    or_none(bar.measured),
                    or_none(bar.error().map(|error| error * 100.0)),
                ]
            })
            .collect();
        csv(
            &[
                "what",
                "store",
                "predicted_s",
                "measured_s",
                "error_percent",
            ],
            &rows,
        )
    }

    /// As SVG.
    ///
    /// # Errors
    /// What the plotting library says.
    pub fn svg(&self) -> Result<String, String> {
        if self.bars.iter().any(|bar| bar.measured.is_some()) {
            let groups: Vec<Group> = self
                .bars
                .iter()
                .map(|bar| (bar.what.clone(), vec![Some(bar.predicted), bar.measured]))
                .collect();
            return bars(&self.title, "seconds", &["predicted", "measured"], &groups);
        }
        let mut groups: Vec<Group> = Vec::new();
        for bar in &self.bars {
            let index = usize::from(bar.store == Store::Disk);
            match groups.iter_mut().find(|(what, _)| *what == bar.what) {
                Some((_, values)) => values[index] = Some(bar.predicted),
                None => {
                    let mut values = vec![None, None];
                    values[index] = Some(bar.predicted);
                    groups.push((bar.what.clone(), values));
                }
            }
        }
        let names = [Store::Nfs.name(), Store::Disk.name()];
        bars(&self.title, "seconds", &names, &groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn profile(name: &str) -> Profile {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        Profile::load(&folder.join(name)).unwrap()
    }

    #[test]
    fn what_the_paper_says_of_its_figures() {
        let [four, five] = predicted(&profile("paper.toml"), application(16, 4.0)).unwrap();
        let of = |figure: &Figure, what: &str, store| {
            let is = |bar: &&Bar| bar.what == what && bar.store == store;
            figure.bars.iter().find(is).unwrap().predicted
        };
        for store in [Store::Nfs, Store::Disk] {
            assert!(of(&four, "parallel", store) < of(&four, "sequential", store));
        }
        // The storage system has an impact.
        assert!(of(&four, "parallel", Store::Disk) < of(&four, "parallel", Store::Nfs));
        assert!(of(&five, "4 nodes", Store::Disk) < of(&five, "2 nodes", Store::Disk));
    }

    #[test]
    fn an_error_is_relative_to_what_was_measured() {
        let bar = Bar {
            what: String::new(),
            store: Store::Disk,
            predicted: 1.1,
            measured: Some(1.0),
        };
        assert!((bar.error().unwrap() - 0.1).abs() < 1e-9);
    }
}
