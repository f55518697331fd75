// SPDX-License-Identifier: GPL-2.0
//! Starts a command under the CHECKPOINTABLE capability in a new session.
use nix::unistd::{getpgrp, getpid, setsid};
use ssi_core::abi::cap::{CHECKPOINTABLE, INHERITABLE};
use ssi_tools::args::Run;
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::made::wrong;
use ssi_tools::message::{explain_caps, Subject};
use ssi_tools::{call, proxy, tool};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    // A leader of a process group cannot start a session; a child of it can.
    tool::run(|args| match getpgrp() == getpid() {
        true => proxy::run_again(),
        false => Err(replace(args)),
    })
}

/// Becomes the command; returns only what stood in the way.
fn replace(args: &Run) -> Fault {
    match prepare(args) {
        Err(fault) => fault,
        Ok(mut command) => not_started(args, &command.exec()),
    }
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
        let output = File::create(path).map_err(|error| wrong(path, &error))?;
        command
            .stderr(output.try_clone().map_err(system)?)
            .stdout(output)
            .stdin(Stdio::null());
    }
    if let Some(path) = &args.pid_file {
        std::fs::write(path, format!("{}\n", getpid())).map_err(|error| wrong(path, &error))?;
    }
    Ok(command)
}

fn not_started(args: &Run, error: &std::io::Error) -> Fault {
    if let Some(path) = &args.pid_file {
        // Nobody has the PID that is in it.
        let _ = std::fs::remove_file(path);
    }
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
