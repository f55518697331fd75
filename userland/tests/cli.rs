// SPDX-License-Identifier: GPL-2.0
//! The tools as a user meets them on a machine without the module: bad input changes nothing and
//! ends with its own message and code.
#[path = "support/tool.rs"]
mod tool;

use ssi_core::image::commit::{emit, Commit, COMMIT_BYTES_MAX};
use ssi_core::node::{NodeId, NodeSet};
use std::path::{Path, PathBuf};
use tool::{refused, run, talk};
use xxhash_rust::xxh64::xxh64;

const CHECKPOINT: &str = env!("CARGO_BIN_EXE_checkpoint");
const RESTART: &str = env!("CARGO_BIN_EXE_restart");
const RUN: &str = env!("CARGO_BIN_EXE_ssi-run");
const CAP: &str = env!("CARGO_BIN_EXE_ssi-cap");
const CTL: &str = env!("CARGO_BIN_EXE_ssictl");

/// A store of its own for each test, removed at the end.
struct Store(PathBuf);

impl Store {
    fn new(test: &str) -> Store {
        let path = std::env::temp_dir().join(format!("ssi-cli-{}-{test}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Store(path)
    }

    fn commit(&self, application: u64, version: u32, description: &str) -> PathBuf {
        let mut nodes = NodeSet::EMPTY;
        nodes.insert(NodeId::new(1).unwrap());
        nodes.insert(NodeId::new(3).unwrap());
        let commit = Commit {
            application,
            version,
            pid: 1 << 22 | 300,
            date: 1_000_000,
            nodes,
            processes: 3,
            threads: 4,
            streams: 2,
            uid: 0,
            stream_bytes: 77,
            bytes: 4096,
            digest: 1,
            description_len: 0,
            reserved: 0,
        };
        let mut bytes = [0; COMMIT_BYTES_MAX];
        let len = emit(&commit, description, |data| xxh64(data, 0), &mut bytes).unwrap();
        let folder = self
            .0
            .join(application.to_string())
            .join(format!("v{version}"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("commit");
        std::fs::write(&path, &bytes[..len]).unwrap();
        path
    }

    fn option(&self) -> String {
        format!("--store={}", self.0.display())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[40] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_pid_is_a_number() {
    refused(&run(CHECKPOINT, &["notanumber"]), 2, "notanumber");
    refused(&run(CHECKPOINT, &["0"]), 2, "0");
    refused(&run(CHECKPOINT, &["1073741824"]), 2, "1073741824");
    refused(&run(CHECKPOINT, &[]), 2, "PID");
    refused(&run(CAP, &["-1"]), 2, "-1");
}

#[test]
fn media_that_do_not_exist_are_refused() {
    refused(&run(CHECKPOINT, &["--media=paper", "5"]), 2, "paper");
}

#[test]
fn copies_that_contradict_are_refused() {
    let refuse = |args: &[&str], words: &str| refused(&run(CHECKPOINT, args), 2, words);
    refuse(&["--copies=3", "5"], "3");
    refuse(&["--copies=0", "5"], "0");
    refuse(&["--keep=2", "5"], "--keep needs --copies=2");
    refuse(&["--keep=0", "--copies=2", "5"], "0");
    refuse(&["--copies=2", "--exportable=-", "5"], "--exportable");
    refuse(&["--media=memory", "--store=/x", "5"], "leave --store out");
    refuse(&["--media=memory", "--copies=1", "5"], "two copies");
    refuse(&["--media=memory", "--freeze", "5"], "stay on the nodes");
    refused(
        &run(RESTART, &["--media=memory", "--store=/x", "7"]),
        2,
        "leave --store out",
    );
    refused(&run(CTL, &["limits", "--memory=lots"]), 2, "512MiB");
}

#[test]
fn without_its_memory_a_node_says_what_to_do() {
    refused(
        &run(CHECKPOINT, &["--media=memory", "5"]),
        5,
        "ssictl limits --memory",
    );
}

#[test]
fn a_description_has_a_limit() {
    let long = "x".repeat(256);
    refused(&run(CHECKPOINT, &["-d", &long, "5"]), 2, "at most 255");
}

#[test]
fn without_the_module_every_tool_says_so() {
    let words = "modprobe ssi";
    refused(&run(CHECKPOINT, &["5"]), 3, words);
    refused(&run(CAP, &[]), 3, words);
    refused(&run(CAP, &["--set", "5"]), 3, words);
    refused(&run(CTL, &["status"]), 3, words);
    refused(&run(CTL, &["leave"]), 3, words);
    refused(&run(CTL, &["drain"]), 3, words);
    let store = Store::new("module");
    store.commit(7, 1, "");
    refused(&run(RESTART, &[&store.option(), "7"]), 3, words);
}

#[test]
fn without_the_module_nothing_is_run() {
    let outcome = run(RUN, &["echo", "ran"]);
    refused(&outcome, 3, "modprobe ssi");
    assert_eq!(outcome.text(), "");
}

#[test]
fn a_missing_configuration_is_named() {
    refused(
        &run(CTL, &["join", "--config=/nonexistent.toml"]),
        5,
        "/nonexistent.toml",
    );
}

#[test]
fn a_list_shows_what_was_committed_and_nothing_else() {
    let store = Store::new("list");
    store.commit(48657, 2, "Biologic\x1b[2J Comp.");
    store.commit(48657, 1, "");
    std::fs::create_dir_all(store.0.join("96318/v1/node-1")).unwrap();
    std::fs::create_dir_all(store.0.join("lost+found")).unwrap();
    std::fs::write(store.0.join("5"), "no folder").unwrap();
    let outcome = run(RESTART, &["--list", &store.option()]);
    assert_eq!(outcome.code, 0);
    assert_eq!(
        outcome.text(),
        "Id.      Vers  Date          Description\n\
         48657    1     Jan 12  1970  No description\n\
         48657    2     Jan 12  1970  Biologic\u{fffd}[2J Comp.\n"
    );
}

#[test]
fn a_list_is_json_on_demand() {
    let store = Store::new("json");
    store.commit(7, 1, "one");
    flip(&store.commit(7, 2, "two"));
    let outcome = run(RESTART, &["--list", "--json", &store.option()]);
    let list: serde_json::Value = serde_json::from_str(&outcome.text()).unwrap();
    assert_eq!(list[0]["whole"]["description"], "one");
    assert_eq!(list[0]["whole"]["nodes"], serde_json::json!([1, 3]));
    assert_eq!(list[1]["version"], 2);
    assert!(list[1]["damaged"].is_string());
}

#[test]
fn a_missing_version_or_store_is_named() {
    let store = Store::new("missing");
    store.commit(7, 1, "");
    refused(
        &run(RESTART, &[&store.option(), "8"]),
        23,
        "no application 8",
    );
    refused(
        &run(RESTART, &[&store.option(), "7", "2"]),
        23,
        "version 2 of application 7",
    );
    refused(
        &run(RESTART, &["--list", "--store=/nonexistent"]),
        23,
        "/nonexistent",
    );
    for args in [vec!["--list"], vec!["--list", "--json"]] {
        let outcome = run(RESTART, &[&args[..], &[&store.option(), "8"]].concat());
        refused(&outcome, 23, "no application 8");
        assert_eq!(outcome.text(), "");
    }
}

#[test]
fn a_damaged_commit_record_is_refused() {
    let store = Store::new("damaged");
    let path = store.commit(7, 1, "");
    flip(&path);
    refused(
        &run(RESTART, &[&store.option(), "7"]),
        24,
        "version 1 of application 7 is damaged",
    );
    std::fs::write(&path, "").unwrap();
    refused(
        &run(RESTART, &[&store.option(), "7", "1"]),
        24,
        "is damaged",
    );
    std::fs::write(&path, vec![0; 1 << 20]).unwrap();
    refused(
        &run(RESTART, &[&store.option(), "7", "1"]),
        24,
        "is damaged",
    );
    let whole = std::fs::read(store.commit(7, 2, "")).unwrap();
    std::fs::write(&path, whole).unwrap();
    refused(
        &run(RESTART, &[&store.option(), "7", "1"]),
        24,
        "it is version 2",
    );
}

#[test]
fn signals_and_nodes_have_names() {
    refused(&run(CHECKPOINT, &["--kill=NOSUCH", "5"]), 2, "NOSUCH");
    refused(
        &run(CHECKPOINT, &["--freeze", "--kill", "5"]),
        2,
        "cannot be used with",
    );
    refused(
        &run(CHECKPOINT, &["--freeze", "--exportable=x", "5"]),
        2,
        "cannot be used with",
    );
    refused(
        &run(RESTART, &["--nodes=3-1", "5"]),
        2,
        "3-1 goes backwards",
    );
    refused(&run(RESTART, &["--avoid=255", "5"]), 2, "255");
    refused(&run(RESTART, &["--substitute=3=x", "5"]), 2, "0=FILE");
    refused(
        &run(RESTART, &["--foreground", "--stopped", "5"]),
        2,
        "cannot be used with",
    );
    for way in [
        "--kill",
        "--kill=TERM",
        "--freeze",
        "--unfreeze",
        "--unfreeze=15",
    ] {
        refused(&run(CHECKPOINT, &[way, "5"]), 3, "modprobe ssi");
    }
}

#[test]
fn an_export_that_cannot_be_written_is_known_before_the_checkpoint() {
    refused(
        &run(CHECKPOINT, &["--exportable=/nonexistent/x", "5"]),
        20,
        "/nonexistent/x",
    );
}

#[test]
fn what_takes_the_place_of_a_stream_must_be_there() {
    let store = Store::new("substitute");
    store.commit(7, 1, "");
    let args = [&store.option(), "--substitute=0=/nonexistent", "7"];
    refused(&run(RESTART, &args), 1, "/nonexistent");
}

/// What stands in for a stream gets nothing of what restart says, and is gone where it is new.
#[test]
fn a_restart_that_fails_leaves_no_file() {
    let store = Store::new("fails");
    store.commit(7, 1, "");
    let file = |name: &str| store.0.join(name).display().to_string();
    std::fs::write(file("kept"), "precious").unwrap();
    for options in [
        vec![format!("--output={}", file("new"))],
        vec![format!("--substitute=1={}", file("new"))],
        vec![
            format!("--substitute=1={}", file("new")),
            format!("--substitute=2={}", file("kept")),
        ],
    ] {
        let mut args: Vec<&str> = options.iter().map(String::as_str).collect();
        let store = store.option();
        args.extend([store.as_str(), "7"]);
        refused(&run(RESTART, &args), 3, "modprobe ssi");
        assert!(!Path::new(&file("new")).exists(), "{options:?}");
        assert_eq!(std::fs::read(file("kept")).unwrap(), b"precious");
    }
    let twice = [
        "--substitute=1=/x",
        "--substitute=1=/y",
        &store.option(),
        "7",
    ];
    refused(
        &run(RESTART, &twice),
        2,
        "--substitute 1=FILE is there twice",
    );
}

#[test]
fn limits_need_no_module() {
    let outcome = run(CTL, &["limits"]);
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.text().contains("nodes of a cluster"),
        "{}",
        outcome.text()
    );
    let json = run(CTL, &["limits", "--json"]);
    let limits: serde_json::Value = serde_json::from_str(&json.text()).unwrap();
    assert_eq!(limits[0]["most"], 254);
}

/// Fast enough for a shell prompt; the best of five, because the machine may be busy.
#[test]
fn the_tools_are_fast() {
    let store = Store::new("fast");
    store.commit(7, 1, "");
    for (program, args) in [(CHECKPOINT, "--help"), (RESTART, "--list")] {
        let times = (0..5).map(|_| {
            let start = std::time::Instant::now();
            assert_eq!(run(program, &[&store.option(), args]).code, 0);
            start.elapsed()
        });
        let best = times.min().unwrap();
        assert!(best.as_millis() < 20, "{program} {args}: {best:?}");
    }
}

#[test]
fn the_dialogue_needs_no_terminal() {
    let store = Store::new("dialogue");
    store.commit(7, 1, "");
    store.commit(7, 2, "");
    let outcome = talk(RESTART, &[&store.option()], b"7\n2\n");
    assert!(outcome
        .text()
        .ends_with(" Which application to restart :  version : "));
    refused(&outcome, 3, "modprobe ssi");
    refused(
        &talk(RESTART, &[&store.option()], b"7\n"),
        4,
        "nothing was chosen",
    );
}

#[test]
fn an_empty_store_offers_nothing() {
    let store = Store::new("empty");
    refused(&run(RESTART, &[&store.option()]), 23, "no checkpoint in");
}
