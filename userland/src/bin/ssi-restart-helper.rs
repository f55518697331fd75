// SPDX-License-Identifier: GPL-2.0
//! Lends its context to a restart: started by the kernel, of no other use.
use ssi_tools::args::RestartHelper;
use ssi_tools::message::{explain, Subject};
use ssi_tools::{call, tool};
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run(|args: &RestartHelper| {
        call::help(args.number).map_err(|error| explain(&error, &Subject::default()))
    })
}
