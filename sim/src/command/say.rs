// SPDX-License-Identifier: GPL-2.0
//! Standard output.
use std::fmt::Display;
use std::io::{stdout, Write};

/// Writes a line, or several. Where that fails, because the reader has seen enough or the disk is
/// full, nobody hears what the run would still find: the program ends with one line.
pub fn say(text: impl Display) {
    let text = text.to_string();
    let mut out = stdout().lock();
    if let Err(error) = writeln!(out, "{}", text.trim_end_matches('\n')) {
        eprintln!("ssi-sim: standard output: {error}");
        std::process::exit(2);
    }
}
