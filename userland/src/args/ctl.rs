// SPDX-License-Identifier: GPL-2.0
//! The arguments of ssictl.
use super::restart::RESTART;
use super::{exits, id, number, CALL};
use crate::exit::Exit;
use crate::memory::Limit;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Join or leave a cluster, empty a node, write versions to disk, show nodes and processes.
#[derive(Parser, Debug)]
#[command(name = "ssictl", version, disable_help_subcommand = true)]
#[command(max_term_width = 100, after_help = exits(&[CALL, JOIN, DRAIN, RESTART, FLUSH]))]
#[command(propagate_version = true, arg_required_else_help = false)]
pub struct Ctl {
    /// What to do.
    #[command(subcommand)]
    pub command: CtlCommand,
}

/// What ssictl does.
#[derive(Subcommand, Debug)]
pub enum CtlCommand {
    /// Join the cluster that a file describes.
    #[command(after_help = exits(&[CALL, JOIN]))]
    Join(Join),
    /// Leave the cluster; refused while applications run here.
    #[command(after_help = exits(&[CALL, LEAVE]))]
    Leave,
    /// Move all applications to other nodes: checkpoint them, end them, restart them there.
    #[command(after_help = exits(&[CALL, DRAIN, RESTART]))]
    Drain(Drain),
    /// Write a version from the nodes' memory to disk, where it survives the loss of all of them.
    ///
    /// The version keeps its number. It is there whole or not at all; the memory keeps it as well.
    #[command(after_help = exits(&[CALL, FLUSH]))]
    Flush(Flush),
    /// Show the bounds of this implementation, or set the memory of this node for checkpoints.
    #[command(after_help = exits(&[LIMITS]))]
    Limits(Limits),
    /// Show the nodes, or with --processes the CHECKPOINTABLE processes of this node.
    #[command(after_help = exits(&[CALL]))]
    Status(Status),
}

/// How to join.
#[derive(Args, Debug)]
pub struct Join {
    /// File that describes the cluster.
    #[arg(long, value_name = "FILE", default_value = crate::config::PATH)]
    pub config: PathBuf,
    /// Number of this node, in place of the one in the file.
    #[arg(long, value_name = "N", value_parser = number(1..=254))]
    pub node: Option<u32>,
}

/// How to move what runs here.
#[derive(Args, Debug)]
pub struct Drain {
    /// Folder of the checkpoints, the same on every node.
    #[arg(long, value_name = "DIR", default_value = super::STORE)]
    pub store: PathBuf,
    /// Leave the cluster afterwards.
    #[arg(long)]
    pub leave: bool,
    /// As JSON, one object per application.
    #[arg(long)]
    pub json: bool,
}

/// What to write to disk.
#[derive(Args, Debug)]
pub struct Flush {
    /// Folder of the checkpoints on disk, the same on every node.
    #[arg(long, value_name = "DIR", default_value = super::STORE)]
    pub store: PathBuf,
    /// Copies of every part: 1 where all nodes share the store, 2 where each has its own.
    #[arg(long, value_name = "COUNT", default_value = "1",
          value_parser = number(1..=2))]
    pub copies: u32,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// The application.
    #[arg(value_name = "ID", value_parser = id)]
    pub application: u64,
    /// Version of it [default: the newest in memory].
    #[arg(value_name = "VERSION", value_parser = number(1..=u32::MAX))]
    pub version_number: Option<u32>,
}

/// What to show, or to set.
#[derive(Args, Debug)]
pub struct Limits {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Set the memory of this node for checkpoints, as in 25% (1 to 90), 512MiB or 4GiB; 0: none.
    /// What is there stays.
    #[arg(long, value_name = "SIZE", conflicts_with = "json")]
    pub memory: Option<Limit>,
}

/// What to show.
#[derive(Args, Debug)]
pub struct Status {
    /// Show the CHECKPOINTABLE processes of this node.
    #[arg(long)]
    pub processes: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

const JOIN: &[Exit] = &[Exit::Config, Exit::NodeUnreachable, Exit::Busy];

const LEAVE: &[Exit] = &[Exit::Busy];

/// Beside what its restarts can fail with.
const DRAIN: &[Exit] = &[Exit::NotCheckpointable, Exit::StopTimeout];

const FLUSH: &[Exit] = &[
    Exit::Config,
    Exit::NodeUnreachable,
    Exit::NodeDied,
    Exit::Media,
    Exit::Busy,
    Exit::NoSuchVersion,
    Exit::Damaged,
    Exit::Limit,
    Exit::MediaFull,
    Exit::PartUnreachable,
];

const LIMITS: &[Exit] = &[Exit::NotPermitted, Exit::Busy];
