// SPDX-License-Identifier: GPL-2.0
//! Lends its context to a restart: started by the kernel, of no other use.
use clap::Parser;
use ssi_tools::args::RestartHelper;
use ssi_tools::call;
use ssi_tools::exit::finish;
use ssi_tools::message::{explain, Subject};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = RestartHelper::parse();
    finish("ssi-restart-helper", || {
        call::help(args.number).map_err(|error| explain(&error, &Subject::default()))
    })
}
