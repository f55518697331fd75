// SPDX-License-Identifier: GPL-2.0
//! Every command and every part of one: its help says all that its definition has, it has a
//! version, it refuses what it does not know, and it says so where it cannot write.
#[path = "support/tool.rs"]
mod tool;

use clap::{Arg, Command};
use ssi_tools::args::{tools, EXITS_TITLE};
use ssi_tools::exit::Exit;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use tool::{refused, run, tool, Outcome};

/// Every command line that has a page: a tool, or a tool and a part of it.
fn commands() -> Vec<(Vec<String>, Command)> {
    let mut all = Vec::new();
    for (tool, _) in tools() {
        let name = tool.get_name().to_owned();
        for part in tool.get_subcommands() {
            let line = vec![name.clone(), part.get_name().to_owned()];
            all.push((line, part.clone()));
        }
        all.push((vec![name], tool));
    }
    all
}

fn asked(line: &[String], option: &str) -> Outcome {
    let mut args: Vec<&str> = line.iter().skip(1).map(String::as_str).collect();
    args.push(option);
    run(&line[0], &args)
}

/// Runs a tool whose standard output is a disk without room.
fn into_nothing(line: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(tool(line[0]));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let done = command
        .args(&line[1..])
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .unwrap();
    (
        done.status.code().expect("no tool dies of a signal"),
        String::from_utf8(done.stderr).unwrap(),
    )
}

fn shown_name(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_value_names().expect("a name")[0].to_string(),
    }
}

#[test]
fn every_command_has_its_help() {
    for (line, command) in commands() {
        let outcome = asked(&line, "--help");
        let (text, line) = (outcome.text(), line.join(" "));
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{line}");
        for words in [&format!("Usage: {line}"), EXITS_TITLE, "  0 Success."] {
            assert!(text.contains(words), "{line}: no {words:?} in {text}");
        }
        let visible = |argument: &&Arg| !argument.is_hide_set();
        for argument in command.get_arguments().filter(visible) {
            let name = shown_name(argument);
            assert!(text.contains(&name), "{line}: no {name} in {text}");
            let help = argument.get_help().map(ToString::to_string);
            assert!(help.is_some_and(|help| help.len() > 5), "{line}: {name}");
        }
    }
}

/// What takes a number, a time or a size says which, and what it is where nothing is given.
#[test]
fn options_with_values_say_their_units_and_defaults() {
    for (line, words) in [
        ("checkpoint", "[default: disk]"),
        ("checkpoint", "[default: 1; in memory always 2]"),
        ("checkpoint", "[default: all; in memory 2]"),
        ("checkpoint", "at most 255 bytes"),
        ("checkpoint", "[default: /var/lib/ssi/checkpoints]"),
        ("checkpoint", "[default signal: KILL]"),
        ("restart", "[default: the newest]"),
        ("restart", "as in 1,4-6"),
        ("restart", "FD (0, 1 or 2)"),
        (
            "reliable_run",
            "every 30s, 10m, 2h (one second to one year)",
        ),
        ("reliable_run", "[default: auto]"),
        (
            "reliable_run",
            "as in 12h or 5d [default: what the job has seen]",
        ),
        ("reliable_run", "it has 60 s"),
        ("reliable_run", "[default: the next free number]"),
        (
            "ssi-cap",
            "[default: children for the caller, both for a PID]",
        ),
        ("ssi-image", "[default: /var/lib/ssi/checkpoints]"),
        ("ssictl join", "[default: /etc/ssi/cluster.toml]"),
        ("ssictl flush", "[default: the newest in memory]"),
        (
            "ssictl limits",
            "as in 25% (1 to 90), 512MiB or 4GiB; 0: none",
        ),
    ] {
        let line: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let text = asked(&line, "--help").text();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{line:?}: no {words:?} in {text}");
    }
}

#[test]
fn every_command_has_a_version() {
    for (line, _) in commands() {
        for option in ["--version", "-V"] {
            let outcome = asked(&line, option);
            let version = format!("{} {}\n", line.join("-"), env!("CARGO_PKG_VERSION"));
            assert_eq!((outcome.code, outcome.text()), (0, version));
        }
    }
}

#[test]
fn what_no_command_knows_is_refused() {
    for (line, _) in commands() {
        for option in ["--no-such-option", "-Z"] {
            let outcome = asked(&line, option);
            let words = if option == "-Z" { "'-Z'" } else { option };
            refused(&outcome, 2, words);
            refused(&outcome, 2, &format!("; see {} --help", line.join(" ")));
            assert_eq!(outcome.text(), "");
        }
    }
}

#[test]
fn what_cannot_be_shown_is_no_success() {
    let told = |line: &[&str]| {
        let (code, said) = into_nothing(line);
        assert_eq!(code, 1, "{line:?}: {said}");
        let start = format!("{}: standard output: ", line[0]);
        let is_one = said.starts_with(&start) && said.lines().count() == 1;
        assert!(is_one, "{line:?}: {said}");
    };
    for (line, _) in commands() {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        for option in ["--help", "--version"] {
            told(&[line.as_slice(), &[option]].concat());
        }
    }
    let store = std::env::temp_dir();
    let store = format!("--store={}", store.display());
    told(&["ssictl", "limits"]);
    told(&["ssictl", "limits", "--json"]);
    told(&["restart", "--list", &store]);
    told(&["restart", "--list", "--json", &store]);
    told(&["reliable_run", "--list", &store]);
    told(&["reliable_run", "--list", "--json", &store]);
}

/// Nobody hears why, but the exit code says it.
#[test]
fn without_standard_error_the_exit_code_is_the_same() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (line, code) in [
        ("checkpoint 5", 3),
        ("checkpoint x", 2),
        ("ssictl leave", 3),
    ] {
        let mut words = line.split(' ');
        let mut command = std::process::Command::new(tool(words.next().unwrap()));
        let status = command.args(words).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{line}");
    }
}

/// docs/testing.md names, for every exit code, a test that shows it with a real tool.
#[test]
fn every_exit_code_is_shown_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let testing = std::fs::read_to_string(root.join("docs/testing.md")).unwrap();
    for (exit, meaning) in Exit::ALL {
        let number = *exit as u8;
        let start = format!("| {number} | ");
        let row = testing.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no test of {number}: {meaning}"));
        let files = row.split('`').skip(1).step_by(2);
        assert!(files.clone().count() > 0, "{row}");
        for file in files {
            let text = std::fs::read_to_string(root.join(file)).expect(file);
            let shown = text.contains(&number.to_string());
            assert!(shown, "{file} does not show {number}");
        }
    }
}
