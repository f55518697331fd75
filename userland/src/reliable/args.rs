// SPDX-License-Identifier: GPL-2.0
//! The arguments of reliable_run.
use super::folder::is_name;
use super::period::Periodicity;
use crate::args::{exits, Media, STORE};
use crate::exit::Exit;
use clap::Parser;
use std::path::PathBuf;

/// Run a command to its end, whatever nodes die meanwhile.
///
/// COMMAND is started with the CHECKPOINTABLE capability and checkpointed by the pattern P. When
/// a node of the application dies, or the application with it, the last version is restarted on
/// the nodes that are up. When the node of reliable_run itself dies, another node goes on: every
/// node on which `reliable_run --watch` runs with the same store. The exit status of COMMAND is
/// passed on; --wait gives it on any node.
///
/// The job ends when all processes of the application have ended. Output goes to a file, which
/// is shown as it grows unless --output names it; standard input is /dev/null. SIGTERM and SIGINT
/// take a last checkpoint and stop the job, a second one stops it at once; SIGUSR1 takes a
/// checkpoint; a hang-up changes nothing.
#[derive(Parser, Debug)]
#[command(name = "reliable_run", version, max_term_width = 100, after_help = exits(EXITS))]
#[command(group = clap::ArgGroup::new("mode").args(
    ["command", "resume", "wait", "checkpoint", "stop", "list", "watch", "attend"]).required(true))]
pub struct ReliableRun {
    /// When to take checkpoints: every 30s, 10m, 2h; at the times of a cron expression
    /// ("*/15 * * * *"); auto: at the optimum for their cost and the failures seen; 0: on request.
    #[arg(short, long, value_name = "P", default_value = "auto")]
    pub periodicity: Periodicity,
    /// Mean time between failures of the application's nodes taken together, for auto
    /// [default: what the job has seen].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub mtbf: Option<std::time::Duration>,
    /// Where images are kept. The folder of the job is in the store in either case.
    #[arg(long, value_enum, default_value = "disk")]
    pub media: Media,
    /// Versions that are kept, in memory and on disk; older ones are removed after a commit.
    #[arg(long, value_name = "N", default_value = "2",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub keep: u32,
    /// With --media=memory: every N-th version goes to disk, too, into the store, and so does the
    /// last one of a job that is stopped. A restart takes one from there where memory has lost it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub flush_every: Option<u32>,
    /// Restarts after COMMAND was ended by a signal although its nodes live, in a row without a
    /// new version in between. The death of a node does not count.
    #[arg(long, value_name = "N", default_value = "3")]
    pub max_restarts: u32,
    /// Command for the shell after each checkpoint, with SSI_JOB, SSI_APPLICATION, SSI_VERSION and
    /// SSI_STORE; it has 60 s.
    #[arg(long, value_name = "CMD")]
    pub on_checkpoint: Option<String>,
    /// Command for the shell after each restart, likewise.
    #[arg(long, value_name = "CMD")]
    pub on_restart: Option<String>,
    /// Folder of the checkpoints and jobs, the same on every node. With --watch, several.
    #[arg(long, value_name = "DIR", default_value = STORE)]
    pub store: Vec<PathBuf>,
    /// File that takes standard output and error [default: one beside the job, which is shown].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// File that takes what is done to the job [default: one beside the job].
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Name of the job [default: the next free number].
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
    /// Run a job again that was stopped, from its last version; with its options.
    #[arg(long, value_name = "JOB", value_parser = name)]
    pub resume: Option<String>,
    /// Wait for the end of a job on any node, and end with its status.
    #[arg(long, value_name = "JOB", value_parser = name)]
    pub wait: Option<String>,
    /// Ask for a checkpoint of a job.
    #[arg(long, value_name = "JOB", value_parser = name)]
    pub checkpoint: Option<String>,
    /// Ask for a last checkpoint and the end of a job, as SIGTERM does.
    #[arg(long, value_name = "JOB", value_parser = name)]
    pub stop: Option<String>,
    /// Show the jobs of the store.
    #[arg(short, long)]
    pub list: bool,
    /// With --list: as JSON.
    #[arg(long, requires = "list")]
    pub json: bool,
    /// Serve the jobs of the store on this node until killed: the duty of a daemon on every node.
    #[arg(long)]
    pub watch: bool,
    /// Serve one job on this node until it is over; --watch starts it.
    #[arg(long, value_name = "JOB", value_parser = name, hide = true)]
    pub attend: Option<String>,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

/// What reliable_run can end with, beside the status of its command.
const EXITS: &[Exit] = &[
    Exit::NoModule,
    Exit::NotJoined,
    Exit::NotPermitted,
    Exit::Media,
    Exit::Busy,
    Exit::NoSuchVersion,
    Exit::Limit,
    Exit::Preempted,
    Exit::GivenUp,
];

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.into())
    } else {
        Err("letters, digits, `_`, `-` and `.` are possible, at most 64".into())
    }
}
