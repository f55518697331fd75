// SPDX-License-Identifier: GPL-2.0
//! Runs a tool as a user would.
use std::io::Write;
use std::process::{Command, Stdio};

/// What a tool did.
pub struct Outcome {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }
}

pub fn run(program: &str, args: &[&str]) -> Outcome {
    talk(program, args, b"")
}

pub fn talk(program: &str, args: &[&str], input: &[u8]) -> Outcome {
    let mut command = Command::new(program);
    command.args(args).env("TZ", "UTC").stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A tool that does not read its input may have closed it.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Outcome {
        code: output.status.code().expect("no tool dies of a signal"),
        out: output.stdout,
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Fails unless the tool ends with `code` and one line that contains `words`.
pub fn refused(outcome: &Outcome, code: i32, words: &str) {
    assert_eq!(outcome.code, code, "{}", outcome.err);
    let message = &outcome.err;
    assert!(message.contains(words), "{message:?} lacks {words:?}");
    assert!(message.lines().count() == 1 || code == 2, "{message}");
}
