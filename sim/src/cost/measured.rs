// SPDX-License-Identifier: GPL-2.0
//! What `scripts/bench --json` measured, and the profile of this machine that follows from it.

use super::coordination;
use super::profile::{Media, Network, Node, Profile, Store};
use super::shape::{Application, Shape};
use serde::Deserialize;
use ssi_core::limits::FANOUT_MAX;
use std::path::Path;

const PAGES_PER_MIB: f64 = 256.0;
const US: f64 = 1_000.0;
/// No message takes longer.
const LATENCY_US_MAX: f64 = 50_000.0;
/// Of that, until it is known closely enough.
const HALVINGS: u32 = 24;

/// Two linked processes without memory, which hardly any pages are copied of.
const PAIR: Application = Application {
    nodes: 2,
    processes: 1,
    memory: 0,
    shape: Shape::Ring,
};

/// The parts of the bench's JSON that matter here.
#[derive(Deserialize, Debug)]
pub struct Measured {
    /// Where it ran.
    pub machine: Machine,
    /// How many rounds.
    pub rounds: u32,
    /// One process, for each size.
    pub single: Vec<Single>,
    /// Small applications, measured between the rounds of the many processes.
    pub small: Vec<Small>,
    /// Many processes.
    pub parallel: Parallel,
    /// Restarts on fewer and fewer nodes.
    pub restarts: Vec<Restart>,
}

/// The machine.
#[derive(Deserialize, Debug)]
pub struct Machine {
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// For all nodes together.
    pub processors: usize,
    /// When the bench ended.
    pub load_after: f64,
    /// Of the nodes.
    pub kernel: String,
}

/// One process of this size.
#[derive(Deserialize, Debug)]
pub struct Single {
    /// Of memory.
    pub mib: f64,
    /// The medians.
    pub median: SingleFigures,
}

/// Nanoseconds.
#[derive(Deserialize, Debug)]
pub struct SingleFigures {
    /// A bare fork.
    pub fork_ns: f64,
}

/// A small application: one process on one node, one on each of two, or several on one.
#[derive(Deserialize, Debug)]
pub struct Small {
    /// 1 or 2.
    pub nodes: u32,
    /// On all of them.
    pub processes: u32,
    /// Of each process.
    pub mib: f64,
    /// Each node to its own disk.
    pub checkpoint: Times,
    /// From the shared store.
    pub restart: RestartFigures,
}

/// Processes on several nodes.
#[derive(Deserialize, Debug)]
pub struct Parallel {
    /// How many.
    pub nodes: u32,
    /// On all of them.
    pub processes: u32,
    /// Of each process.
    pub mib: f64,
    /// One checkpoint of all.
    pub at_once: Times,
    /// One checkpoint of each.
    pub one_by_one: Times,
}

/// Nanoseconds.
#[derive(Deserialize, Debug)]
pub struct Times {
    /// The application stands still.
    pub pause_ns: f64,
    /// Until committed.
    pub total_ns: f64,
}

/// A restart on so many nodes.
#[derive(Deserialize, Debug)]
pub struct Restart {
    /// That are up.
    pub nodes: u32,
    /// The medians.
    pub median: RestartFigures,
}

/// Nanoseconds.
#[derive(Deserialize, Debug)]
pub struct RestartFigures {
    /// Until the application runs.
    pub total_ns: f64,
}

/// The line `fixed + each * MiB` that lies best beside points (MiB, figure), relatively.
fn fit(points: &[(f64, f64)]) -> (f64, f64) {
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|(x, y)| term(*x, *y) / (y * y)).sum()
    };
    let (w, x, y) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
    let (xx, xy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
    let each = (w * xy - x * y) / (w * xx - x * x);
    ((y - each * x) / w, each)
}

fn per_second(ns_per_mib: f64) -> f64 {
    1e9 / ns_per_mib.max(1.0)
}

