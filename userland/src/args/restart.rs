// SPDX-License-Identifier: GPL-2.0
//! The arguments of restart.
use super::{exits, STORE};
use crate::exit::Exit;
use clap::Parser;
use std::path::PathBuf;

/// Restart a checkpointed application.
///
/// Without ID, restart shows what was checkpointed and asks which version to restart. Every
/// process comes back on its old node if that is up, else on another. Either all run again, or
/// none does and the message says why.
#[derive(Parser, Debug)]
#[command(name = "restart", version, max_term_width = 100, after_help = exits(EXITS))]
pub struct Restart {
    /// Only show what was checkpointed.
    #[arg(short, long)]
    pub list: bool,
    /// Report, or list, as JSON.
    #[arg(long)]
    pub json: bool,
    /// Folder of the checkpoints, the same on every node.
    #[arg(long, value_name = "DIR", default_value = STORE)]
    pub store: PathBuf,
    /// File that takes what was written to standard streams outside the application.
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub output: Option<PathBuf>,
    /// The application; or a file that checkpoint --exportable wrote, - for standard input.
    #[arg(value_name = "ID|FILE")]
    pub what: Option<String>,
    /// The version [default: the newest].
    #[arg(value_name = "VERSION", conflicts_with = "list")]
    pub version_number: Option<u32>,
}

const EXITS: &[Exit] = &[
    Exit::NoModule,
    Exit::Cancelled,
    Exit::NotJoined,
    Exit::NotPermitted,
    Exit::Unsupported,
    Exit::NodeUnreachable,
    Exit::NodeDied,
    Exit::Media,
    Exit::Busy,
    Exit::NoMemory,
    Exit::NoSuchVersion,
    Exit::Damaged,
    Exit::PidInUse,
    Exit::FileGone,
    Exit::Incompatible,
    Exit::Limit,
    Exit::BadArgument,
    Exit::Internal,
    Exit::MediaFull,
];
