// SPDX-License-Identifier: GPL-2.0
//! What has changed between two versions: records that came, went, or say something else.
use super::part::Part;
use super::value::Value;
use super::{show, unreadable, Committed, Name, Target};
use crate::exit::{Exit, Fault};
use serde::Serialize;
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::{PageRun, Runs};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Where a record stands: file, kind, subject, and the how-manieth of these.
type Key = (String, u16, u64, u32);

/// All that a version says, but for its pages.
#[derive(Default)]
struct Content {
    records: BTreeMap<Key, Value>,
    pages: BTreeMap<(String, u64), Vec<PageRun>>,
}

/// One difference.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file of both versions.
    pub file: String,
    /// The kind of record.
    pub kind: &'static str,
    /// What it is about.
    pub subject: u64,
    /// The field that differs; empty where the whole record came or went.
    pub field: String,
    /// What the old version says.
    pub old: Option<Value>,
    /// What the new version says.
    pub new: Option<Value>,
}

/// The differences between two images of the same sort.
pub fn diff(old: &Target, new: &Target) -> Result<Vec<Change>, Fault> {
    let (old, new) = match (old, new) {
        (Target::Version(_), Target::Version(_))
        | (Target::Part(_), Target::Part(_))
        | (Target::Commit(_), Target::Commit(_)) => (content(old)?, content(new)?),
        _ => {
            let why = "two versions, two parts or two commit records can be compared";
            return Err(Fault::new(Exit::Usage, why));
        }
    };
    let mut changes = Vec::new();
    let keys: BTreeSet<&Key> = old.records.keys().chain(new.records.keys()).collect();
    for key in keys {
        let sides = (old.records.get(key), new.records.get(key));
        compare(key, String::new(), sides, &mut changes);
    }
    let memories: BTreeSet<_> = old.pages.keys().chain(new.pages.keys()).collect();
    for memory in memories {
        let runs = |content: &Content| content.pages.get(memory).cloned().unwrap_or_default();
        changes.extend(pages(memory, &runs(&old), &runs(&new)));
    }
    Ok(changes)
}

fn content(target: &Target) -> Result<Content, Fault> {
    let mut content = Content::default();
    match target {
        // `diff` has sent it away.
        Target::Exported(_) => {}
        Target::Commit(path) => content.commit(path, "commit")?,
        Target::Part(path) => content.part(path, "part")?,
        Target::Version(folder) => {
            Committed::of_folder(folder)?;
            let names = Name::all(folder).map_err(|error| unreadable(&folder.display(), &error))?;
            for name in names {
                let file = name.to_string();
                match name {
                    Name::Commit => content.commit(&folder.join(&file), &file)?,
                    Name::Part(_) => content.part(&folder.join(&file), &file)?,
                    Name::Space(..) | Name::Shared(..) => {}
                }
            }
        }
    }
    Ok(content)
}

impl Content {
    fn commit(&mut self, path: &Path, file: &str) -> Result<(), Fault> {
        let shown = path.display();
        let mut from = File::open(path).map_err(|error| unreadable(&shown, &error))?;
        let committed = Committed::read(&mut from, &shown)?;
        let key = (file.to_owned(), Kind::Commit as u16, 0, 0);
        self.records.insert(key, show::committed(&committed));
        Ok(())
    }

    fn part(&mut self, path: &Path, file: &str) -> Result<(), Fault> {
        let shown = path.display();
        let from = File::open(path).map_err(|error| unreadable(&shown, &error))?;
        let mut part = Part::new(BufReader::with_capacity(1 << 20, from), &shown);
        let mut seen: BTreeMap<(u16, u64), u32> = BTreeMap::new();
        while let Some(record) = part.read()? {
            let (kind, subject) = (record.header.frame.kind, record.header.frame.subject);
            let value = show::said(&part, &record)?;
            if record.header.kind == Some(Kind::PageRuns) {
                let runs = Runs::parse(&record.payload).and_then(Iterator::collect);
                let runs: Vec<PageRun> = runs.map_err(|why| part.wrong(record.at, why))?;
                let memory = self.pages.entry((file.to_owned(), subject));
                memory.or_default().extend(runs);
                continue;
            }
            let number = seen.entry((kind, subject)).or_default();
            let key = (file.to_owned(), kind, subject, *number);
            *number = number.saturating_add(1);
            self.records.insert(key, value);
        }
        Ok(())
    }
}

fn compare(
    key: &Key,
    field: String,
    sides: (Option<&Value>, Option<&Value>),
    out: &mut Vec<Change>,
) {
    match sides {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Record(old)), Some(Value::Record(new))) => {
            // Two records of a kind have the same fields, in the same order.
            for ((name, old), (_, new)) in old.iter().zip(new) {
                let dot = if field.is_empty() { "" } else { "." };
                compare(
                    key,
                    format!("{field}{dot}{name}"),
                    (Some(old), Some(new)),
                    out,
                );
            }
        }
        (Some(Value::List(old)), Some(Value::List(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare(
                    key,
                    format!("{field}[{at}]"),
                    (old.get(at), new.get(at)),
                    out,
                );
            }
        }
        (old, new) => out.push(Change {
            file: key.0.clone(),
            kind: Kind::new(key.1).map_or("unknown", Kind::name),
            subject: key.2,
            field,
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

/// Pages of one memory whose place, number or content differs, counted.
fn pages(memory: &(String, u64), old: &[PageRun], new: &[PageRun]) -> Option<Change> {
    let key = |run: &PageRun| (run.address, run.pages, run.digest);
    let before: BTreeSet<_> = old.iter().map(key).collect();
    let after: BTreeSet<_> = new.iter().map(key).collect();
    let count = |mine: &BTreeSet<_>, other: &BTreeSet<(u64, u32, u64)>| {
        let own = mine.difference(other);
        Value::Unsigned(
            own.map(|(_, pages, _): &(u64, u32, u64)| u64::from(*pages))
                .sum(),
        )
    };
    (before != after).then(|| Change {
        file: memory.0.clone(),
        kind: Kind::PageRuns.name(),
        subject: memory.1,
        field: "pages in runs that differ".into(),
        old: Some(count(&before, &after)),
        new: Some(count(&after, &before)),
    })
}

impl std::fmt::Display for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Change {
            file,
            kind,
            subject,
            field,
            old,
            new,
        } = self;
        match (old, new) {
            (Some(old), Some(new)) => {
                write!(out, "~ {file} {kind} {subject}: {field} {old} -> {new}")
            }
            (None, Some(new)) => write!(out, "+ {file} {kind} {subject}: {field} {new}"),
            (Some(old), None) => write!(out, "- {file} {kind} {subject}: {field} {old}"),
            (None, None) => Ok(()),
        }
    }
}
