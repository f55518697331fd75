// SPDX-License-Identifier: GPL-2.0
//! A story's file: its lines, and what is wrong with them.
use crate::plan::{Media, Plan, Wanted};

/// Separates a story from its transcript.
const DASHES: &str = "----";

/// One line of a story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// A user of the node wants a checkpoint of the process.
    Checkpoint(usize, u32, Media),
    /// The same, and kills the application after it.
    CheckpointKill(usize, u32, Media),
    /// A user of the node freezes the process's application.
    Freeze(usize, u32),
    /// It goes on.
    Unfreeze(usize, u32),
    /// A user of the node wants a restart of the process's application.
    Restart(usize, u32, Media),
    /// Who called last gives up.
    Cancel,
    /// The process's application is killed.
    Kill(usize),
    /// Power cut.
    Crash(u32),
    /// The node is switched on.
    Boot(u32),
    /// The connection between two nodes breaks; both hear of it at once, or none.
    Break(u32, u32, bool),
    /// Nothing gets through from one to the other.
    Cut(u32, u32),
    /// It does again.
    Heal(u32, u32),
    /// The next act of the node's host fails.
    Fail(u32),
    /// The acts of the node's host stand still for some milliseconds.
    Hang(u32, u64),
    /// The node stands still for some milliseconds, its protocol thread, too.
    Sleep(u32, u64),
    /// The node's media takes nothing.
    Full(u32),
    /// It does again.
    Empty(u32),
    /// The node's media is so many times slower.
    Slow(u32, u64),
    /// Goes on until the node's state machine of an operation is in this state.
    Until(u32, String),
    /// Goes on for some milliseconds.
    Wait(u64),
    /// Goes on until nothing is under way.
    Stabilize,
}

/// A story.
#[derive(Clone, Debug)]
pub struct Story {
    /// The scene.
    pub plan: Plan,
    /// What happens, with the text of the line.
    pub lines: Vec<(String, Line)>,
    /// The file up to the transcript.
    pub head: String,
    /// The transcript.
    pub transcript: String,
}

