// SPDX-License-Identifier: GPL-2.0
//! The arguments of every tool, documented where they are defined.
use crate::exit::{Exit, Fault};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use ssi_core::image::commit::DESCRIPTION_MAX;
use std::path::{Path, PathBuf};

/// Where checkpoints are kept unless the user says otherwise.
pub const STORE: &str = "/var/lib/ssi/checkpoints";

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
/// version exists when checkpoint says so, and not before.
#[derive(Parser, Debug)]
#[command(name = "checkpoint", version, max_term_width = 100)]
#[command(after_help = exits(CHECKPOINT_EXITS))]
pub struct Checkpoint {
    /// Save only the process itself, not its application.
    #[arg(short, long)]
    pub process_only: bool,
    /// Where images are kept.
    #[arg(long, value_enum, default_value = "disk")]
    pub media: Media,
    /// Text that the list of restart shows, at most 255 bytes.
    #[arg(short, long, value_name = "TEXT", value_parser = description)]
    pub description: Option<String>,
    /// Folder of the checkpoints, the same on every node.
    #[arg(long, value_name = "DIR", default_value = STORE)]
    pub store: PathBuf,
    /// Record streams that lead out of the application in place of a refusal.
    #[arg(long)]
    pub external_ends: bool,
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Any one process of the application.
    #[arg(value_parser = clap::value_parser!(u32).range(1..1 << 30))]
    pub pid: u32,
}

const CHECKPOINT_EXITS: &[Exit] = &[
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

/// Restart a checkpointed application.
///
/// Without ID, restart shows what was checkpointed and asks which version to restart. Every
/// process comes back on its old node if that is up, else on another. Either all run again, or
/// none does and the message says why.
#[derive(Parser, Debug)]
#[command(name = "restart", version, max_term_width = 100, after_help = exits(RESTART_EXITS))]
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
    /// The application.
    #[arg(value_name = "ID")]
    pub application: Option<u64>,
    /// The version [default: the newest].
    #[arg(value_name = "VERSION", conflicts_with = "list")]
    pub version_number: Option<u32>,
}

const RESTART_EXITS: &[Exit] = &[
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
];

/// `path` as seen from the root folder: the kernel knows no other.
pub fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    std::path::absolute(path)
        .map_err(|error| Fault::new(Exit::Usage, format!("{}: {error}", path.display())))
}

/// Start a command that can be checkpointed, in a new session.
///
/// COMMAND and all that it starts get the CHECKPOINTABLE capability. Where ssi-run leads no
/// process group (as a background job of a script) COMMAND takes its place and its PID; elsewhere
/// (as a job of an interactive shell) ssi-run waits for COMMAND, passes signals on to it and ends
/// with its status.
#[derive(Parser, Debug)]
#[command(name = "ssi-run", version, max_term_width = 100, after_help = exits(RUN_EXITS))]
pub struct Run {
    /// File that takes standard output and error; standard input is then /dev/null.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// File to which the PID of COMMAND is written before it starts.
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<std::ffi::OsString>,
}

const RUN_EXITS: &[Exit] = &[
    Exit::NoModule,
    Exit::NotJoined,
    Exit::NotPermitted,
    Exit::NotExecutable,
    Exit::NotFound,
];

/// What `--set` gives.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Give {
    /// What the process starts from now on, not the process itself.
    Children,
    /// The process itself, and what it starts from now on.
    Both,
}

/// Show or set the CHECKPOINTABLE capability of a process.
///
/// Without a PID the process is the one that started ssi-cap: usually a shell.
#[derive(Parser, Debug)]
#[command(name = "ssi-cap", version, max_term_width = 100, after_help = exits(CAP_EXITS))]
pub struct Cap {
    /// Give the capability [default: children for the caller, both for a PID].
    #[arg(long, value_name = "WHO", value_enum, num_args = 0..=1, require_equals = true,
          conflicts_with = "clear")]
    pub set: Option<Option<Give>>,
    /// Take the capability, from the process and from what it starts.
    #[arg(long)]
    pub clear: bool,
    /// The process.
    #[arg(value_parser = clap::value_parser!(u32).range(1..1 << 30))]
    pub pid: Option<u32>,
}

const CAP_EXITS: &[Exit] = &[
    Exit::NoModule,
    Exit::NotJoined,
    Exit::NoSuchProcess,
    Exit::NotPermitted,
    Exit::BadArgument,
];

