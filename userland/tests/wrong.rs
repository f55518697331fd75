// SPDX-License-Identifier: GPL-2.0
//! Bad input, one line per case: the exit code, the words that name what is wrong, and that nothing
//! is left behind.
#[path = "support/folder.rs"]
mod folder;
#[path = "support/tool.rs"]
mod tool;

use folder::Folder;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use tool::{refused, run, talk, tool};

/// A command line (a blank at its end: an empty argument), the exit code, words of the message.
type Cases = &'static [(&'static str, i32, &'static str)];

const PID: &str = "a number from 1 to 1073741823 is needed";

const NUMBERS: Cases = &[
    ("checkpoint 0", 2, PID),
    ("checkpoint -- -1", 2, PID),
    ("checkpoint 1073741824", 2, PID),
    ("checkpoint 99999999999999999999999", 2, PID),
    ("checkpoint 1.5", 2, PID),
    ("checkpoint 0x10", 2, PID),
    ("checkpoint ", 2, PID),
    ("checkpoint -1", 2, "'-1'"),
    ("ssi-cap 0", 2, PID),
    ("ssi-cap --set both", 2, PID),
    ("checkpoint --keep=-1 --copies=2 5", 2, "from 1 to"),
    ("checkpoint --copies=3 5", 2, "from 1 to 2"),
    ("checkpoint --kill= 5", 2, "a signal is needed"),
    ("checkpoint --kill=65 5", 2, "a signal is needed"),
    ("restart 7 0", 2, "from 1 to"),
    ("restart 7 x", 2, "from 1 to"),
    ("restart --nodes= 7", 2, "as in 1,4-6"),
    ("restart --avoid=1-254 7", 2, "--avoid leaves no node"),
    ("ssictl join --node=0", 2, "from 1 to 254"),
    ("ssictl join --node=255", 2, "from 1 to 254"),
    ("ssictl flush x", 2, "a number is needed"),
    ("ssictl flush 7 0", 2, "from 1 to"),
    ("ssictl flush --copies=3 7", 2, "from 1 to 2"),
    ("ssictl limits --memory=5", 2, "as 25%"),
    ("ssictl limits --memory=91%", 2, "between 1% and 90%"),
    ("ssictl limits --memory=", 2, "as 25%"),
    ("ssi-restart-helper x", 2, "a number is needed"),
    (
        "ssi-restart-helper 18446744073709551616",
        2,
        "a number is needed",
    ),
];

const JOBS: Cases = &[
    ("reliable_run --periodicity=30 true", 2, "30s, 10m, 2h"),
    ("reliable_run --periodicity=-5s true", 2, "30s, 10m, 2h"),
    ("reliable_run --periodicity=10x true", 2, "30s, 10m, 2h"),
    ("reliable_run --periodicity=1e3s true", 2, "30s, 10m, 2h"),
    ("reliable_run --periodicity= true", 2, "30s, 10m, 2h"),
    ("reliable_run --periodicity=999ms true", 2, "one second"),
    ("reliable_run --periodicity=367d true", 2, "one year"),
    (
        "reliable_run --periodicity=99999999999999999999s true",
        2,
        "30s",
    ),
    ("reliable_run --mtbf=0 true", 2, "30m, 12h, 5d"),
    ("reliable_run --mtbf=soon true", 2, "30m, 12h, 5d"),
    ("reliable_run --mtbf= true", 2, "30m, 12h, 5d"),
    ("reliable_run --keep=1001 true", 2, "from 1 to 1000"),
    ("reliable_run --max-restarts=-1 true", 2, "from 0 to"),
    ("reliable_run --flush-every=0 true", 2, "from 1 to"),
    (
        "reliable_run --flush-every=2 true",
        2,
        "needs --media=memory",
    ),
    (
        "reliable_run --media=memory true",
        5,
        "ssictl limits --memory",
    ),
    ("reliable_run --name= true", 2, "letters, digits"),
    ("reliable_run --wait=", 2, "letters, digits"),
    (
        "reliable_run --output=/nonexistent/x true",
        1,
        "/nonexistent/x",
    ),
    (
        "reliable_run --log=/nonexistent/x true",
        1,
        "/nonexistent/x",
    ),
    ("reliable_run", 2, "name a COMMAND"),
    ("reliable_run --", 2, "name a COMMAND"),
    ("reliable_run --periodicty=10m true", 2, "'--periodicity'"),
    ("reliable_run --list --keep=5", 2, "'--keep <N>'"),
    ("reliable_run --wait=x --output=y", 2, "'--output <FILE>'"),
    ("reliable_run --resume=x true", 2, "'--resume <JOB>'"),
    ("reliable_run --json", 2, "--list"),
    (
        "reliable_run --store=/nonexistent --list",
        23,
        "the store /nonexistent",
    ),
    ("reliable_run --store=/nonexistent --wait=x", 23, "no job x"),
    (
        "reliable_run --store=/dev/null --list",
        20,
        "the store /dev/null",
    ),
    ("reliable_run --store=/dev/null --wait=x", 20, "/dev/null"),
];

