// SPDX-License-Identifier: GPL-2.0
//! Takes a checkpoint of the application to which a process belongs.
use clap::Parser;
use ssi_core::abi::{CHECKPOINT_EXTERNAL_ENDS, CHECKPOINT_PROCESS_ONLY};
use ssi_tools::args::{absolute, Checkpoint};
use ssi_tools::exit::{finish, Fault};
use ssi_tools::message::{explain, Subject};
use ssi_tools::{call, progress, report, status};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Checkpoint::parse();
    finish("checkpoint", || run(&args))
}

fn run(args: &Checkpoint) -> Result<(), Fault> {
    let store = absolute(&args.store)?;
    let what = call::Checkpoint {
        flags: flags(args),
        pid: args.pid,
        store: &store,
        description: args.description.as_deref().unwrap_or_default(),
    };
    let subject = Subject {
        pid: Some(args.pid),
        store: store.display().to_string(),
        ..Subject::default()
    };
    let done = progress::shown(|| call::checkpoint(&what));
    let done = report::Checkpoint::from(&done.map_err(|error| explain(&error, &subject))?);
    if args.json {
        println!("{}", status::json(&done)?);
    } else {
        println!("{done}");
    }
    Ok(())
}

fn flags(args: &Checkpoint) -> u32 {
    let process_only = if args.process_only {
        CHECKPOINT_PROCESS_ONLY
    } else {
        0
    };
    let external = if args.external_ends {
        CHECKPOINT_EXTERNAL_ENDS
    } else {
        0
    };
    process_only | external
}
