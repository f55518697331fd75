// SPDX-License-Identifier: GPL-2.0
//! Stands in for a command in the caller's process group: signals go in, the status comes out.
use crate::exit::{Exit, Fault};
use nix::errno::Errno;
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

/// Stands in for `pid`, a son that runs already; `None` where it is no son.
pub fn stand_in(pid: u32) -> Result<Option<ExitCode>, Fault> {
    let mut signals: SigSet = PASSED_ON.into_iter().collect();
    signals.add(Signal::SIGCHLD);
    signals.thread_block().map_err(fault)?;
    // CAST: PIDs stay below 2^30.
    let child = Pid::from_raw(pid as i32);
    // One that ended before SIGCHLD was blocked is seen here.
    match ended(child) {
        Ok(Some(code)) => Ok(Some(code)),
        Ok(None) => wait_for(child, &signals).map(Some),
        Err(Errno::ECHILD) => Ok(None),
        Err(errno) => Err(fault(errno)),
    }
}

fn wait_for(child: Pid, signals: &SigSet) -> Result<ExitCode, Fault> {
    loop {
        match signals.wait().map_err(fault)? {
            Signal::SIGCHLD => {
                if let Some(code) = ended(child).map_err(fault)? {
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

fn ended(child: Pid) -> Result<Option<ExitCode>, Errno> {
    match waitpid(child, Some(WaitPidFlag::WNOHANG))? {
        WaitStatus::Exited(_, code) => Ok(Some(ExitCode::from(code as u8))),
        WaitStatus::Signaled(_, signal, _) => Ok(Some(ExitCode::from(128 + signal as u8))),
        _ => Ok(None),
    }
}

fn fault(errno: Errno) -> Fault {
    Fault::new(Exit::System, errno.desc())
}
