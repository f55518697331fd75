// SPDX-License-Identifier: GPL-2.0
//! Starts a command under the CHECKPOINTABLE capability in a new session.
use clap::Parser;
use nix::unistd::{getpgrp, getpid, setsid};
use ssi_core::abi::cap::{CHECKPOINTABLE, INHERITABLE};
use ssi_tools::args::Run;
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::message::{explain_caps, Subject};
use ssi_tools::{call, proxy};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let args = Run::parse();
    // A leader of a process group cannot start a session; a child of it can.
    let outcome = if getpgrp() == getpid() {
        proxy::run_again()
    } else {
        Err(replace(&args))
    };
    match outcome {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("ssi-run: {}", fault.text);
            ExitCode::from(fault.exit as u8)
        }
    }
}

/// Becomes the command; returns only what stood in the way.
fn replace(args: &Run) -> Fault {
    prepare(args).map_or_else(
        |fault| fault,
        |mut command| not_started(args, command.exec()),
    )
}

fn prepare(args: &Run) -> Result<Command, Fault> {
    let system = |error: std::io::Error| Fault::new(Exit::System, error.to_string());
    setsid().map_err(|errno| system(errno.into()))?;
    let subject = Subject {
        pid: Some(std::process::id()),
        ..Subject::default()
    };
    call::capset(0, CHECKPOINTABLE | INHERITABLE)
        .map_err(|error| explain_caps(&error, &subject))?;
    let (program, rest) = args
        .command
        .split_first()
        .ok_or_else(|| Fault::new(Exit::Usage, "no command"))?;
    let mut command = Command::new(program);
    command.args(rest);
    if let Some(path) = &args.output {
        let output = File::create(path).map_err(|error| at(path, &error))?;
        command
            .stderr(output.try_clone().map_err(system)?)
            .stdout(output)
            .stdin(Stdio::null());
    }
    if let Some(path) = &args.pid_file {
        std::fs::write(path, format!("{}\n", getpid())).map_err(|error| at(path, &error))?;
    }
    Ok(command)
}

fn at(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Exit::System, format!("{}: {error}", path.display()))
}

fn not_started(args: &Run, error: std::io::Error) -> Fault {
    let exit = match error.kind() {
        std::io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::NotExecutable,
    };
    let name = args
        .command
        .first()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    Fault::new(exit, format!("{name}: {error}"))
}
