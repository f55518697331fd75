// SPDX-License-Identifier: GPL-2.0
//! Runs a tool as a user would.
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a tool did.
pub struct Outcome {
    /// The tool's name, then what it was given.
    pub line: Vec<String>,
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }
}

/// The path of the tool `name`; a path stays one.
pub fn tool(name: &str) -> PathBuf {
    let known = Path::new(env!("CARGO_BIN_EXE_checkpoint"));
    known.parent().unwrap().join(name)
}

/// Runs a tool, named or by its path.
pub fn run(program: &str, args: &[&str]) -> Outcome {
    talk(program, args, b"")
}

pub fn talk(program: &str, args: &[&str], input: &[u8]) -> Outcome {
    let mut command = Command::new(tool(program));
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
    let name = Path::new(program).file_name().unwrap().to_str().unwrap();
    let given = [&[name], args].concat();
    Outcome {
        line: given.into_iter().map(str::to_owned).collect(),
        code: output.status.code().expect("no tool dies of a signal"),
        out: output.stdout,
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Fails unless the tool ends with `code`, which its manual page must list, and says one line: its
/// name, and something that contains `words`.
pub fn refused(outcome: &Outcome, code: i32, words: &str) {
    let (line, said) = (outcome.line.join(" "), &outcome.err);
    assert_eq!(outcome.code, code, "{line}: {said}");
    assert!(said.contains(words), "{line}: {said:?} lacks {words:?}");
    let start = format!("{}: ", outcome.line[0]);
    let is_one = said.starts_with(&start) && said.ends_with('\n') && said.lines().count() == 1;
    assert!(
        is_one,
        "{line}: {said:?} is not one line with the tool's name"
    );
    assert!(is_listed(outcome), "{line}: the page does not list {code}");
}

/// Whether the page of the tool, or of that part of it which was called, has the exit code.
fn is_listed(outcome: &Outcome) -> bool {
    let tools = ssi_tools::args::tools();
    let mut tools = tools.iter().map(|(tool, _)| tool);
    let tool = tools.find(|tool| tool.get_name() == outcome.line[0]);
    let tool = tool.expect("a tool of ours");
    let mut rest = outcome.line.iter().skip(1);
    let part = rest.find_map(|word| tool.find_subcommand(word));
    let page = part.unwrap_or(tool).get_after_help().expect("exit codes");
    let page = page.to_string();
    let mut listed = page.lines().map(str::trim);
    listed.any(|line| line.starts_with(&format!("{} ", outcome.code)))
}
