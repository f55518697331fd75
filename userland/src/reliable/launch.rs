// SPDX-License-Identifier: GPL-2.0
//! Starts a job's command as an application whose root keeps the exit status.
//!
//! The root is a shell that is part of the application: it is checkpointed and restarted with it,
//! and so the status reaches the job's folder wherever the application is by then.
use super::folder::Folder;
use super::record::Job;
use super::task;
use std::io::{Error, Result};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What the root does; `$0` is the file for the status.
const ROOT: &str = "\"$@\"; echo $? >\"$0\"";
/// Most time until the command is about to be executed.
const LAUNCH_MAX: Duration = Duration::from_secs(20);

/// Starts the command of `job`. Its PID is that of the child.
///
/// # Errors
///
/// What kept ssi-run from executing it.
pub fn launch(folder: &Folder, job: &Job) -> Result<Child> {
    folder.clear_exit()?;
    folder.clear_pid()?;
    let mut command = Command::new(task::tool("ssi-run"));
    command
        .arg("--output")
        .arg(&job.output)
        .arg("--pid-file")
        .arg(folder.pid_path());
    command
        .args(["--", "sh", "-c", ROOT])
        .arg(folder.exit_path())
        .args(&job.command);
    command
        .env_clear()
        .envs(job.environment.iter().map(|(name, value)| (name, value)));
    command
        .env("SSI_JOB", folder.name())
        .current_dir(&job.folder);
    let mut child = command.spawn()?;
    let start = Instant::now();
    while folder.root_pid() != Some(child.id()) {
        if let Some(status) = child.try_wait()? {
            return Err(Error::other(format!("ssi-run: {status}")));
        }
        if start.elapsed() > LAUNCH_MAX {
            child.kill()?;
            return Err(Error::other("ssi-run does not start the command"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child)
}

#[cfg(test)]
mod tests {
    use super::ROOT;
    use std::process::Command;

    fn status_of(command: &[&str]) -> String {
        let file = std::env::temp_dir().join(format!(
            "ssi-root-{}-{}",
            std::process::id(),
            command.join("-").len()
        ));
        let status = Command::new("sh")
            .args(["-c", ROOT])
            .arg(&file)
            .args(command)
            .status()
            .unwrap();
        assert!(status.success());
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        text
    }

    #[test]
    fn the_root_leaves_the_status_of_the_command() {
        assert_eq!(status_of(&["true"]), "0\n");
        assert_eq!(status_of(&["sh", "-c", "exit 13"]), "13\n");
        assert_eq!(status_of(&["sh", "-c", "kill -9 $$"]), "137\n");
        assert_eq!(status_of(&["/nonexistent command"]), "127\n");
    }
}
