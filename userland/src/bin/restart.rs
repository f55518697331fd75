// SPDX-License-Identifier: GPL-2.0
//! Lists what was checkpointed, and restarts a version of it.
use chrono::Local;
use ssi_core::abi::RESTART_STOPPED;
use ssi_core::node::NodeSet;
use ssi_tools::args::{absolute, Media, Restart};
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::image::unreadable;
use ssi_tools::made::{wrong, Made};
use ssi_tools::{call, export, memory, picker, report, restart, status, store, tool};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run(run)
}

fn run(args: &Restart) -> Result<ExitCode, Fault> {
    let store = args.media.store(args.store.as_deref())?;
    let nodes = args.usable()?;
    if args.media == Media::Memory {
        // The versions that it might have had do not exist.
        memory::check().map_err(|fault| Fault::new(Exit::NoSuchVersion, fault.text))?;
    }
    if args.list {
        return list(args, &store).map(|()| ExitCode::SUCCESS);
    }
    let (application, version) = match &args.what {
        Some(what) => named(args, what, &store)?,
        None => {
            let (application, version) = pick(args, &store)?;
            (application, Some(version))
        }
    };
    let chosen = store::choose(&store, application, version)?;
    restart(args, &store, nodes, &chosen)
}

/// The version that the user named: in the store, or in a file that is unpacked into it.
fn named(args: &Restart, what: &str, store: &Path) -> Result<(u64, Option<u32>), Fault> {
    if let Ok(application) = what.parse() {
        return Ok((application, args.version_number));
    }
    if args.version_number.is_some() {
        let why = format!("{what}: an exported checkpoint is one version");
        return Err(Fault::new(Exit::Usage, why));
    }
    let unpacked = if what == "-" {
        export::unpack(std::io::stdin().lock(), &"standard input", store)?
    } else {
        let file = exported(what)?;
        export::unpack(BufReader::with_capacity(1 << 20, file), &what, store)?
    };
    Ok((unpacked.application, Some(unpacked.version)))
}

fn exported(what: &str) -> Result<File, Fault> {
    let path = Path::new(what);
    if path.is_dir() {
        let why = format!("{what}: a folder; restart takes ID and VERSION, as restart --list has");
        return Err(Fault::new(Exit::Usage, why));
    }
    if matches!(path.try_exists(), Ok(false)) {
        let why =
            format!("{what:?} is neither the id of an application nor a file: restart --list");
        return Err(Fault::new(Exit::NoSuchVersion, why));
    }
    File::open(path).map_err(|error| unreadable(&what, &error))
}

fn list(args: &Restart, store: &Path) -> Result<(), Fault> {
    let own = args.what.as_deref().map(application).transpose()?;
    let mut versions = store::list(store)?;
    if let Some(own) = own {
        versions.retain(|version| version.application == own);
        if versions.is_empty() {
            return Err(store::no_application(store, own));
        }
    }
    match args.json {
        true => tool::say(status::json(&versions)?),
        false => tool::say(picker::table(&versions, Local::now())),
    }
}

fn application(what: &str) -> Result<u64, Fault> {
    let why = format!("{what}: --list takes the id of an application");
    what.parse().map_err(|_| Fault::new(Exit::Usage, why))
}

fn pick(args: &Restart, store: &Path) -> Result<(u64, u32), Fault> {
    let versions = store::list(store)?;
    if versions.is_empty() {
        let text = match args.media {
            Media::Disk => format!(
                "no checkpoint in {}; name another store with --store",
                store.display()
            ),
            Media::Memory => "no checkpoint in the memory of this node: ssictl status".into(),
        };
        return Err(Fault::new(Exit::NoSuchVersion, text));
    }
    if picker::has_terminal() {
        return picker::select(&versions, Local::now());
    }
    let input = &mut std::io::stdin().lock();
    // With --json standard output is for a program.
    if args.json {
        picker::choose(&versions, Local::now(), input, &mut std::io::stderr())
    } else {
        picker::choose(&versions, Local::now(), input, &mut std::io::stdout())
    }
}

/// What comes next in memory is newer than all that is here. Only for an application of one's own:
/// the memory would be closed to its owner.
fn reserve(store: &Path, chosen: &store::Version) {
    let user = nix::unistd::geteuid().as_raw();
    if !matches!(&chosen.content, store::Content::Whole(found) if found.uid == user) {
        return;
    }
    let application = chosen.application;
    let versions = store::list(store).unwrap_or_default();
    let own = versions
        .iter()
        .filter(|version| version.application == application);
    if let Some(newest) = own.map(|version| version.version).max() {
        memory::reserve(application, newest);
    }
}

fn restart(
    args: &Restart,
    store: &Path,
    nodes: NodeSet,
    chosen: &store::Version,
) -> Result<ExitCode, Fault> {
    let path = args.output.as_deref();
    // Made with the rights of the user.
    let made = path.map(|path| Made::appended(path).map_err(|error| wrong(path, &error)));
    let made = made.transpose()?;
    let output = path.map(absolute).transpose()?;
    let instead = restart::substitute(&args.substitute)?;
    let done = restart::run(&call::Restart {
        application: chosen.application,
        version: chosen.version,
        store,
        output: output.as_deref(),
        flags: if args.stopped { RESTART_STOPPED } else { 0 },
        nodes,
    })?;
    // The report goes where it would have gone without a substitution.
    instead.into_iter().for_each(restart::Substituted::keep);
    if let Some(made) = made {
        made.keep();
    }
    if args.media == Media::Disk {
        reserve(store, chosen);
    }
    let told = report::Restart::new(chosen.application, chosen.version, &done);
    match args.json {
        true => tool::report(status::json(&told)?)?,
        false => tool::report(told)?,
    }
    match args.foreground {
        true => restart::follow(done.pid),
        false => Ok(ExitCode::SUCCESS),
    }
}