impl Measured {
    /// The figures in a file.
    ///
    /// # Errors
    /// One line with file, position and what is wrong.
    pub fn load(path: &Path) -> Result<Measured, String> {
        let file = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("{file}: {why}"))?;
        let measured: Measured = serde_json::from_str(&text)
            .map_err(|why| format!("{file}:{}:{}: {why}", why.line(), why.column()))?;
        let small = |nodes| measured.on(nodes, |small| small.mib).len();
        if measured.single.len() < 2 || small(1) < 2 || small(2) < 2 || measured.crowd().is_none() {
            return Err(format!(
                "{file}: two sizes or more are needed of single, and of small with one process on \
                 1 and on 2 nodes; and one of small with several processes on 1 node"
            ));
        }
        Ok(measured)
    }

    /// Sizes of the small applications with one process on each of so many nodes, with a figure.
    fn on(&self, nodes: u32, figure: impl Fn(&Small) -> f64) -> Vec<(f64, f64)> {
        let is = |small: &&Small| (small.nodes, small.processes) == (nodes, nodes);
        let on = self.small.iter().filter(is);
        on.map(|small| (small.mib, figure(small))).collect()
    }

    /// The small application with several processes on one node.
    fn crowd(&self) -> Option<&Small> {
        let is = |small: &&Small| small.nodes == 1 && small.processes > 1;
        self.small.iter().find(is)
    }

    /// What each further process of a node adds to a figure beside its memory, where one alone has
    /// `fixed + each * MiB`.
    fn further(&self, alone: (f64, f64), figure: impl Fn(&Small) -> f64) -> f64 {
        let (fixed, each) = alone;
        self.crowd().map_or(0.0, |crowd| {
            let count = f64::from(crowd.processes);
            let beside = figure(crowd) - each * crowd.mib * count;
            ((beside - fixed) / (count - 1.0)).clamp(0.0, fixed.max(0.0))
        })
    }

    /// The profile of the machine that was measured. It uses none of the figures that it is to
    /// predict: a node's part of a checkpoint or restart is timed by applications of one process
    /// and of several, what nodes share and say to each other by one of two processes on two nodes.
    pub fn profile(&self) -> Profile {
        let mut profile = self.without_network();
        profile.network.latency_us = self.latency_us(&profile);
        profile
    }

    /// How long a message takes, waking its receiver included: as long as makes the pause of two
    /// processes on two nodes what it was.
    fn latency_us(&self, profile: &Profile) -> f64 {
        let (measured, _) = fit(&self.on(2, |small| small.checkpoint.pause_ns));
        let (mut low, mut high) = (0.0, LATENCY_US_MAX);
        for _ in 0..HALVINGS {
            let mut tried = profile.clone();
            tried.network.latency_us = (low + high) / 2.0;
            let outcome = coordination::checkpoint::<FANOUT_MAX>(&tried, PAIR, Store::Disk, 1);
            // CAST: far below 2^53.
            if (outcome.pause as f64) < measured {
                low = tried.network.latency_us;
            } else {
                high = tried.network.latency_us;
            }
        }
        low
    }

    fn without_network(&self) -> Profile {
        let forks = self.single.iter();
        let forks: Vec<_> = forks.map(|one| (one.mib, one.median.fork_ns)).collect();
        let (_, fork) = fit(&forks);
        let paused = |small: &Small| small.checkpoint.pause_ns;
        let (pause, copy) = fit(&self.on(1, paused));
        let process = self.further((pause, copy), paused);
        let written = |small: &Small| small.checkpoint.total_ns;
        let (total, write) = fit(&self.on(1, written));
        let (_, write_two) = fit(&self.on(2, written));
        let read = |small: &Small| small.restart.total_ns;
        let (part, read_one) = fit(&self.on(1, read));
        let (part_two, read_two) = fit(&self.on(2, read));
        // A checkpoint waits so often for the media beside what it writes: for the version's
        // folder, until its part is durable, and for the commit record.
        let sync_us = ((total - pause) / 3.0 / US).max(0.0);
        let process_us = process / US;
        let fixed_us = ((pause - process) / US).max(0.0);
        let disk = Media {
            // Page tables are copied before, and cost as much as those of a fork.
            write_mib_s: 2.0 * per_second(write_two - fork),
            read_mib_s: 2.0 * per_second(read_two),
            sync_us,
            shared: true,
            part_write_mib_s: per_second(write - fork),
            part_read_mib_s: per_second(read_one),
        };
        let create_us = self.further((part, read_one), read) / US;
        let part_us = (part / US - create_us - fixed_us).max(0.0);
        let helper_us = ((part_two - part) / US).max(0.0);
        Profile {
            name: format!(
                "this machine: four nodes under {}",
                self.machine.accelerator
            ),
            source: format!(
                "scripts/bench, {} rounds, kernel {}, {} processors, load {:.1}",
                self.rounds, self.machine.kernel, self.machine.processors, self.machine.load_after
            ),
            network: Network {
                latency_us: 200.0,
                link_mib_s: 1000.0,
                nodes_per_uplink: 0,
                uplink_mib_s: 0.0,
                message_us: 50.0,
            },
            node: Node {
                shared_processors: self.machine.processors,
                stop_us: process_us / 2.0,
                fixed_us,
                save_us: process_us / 2.0,
                stream_us: 50.0,
                page_table_ns: (fork / PAGES_PER_MIB).max(0.0),
                copy_mib_s: 1000.0,
                part_us,
                helper_us,
                create_us,
            },
            disk,
            nfs: disk,
            parallel: disk,
        }
    }
}

