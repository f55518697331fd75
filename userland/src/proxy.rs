// SPDX-License-Identifier: GPL-2.0
//! Stands in for a command in the caller's process group: signals go in, the status comes out.
use crate::exit::{Exit, Fault};
use nix::sys::signal::{kill, SigSet, Signal};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Signals that reach the command although it is in another process group.
const PASSED_ON: [Signal; 4] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
];

/// Runs this program again with the same arguments in a child, and stands in for it.
pub fn run_again() -> Result<ExitCode, Fault> {
    let mut signals: SigSet = PASSED_ON.into_iter().collect();
    signals.add(Signal::SIGCHLD);
    signals.thread_block().map_err(fault)?;
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let mut again = Command::new("/proc/self/exe");
    again.arg0(name).args(args);
    // Before it executes: the child must not inherit the blocked signals.
    let child = crate::call::spawn_unblocked(&mut again, &signals)
        .map_err(|error| Fault::new(Exit::System, error.to_string()))?;
    // CAST: the kernel's PIDs are positive ints.
    wait_for(Pid::from_raw(child.id() as i32), &signals)
}

fn wait_for(child: Pid, signals: &SigSet) -> Result<ExitCode, Fault> {
    loop {
        match signals.wait().map_err(fault)? {
            Signal::SIGCHLD => {
                if let Some(code) = ended(child)? {
                    return Ok(code);
                }
            }
            signal => {
                // The child may just have ended; SIGCHLD will say so.
                let _ = kill(child, signal);
            }
        }
    }
}

fn ended(child: Pid) -> Result<Option<ExitCode>, Fault> {
    match waitpid(child, Some(WaitPidFlag::WNOHANG)).map_err(fault)? {
        WaitStatus::Exited(_, code) => Ok(Some(ExitCode::from(code as u8))),
        WaitStatus::Signaled(_, signal, _) => Ok(Some(ExitCode::from(128 + signal as u8))),
        _ => Ok(None),
    }
}

fn fault(errno: nix::errno::Errno) -> Fault {
    Fault::new(Exit::System, errno.desc())
}
