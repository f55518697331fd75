// SPDX-License-Identifier: GPL-2.0
//! The list of restart on a terminal: arrow keys, filter, Escape; the plain dialogue on a dumb one.
#[path = "support/folder.rs"]
mod folder;
#[path = "support/version.rs"]
mod version;

use folder::Folder;
use nix::pty::{openpty, Winsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use version::Version;

const RESTART: &str = env!("CARGO_BIN_EXE_restart");

/// What restart writes to a terminal, and its exit code; `keys` are typed once it has asked.
fn typed(store: &Folder, term: &str, asks: &str, keys: &str) -> (String, i32) {
    let size = Winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(Some(&size), None).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut command = Command::new(RESTART);
    command
        .arg(store.option())
        .env("TERM", term)
        .env("TZ", "UTC");
    let mut child = command
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    drop((command, pty.slave));
    let mut screen = File::from(pty.master);
    let (mut seen, mut sent) = (String::new(), false);
    let mut bytes = [0; 4096];
    // The end of the child is an error on the terminal's other side.
    while let Ok(count) = screen.read(&mut bytes) {
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if !sent && seen.contains(asks) {
            screen.write_all(keys.as_bytes()).unwrap();
            sent = true;
        }
    }
    (seen, child.wait().unwrap().code().unwrap())
}

/// Versions 7:1 to 7:3, of which only 7:2 is damaged: choosing it shows in the exit code.
fn store(test: &str) -> Folder {
    let store = Folder::new(test);
    for number in 1..=3 {
        let version = Version {
            application: 7,
            number,
            nodes: &[1],
            path: "/x",
        };
        let folder = version.write(&store.0);
        if number == 2 {
            std::fs::write(folder.join("commit"), "no record").unwrap();
        }
    }
    store
}

#[test]
fn arrow_keys_choose() {
    let (seen, code) = typed(&store("arrows"), "xterm", "Esc leaves", "\x1b[B\r");
    assert_eq!(code, 24, "{seen}");
    assert!(
        seen.contains("version 2 of application 7 is damaged"),
        "{seen}"
    );
}

#[test]
fn typing_filters() {
    let (seen, code) = typed(&store("filter"), "xterm", "Esc leaves", "damaged\r");
    assert_eq!(code, 24, "{seen}");
}

#[test]
fn escape_restarts_nothing() {
    let (seen, code) = typed(&store("escape"), "xterm", "Esc leaves", "\x1b");
    assert_eq!(code, 4, "{seen}");
}

#[test]
fn a_dumb_terminal_has_the_numbered_dialogue() {
    let (seen, code) = typed(&store("dumb"), "dumb", "to restart :", "7\n2\n");
    assert_eq!(code, 24, "{seen}");
    assert!(seen.contains("Id.      Vers  Date"), "{seen}");
}
