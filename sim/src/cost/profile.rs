// SPDX-License-Identifier: GPL-2.0
//! What a cluster's parts cost: read from a TOML file, every number checked.

use crate::queue::{Nanos, MS, US};
use serde::Deserialize;
use std::path::Path;

/// Bytes of a page.
const PAGE: u64 = 4096;
const MIB: f64 = 1_048_576.0;

/// A cluster.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is, in a few words.
    pub name: String,
    /// Where the numbers come from.
    pub source: String,
    /// Between nodes.
    pub network: Network,
    /// Within a node.
    pub node: Node,
    /// Each node's own disk.
    pub disk: Media,
    /// One file server for all.
    pub nfs: Media,
    /// A parallel file system.
    pub parallel: Media,
}

/// Links between nodes.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// One way, microseconds.
    pub latency_us: f64,
    /// A node's link, MiB per second.
    pub link_mib_s: f64,
    /// Nodes that share one uplink; 0: nobody does.
    #[serde(default)]
    pub nodes_per_uplink: u32,
    /// An uplink, MiB per second.
    #[serde(default)]
    pub uplink_mib_s: f64,
    /// What the protocol's thread needs for one message, at either end, microseconds.
    pub message_us: f64,
}

/// A node's processors and memory.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// All nodes share so many processors of one machine; 0: each has its own.
    #[serde(default)]
    pub shared_processors: usize,
    /// Finding and stopping one process, microseconds.
    pub stop_us: f64,
    /// What a checkpoint costs a node however small it is, microseconds: threads, queues.
    pub fixed_us: f64,
    /// Saving one process without its memory, microseconds.
    pub save_us: f64,
    /// Saving one end of a stream, microseconds.
    pub stream_us: f64,
    /// Copying the page table entry of one page, nanoseconds.
    pub page_table_ns: f64,
    /// Copying memory, MiB per second.
    pub copy_mib_s: f64,
    /// What a part costs at a restart however small it is, microseconds: its helper process.
    #[serde(default)]
    pub part_us: f64,
    /// What every part but the caller's costs besides, microseconds: its helper is a new process,
    /// which has to begin.
    #[serde(default)]
    pub helper_us: f64,
    /// Creating one process at a restart, microseconds.
    pub create_us: f64,
}

/// Where images go.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Writing, MiB per second; of a file server all nodes together.
    pub write_mib_s: f64,
    /// Reading, MiB per second; of a file server all nodes together.
    pub read_mib_s: f64,
    /// Making a file durable, or a folder, microseconds.
    pub sync_us: f64,
    /// One device for all nodes.
    #[serde(default)]
    pub shared: bool,
    /// The most at which one part is written to what is shared, MiB per second; 0: no limit.
    #[serde(default)]
    pub part_write_mib_s: f64,
    /// The same of reading.
    #[serde(default)]
    pub part_read_mib_s: f64,
}

/// Which media.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Store {
    /// Each node's own disk.
    Disk,
    /// One file server.
    Nfs,
    /// A parallel file system.
    Parallel,
    /// The node's own memory and that of a partner.
    Memory,
}

impl Store {
    /// Its name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Store::Disk => "local disk",
            Store::Nfs => "NFS",
            Store::Parallel => "parallel FS",
            Store::Memory => "memory",
        }
    }
}

/// Microseconds of a profile.
pub fn us(number: f64) -> Nanos {
    // CAST: checked to be finite and not negative; saturates.
    (number * US as f64) as Nanos
}

/// How long `bytes` take at `mib_s` MiB per second.
pub fn transfer(bytes: u64, mib_s: f64) -> Nanos {
    // CAST: approximate by nature; saturates.
    (bytes as f64 / (mib_s * MIB) * 1000.0 * MS as f64) as Nanos
}

impl Node {
    /// Copying the page tables of so much memory.
    pub fn page_tables(&self, bytes: u64) -> Nanos {
        // CAST: approximate by nature.
        (bytes.div_ceil(PAGE) as f64 * self.page_table_ns) as Nanos
    }
}

