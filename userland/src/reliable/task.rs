// SPDX-License-Identifier: GPL-2.0
//! A program that a supervisor runs beside its other work: bounded in time, dead with it.
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use std::io::{ErrorKind, Read, Result};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Most bytes of what it writes that are looked at.
const OUTPUT_MAX: u64 = 1 << 16;

/// A running program.
pub struct Task {
    child: Child,
    deadline: Instant,
}

/// A program that has ended.
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to a piped standard output.
    pub out: String,
    /// What it wrote to a piped standard error.
    pub err: String,
}

/// The path of another tool: beside this one, else wherever PATH has it.
pub fn tool(name: &str) -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .map(|own| own.with_file_name(name));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| name.into())
}

impl Task {
    /// Starts `command`; it is killed after `limit`, and when this thread ends.
    pub fn start(command: &mut Command, limit: Duration) -> Result<Task> {
        let child = crate::call::spawn_tied(command)?;
        Ok(Task {
            child,
            deadline: Instant::now() + limit,
        })
    }

    /// Its end, once it has come.
    pub fn poll(&mut self) -> Result<Option<Finished>> {
        let Some(status) = self.child.try_wait()? else {
            if Instant::now() > self.deadline {
                self.child.kill()?;
            }
            return Ok(None);
        };
        Ok(Some(Finished {
            status,
            out: said(self.child.stdout.take())?,
            err: said(self.child.stderr.take())?,
        }))
    }
}

/// What is in a pipe. All that the program wrote is there when it has ended; whoever else has the
/// other end open, as a process that it left behind, is not waited for.
fn said(pipe: Option<impl Read + AsFd>) -> Result<String> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        match pipe.take(OUTPUT_MAX).read_to_end(&mut bytes) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Drop for Task {
    /// Who does not wait for its end any more does not want what it does, either.
    fn drop(&mut self) {
        // One that has ended and was waited for is left alone by this.
        let _ = self.child.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    fn end_of(mut task: Task) -> Finished {
        loop {
            if let Some(finished) = task.poll().unwrap() {
                return finished;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_it_said_is_there_at_its_end() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo out; echo err >&2; exit 7"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let finished = end_of(Task::start(&mut command, Duration::from_secs(60)).unwrap());
        assert_eq!(finished.status.code(), Some(7));
        assert_eq!(
            (finished.out.as_str(), finished.err.as_str()),
            ("out\n", "err\n")
        );
    }

    #[test]
    fn who_else_has_its_pipes_is_not_waited_for() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 30 & echo $!"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begun = Instant::now();
        let finished = end_of(Task::start(&mut command, Duration::from_secs(60)).unwrap());
        assert!(begun.elapsed() < Duration::from_secs(20));
        let left = nix::unistd::Pid::from_raw(finished.out.trim().parse().unwrap());
        nix::sys::signal::kill(left, nix::sys::signal::Signal::SIGKILL).unwrap();
    }

    #[test]
    fn it_ends_when_its_time_is_over() {
        let mut command = Command::new("sleep");
        let finished = end_of(Task::start(command.arg("600"), Duration::ZERO).unwrap());
        assert_eq!(finished.status.code(), None);
    }
}
