// SPDX-License-Identifier: GPL-2.0
//! The golden tables as lists of rows, and which of them were never taken.
use super::{Pair, Protocol};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const CHECKPOINT: &str = include_str!("../../../rust/ssi-core/src/checkpoint.table.txt");
const COPY: &str = include_str!("../../../rust/ssi-core/src/copy.table.txt");
const SURVEY: &str = include_str!("../../../rust/ssi-core/src/survey.table.txt");
const RESTART: &str = include_str!("../../../rust/ssi-core/src/restart.table.txt");

/// A row: whose table, state, and the event with who it comes from.
pub type Row = (&'static str, String, String);

/// The rows of all tables.
#[derive(Debug, Default)]
pub struct Rows {
    /// Those in which an event does something.
    pub possible: BTreeSet<Row>,
    /// Those in which it would, and is proven not to come.
    pub never: BTreeSet<Row>,
}

/// The rows of all tables, but for those in which an event is ignored or impossible.
pub fn rows() -> &'static Rows {
    static ROWS: LazyLock<Rows> = LazyLock::new(|| {
        let mut rows = Rows::default();
        let checkpoint = [("root", "checkpoint root"), ("agent", "checkpoint agent")];
        read(CHECKPOINT, &checkpoint, &mut rows);
        let restart = [("root", "restart root"), ("agent", "restart agent")];
        read(RESTART, &restart, &mut rows);
        let copy = [
            ("sender", "copy sender"),
            ("keeper", "copy keeper"),
            ("seal", "copy seal"),
        ];
        read(COPY, &copy, &mut rows);
        read(SURVEY, &[("survey", "survey")], &mut rows);
        rows
    });
    &ROWS
}

fn read(text: &'static str, names: &[(&str, &'static str)], rows: &mut Rows) {
    let mut at: Option<(&'static str, &str)> = None;
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [machine, state, "after", ..] = words[..] {
            let named = names.iter().find(|(name, _)| *name == machine);
            at = named.map(|(_, name)| (*name, state));
        }
        let Some((event, does)) = line.split_once(" -> ").filter(|_| line.starts_with("  ")) else {
            continue;
        };
        if let Some((name, state)) = at {
            let row = (
                name,
                state.to_owned(),
                event_of((name, state), event.trim()),
            );
            match does.contains("(never: ") {
                true => rows.never.insert(row),
                false => rows.possible.insert(row),
            };
        }
    }
}

/// The event as the simulator names it.
fn event_of((table, state): (&str, &str), event: &str) -> String {
    if table == "survey" {
        return event.split(' ').next().unwrap_or(event).to_owned();
    }
    if table.starts_with("copy") {
        return copy_event_of(event);
    }
    let restart = table.starts_with("restart");
    match event.split_once(": ") {
        // Which part or participant it is about makes no other row.
        Some((_, message)) if restart => message.split(' ').next().unwrap_or(message).to_owned(),
        // Nobody has engaged it, and it has enlisted nobody.
        Some((_, message)) if state == "Fresh" => format!("stranger: {message}"),
        Some((who, message)) if table == "checkpoint root" => {
            // The root has no parent: what its table calls one is any node.
            let who = if who == "parent" { "stranger" } else { who };
            format!("{who}: {message}")
        }
        Some(_) => event.to_owned(),
        None => match event.split_whitespace().collect::<Vec<_>>()[..] {
            ["PeerDown", _] if restart => String::from("PeerDown"),
            ["PeerDown", "parent"] if table == "checkpoint root" => {
                String::from("stranger: PeerDown")
            }
            ["PeerDown", who] => format!("{who}: PeerDown"),
            [name, ..] => name.to_owned(),
            [] => String::new(),
        },
    }
}

/// The same for second copies: whom it is about, and how much of it, makes no other
/// row.
fn copy_event_of(event: &str) -> String {
    let event = event.split_once(": ").map_or(event, |(_, event)| event);
    match event.split_whitespace().collect::<Vec<_>>()[..] {
        ["PeerDown" | "Took", ..] => event.split(' ').next().unwrap_or(event).to_owned(),
        _ => event.to_owned(),
    }
}

/// The row that a pair belongs to.
pub fn row_of(pair: &Pair) -> Row {
    let (protocol, state, who, event) = *pair;
    let name = match protocol {
        Protocol::Checkpoint { root: true } => "checkpoint root",
        Protocol::Checkpoint { root: false } => "checkpoint agent",
        Protocol::RestartRoot => "restart root",
        Protocol::RestartAgent => "restart agent",
        Protocol::Sender => "copy sender",
        Protocol::Keeper => "copy keeper",
        Protocol::Seal => "copy seal",
        Protocol::Survey => "survey",
    };
    let event = match who {
        "" => event.to_owned(),
        who => format!("{who}: {event}"),
    };
    (name, state.to_owned(), event)
}

/// The rows that none of `pairs` belongs to.
pub fn missed(pairs: impl Iterator<Item = Pair>) -> BTreeSet<Row> {
    let taken: BTreeSet<Row> = pairs.map(|pair| row_of(&pair)).collect();
    rows().possible.difference(&taken).cloned().collect()
}

/// How much was taken, and a line for every row that was not.
pub fn report(pairs: impl Iterator<Item = Pair>) -> String {
    let (all, missed) = (rows().possible.len(), missed(pairs));
    let (taken, never) = (all - missed.len(), rows().never.len());
    let mut text = format!(
        "{taken} of {all} rows of the golden tables taken, {never} are proven impossible\n"
    );
    for (table, state, event) in missed {
        text += &format!("  never: {table:<16} {state:<12} {event}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read() {
        let rows = rows();
        let row = |table, state: &str, event: &str| (table, state.to_owned(), event.to_owned());
        assert!(rows
            .possible
            .contains(&row("checkpoint root", "Stopping", "Link")));
        assert!(rows
            .possible
            .contains(&row("checkpoint agent", "Written", "parent: Done")));
        assert!(rows
            .possible
            .contains(&row("restart agent", "Building", "PeerDown")));
        let stranger = row("copy sender", "Offered", "PeerDown");
        assert!(rows.possible.contains(&stranger));
        let alone = row("copy sender", "Fresh", "Start alone");
        assert!(rows.possible.contains(&alone));
        let silent = row("survey", "Asking", "Deadline");
        assert!(rows.possible.contains(&silent));
        assert!(rows.never.contains(&row("copy keeper", "Kept", "give up")));
        assert!(rows.possible.len() > 100);
        let never = row("checkpoint agent", "Stopped", "HostFailed");
        assert!(rows.never.contains(&never));
        assert!(rows.possible.is_disjoint(&rows.never));
    }
}
