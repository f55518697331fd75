// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim`: runs the protocols on a simulated cluster.
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match ssi_sim::command::Command::parse().run() {
        Ok(code) => code,
        Err(why) => {
            eprintln!("ssi-sim: {why}");
            ssi_sim::command::USAGE()
        }
    }
}