impl Story {
    /// Reads a story.
    ///
    /// # Errors
    /// The number of the line, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Story, String> {
        let (head, transcript) = match text.split_once(&format!("\n{DASHES}\n")) {
            Some((head, transcript)) => (format!("{head}\n{DASHES}\n"), transcript),
            None => (format!("{}\n{DASHES}\n", text.trim_end()), ""),
        };
        let mut story = Story {
            plan: Plan::default(),
            lines: Vec::new(),
            head: head.clone(),
            transcript: transcript.to_owned(),
        };
        let mut names = Vec::new();
        for (number, line) in head.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line == DASHES {
                continue;
            }
            let done = story.line(line, &mut names);
            done.map_err(|why| format!("{}: {why}", number + 1))?;
        }
        Ok(story)
    }

    fn line(&mut self, line: &str, names: &mut Vec<String>) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        if self.scene(&words, names)? {
            return Ok(());
        }
        let process = |name: &str| {
            let found = names.iter().position(|known| known == name);
            found.ok_or(format!("no process {name}"))
        };
        let node = |word: &str| self.node(word);
        let way = |word: &str| {
            let (one, two) = word.split_once("->").ok_or(format!("{word} is no N->M"))?;
            Ok::<_, String>((node(one)?, node(two)?))
        };
        let (words, media) = match words[..] {
            [ref rest @ .., "in", name] => match Media::named(name) {
                Some(media) => (rest, media),
                None => return Err(format!("no store {name}")),
            },
            ref all => (all, Media::Shared),
        };
        let parsed = match *words {
            ["checkpoint", name, "from", at] => Line::Checkpoint(process(name)?, node(at)?, media),
            ["checkpoint", name, "from", at, "and", "kill"] => {
                Line::CheckpointKill(process(name)?, node(at)?, media)
            }
            ["freeze", name, "from", at] => Line::Freeze(process(name)?, node(at)?),
            ["unfreeze", name, "from", at] => Line::Unfreeze(process(name)?, node(at)?),
            ["restart", name, "from", at] => Line::Restart(process(name)?, node(at)?, media),
            ["cancel"] => Line::Cancel,
            ["kill", name] => Line::Kill(process(name)?),
            ["crash", at] => Line::Crash(node(at)?),
            ["boot", at] => Line::Boot(node(at)?),
            ["break", one, two] => Line::Break(node(one)?, node(two)?, true),
            ["break", one, two, "unheard"] => Line::Break(node(one)?, node(two)?, false),
            ["cut", between] => way(between).map(|(one, two)| Line::Cut(one, two))?,
            ["heal", between] => way(between).map(|(one, two)| Line::Heal(one, two))?,
            ["fail", at] => Line::Fail(node(at)?),
            ["hang", at, ms] => Line::Hang(node(at)?, number(ms)?),
            ["sleep", at, ms] => Line::Sleep(node(at)?, number(ms)?),
            ["full", at] => Line::Full(node(at)?),
            ["empty", at] => Line::Empty(node(at)?),
            ["slow", at, times] => Line::Slow(node(at)?, number(times)?),
            ["until", at, state] => Line::Until(node(at)?, state.to_owned()),
            ["wait", ms] => Line::Wait(number(ms)?),
            ["stabilize"] => Line::Stabilize,
            _ => return Err(format!("what is \"{line}\"?")),
        };
        self.lines.push((line.to_owned(), parsed));
        Ok(())
    }

    /// Lines that set the scene.
    fn scene(&mut self, words: &[&str], names: &mut Vec<String>) -> Result<bool, String> {
        let find = |name: &str| {
            let found = names.iter().position(|known| known == name);
            found.ok_or(format!("no process {name}"))
        };
        let (name, at, rest) = match words {
            ["nodes", count] => {
                self.plan.nodes = number(count)?;
                return Ok(true);
            }
            ["stream", one, two] => {
                let pair = (find(one)?, find(two)?);
                self.plan.streams.push(pair);
                return Ok(true);
            }
            ["failure", ms] => {
                self.plan.failure_ms = number(ms)?;
                return Ok(true);
            }
            ["keep", versions] => {
                self.plan.keep = number(versions)?;
                return Ok(true);
            }
            ["busy", ms] => {
                self.plan.step_ms = number(ms)?;
                return Ok(true);
            }
            ["process", name, "on", at, rest @ ..] => (name, self.node(at)?, rest),
            _ => return Ok(false),
        };
        let mut wanted = Wanted {
            node: at,
            father: None,
            capable: true,
            memory: 1 << 20,
        };
        match rest {
            [] => {}
            ["outside"] => wanted.capable = false,
            ["son", "of", father] => wanted.father = Some(find(father)?),
            _ => return Err(format!("what is \"{}\"?", rest.join(" "))),
        }
        names.push((*name).to_owned());
        self.plan.processes.push(wanted);
        Ok(true)
    }

    fn node(&self, word: &str) -> Result<u32, String> {
        let node: u32 = number(word)?;
        match node >= 1 && node <= self.plan.nodes {
            true => Ok(node),
            false => Err(format!("no node {node}")),
        }
    }
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_line() {
        let wrong = |text: &str| Story::parse(text).map(|_| ()).unwrap_err();
        assert_eq!(wrong("nodes 2\ncrash 3\n"), "2: no node 3");
        assert_eq!(wrong("# x\nnodes two\n"), "2: two is no number");
        assert_eq!(wrong("nodes 1\ncheckpoint a from 1\n"), "2: no process a");
        assert_eq!(wrong("nodes 2\ncut 1-2\n"), "2: 1-2 is no N->M");
        assert_eq!(wrong("dance\n"), "1: what is \"dance\"?");
    }
}
