// SPDX-License-Identifier: GPL-2.0
//! reliable_run as a user meets it on a machine without the module.
use ssi_tools::reliable::record::{Phase, State};
use std::path::PathBuf;
use std::process::{Command, Output};

/// A store of its own for each test, removed at the end.
struct Store(PathBuf);

impl Store {
    fn new(test: &str) -> Store {
        let path = std::env::temp_dir().join(format!("ssi-run-{}-{test}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Store(path)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reliable_run"));
        command.arg("--store").arg(&self.0).args(args);
        command.output().unwrap()
    }

    /// Fails unless it ends with `code` and says `words`.
    fn refused(&self, args: &[&str], code: i32, words: &str) {
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said:?} lacks {words:?}");
    }

    /// A job that has ended, as its supervisor leaves it.
    fn ended(&self, name: &str) {
        self.over(name, Phase::Ended, Some(9));
    }

    /// A job that is over in some way.
    fn over(&self, name: &str, phase: Phase, status: Option<u8>) {
        let folder = self.0.join("jobs").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let job = serde_json::json!({
            "command": ["sort", "x\u{1b}[2J"], "folder": "/", "environment": [],
            "output": "/dev/null", "log": "/dev/null", "periodicity": "30s", "mtbf_ms": null,
            "media": "disk", "keep": 2, "max_restarts": 3, "on_checkpoint": null,
            "on_restart": null,
        });
        let mut state = State::new(1000);
        state.phase = phase;
        state.status = status;
        std::fs::write(folder.join("job"), job.to_string()).unwrap();
        let claim = r#"{"node": 2, "epoch": 5, "pid": 7}"#;
        std::fs::write(folder.join("claim-3"), claim).unwrap();
        std::fs::write(folder.join("state-3"), serde_json::to_vec(&state).unwrap()).unwrap();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_pattern_is_a_pattern() {
    let store = Store::new("pattern");
    for wrong in ["soon", "30", "1ms", "99 * * * *", ""] {
        store.refused(&["--periodicity", wrong, "true"], 2, "--periodicity");
    }
    store.refused(&["--keep", "0", "true"], 2, "--keep");
    store.refused(&["--mtbf", "x", "true"], 2, "--mtbf");
    store.refused(&["--media", "paper", "true"], 2, "paper");
}

#[test]
fn there_is_one_thing_to_do() {
    let store = Store::new("mode");
    store.refused(&[], 2, "nothing to do");
    store.refused(&["--list", "--wait", "x"], 2, "cannot be used with");
    store.refused(&["--name", "../x", "true"], 2, "letters, digits");
    store.refused(&["--store", "/elsewhere", "--list"], 2, "only --watch");
}

#[test]
fn without_the_module_nothing_is_started_or_left() {
    let store = Store::new("module");
    store.refused(&["--periodicity", "30s", "true"], 3, "modprobe ssi");
    store.refused(&["--watch"], 3, "modprobe ssi");
    assert_eq!(std::fs::read_dir(&store.0).unwrap().count(), 0);
}

#[test]
fn a_job_that_is_not_there_is_named() {
    let store = Store::new("missing");
    store.refused(&["--wait", "night"], 23, "no job night");
    store.refused(&["--stop", "night"], 23, "no job night");
    store.refused(&["--checkpoint", "night"], 23, "no job night");
}

#[test]
fn a_job_that_has_ended_keeps_its_status() {
    let store = Store::new("ended");
    store.ended("night");
    assert_eq!(store.run(&["--wait", "night"]).status.code(), Some(9));
    store.refused(&["--stop", "night"], 21, "does not run");
    store.refused(&["--checkpoint", "night"], 21, "does not run");
}

#[test]
fn a_job_that_did_not_end_says_why() {
    let store = Store::new("over");
    store.over("stopped", Phase::Preempted, None);
    store.refused(&["--wait", "stopped"], 32, "reliable_run --resume stopped");
    store.over("given-up", Phase::Failed, None);
    store.refused(&["--wait", "given-up"], 33, "job given-up was given up");
    store.over("killed", Phase::Failed, Some(137));
    assert_eq!(store.run(&["--wait", "killed"]).status.code(), Some(137));
}

#[test]
fn the_list_shows_what_there_is() {
    let store = Store::new("list");
    let empty = store.run(&["--list"]);
    assert_eq!(String::from_utf8(empty.stdout).unwrap().lines().count(), 1);
    store.ended("night");
    std::fs::create_dir(store.0.join("jobs/half-made")).unwrap();
    let table = String::from_utf8(store.run(&["--list"]).stdout).unwrap();
    assert_eq!(table.lines().count(), 2);
    assert!(
        table.contains("night        ended           9    2"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));
    let json = store.run(&["--list", "--json"]).stdout;
    let jobs: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        (&jobs[0]["job"], &jobs[0]["phase"]),
        (&"night".into(), &"ended".into())
    );
}
