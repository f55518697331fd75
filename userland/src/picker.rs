// SPDX-License-Identifier: GPL-2.0
//! The list of versions and the dialogue in which one is chosen.
use crate::exit::{Exit, Fault};
use crate::store::{Content, Version};
use crate::tool::unwritten;
use chrono::{DateTime, Local, TimeZone};
use inquire::{InquireError, Select};
use std::fmt;
use std::io::{stderr, stdin, stdout, BufRead, IsTerminal, Read, Write};

/// Times that a question is asked before the dialogue ends.
const TRIES: usize = 3;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 256;

/// Seconds after which a date is shown with its year in place of its time.
const OLD_S: i64 = 180 * 24 * 3600;

/// First line of the table.
const TITLE: &str = "Id.      Vers  Date          Description";

/// Versions that a terminal shows at once.
const PAGE: usize = 15;

/// Whether versions can be chosen with arrow keys.
pub fn has_terminal() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal() && !dumb
}

/// A line of the list in which a version is chosen.
struct Line {
    application: u64,
    version: u32,
    text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// Has a version chosen on the terminal: arrow keys move, what is typed filters, Enter chooses.
pub fn select(versions: &[Version], now: DateTime<Local>) -> Result<(u64, u32), Fault> {
    let line = |version: &Version| Line {
        application: version.application,
        version: version.version,
        text: row(version, now),
    };
    // The newest first: it is the one that is wanted most often.
    let lines: Vec<Line> = versions.iter().rev().map(line).collect();
    let question = format!("Restart which version?\n  {TITLE}\n ");
    let asked = Select::new(&question, lines).with_page_size(PAGE);
    match asked
        .with_help_message("arrows move, typing filters, Enter restarts, Esc leaves")
        .prompt()
    {
        Ok(line) => Ok((line.application, line.version)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => {
            Err(cancelled())
        }
        Err(error) => Err(Fault::new(Exit::System, error.to_string())),
    }
}

fn cancelled() -> Fault {
    let why = "nothing was chosen, nothing was restarted";
    Fault::new(Exit::Cancelled, why)
}

/// The versions as a table.
pub fn table(versions: &[Version], now: DateTime<Local>) -> String {
    let rows = versions.iter().map(|version| row(version, now) + "\n");
    format!("{TITLE}\n{}", rows.collect::<String>())
}

fn row(version: &Version, now: DateTime<Local>) -> String {
    let (date, description) = match &version.content {
        Content::Whole(summary) if summary.description.is_empty() => {
            (date(summary.date, now), "No description".into())
        }
        Content::Whole(summary) => (date(summary.date, now), summary.description.clone()),
        Content::Damaged(why) => ("-".into(), format!("damaged: {why}")),
        Content::Private(why) => ("-".into(), why.clone()),
    };
    let Version {
        application,
        version,
        ..
    } = version;
    format!("{application:<8} {version:<5} {date:<13} {description}")
}

fn date(seconds: u64, now: DateTime<Local>) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let Some(date) = Local.timestamp_opt(seconds, 0).single() else {
        return "?".into();
    };
    let age = now.timestamp().saturating_sub(seconds);
    let layout = if (0..OLD_S).contains(&age) {
        "%b %e %H:%M"
    } else {
        "%b %e  %Y"
    };
    date.format(layout).to_string()
}

/// Shows `versions` and asks which one to restart: application and version.
pub fn choose(
    versions: &[Version],
    now: DateTime<Local>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(u64, u32), Fault> {
    write(output, &format!("{}\n", table(versions, now)))?;
    let application = ask(
        input,
        output,
        " Which application to restart : ",
        |answer| {
            let id = answer.parse().map_err(|_| "an id of the list, please")?;
            let known = versions.iter().any(|version| version.application == id);
            known.then_some(id).ok_or("no such application")
        },
    )?;
    let own = || {
        versions
            .iter()
            .filter(|version| version.application == application)
    };
    let version = ask(input, output, " version : ", |answer| {
        if answer.is_empty() {
            return own()
                .next_back()
                .map(|newest| newest.version)
                .ok_or("no version");
        }
        let number = answer
            .parse()
            .map_err(|_| "a version of the list, please")?;
        let known = own().any(|version| version.version == number);
        known.then_some(number).ok_or("no such version")
    })?;
    Ok((application, version))
}

fn ask<T>(
    input: &mut impl BufRead,
    output: &mut impl Write,
    question: &str,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<T, Fault> {
    for _ in 0..TRIES {
        write(output, question)?;
        let mut line = String::new();
        let read = input.by_ref().take(ANSWER_BYTES_MAX).read_line(&mut line);
        let unread = |error| Fault::new(Exit::System, format!("standard input: {error}"));
        if read.map_err(unread)? == 0 {
            write(output, "\n")?;
            break;
        }
        match parse(line.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => write(output, &format!(" {why}\n"))?,
        }
    }
    Err(cancelled())
}

fn write(output: &mut impl Write, text: &str) -> Result<(), Fault> {
    let done = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    done.map_err(unwritten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Summary;

    fn whole(application: u64, version: u32, description: &str) -> Version {
        let content = Content::Whole(Summary {
            date: 1_000_000,
            description: description.into(),
            uid: 0,
            nodes: vec![1],
            processes: 1,
            threads: 1,
            streams: 0,
            stream_bytes: 0,
            bytes: 0,
        });
        Version {
            application,
            version,
            content,
        }
    }

    fn versions() -> Vec<Version> {
        vec![
            whole(37143, 1, ""),
            whole(48657, 1, "Biologic Comp."),
            whole(48657, 2, "two"),
        ]
    }

    fn talk(typed: &str) -> (Result<(u64, u32), Fault>, String) {
        let now = Local.timestamp_opt(1_000_100, 0).unwrap();
        let mut output = Vec::new();
        let chosen = choose(&versions(), now, &mut typed.as_bytes(), &mut output);
        (chosen, String::from_utf8(output).unwrap())
    }

    #[test]
    fn the_dialogue_of_the_paper() {
        let (chosen, seen) = talk("48657\n1\n");
        assert_eq!(chosen, Ok((48657, 1)));
        assert!(seen.starts_with("Id.      Vers  Date          Description\n37143    1     Jan 1"));
        assert!(seen.contains(" No description\n"));
        assert!(seen.ends_with(" Which application to restart :  version : "));
    }

    #[test]
    fn the_newest_version_is_the_default() {
        assert_eq!(talk("48657\n\n").0, Ok((48657, 2)));
    }

    #[test]
    fn a_wrong_answer_is_asked_again_but_not_for_ever() {
        assert_eq!(talk("x\n1\n37143\n7\n1\n").0, Ok((37143, 1)));
        let (chosen, seen) = talk("1\n2\n3\n37143\n1\n");
        assert_eq!(chosen.unwrap_err().exit, Exit::Cancelled);
        assert_eq!(seen.matches("no such application").count(), 3);
    }

    #[test]
    fn the_end_of_input_chooses_nothing() {
        assert_eq!(talk("48657\n").0.unwrap_err().exit, Exit::Cancelled);
    }
}