/// Join or leave a cluster, and show its nodes and processes.
#[derive(Parser, Debug)]
#[command(name = "ssictl", version, disable_help_subcommand = true)]
#[command(max_term_width = 100, after_help = exits(CTL_EXITS))]
pub struct Ctl {
    /// What to do.
    #[command(subcommand)]
    pub command: CtlCommand,
}

/// What ssictl does.
#[derive(Subcommand, Debug)]
pub enum CtlCommand {
    /// Join the cluster that a file describes.
    Join(Join),
    /// Leave the cluster; refused while applications run here.
    Leave,
    /// Show the nodes, or with --processes the CHECKPOINTABLE processes of this node.
    Status(Status),
}

/// How to join.
#[derive(Args, Debug)]
pub struct Join {
    /// File that describes the cluster.
    #[arg(long, value_name = "FILE", default_value = crate::config::PATH)]
    pub config: PathBuf,
    /// Number of this node, in place of the one in the file.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=254))]
    pub node: Option<u32>,
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

const CTL_EXITS: &[Exit] = &[
    Exit::NoModule,
    Exit::Config,
    Exit::NotJoined,
    Exit::NotPermitted,
    Exit::Busy,
    Exit::Limit,
    Exit::BadArgument,
];

/// First line of what `exits` returns.
pub const EXITS_TITLE: &str = "Exit status:";

/// The exit codes that a tool can end with, for its help.
fn exits(own: &[Exit]) -> String {
    let mut text = format!("{EXITS_TITLE}\n");
    for (exit, meaning) in Exit::ALL {
        let general = matches!(exit, Exit::Success | Exit::System | Exit::Usage);
        if general || own.contains(exit) {
            text.push_str(&format!("  {:>3} {meaning}\n", *exit as u8));
        }
    }
    text
}

/// Print, check and compare images of checkpoints.
///
/// IMAGE is ID or ID:VERSION for a version of the store, or a path: of a version's folder, of a
/// node's part, of a commit record. Nothing in an image is believed: the first byte that is wrong
/// is named. The kernel module is not needed.
#[derive(Parser, Debug)]
#[command(name = "ssi-image", version, disable_help_subcommand = true)]
#[command(max_term_width = 100, after_help = exits(IMAGE_EXITS))]
pub struct Image {
    /// As JSON, one object per line.
    #[arg(long, global = true)]
    pub json: bool,
    /// Folder of the checkpoints.
    #[arg(long, global = true, value_name = "DIR", default_value = STORE)]
    pub store: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: ImageCommand,
}

/// What ssi-image does.
#[derive(Subcommand, Debug)]
pub enum ImageCommand {
    /// Print every record: its place, its kind, what it is about, what it says.
    Print {
        /// The image.
        #[arg(value_name = "IMAGE")]
        image: String,
    },
    /// Check whole versions: every record, every digest, every page, every sum.
    Verify {
        /// The versions.
        #[arg(value_name = "IMAGE", required = true)]
        images: Vec<String>,
    },
    /// Show what differs between two images; exit status 6 where something does.
    Diff {
        /// The image before.
        #[arg(value_name = "OLD")]
        old: String,
        /// The image after.
        #[arg(value_name = "NEW")]
        new: String,
    },
}

const IMAGE_EXITS: &[Exit] = &[
    Exit::Differs,
    Exit::NotPermitted,
    Exit::Media,
    Exit::NoSuchVersion,
    Exit::Damaged,
];

/// Lend a process's context to a restart; the kernel starts it.
///
/// Restored processes begin as its sons: in its namespaces and its control group. It ends when
/// they go on, or when the restart is taken back. It is of no other use.
#[derive(Parser, Debug)]
#[command(name = "ssi-restart-helper", version, max_term_width = 100,
          after_help = exits(HELPER_EXITS))]
pub struct RestartHelper {
    /// Number that the kernel gave.
    pub number: u64,
}

const HELPER_EXITS: &[Exit] = &[Exit::NoModule, Exit::NotJoined, Exit::BadArgument];

/// Every tool with the section of its manual page.
pub fn tools() -> Vec<(clap::Command, u8)> {
    vec![
        (Checkpoint::command(), 1),
        (Restart::command(), 1),
        (Run::command(), 1),
        (Cap::command(), 1),
        (Image::command(), 1),
        (Ctl::command(), 8),
        (RestartHelper::command(), 8),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        for (tool, _) in tools() {
            tool.debug_assert();
        }
    }

    #[test]
    fn a_command_keeps_its_own_options() {
        let run = Run::parse_from(["ssi-run", "ls", "-l", "--output", "x"]);
        assert_eq!(run.output, None);
        assert_eq!(run.command.len(), 4);
    }
}
