// SPDX-License-Identifier: GPL-2.0
//! Prints images: a line of text per record, or a line of JSON.
use super::part::{Part, Record};
use super::value::Value;
use super::{record, unreadable, Committed, Name, Target};
use crate::exit::{Exit, Fault};
use crate::tool::unwritten;
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

/// How records are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// One record, as JSON shows it.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    at: u64,
    kind: &'a str,
    subject: u64,
    bytes: u64,
    says: &'a Value,
}

/// Prints all records of `target`.
pub fn print(target: &Target, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
    match target {
        Target::Commit(path) => commit(path, &path.display().to_string(), form, out),
        Target::Part(path) => part(path, &path.display().to_string(), form, out),
        Target::Exported(path) => {
            let why = "restart unpacks it; what it unpacked can be printed";
            Err(Fault::new(
                Exit::Usage,
                format!("{}: {why}", path.display()),
            ))
        }
        Target::Version(folder) => {
            commit(&folder.join("commit"), "commit", form, out)?;
            let names = Name::all(folder).map_err(|error| unreadable(&folder.display(), &error))?;
            for name in names.iter().filter(|name| matches!(name, Name::Part(_))) {
                let shown = name.to_string();
                part(&folder.join(&shown), &shown, form, out)?;
            }
            Ok(())
        }
    }
}

/// What a commit record says.
pub fn committed(committed: &Committed) -> Value {
    let description = Value::text(committed.description.as_bytes());
    Value::of(&committed.commit).with("description", description)
}

/// What a record of a part says.
pub fn said<R: std::io::Read>(part: &Part<R>, record: &Record) -> Result<Value, Fault> {
    match record.header.kind {
        Some(kind) => record::said(kind, &record.payload).map_err(|why| part.wrong(record.at, why)),
        None => Ok(Value::bytes(&record.payload)),
    }
}

fn commit(path: &Path, file: &str, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
    let shown = path.display();
    let mut from = File::open(path).map_err(|error| unreadable(&shown, &error))?;
    let read = Committed::read(&mut from, &shown)?;
    let line = Line {
        file,
        at: 0,
        kind: "Commit",
        subject: read.commit.application,
        bytes: from.metadata().map_or(0, |meta| meta.len()),
        says: &committed(&read),
    };
    heading(file, form, out)?;
    line.print(form, out)
}

fn part(path: &Path, file: &str, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
    let shown = path.display();
    let from = File::open(path).map_err(|error| unreadable(&shown, &error))?;
    let mut part = Part::new(BufReader::with_capacity(1 << 20, from), &shown);
    heading(file, form, out)?;
    while let Some(record) = part.read()? {
        let line = Line {
            file,
            at: record.at,
            kind: record.kind(),
            subject: record.header.frame.subject,
            bytes: record.payload.len() as u64,
            says: &said(&part, &record)?,
        };
        line.print(form, out)?;
    }
    Ok(())
}

fn heading(file: &str, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
    match form {
        Form::Text => writeln!(out, "{file}").map_err(unwritten),
        Form::Json => Ok(()),
    }
}

impl Line<'_> {
    fn print(&self, form: Form, out: &mut dyn Write) -> Result<(), Fault> {
        let done = match form {
            Form::Json => writeln!(out, "{}", crate::status::json(self)?),
            Form::Text => {
                let Line {
                    at,
                    kind,
                    subject,
                    says,
                    ..
                } = self;
                writeln!(out, "{at:>10} {kind:<15} {subject:>10} {says}")
            }
        };
        done.map_err(unwritten)
    }
}
