// SPDX-License-Identifier: GPL-2.0
//! What `scripts/bench --json` measured, and the profile of this machine that follows from it.

use super::profile::{Media, Network, Node, Profile};
use serde::Deserialize;
use std::path::Path;

const PAGES_PER_MIB: f64 = 256.0;
const US: f64 = 1_000.0;

/// The parts of the bench's JSON that matter here.
#[derive(Deserialize, Debug)]
pub struct Measured {
    /// Where it ran.
    pub machine: Machine,
    /// How many rounds.
    pub rounds: u32,
    /// One process, for each size.
    pub single: Vec<Single>,
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
    /// Of a checkpoint.
    pub pause_ns: f64,
    /// Of a checkpoint.
    pub total_ns: f64,
    /// Of a restart.
    pub restart_ns: f64,
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

fn fit<'a>(
    sizes: impl IntoIterator<Item = &'a Single>,
    figure: impl Fn(&SingleFigures) -> f64,
) -> (f64, f64) {
    let points: Vec<(f64, f64)> = sizes
        .into_iter()
        .map(|single| (single.mib, figure(&single.median)))
        .collect();
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|(x, y)| term(*x, *y) / (y * y)).sum()
    };
    let (w, x, y) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
    let (xx, xy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
    let each = (w * xy - x * y) / (w * xx - x * x);
    ((y - each * x) / w, each)
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
        if measured.single.len() < 2 || measured.restarts.is_empty() {
            return Err(format!(
                "{file}: single: two sizes or more are needed, and restarts: one"
            ));
        }
        Ok(measured)
    }

    /// The line `fixed + each * MiB` that lies best beside a figure of one process, relatively.
    fn line(&self, figure: impl Fn(&SingleFigures) -> f64) -> (f64, f64) {
        fit(&self.single, figure)
    }

    /// The same of what is written: of the sizes up to what one node writes of the many processes,
    /// or of the two smallest. Beyond that it is no line, as caches on the way fill.
    fn written(&self, figure: impl Fn(&SingleFigures) -> f64) -> (f64, f64) {
        let all = &self.parallel;
        let most = all.mib * f64::from(all.processes / all.nodes.max(1));
        let mut sizes: Vec<&Single> = self.single.iter().collect();
        sizes.sort_by(|a, b| a.mib.total_cmp(&b.mib));
        let count = sizes.iter().filter(|single| single.mib <= most).count();
        fit(sizes.into_iter().take(count.max(2)), figure)
    }

    /// The profile of the machine that was measured. Of the figures that it is to predict it uses
    /// none but the first restart, which alone says how fast the shared store is.
    pub fn profile(&self) -> Profile {
        let (create, fork) = self.line(|figures| figures.fork_ns);
        let (pause, _) = self.line(|figures| figures.pause_ns);
        let (total, write) = self.written(|figures| figures.total_ns);
        let (part, read) = self.line(|figures| figures.restart_ns);
        let per_second = |ns_per_mib: f64| 1e9 / ns_per_mib.max(1.0);
        // A checkpoint waits so often for the media beside what it writes: for the version's
        // folder, until its part is durable, and for the commit record.
        let sync_us = ((total - pause) / 3.0 / US).max(0.0);
        let pause_us = (pause / US).max(0.0);
        let disk = Media {
            // Page tables are copied before, and cost as much as those of a fork.
            write_mib_s: per_second(write - fork),
            read_mib_s: per_second(read),
            sync_us,
            shared: true,
        };
        // A process is made as by a fork; all else that a restart of one costs is its part's.
        let create_us = (create / US).max(0.0);
        let part_us = (part / US - create_us).max(0.0);
        let nfs_read = self.shared_store(part_us, create_us);
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
                stop_us: pause_us / 2.0,
                fixed_us: 0.0,
                save_us: pause_us / 2.0,
                stream_us: 50.0,
                page_table_ns: (fork / PAGES_PER_MIB).max(0.0),
                copy_mib_s: 1000.0,
                part_us,
                create_us,
            },
            disk,
            nfs: Media {
                read_mib_s: nfs_read,
                ..disk
            },
            parallel: disk,
        }
    }

    /// MiB per second at which all nodes together read the shared store.
    fn shared_store(&self, part_us: f64, create_us: f64) -> f64 {
        let Parallel {
            nodes,
            processes,
            mib,
            ..
        } = self.parallel;
        let alone = f64::from(nodes) * part_us + f64::from(processes) * create_us;
        // CAST: at least one processor.
        let creating = alone * US / self.machine.processors.max(1) as f64;
        let first = self.restarts.iter().max_by_key(|restart| restart.nodes);
        let total = first.map_or(1e9, |first| first.median.total_ns);
        let reading = total.max(creating * 1.001);
        f64::from(processes) * mib / (reading / 1e9)
    }
}

impl Profile {
    /// The profile as the text of a file.
    pub fn to_toml(&self) -> String {
        let Profile { network, node, .. } = self;
        let media = |name: &str, media: &Media| {
            format!(
                "\n[{name}]\nwrite_mib_s = {:.3}\nread_mib_s = {:.3}\n\
                 sync_us = {:.1}\nshared = {}\n",
                media.write_mib_s, media.read_mib_s, media.sync_us, media.shared
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
             # Network and streams are not measured: they hardly matter at this size.\n\
             name = {:?}\nsource = {:?}\n\
             \n[network]\nlatency_us = {:.1}\nlink_mib_s = {:.3}\n{uplinks}message_us = {:.1}\n\
             \n[node]\nshared_processors = {}\nstop_us = {:.1}\nfixed_us = {:.1}\nsave_us = {:.1}\n\
             stream_us = {:.1}\npage_table_ns = {:.2}\ncopy_mib_s = {:.1}\n\
             part_us = {:.1}\ncreate_us = {:.1}\n{}{}{}",
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
    use crate::cost::profile::Store;
    use crate::cost::shape::Application;

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
        for single in measured.single.iter().filter(|single| single.mib <= 64.0) {
            let alone = Application {
                nodes: 1,
                processes: 1,
                ..application(NODES, single.mib)
            };
            let predicted = at_once(&profile, alone, Store::Disk).unwrap();
            let error = predicted / (single.median.total_ns / 1e9) - 1.0;
            assert!(error.abs() < 0.05, "{} MiB: {error:+.3}", single.mib);
        }
    }

    #[test]
    fn a_line_is_found() {
        let mut measured = measured();
        for single in &mut measured.single {
            single.median.total_ns = 5e8 + 1e7 * single.mib;
        }
        let (fixed, each) = measured.line(|figures| figures.total_ns);
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