impl Profile {
    /// The profile as the text of a file.
    pub fn to_toml(&self) -> String {
        let Profile { network, node, .. } = self;
        let media = |name: &str, media: &Media| {
            format!(
                "\n[{name}]\nwrite_mib_s = {:.3}\nread_mib_s = {:.3}\n\
                 sync_us = {:.1}\nshared = {}\n\
                 part_write_mib_s = {:.3}\npart_read_mib_s = {:.3}\n",
                media.write_mib_s,
                media.read_mib_s,
                media.sync_us,
                media.shared,
                media.part_write_mib_s,
                media.part_read_mib_s
            )
        };
        let uplinks = match network.nodes_per_uplink {
            0 => String::new(),
            each => format!(
                "nodes_per_uplink = {each}\nuplink_mib_s = {:.3}\n",
                network.uplink_mib_s
            ),
        };
        format!(
            "# SPDX-License-Identifier: GPL-2.0\n\
             # Made by `ssi-sim calibrate` from the figures of scripts/bench; not to be edited.\n\
             # Streams and links are not measured: they hardly matter at this size.\n\
             name = {:?}\nsource = {:?}\n\
             \n[network]\nlatency_us = {:.1}\nlink_mib_s = {:.3}\n{uplinks}message_us = {:.1}\n\
             \n[node]\nshared_processors = {}\nstop_us = {:.1}\nfixed_us = {:.1}\nsave_us = {:.1}\n\
             stream_us = {:.1}\npage_table_ns = {:.2}\ncopy_mib_s = {:.1}\n\
             part_us = {:.1}\nhelper_us = {:.1}\ncreate_us = {:.1}\n{}{}{}",
            self.name,
            self.source,
            network.latency_us,
            network.link_mib_s,
            network.message_us,
            node.shared_processors,
            node.stop_us,
            node.fixed_us,
            node.save_us,
            node.stream_us,
            node.page_table_ns,
            node.copy_mib_s,
            node.part_us,
            node.helper_us,
            node.create_us,
            media("disk", &self.disk),
            media("nfs", &self.nfs),
            media("parallel", &self.parallel),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::figures::{application, at_once, NODES};

    fn measured() -> Measured {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/this-machine.json");
        Measured::load(&path).unwrap()
    }

    #[test]
    fn a_profile_comes_back_from_its_text() {
        let profile = measured().profile();
        let again = Profile::parse(&profile.to_toml()).unwrap();
        assert_eq!(again.name, profile.name);
        assert!((again.disk.write_mib_s / profile.disk.write_mib_s - 1.0).abs() < 0.01);
        assert_eq!(again.to_toml(), profile.to_toml());
    }

    #[test]
    fn the_profile_of_this_machine_is_what_its_figures_give() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/this-machine.toml");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, measured().profile().to_toml(), "run scripts/figures");
    }

    #[test]
    fn one_process_is_predicted_as_it_was_measured() {
        let measured = measured();
        let profile = measured.profile();
        for (mib, total) in measured.on(1, |small| small.checkpoint.total_ns) {
            let alone = Application {
                nodes: 1,
                processes: 1,
                ..application(NODES, mib)
            };
            let predicted = at_once(&profile, alone, Store::Disk).unwrap();
            let error = predicted / (total / 1e9) - 1.0;
            assert!(error.abs() < 0.05, "{mib} MiB: {error:+.3}");
        }
    }

    #[test]
    fn a_line_is_found() {
        let (fixed, each) = fit(&[16.0, 64.0, 1024.0].map(|mib| (mib, 5e8 + 1e7 * mib)));
        assert!((fixed - 5e8).abs() < 1.0 && (each - 1e7).abs() < 1e-3);
    }

    #[test]
    fn bad_figures_have_a_position() {
        let path = std::env::temp_dir().join(format!("ssi-sim-{}.json", std::process::id()));
        std::fs::write(&path, "{\n  \"machine\": 3}\n").unwrap();
        let why = Measured::load(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(why.contains(".json:2:"), "{why}");
    }
}
