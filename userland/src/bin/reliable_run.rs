// SPDX-License-Identifier: GPL-2.0
//! Runs a command to its end, whatever nodes die meanwhile.
use ssi_tools::args::absolute;
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::reliable::args::ReliableRun;
use ssi_tools::reliable::record::Request;
use ssi_tools::reliable::{commands, watch};
use ssi_tools::tool;
use std::path::PathBuf;
use std::process::ExitCode;

const NOTHING: &str = "nothing to do: name a COMMAND, or one of --resume, --wait, --checkpoint, \
                       --stop, --list, --watch; see reliable_run --help";

fn main() -> ExitCode {
    tool::run(|args| run(args).map(ExitCode::from))
}

fn run(args: &ReliableRun) -> Result<u8, Fault> {
    let stores = args
        .store
        .iter()
        .map(|store| absolute(store))
        .collect::<Result<Vec<PathBuf>, _>>()?;
    if args.watch {
        return watch::watch(&stores).map(|()| 0);
    }
    let [store] = stores.as_slice() else {
        return Err(Fault::new(Exit::Usage, "only --watch takes several stores"));
    };
    if args.list {
        return commands::list(store, args.json);
    }
    let asked = [
        (&args.checkpoint, Request::Checkpoint),
        (&args.stop, Request::Stop),
    ];
    if let Some((Some(job), request)) = asked.iter().find(|(job, _)| job.is_some()) {
        return commands::ask(store, job, *request);
    }
    match (&args.wait, &args.resume, &args.attend) {
        (Some(job), ..) => commands::wait(store, job),
        (_, Some(job), _) => commands::resume(store, job),
        (_, _, Some(job)) => commands::attend(store, job),
        _ if args.command.is_empty() => Err(Fault::new(Exit::Usage, NOTHING)),
        _ => commands::start(args, store),
    }
}
