// SPDX-License-Identifier: GPL-2.0
//! Lists what was checkpointed, and restarts a version of it.
use chrono::Local;
use clap::Parser;
use ssi_tools::args::{absolute, Restart};
use ssi_tools::exit::{finish, Exit, Fault};
use ssi_tools::message::{explain, Subject};
use ssi_tools::{call, picker, progress, report, status, store};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Restart::parse();
    finish("restart", || run(&args))
}

fn run(args: &Restart) -> Result<(), Fault> {
    let store = absolute(&args.store)?;
    if args.list {
        return list(args, &store);
    }
    let (application, version) = match args.application {
        Some(application) => (application, args.version_number),
        None => {
            let (application, version) = pick(args, &store)?;
            (application, Some(version))
        }
    };
    let chosen = store::choose(&store, application, version)?;
    restart(args, &store, &chosen)
}

fn list(args: &Restart, store: &Path) -> Result<(), Fault> {
    let mut versions = store::list(store)?;
    versions.retain(|version| {
        args.application
            .is_none_or(|own| own == version.application)
    });
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

fn restart(args: &Restart, store: &Path, chosen: &store::Version) -> Result<(), Fault> {
    let output = args.output.as_deref().map(output_file).transpose()?;
    let what = call::Restart {
        application: chosen.application,
        version: chosen.version,
        store,
        output: output.as_deref(),
    };
    let subject = Subject {
        pid: None,
        version: Some((chosen.application, chosen.version)),
        store: store.display().to_string(),
    };
    let done = progress::shown(|| call::restart(&what));
    let done = done.map_err(|error| explain(&error, &subject))?;
    let done = report::Restart::new(chosen.application, chosen.version, &done);
    if args.json {
        println!("{}", status::json(&done)?);
    } else {
        println!("{done}");
    }
    Ok(())
}
