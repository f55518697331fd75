// SPDX-License-Identifier: GPL-2.0
//! The arguments of checkpoint.
use super::{absolute, exits, number, signal, CALL, PIDS, STORE};
use crate::exit::{Exit, Fault};
use crate::memory;
use clap::{Parser, ValueEnum};
use nix::sys::signal::Signal;
use ssi_core::image::commit::DESCRIPTION_MAX;
use std::path::{Path, PathBuf};

/// Where images are kept.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Media {
    /// Files in the store.
    Disk,
    /// The memory of the nodes, every part on two of them; no shared store is needed.
    Memory,
}

impl Media {
    /// The store of this media, where the user names none, or the one that is named.
    ///
    /// # Errors
    /// A store was named for the memory, which has one of its own.
    pub fn store(self, named: Option<&Path>) -> Result<PathBuf, Fault> {
        match (self, named) {
            (Media::Disk, named) => absolute(named.unwrap_or(Path::new(STORE))),
            (Media::Memory, None) => Ok(memory::STORE.into()),
            (Media::Memory, Some(_)) => Err(Fault::new(
                Exit::Usage,
                "--media=memory has a store of its own: leave --store out",
            )),
        }
    }
}

/// Take a checkpoint of a parallel application.
///
/// PID is any one process of the application. All its other processes, on this and on other
/// nodes, are found along parents, children and streams, as far as they have the CHECKPOINTABLE
/// capability. The application pauses for the cut and goes on while the images are written; the
/// version exists when checkpoint says so, and not before. Started by a process of the application,
/// checkpoint itself is no part of it: who waits for it finds it gone after a restart.
#[derive(Parser, Debug)]
#[command(name = "checkpoint", version, max_term_width = 100)]
#[command(after_help = exits(&[CALL, EXITS]))]
pub struct Checkpoint {
    /// Save only the process itself, not its application.
    #[arg(short, long)]
    pub process_only: bool,
    /// Where images are kept.
    #[arg(long, value_enum, default_value = "disk")]
    pub media: Media,
    /// Copies of every part: with 2, every node keeps its part in a store of its own, and the next
    /// node keeps another, so that a version survives the loss of any one node.
    /// [default: 1; in memory always 2]
    #[arg(long, value_name = "COUNT", value_parser = number(1..=2),
          conflicts_with_all = ["freeze", "unfreeze", "exportable"])]
    pub copies: Option<u32>,
    /// With two copies: so many versions of the application stay, the oldest go first
    /// [default: all; in memory 2].
    #[arg(long, value_name = "N", value_parser = number(1..=u32::MAX),
          conflicts_with_all = ["freeze", "unfreeze", "exportable"])]
    pub keep: Option<u32>,
    /// Text that the list of restart shows, at most 255 bytes.
    #[arg(short, long, value_name = "TEXT", value_parser = description)]
    pub description: Option<String>,
    /// Folder of the checkpoints, the same on every node [default: /var/lib/ssi/checkpoints].
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Save streams that lead out of the application as ended, in place of a refusal.
    #[arg(long)]
    pub external_ends: bool,
    /// Hold the application until the version exists, then end it [default signal: KILL].
    #[arg(long, value_name = "SIGNAL", num_args = 0..=1, require_equals = true,
          value_parser = signal, conflicts_with_all = ["freeze", "unfreeze"])]
    pub kill: Option<Option<Signal>>,
    /// Take no checkpoint: stop all processes at one moment, as SIGSTOP does.
    #[arg(long, conflicts_with_all = ["unfreeze", "description", "exportable"])]
    pub freeze: bool,
    /// Take no checkpoint: let a frozen application go on, with SIGNAL first if one is given.
    #[arg(long, value_name = "SIGNAL", num_args = 0..=1, require_equals = true,
          value_parser = signal, conflicts_with_all = ["description", "exportable"])]
    pub unfreeze: Option<Option<Signal>>,
    /// Copy the version into one file, too, that restart takes on any cluster; - is standard
    /// output, and the report goes to standard error.
    #[arg(long, value_name = "FILE")]
    pub exportable: Option<PathBuf>,
    /// Report as JSON; a failure is a line on standard error all the same.
    #[arg(long)]
    pub json: bool,
    /// Any one process of the application.
    #[arg(value_parser = number(PIDS))]
    pub pid: u32,
}

/// How the versions of a checkpoint are kept.
pub struct Copies {
    /// Two copies of every part.
    pub two: bool,
    /// Versions that stay, 0: all.
    pub keep: u32,
}

impl Checkpoint {
    /// What `--media`, `--copies` and `--keep` say together.
    ///
    /// # Errors
    /// They contradict each other.
    pub fn kept(&self) -> Result<Copies, Fault> {
        let usage = |why: &str| Err(Fault::new(Exit::Usage, why));
        match (self.media, self.copies, self.keep) {
            (Media::Memory, Some(1), _) => usage("--media=memory keeps two copies"),
            (Media::Memory, _, keep) => {
                let freezes = self.freeze || self.unfreeze.is_some();
                if freezes || self.exportable.is_some() {
                    return usage("--media=memory: only for checkpoints that stay on the nodes");
                }
                memory::check()?;
                let keep = keep.unwrap_or(memory::KEEP);
                Ok(Copies { two: true, keep })
            }
            (Media::Disk, Some(2), keep) => Ok(Copies {
                two: true,
                keep: keep.unwrap_or(0),
            }),
            (Media::Disk, _, Some(_)) => usage("--keep needs --copies=2"),
            (Media::Disk, _, None) => Ok(Copies {
                two: false,
                keep: 0,
            }),
        }
    }
}

const EXITS: &[Exit] = &[
    Exit::Config,
    Exit::NoSuchProcess,
    Exit::NotCheckpointable,
    Exit::Unsupported,
    Exit::OutsideEnd,
    Exit::NodeUnreachable,
    Exit::NodeDied,
    Exit::StopTimeout,
    Exit::Media,
    Exit::Busy,
    Exit::NoSuchVersion,
    Exit::Damaged,
    Exit::Limit,
    Exit::MediaFull,
];

fn description(text: &str) -> Result<String, String> {
    if text.len() > DESCRIPTION_MAX {
        return Err(format!(
            "{} bytes: at most {DESCRIPTION_MAX} are possible",
            text.len()
        ));
    }
    Ok(text.into())
}
