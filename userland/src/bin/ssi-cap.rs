// SPDX-License-Identifier: GPL-2.0
//! Shows and sets the CHECKPOINTABLE capability of a process.
use ssi_core::abi::cap::{CHECKPOINTABLE, INHERITABLE};
use ssi_tools::args::{Cap, Give};
use ssi_tools::exit::Fault;
use ssi_tools::message::{explain_caps, Subject};
use ssi_tools::status::capabilities;
use ssi_tools::{call, tool};
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run(run)
}

fn run(args: &Cap) -> Result<(), Fault> {
    let pid = args.pid.unwrap_or_else(std::os::unix::process::parent_id);
    let subject = Subject {
        pid: Some(pid),
        ..Subject::default()
    };
    let fault = |error| explain_caps(&error, &subject);
    match wanted(args) {
        Some(caps) => call::capset(pid, caps).map_err(fault),
        None => {
            let caps = call::capget(pid).map_err(fault)?;
            tool::say(format_args!("{pid}: {}", capabilities(caps)))
        }
    }
}

fn wanted(args: &Cap) -> Option<u32> {
    if args.clear {
        return Some(0);
    }
    let usual = if args.pid.is_some() {
        Give::Both
    } else {
        Give::Children
    };
    match args.set?.unwrap_or(usual) {
        Give::Children => Some(INHERITABLE),
        Give::Both => Some(CHECKPOINTABLE | INHERITABLE),
    }
}