const WORDS: Cases = &[
    ("checkpoint", 2, "<PID>"),
    ("checkpoint 5 6", 2, "'6'"),
    ("checkpoint --json --json 5", 2, "multiple times"),
    ("checkpoint --store= 5", 2, "--store"),
    ("checkpoint --unfreeze --freeze 5", 2, "'--freeze'"),
    ("restart 7 1 2", 2, "'2'"),
    ("restart --list 7 1", 2, "'[VERSION]'"),
    ("restart --nodes=1 --avoid=2 7", 2, "'--avoid <LIST>'"),
    ("restart --substitute=0= 7", 2, "0=FILE"),
    ("restart --list seven", 2, "id of an application"),
    ("ssi-cap --set=all", 2, "children, both"),
    ("ssi-cap --set --clear", 2, "'--clear'"),
    ("ssi-cap 5 6", 2, "'6'"),
    ("ssi-run", 2, "<COMMAND>"),
    ("ssi-run --outptu=x true", 2, "'--output'"),
    ("ssi-image", 2, "print, verify, diff"),
    ("ssi-image prnt x", 2, "'prnt'"),
    ("ssi-image print a b", 2, "'b'"),
    ("ssi-image diff a", 2, "<NEW>"),
    ("ssictl", 2, "join, leave, drain, flush, limits, status"),
    ("ssictl jion", 2, "'join'"),
    ("ssictl ", 2, "subcommand"),
    ("ssictl leave 5", 2, "'5'"),
    ("ssictl limits --memory=1G --json", 2, "'--json'"),
    ("ssi-restart-helper", 2, "<NUMBER>"),
];

const FILES: Cases = &[
    ("restart seven", 23, "\"seven\" is neither"),
    ("restart ", 23, "\"\" is neither"),
    ("restart /dev", 2, "/dev: a folder"),
    ("restart --store=/dev/null 7", 20, "the store /dev/null"),
    (
        "restart --store=/nonexistent 7",
        23,
        "the store /nonexistent",
    ),
    ("restart --media=memory", 23, "ssictl limits --memory"),
    (
        "restart --media=memory --list",
        23,
        "ssictl limits --memory",
    ),
    ("ssi-image print seven", 23, "\"seven\" is neither"),
    ("ssi-image verify 7:x", 23, "\"7:x\" is neither"),
    ("ssi-image diff /dev/null /dev/null", 24, "this is no image"),
    ("ssi-image print /dev/zero", 24, "this is no image"),
    ("ssictl join --config=/dev", 5, "/dev: "),
    ("ssictl flush 7", 5, "ssictl limits --memory"),
    ("checkpoint --exportable=/dev 5", 20, "/dev: "),
];

const NO_MODULE: Cases = &[
    ("checkpoint 5", 3, "modprobe ssi"),
    ("checkpoint --json 1073741823", 3, "modprobe ssi"),
    ("ssi-cap", 3, "modprobe ssi"),
    ("ssi-cap --clear 5", 3, "modprobe ssi"),
    (
        "ssi-run --output=out --pid-file=pid ls -l --all",
        3,
        "modprobe ssi",
    ),
    (
        "reliable_run --output=out --log=log ls -l --keep",
        3,
        "modprobe ssi",
    ),
    ("reliable_run -- --keep", 3, "modprobe ssi"),
    ("reliable_run --resume=x", 3, "modprobe ssi"),
    ("reliable_run --watch", 3, "modprobe ssi"),
    ("ssictl leave", 3, "modprobe ssi"),
    ("ssictl drain --json", 3, "modprobe ssi"),
    ("ssictl status --processes", 3, "modprobe ssi"),
    ("ssi-restart-helper 1", 3, "modprobe ssi"),
    ("checkpoint --exportable=export 5", 3, "modprobe ssi"),
];

/// Runs every case in a folder of its own, which must stay empty.
fn all(test: &str, cases: Cases) {
    let folder = Folder::new(&format!("wrong-{test}"));
    let there = format!("cd '{}' && exec \"$0\" \"$@\"", folder.0.display());
    for (line, code, words) in cases {
        let line: Vec<&str> = line.split(' ').collect();
        let program = tool(line[0]);
        let program = ["-c", &there, program.to_str().unwrap()];
        let mut outcome = run("/bin/sh", &[&program, &line[1..]].concat());
        outcome.line = line.into_iter().map(str::to_owned).collect();
        refused(&outcome, *code, words);
        assert_eq!(outcome.text(), "", "{:?}", outcome.line);
        let left = std::fs::read_dir(&folder.0).unwrap().count();
        assert_eq!(left, 0, "{:?} leaves a file", outcome.line);
    }
}

