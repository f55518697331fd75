// SPDX-License-Identifier: GPL-2.0
//! Prints, checks and compares images of checkpoints, on any machine.
use ssi_tools::args::{Image, ImageCommand};
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::export;
use ssi_tools::image::show::{print, Form};
use ssi_tools::image::{check, diff, unreadable, Target};
use ssi_tools::report::bytes;
use ssi_tools::status::json;
use ssi_tools::tool::{self, unwritten};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run(run)
}

fn run(args: &Image) -> Result<(), Fault> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let form = if args.json { Form::Json } else { Form::Text };
    let target = |text: &str| Target::parse(text, &args.store);
    let done = match &args.command {
        ImageCommand::Print { image } => print(&target(image)?, form, &mut out),
        ImageCommand::Verify { images } => images
            .iter()
            .try_for_each(|image| verify(image, &target(image)?, form, &mut out)),
        ImageCommand::Diff { old, new } => compare(&target(old)?, &target(new)?, form, &mut out),
    };
    out.flush().map_err(unwritten).and(done)
}

fn verify(name: &str, target: &Target, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
    let sums = match target {
        Target::Version(folder) => check::folder(folder)?,
        Target::Exported(path) => {
            let file = File::open(path);
            let file = file.map_err(|error| unreadable(&name, &error))?;
            export::verify(BufReader::with_capacity(1 << 20, file), &name)?
        }
        Target::Part(_) | Target::Commit(_) => {
            let why = format!("{name}: only a whole version can be verified: name its folder");
            return Err(Fault::new(Exit::Usage, why));
        }
    };
    let done = match form {
        Form::Json => writeln!(out, "{}", json(&sums)?),
        Form::Text => writeln!(
            out,
            "version {} of application {} is whole: {} processes of {} nodes, {} records, {} \
             pages, {}",
            sums.version,
            sums.application,
            sums.processes,
            sums.nodes,
            sums.records,
            sums.pages,
            bytes(sums.bytes)
        ),
    };
    done.map_err(unwritten)
}

fn compare(old: &Target, new: &Target, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
    let changes = diff::diff(old, new)?;
    for change in &changes {
        let done = match form {
            Form::Json => writeln!(out, "{}", json(change)?),
            Form::Text => writeln!(out, "{change}"),
        };
        done.map_err(unwritten)?;
    }
    match changes.len() {
        0 => Ok(()),
        count => Err(Fault::new(Exit::Differs, format!("{count} differences"))),
    }
}
