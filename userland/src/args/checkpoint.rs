// SPDX-License-Identifier: GPL-2.0
//! The arguments of checkpoint.
use super::{exits, signal, STORE};
use crate::exit::Exit;
use clap::{Parser, ValueEnum};
use nix::sys::signal::Signal;
use ssi_core::image::commit::DESCRIPTION_MAX;
use std::path::PathBuf;

/// Where images are kept.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Media {
    /// Files in the store.
    Disk,
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
#[command(after_help = exits(EXITS))]
pub struct Checkpoint {
    /// Save only the process itself, not its application.
    #[arg(short, long)]
    pub process_only: bool,
    /// Where images are kept.
    #[arg(long, value_enum, default_value = "disk")]
    pub media: Media,
    /// Copies of every part: with 2, every node keeps its part in a store of its own, and the next
    /// node keeps another, so that a version survives the loss of any one node.
    #[arg(long, value_name = "COUNT", default_value = "1",
          value_parser = clap::value_parser!(u32).range(1..=2),
          conflicts_with_all = ["freeze", "unfreeze", "exportable"])]
    pub copies: u32,
    /// Text that the list of restart shows, at most 255 bytes.
    #[arg(short, long, value_name = "TEXT", value_parser = description)]
    pub description: Option<String>,
    /// Folder of the checkpoints, the same on every node.
    #[arg(long, value_name = "DIR", default_value = STORE)]
    pub store: PathBuf,
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
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Any one process of the application.
    #[arg(value_parser = clap::value_parser!(u32).range(1..1 << 30))]
    pub pid: u32,
}

const EXITS: &[Exit] = &[
    Exit::NoModule,
    Exit::NotJoined,
    Exit::NoSuchProcess,
    Exit::NotCheckpointable,
    Exit::NotPermitted,
    Exit::Unsupported,
    Exit::OutsideEnd,
    Exit::NodeUnreachable,
    Exit::NodeDied,
    Exit::StopTimeout,
    Exit::Media,
    Exit::Busy,
    Exit::NoMemory,
    Exit::NoSuchVersion,
    Exit::Damaged,
    Exit::Limit,
    Exit::BadArgument,
    Exit::Internal,
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
