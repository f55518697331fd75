// SPDX-License-Identifier: GPL-2.0
//! The arguments of every tool, documented where they are defined.
use crate::exit::{Exit, Fault};
use crate::reliable::args::ReliableRun;
use clap::{CommandFactory, Parser, ValueEnum};
use nix::sys::signal::Signal;
use ssi_core::limits::PATH_BYTES_MAX;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

mod checkpoint;
mod ctl;
mod image;
mod restart;

pub use checkpoint::{Checkpoint, Copies, Media};
pub use ctl::*;
pub use image::{Image, ImageCommand};
pub use restart::{Restart, Substitute};

/// What a PID can be.
const PIDS: RangeInclusive<u32> = 1..=(1 << 30) - 1;

/// Where checkpoints are kept unless the user says otherwise.
pub const STORE: &str = "/var/lib/ssi/checkpoints";

/// `path` as seen from the root folder: the kernel knows no other.
pub fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    let path = std::path::absolute(path)
        .map_err(|error| Fault::new(Exit::Usage, format!("{}: {error}", path.display())))?;
    match path.as_os_str().len() {
        0..=PATH_BYTES_MAX => Ok(path),
        bytes => {
            let why = format!("a path of {bytes} bytes: at most {PATH_BYTES_MAX} are possible");
            Err(Fault::new(Exit::Usage, why))
        }
    }
}

/// A number of `range`.
pub fn number(range: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text: &str| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (first, last) = (range.start(), range.end());
            format!("a number from {first} to {last} is needed")
        })
    }
}

/// The id of an application, or another number without bounds.
fn id(text: &str) -> Result<u64, String> {
    let number = text.parse();
    number.map_err(|_| "a number is needed".into())
}

/// A signal by its name, with or without SIG, or by its number.
fn signal(text: &str) -> Result<Signal, String> {
    let unknown = || "a signal is needed: a name as TERM, or a number".to_owned();
    if let Ok(number) = text.parse::<i32>() {
        return Signal::try_from(number).map_err(|_| unknown());
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    format!("SIG{name}").parse().map_err(|_| unknown())
}

/// Start a command that can be checkpointed, in a new session.
///
/// COMMAND and all that it starts get the CHECKPOINTABLE capability. Where ssi-run leads no
/// process group (as a background job of a script) COMMAND takes its place and its PID; elsewhere
/// (as a job of an interactive shell) ssi-run waits for COMMAND, passes signals on to it and ends
/// with its status: 128 and its number where a signal ended it. Options of ssi-run come before
/// COMMAND.
#[derive(Parser, Debug)]
#[command(name = "ssi-run", version, max_term_width = 100, after_help = exits(&[CALL, RUN_EXITS]))]
pub struct Run {
    /// File that takes standard output and error; standard input is then /dev/null.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// File to which the PID of COMMAND is written before it starts.
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true)]
    pub command: Vec<std::ffi::OsString>,
}

const RUN_EXITS: &[Exit] = &[Exit::NotExecutable, Exit::NotFound];

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
#[command(name = "ssi-cap", version, max_term_width = 100, after_help = exits(&[CALL, CAP_EXITS]))]
pub struct Cap {
    /// Give the capability [default: children for the caller, both for a PID].
    #[arg(long, value_name = "WHO", value_enum, num_args = 0..=1, require_equals = true,
          conflicts_with = "clear")]
    pub set: Option<Option<Give>>,
    /// Take the capability, from the process and from what it starts.
    #[arg(long)]
    pub clear: bool,
    /// The process.
    #[arg(value_parser = number(PIDS))]
    pub pid: Option<u32>,
}

const CAP_EXITS: &[Exit] = &[Exit::NoSuchProcess];

/// First line of what `exits` returns.
pub const EXITS_TITLE: &str = "Exit status:";

/// What any call into the kernel can fail with.
pub const CALL: &[Exit] = &[
    Exit::NoModule,
    Exit::NotJoined,
    Exit::NotPermitted,
    Exit::NoMemory,
    Exit::Incompatible,
    Exit::BadArgument,
    Exit::Internal,
];

/// The exit codes that a tool can end with, for its help.
pub fn exits(own: &[&[Exit]]) -> String {
    let mut text = format!("{EXITS_TITLE}\n");
    for (exit, meaning) in Exit::ALL {
        let general = matches!(exit, Exit::Success | Exit::System | Exit::Usage);
        if general || own.iter().any(|some| some.contains(exit)) {
            text.push_str(&format!("  {:>3} {meaning}\n", *exit as u8));
        }
    }
    text
}

/// Lend a process's context to a restart; the kernel starts it.
///
/// Restored processes begin as its sons: in its namespaces and its control group. It ends when
/// they go on, or when the restart is taken back. It is of no other use.
#[derive(Parser, Debug)]
#[command(name = "ssi-restart-helper", version, max_term_width = 100,
          after_help = exits(&[CALL]))]
pub struct RestartHelper {
    /// Number that the kernel gave.
    #[arg(value_parser = id)]
    pub number: u64,
}

/// Every tool with the section of its manual page.
pub fn tools() -> Vec<(clap::Command, u8)> {
    vec![
        (Checkpoint::command(), 1),
        (Restart::command(), 1),
        (Run::command(), 1),
        (Cap::command(), 1),
        (Image::command(), 1),
        (ReliableRun::command(), 1),
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
    fn signals_have_names_and_numbers() {
        for text in ["TERM", "sigterm", "SIGTERM", "15"] {
            assert_eq!(signal(text), Ok(Signal::SIGTERM), "{text}");
        }
        for text in ["", "0", "65", "TERMINATE", "SIG"] {
            assert!(signal(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_command_keeps_its_own_options() {
        let run = Run::parse_from(["ssi-run", "ls", "-l", "--output", "x"]);
        assert_eq!(run.output, None);
        assert_eq!(run.command.len(), 4);
    }
}
