// SPDX-License-Identifier: GPL-2.0
//! How every tool begins and ends: its arguments, what it says, its exit code.
use crate::exit::{Exit, Fault};
use clap::error::ErrorKind;
use clap::{Command, Error, Parser};
use std::fmt::Display;
use std::io::{stderr, stdout, Write};
use std::process::{ExitCode, Termination};

/// Runs `tool` with its arguments. What stands in its way becomes one line on standard error and
/// an exit code.
pub fn run<T: Parser, R: Termination>(tool: impl FnOnce(&T) -> Result<R, Fault>) -> ExitCode {
    let command = T::command();
    let outcome = arguments::<T>(&command).and_then(|args| match args {
        Some(args) => tool(&args).map(R::report),
        None => Ok(ExitCode::SUCCESS),
    });
    outcome.unwrap_or_else(|fault| {
        note(format_args!("{}: {}", command.get_name(), fault.text));
        ExitCode::from(fault.exit as u8)
    })
}

/// The arguments; nothing where only help or the version was asked for, which are shown.
fn arguments<T: Parser>(tool: &Command) -> Result<Option<T>, Fault> {
    match T::try_parse() {
        Ok(args) => Ok(Some(args)),
        Err(error) if error.use_stderr() => Err(Fault::new(Exit::Usage, refusal(&error, tool))),
        Err(help) => {
            let shown = help.print().and_then(|()| stdout().flush());
            shown.map(|()| None).map_err(unwritten)
        }
    }
}

/// What is wrong with the arguments, in one line.
fn refusal(error: &Error, tool: &Command) -> String {
    let text = error.render().to_string();
    let said = match error.kind() {
        ErrorKind::InvalidUtf8 => not_utf8(),
        _ => first_paragraph(&text),
    };
    let mut tips = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "));
    let similar = tips.rfind(|tip| tip.contains("similar"));
    let similar = similar.map(|tip| format!(", {tip}")).unwrap_or_default();
    let line = format!("{said}{similar}; see {} --help", page(tool));
    crate::message::printable(&line)
}

fn first_paragraph(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = first.lines().map(str::trim).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn not_utf8() -> String {
    let wrong = std::env::args_os().find(|arg| arg.to_str().is_none());
    format!("{:?} is not UTF-8", wrong.unwrap_or_default())
}

/// The command whose help is wanted: the tool, or the part of it that was named.
fn page(tool: &Command) -> String {
    let named = std::env::args_os().nth(1).unwrap_or_default();
    match tool.find_subcommand(named) {
        Some(part) => format!("{} {}", tool.get_name(), part.get_name()),
        None => tool.get_name().to_owned(),
    }
}

/// Writes `text` to standard output, with an end of line if it has none.
///
/// # Errors
/// The reader is gone, or the disk is full.
pub fn say(text: impl Display) -> Result<(), Fault> {
    let text = text.to_string();
    let mut out = stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))
        .and_then(|()| out.flush())
        .map_err(unwritten)
}

/// Says what was done.
///
/// # Errors
/// As [`say`], and that it was done all the same.
pub fn report(text: impl Display) -> Result<(), Fault> {
    say(text).map_err(|fault| {
        let text = format!("{}; what was asked for is done", fault.text);
        Fault::new(fault.exit, text)
    })
}

/// Writes a line to standard error; there is nobody to tell where that fails.
pub fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// The reader of the output is gone, or its disk is full.
pub fn unwritten(error: std::io::Error) -> Fault {
    Fault::new(Exit::System, format!("standard output: {error}"))
}