impl Profile {
    /// The profile in a file.
    ///
    /// # Errors
    /// One line with file, position and what is wrong.
    pub fn load(path: &Path) -> Result<Profile, String> {
        let file = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("{file}: {why}"))?;
        Profile::parse(&text)
            .map_err(|(line, column, why)| format!("{file}:{line}:{column}: {why}"))
    }

    /// The profile in a text.
    ///
    /// # Errors
    /// Line, column, and what is wrong there.
    pub fn parse(text: &str) -> Result<Profile, (usize, usize, String)> {
        let profile: Profile = toml::from_str(text).map_err(|why| {
            let (line, column) = position(text, why.span().map_or(0, |span| span.start));
            (line, column, why.message().replace('\n', ", "))
        })?;
        match profile.wrong() {
            None => Ok(profile),
            Some((table, key, why)) => {
                let (line, column) = position(text, find(text, table, key));
                Err((line, column, format!("{key}: {why}")))
            }
        }
    }

    /// The first number that makes no sense: its table, its key, and why.
    fn wrong(&self) -> Option<(&'static str, &'static str, &'static str)> {
        let (network, node) = (&self.network, &self.node);
        let mut rates = vec![
            ("network", "link_mib_s", network.link_mib_s),
            ("node", "copy_mib_s", node.copy_mib_s),
        ];
        let mut times = vec![
            ("network", "latency_us", network.latency_us),
            ("network", "message_us", network.message_us),
            ("node", "stop_us", node.stop_us),
            ("node", "fixed_us", node.fixed_us),
            ("node", "save_us", node.save_us),
            ("node", "stream_us", node.stream_us),
            ("node", "page_table_ns", node.page_table_ns),
            ("node", "part_us", node.part_us),
            ("node", "helper_us", node.helper_us),
            ("node", "create_us", node.create_us),
        ];
        if network.nodes_per_uplink > 0 {
            rates.push(("network", "uplink_mib_s", network.uplink_mib_s));
        }
        let media = [
            ("disk", self.disk),
            ("nfs", self.nfs),
            ("parallel", self.parallel),
        ];
        for (table, media) in media {
            rates.push((table, "write_mib_s", media.write_mib_s));
            rates.push((table, "read_mib_s", media.read_mib_s));
            times.push((table, "sync_us", media.sync_us));
            for (key, limit) in [
                ("part_write_mib_s", media.part_write_mib_s),
                ("part_read_mib_s", media.part_read_mib_s),
            ] {
                if limit != 0.0 {
                    rates.push((table, key, limit));
                }
            }
        }
        let rate = rates
            .iter()
            .find(|(_, _, number)| !(*number > 0.0 && *number < 1e12));
        let time = times
            .iter()
            .find(|(_, _, number)| !(*number >= 0.0 && *number < 1e12));
        rate.map(|(table, key, _)| (*table, *key, "not a rate above 0"))
            .or(time.map(|(table, key, _)| (*table, *key, "not a time")))
    }

    /// A media other than memory.
    pub fn media(&self, store: Store) -> &Media {
        match store {
            Store::Disk | Store::Memory => &self.disk,
            Store::Nfs => &self.nfs,
            Store::Parallel => &self.parallel,
        }
    }
}

/// Line and column of a byte of a text, from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count()
        + 1;
    (line, column)
}

/// Where a key stands in a table.
fn find(text: &str, table: &str, key: &str) -> usize {
    let start = text.find(&format!("[{table}]")).unwrap_or(0);
    text[start..].find(key).map_or(start, |at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/paper.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_profiles_of_the_tree_are_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                Profile::load(&path).unwrap();
                count += 1;
            }
        }
        assert!(count >= 3);
    }

    #[test]
    fn mistakes_have_a_position() {
        let wrong = paper().replace("stop_us = ", "stop_us = -");
        let line = 1 + wrong
            .lines()
            .position(|line| line.starts_with("stop_us"))
            .unwrap();
        let why = Profile::parse(&wrong).unwrap_err();
        assert_eq!(why, (line, 1, "stop_us: not a time".into()));
        let (at, column, why) =
            Profile::parse(&paper().replace("stop_us", "stopp_us")).unwrap_err();
        assert_eq!((at, column), (line, 1), "{why}");
        let (_, _, why) = Profile::parse("name = 3").unwrap_err();
        assert!(why.contains("string"), "{why}");
        let missing = Profile::load(Path::new("/nonexistent.toml")).unwrap_err();
        assert!(missing.starts_with("/nonexistent.toml: "), "{missing}");
    }
}
