// SPDX-License-Identifier: GPL-2.0
//! What a checkpoint or a restart did: in sentences for people, as JSON for programs.
use serde::Serialize;
use ssi_core::abi::{CheckpointReport, RestartReport};
use std::time::Duration;

/// A checkpoint, as JSON shows it.
#[derive(Serialize)]
pub struct Checkpoint {
    application: u64,
    version: u32,
    nodes: u32,
    processes: u32,
    threads: u32,
    streams: u32,
    stream_bytes: u64,
    bytes: u64,
    pause_ns: u64,
    stop_ns: u64,
    send_ns: u64,
    snapshot_ns: u64,
    node_pause_ns_max: u64,
    write_ns: u64,
    commit_ns: u64,
    total_ns: u64,
}

/// A restart, as JSON shows it.
#[derive(Serialize)]
pub struct Restart {
    application: u64,
    version: u32,
    nodes: u32,
    processes: u32,
    streams: u32,
    moved: u32,
    pid: u32,
    total_ns: u64,
}

/// Processes that got a signal, as JSON shows them.
#[derive(Serialize)]
pub struct Signalled {
    #[serde(skip)]
    what: &'static str,
    nodes: u32,
    processes: u32,
    threads: u32,
}

impl Signalled {
    /// The processes of `report`: what became of them.
    pub fn new(what: &'static str, report: &CheckpointReport) -> Signalled {
        Signalled {
            what,
            nodes: report.nodes,
            processes: report.processes,
            threads: report.threads,
        }
    }
}

impl std::fmt::Display for Signalled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let processes = count(self.processes, "process", "processes");
        let threads = count(self.threads, "thread", "threads");
        let nodes = count(self.nodes, "node", "nodes");
        write!(out, "{}: {processes} with {threads} on {nodes}", self.what)
    }
}

impl From<&CheckpointReport> for Checkpoint {
    fn from(report: &CheckpointReport) -> Checkpoint {
        Checkpoint {
            application: report.application,
            version: report.version,
            nodes: report.nodes,
            processes: report.processes,
            threads: report.threads,
            streams: report.streams,
            stream_bytes: report.stream_bytes,
            bytes: report.bytes,
            pause_ns: report.pause_ns,
            stop_ns: report.stop_ns,
            send_ns: report.send_ns,
            snapshot_ns: report.snapshot_ns,
            node_pause_ns_max: report.node_pause_ns_max,
            write_ns: report.write_ns,
            commit_ns: report.commit_ns,
            total_ns: report.total_ns,
        }
    }
}

impl Restart {
    /// The restart of a version that the kernel described with `report`.
    pub fn new(application: u64, version: u32, report: &RestartReport) -> Restart {
        Restart {
            application,
            version,
            nodes: report.nodes,
            processes: report.processes,
            streams: report.streams,
            moved: report.moved,
            pid: report.pid,
            total_ns: report.total_ns,
        }
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            out,
            "application {}, version {}",
            self.application, self.version
        )?;
        writeln!(
            out,
            "  {} with {} on {}",
            count(self.processes, "process", "processes"),
            count(self.threads, "thread", "threads"),
            count(self.nodes, "node", "nodes")
        )?;
        let streams = count(self.streams, "stream", "streams");
        writeln!(
            out,
            "  {streams} with {} bytes in flight",
            self.stream_bytes
        )?;
        let time = |ns| duration(Duration::from_nanos(ns));
        writeln!(
            out,
            "  pause {} (longest of one node: {})",
            time(self.pause_ns),
            time(self.node_pause_ns_max)
        )?;
        writeln!(
            out,
            "    stop {}, send queues {}, snapshot {}",
            time(self.stop_ns),
            time(self.send_ns),
            time(self.snapshot_ns)
        )?;
        let total = time(self.total_ns);
        write!(out, "  {} written in {total}", bytes(self.bytes))
    }
}

impl std::fmt::Display for Restart {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Restart {
            application,
            version,
            ..
        } = self;
        writeln!(
            out,
            "application {application}, version {version} runs again"
        )?;
        writeln!(
            out,
            "  {} on {}, {} moved",
            count(self.processes, "process", "processes"),
            count(self.nodes, "node", "nodes"),
            count(self.moved, "part", "parts")
        )?;
        writeln!(out, "  {} bound", count(self.streams, "stream", "streams"))?;
        let total = duration(Duration::from_nanos(self.total_ns));
        write!(out, "  first PID {}, in {total}", self.pid)
    }
}

fn count(number: u32, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A time with three significant figures or so.
pub fn duration(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

/// A size in binary units.
pub fn bytes(number: u64) -> String {
    let mut scaled = number as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if scaled < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    if unit == "B" {
        format!("{number} B")
    } else {
        format!("{scaled:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_in_sentences() {
        let report = CheckpointReport {
            application: 37143,
            version: 2,
            nodes: 3,
            processes: 7,
            threads: 1,
            streams: 5,
            stream_bytes: 4096,
            bytes: 3 << 19,
            pause_ns: 12_345_678,
            total_ns: 2_500_000_000,
            node_pause_ns_max: 9_000_000,
            stop_ns: 8_000_000,
            send_ns: 45_678,
            snapshot_ns: 4_300_000,
            write_ns: 2_400_000_000,
            commit_ns: 87_654_322,
            reserved: 0,
        };
        assert_eq!(
            Checkpoint::from(&report).to_string(),
            "application 37143, version 2\n  7 processes with 1 thread on 3 nodes\n  \
             5 streams with 4096 bytes in flight\n  \
             pause 12.35 ms (longest of one node: 9.00 ms)\n    \
             stop 8.00 ms, send queues 0.05 ms, snapshot 4.30 ms\n  1.5 MiB written in 2.50 s"
        );
    }

    #[test]
    fn sizes_keep_their_unit() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(5 << 40), "5.0 TiB");
    }
}
