// SPDX-License-Identifier: GPL-2.0
//! Takes a checkpoint of the application to which a process belongs, freezes it, or ends it.
use nix::sys::signal::Signal;
use ssi_core::abi::{
    CheckpointReport, CHECKPOINT_CONTINUE, CHECKPOINT_COPIES, CHECKPOINT_EXTERNAL_ENDS,
    CHECKPOINT_HOLD, CHECKPOINT_PROCESS_ONLY, CHECKPOINT_SIGNAL_ONLY,
};
use ssi_tools::args::{Checkpoint, Copies};
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::made::Made;
use ssi_tools::{call, checkpoint, export, report, status, store, tool};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run(run)
}

fn run(args: &Checkpoint) -> Result<(), Fault> {
    let store = args.media.store(args.store.as_deref())?;
    let kept = args.kept()?;
    let (flags, signal) = wanted(args, &kept);
    let out = args.exportable.as_deref().map(Export::open).transpose()?;
    // Started by a process of the application, it would wait for itself to come to rest. Where
    // this fails, the call below says why.
    let _ = call::capset(0, 0);
    let done = checkpoint::take(&call::Checkpoint {
        flags,
        pid: args.pid,
        store: &store,
        description: args.description.as_deref().unwrap_or_default(),
        signal,
        keep: kept.keep,
    })?;
    // A version that could not be exported is there all the same: it is told first.
    let text = told(args, &done)?;
    let said = match &out {
        Some(Export::Stdout) => {
            tool::note(text);
            Ok(())
        }
        Some(Export::File(..)) | None => tool::report(text),
    };
    let folder = store::folder_of(&store, done.application, done.version);
    out.map_or(Ok(()), |out| out.pack(&folder)).and(said)
}

fn told(args: &Checkpoint, done: &CheckpointReport) -> Result<String, Fault> {
    if args.freeze || args.unfreeze.is_some() {
        let what = if args.freeze { "frozen" } else { "goes on" };
        let done = report::Signalled::new(what, done);
        return if args.json {
            status::json(&done)
        } else {
            Ok(done.to_string())
        };
    }
    let done = report::Checkpoint::from(done);
    if args.json {
        status::json(&done)
    } else {
        Ok(done.to_string())
    }
}

/// The flags and the signal of the call.
fn wanted(args: &Checkpoint, kept: &Copies) -> (u32, u32) {
    let flag = |given: bool, flag: u32| if given { flag } else { 0 };
    let options = flag(args.process_only, CHECKPOINT_PROCESS_ONLY)
        | flag(args.external_ends, CHECKPOINT_EXTERNAL_ENDS)
        | flag(kept.two, CHECKPOINT_COPIES);
    // CAST: signals are 1 to 64. Where nothing is saved, streams to outside are no matter.
    let number = |signal: Signal| signal as i32 as u32;
    let only = options | CHECKPOINT_EXTERNAL_ENDS | CHECKPOINT_SIGNAL_ONLY;
    match (args.freeze, args.unfreeze, args.kill) {
        (true, _, _) => (only, number(Signal::SIGSTOP)),
        (_, Some(signal), _) => (only | CHECKPOINT_CONTINUE, signal.map_or(0, number)),
        (_, _, Some(signal)) => (
            options | CHECKPOINT_HOLD,
            number(signal.unwrap_or(Signal::SIGKILL)),
        ),
        (false, None, None) => (options, 0),
    }
}

/// Where an exportable version goes.
enum Export<'a> {
    Stdout,
    File(&'a Path, Made),
}

impl Export<'_> {
    /// Before the checkpoint, so that what cannot be written is known in time.
    fn open(path: &Path) -> Result<Export<'_>, Fault> {
        if path.as_os_str() == "-" {
            return Ok(Export::Stdout);
        }
        let file = Made::anew(path).map_err(|error| unwritable(path, &error))?;
        Ok(Export::File(path, file))
    }

    fn pack(self, folder: &Path) -> Result<(), Fault> {
        match self {
            Export::Stdout => export::pack(
                folder,
                std::io::stdout().lock(),
                Path::new("standard output"),
            ),
            Export::File(path, made) => {
                let wrong = |error| unwritable(path, &error);
                made.clear().map_err(wrong)?;
                export::pack(folder, made.file(), path)?;
                made.file().sync_all().map_err(wrong)?;
                made.keep();
                Ok(())
            }
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Exit::Media, format!("{}: {error}", path.display()))
}