#[test]
fn numbers_that_are_none_or_too_large() {
    all("numbers", NUMBERS);
}

#[test]
fn jobs_that_cannot_be() {
    all("jobs", JOBS);
}

#[test]
fn a_time_that_never_comes_is_no_period() {
    let february = run("reliable_run", &["-p", "0 0 30 2 *", "true"]);
    refused(&february, 2, "no such time comes");
    let minute = run("reliable_run", &["-p", "61 * * * *", "true"]);
    refused(&minute, 2, "'61 * * * *'");
}

#[test]
fn too_few_words_too_many_and_unknown_ones() {
    all("words", WORDS);
}

#[test]
fn files_that_are_not_there_or_something_else() {
    all("files", FILES);
}

#[test]
fn without_the_module_nothing_is_done() {
    all("module", NO_MODULE);
}

#[test]
fn what_is_not_utf8_is_named() {
    let wrong = OsStr::from_bytes(b"x\xff");
    for name in ["checkpoint", "restart", "ssi-cap", "reliable_run"] {
        let done = Command::new(tool(name)).arg(wrong).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{said}");
        let wanted = format!("{name}: \"x\\xFF\" is not UTF-8; see {name} --help\n");
        assert_eq!(said, wanted);
    }
}

#[test]
fn no_terminal_obeys_what_is_wrong() {
    refused(&run("checkpoint", &["5\x1b[2J\nsix"]), 2, PID);
    let path = format!("--store=/{}", "x".repeat(5000));
    refused(&run("restart", &[&path, "7"]), 2, "5001 bytes");
}

/// A file that is no exported checkpoint is not repeated to the user.
#[test]
fn a_text_is_no_exported_checkpoint() {
    let folder = Folder::new("wrong-text");
    let path = folder.0.join("text");
    std::fs::write(&path, "root:x:0:0\n\x1b[2J".repeat(100)).unwrap();
    let outcome = run("restart", &[&folder.option(), path.to_str().unwrap()]);
    refused(&outcome, 24, "no exported checkpoint");
}

#[test]
fn a_wrong_configuration_is_named_with_its_line() {
    let folder = Folder::new("wrong-toml");
    let path = folder.0.join("cluster.toml");
    std::fs::write(&path, "name = \"lab\"\nnonsense\n").unwrap();
    let option = format!("--config={}", path.display());
    let outcome = run("ssictl", &["join", &option]);
    refused(&outcome, 5, "cluster.toml: line 2: ");
}

/// The memory of a node is made only where there is a cluster to join.
#[test]
fn without_the_module_no_node_joins() {
    let folder = Folder::new("wrong-join");
    let path = folder.0.join("cluster.toml");
    let key = "0123456789abcdef".repeat(4);
    let text = format!(
        "name = \"lab\"\nkey = \"{key}\"\nnode = 1\n[[nodes]]\nid = 1\naddress = \"10.0.0.1\"\n"
    );
    std::fs::write(&path, text).unwrap();
    let option = format!("--config={}", path.display());
    refused(&run("ssictl", &["join", &option]), 3, "modprobe ssi");
    assert!(!ssi_tools::memory::is_there());
}

/// What was there before a checkpoint or restart that fails is there afterwards.
#[test]
fn files_of_the_user_are_left_as_they_were() {
    let folder = Folder::new("wrong-kept");
    let kept = folder.0.join("kept");
    let kept = kept.to_str().unwrap();
    std::fs::write(kept, "precious").unwrap();
    let export = format!("--exportable={kept}");
    refused(&run("checkpoint", &[&export, "5"]), 3, "modprobe ssi");
    assert_eq!(std::fs::read(kept).unwrap(), b"precious");
}

/// An answer without an end is cut off, one that is no text is named.
#[test]
fn the_dialogue_takes_anything() {
    let folder = Folder::new("wrong-answers");
    std::fs::create_dir_all(folder.0.join("7/v1")).unwrap();
    std::fs::write(folder.0.join("7/v1/commit"), "no record").unwrap();
    let restart = |input: &[u8]| talk("restart", &[&folder.option()], input);
    refused(&restart(&[b'7'; 1 << 20]), 4, "nothing was chosen");
    refused(&restart(b"\xff\n"), 1, "standard input: ");
    refused(&restart(b""), 4, "nothing was chosen");
    refused(&restart(b"7\n\n"), 24, "is damaged");
}
