// SPDX-License-Identifier: GPL-2.0
//! Lists what was checkpointed, and restarts a version of it.
use chrono::Local;
use clap::Parser;
use nix::unistd::dup;
use ssi_core::abi::RESTART_STOPPED;
use ssi_tools::args::{absolute, Media, Restart};
use ssi_tools::exit::{end, Exit, Fault};
use ssi_tools::{call, export, memory, picker, report, restart, status, store};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Restart::parse();
    end("restart", run(&args))
}

fn run(args: &Restart) -> Result<ExitCode, Fault> {
    let store = args.media.store(args.store.as_deref())?;
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
    restart(args, &store, &chosen)
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
        let file = File::open(what)
            .map_err(|error| Fault::new(Exit::NoSuchVersion, format!("{what}: {error}")))?;
        export::unpack(BufReader::with_capacity(1 << 20, file), &what, store)?
    };
    Ok((unpacked.application, Some(unpacked.version)))
}

fn list(args: &Restart, store: &Path) -> Result<(), Fault> {
    let mut versions = store::list(store)?;
    if let Some(what) = &args.what {
        let own = what.parse::<u64>().map_err(|_| {
            Fault::new(
                Exit::Usage,
                format!("{what}: --list takes the id of an application"),
            )
        })?;
        versions.retain(|version| version.application == own);
    }
    if args.json {
        println!("{}", status::json(&versions)?);
    } else {
        print!("{}", picker::table(&versions, Local::now()));
    }
    Ok(())
}

fn pick(args: &Restart, store: &Path) -> Result<(u64, u32), Fault> {
    let versions = store::list(store)?;
    if versions.is_empty() {
        let text = format!(
            "no checkpoint in {}; name another store with --store",
            store.display()
        );
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

/// The file that takes the output, made if need be with the rights of the user.
fn output_file(path: &Path) -> Result<PathBuf, Fault> {
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path);
    let wrong = |error| Fault::new(Exit::System, format!("{}: {error}", path.display()));
    file.map_err(wrong).and_then(|_| absolute(path))
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

fn restart(args: &Restart, store: &Path, chosen: &store::Version) -> Result<ExitCode, Fault> {
    let nodes = args.usable()?;
    let output = args.output.as_deref().map(output_file).transpose()?;
    let system = |error: std::io::Error| Fault::new(Exit::System, error.to_string());
    // The report goes where it would have gone before a substitution.
    let mut out = File::from(dup(std::io::stdout()).map_err(|errno| system(errno.into()))?);
    for one in &args.substitute {
        restart::substitute(one.descriptor, &one.file)?;
    }
    let done = restart::run(&call::Restart {
        application: chosen.application,
        version: chosen.version,
        store,
        output: output.as_deref(),
        flags: if args.stopped { RESTART_STOPPED } else { 0 },
        nodes,
    })?;
    if args.media == Media::Disk {
        reserve(store, chosen);
    }
    let told = report::Restart::new(chosen.application, chosen.version, &done);
    let told = match args.json {
        true => status::json(&told)?,
        false => told.to_string(),
    };
    writeln!(out, "{told}").map_err(system)?;
    match args.foreground {
        true => restart::follow(done.pid),
        false => Ok(ExitCode::SUCCESS),
    }
}
