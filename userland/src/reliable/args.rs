// SPDX-License-Identifier: GPL-2.0
//! The arguments of reliable_run.
use super::folder::is_name;
use super::period::Periodicity;
use crate::args::{exits, number, Media, CALL, STORE};
use crate::exit::Exit;
use chrono::Local;
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// What does not start a job, and so has no options of one.
const OTHERS: [&str; 7] = [
    "resume",
    "wait",
    "checkpoint",
    "stop",
    "list",
    "watch",
    "attend",
];

/// Run a command to its end, whatever nodes die meanwhile.
///
/// COMMAND is started with the CHECKPOINTABLE capability and checkpointed by the pattern P. When
/// a node of the application dies, or the application with it, the last version is restarted on
/// the nodes that are up. When the node of reliable_run itself dies, another node goes on: every
/// node on which `reliable_run --watch` runs with the same store. The exit status of COMMAND is
/// passed on, 128 and its number where a signal ended it; --wait gives it on any node. Options of
/// reliable_run come before COMMAND.
///
/// The job ends when all processes of the application have ended. Output goes to a file, which
/// is shown as it grows unless --output names it; standard input is /dev/null. SIGTERM and SIGINT
/// take a last checkpoint and stop the job, a second one stops it at once; SIGUSR1 takes a
/// checkpoint; a hang-up changes nothing.
#[derive(Parser, Debug)]
#[command(name = "reliable_run", version, max_term_width = 100, after_help = exits(&[CALL, EXITS]))]
#[command(group = clap::ArgGroup::new("mode").args(
    ["command", "resume", "wait", "checkpoint", "stop", "list", "watch", "attend"]))]
pub struct ReliableRun {
    /// When to take checkpoints: every 30s, 10m, 2h (one second to one year); at the times of a
    /// cron expression in local time ("*/15 * * * *"; a sixth field, in front: seconds); auto: at
    /// the optimum for their cost and the failures seen; 0: on request.
    #[arg(short, long, value_name = "P", default_value = "auto", value_parser = periodicity,
          conflicts_with_all = OTHERS)]
    pub periodicity: Periodicity,
    /// Mean time between failures of the application's nodes taken together, for auto, as in 12h
    /// or 5d [default: what the job has seen].
    #[arg(long, value_name = "TIME", value_parser = mtbf, conflicts_with_all = OTHERS)]
    pub mtbf: Option<Duration>,
    /// Where images are kept. The folder of the job is in the store in either case.
    #[arg(long, value_enum, default_value = "disk", conflicts_with_all = OTHERS)]
    pub media: Media,
    /// Versions that are kept, in memory and on disk; older ones are removed after a commit.
    #[arg(long, value_name = "N", default_value = "2", value_parser = number(1..=1000),
          conflicts_with_all = OTHERS)]
    pub keep: u32,
    /// With --media=memory: every N-th version goes to disk, too, into the store, and so does the
    /// last one of a job that is stopped. A restart takes one from there where memory has lost it.
    #[arg(long, value_name = "N", value_parser = number(1..=u32::MAX), conflicts_with_all = OTHERS)]
    pub flush_every: Option<u32>,
    /// Restarts after COMMAND was ended by a signal although its nodes live, in a row without a
    /// new version in between. The death of a node does not count.
    #[arg(long, value_name = "N", default_value = "3", value_parser = number(0..=u32::MAX),
          conflicts_with_all = OTHERS)]
    pub max_restarts: u32,
    /// Command for the shell after each checkpoint, with SSI_JOB, SSI_APPLICATION, SSI_VERSION and
    /// SSI_STORE; it has 60 s.
    #[arg(long, value_name = "CMD", conflicts_with_all = OTHERS)]
    pub on_checkpoint: Option<String>,
    /// Command for the shell after each restart, likewise.
    #[arg(long, value_name = "CMD", conflicts_with_all = OTHERS)]
    pub on_restart: Option<String>,
    /// Folder of the checkpoints and jobs, the same on every node. With --watch, several.
    #[arg(long, value_name = "DIR", default_value = STORE)]
    pub store: Vec<PathBuf>,
    /// File that takes standard output and error [default: one beside the job, which is shown].
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS)]
    pub output: Option<PathBuf>,
    /// File that takes what is done to the job [default: one beside the job].
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS)]
    pub log: Option<PathBuf>,
    /// Name of the job [default: the next free number].
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with_all = OTHERS)]
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
    /// With --list: as JSON; a failure is a line on standard error all the same.
    #[arg(long, requires = "list")]
    pub json: bool,
    /// Serve the jobs of the store on this node until killed: the duty of a daemon on every node.
    #[arg(long)]
    pub watch: bool,
    /// Serve one job on this node until it is over; --watch starts it.
    #[arg(long, value_name = "JOB", value_parser = name, hide = true)]
    pub attend: Option<String>,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true)]
    pub command: Vec<String>,
}

/// What reliable_run can end with, beside the status of its command.
const EXITS: &[Exit] = &[
    Exit::Config,
    Exit::Media,
    Exit::Busy,
    Exit::NoSuchVersion,
    Exit::Limit,
    Exit::Preempted,
    Exit::GivenUp,
];

/// A pattern by which a checkpoint comes.
fn periodicity(text: &str) -> Result<Periodicity, String> {
    let period: Periodicity = text.parse()?;
    match period.comes(&Local) {
        true => Ok(period),
        false => Err("no such time comes any more".into()),
    }
}

fn mtbf(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    let time = time.filter(|time| *time >= Duration::from_secs(1));
    time.ok_or_else(|| "a time of one second or more is needed, as in 30m, 12h, 5d".into())
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.into())
    } else {
        Err("letters, digits, `_`, `-` and `.` are possible, at most 64".into())
    }
}
