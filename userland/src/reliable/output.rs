// SPDX-License-Identifier: GPL-2.0
//! What a job writes, shown while it is written; and what its supervisors have to say.
use crate::tool::note;
use chrono::{SecondsFormat, Utc};
use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Most bytes shown at once.
const CHUNK: u64 = 1 << 20;

/// Shows a file that grows. After a restart it is shorter and grows again; what was shown is not
/// shown twice.
pub struct Tail {
    path: PathBuf,
    shown: u64,
}

impl Tail {
    /// Shows `path` from byte `from` on.
    pub fn new(path: &Path, from: u64) -> Tail {
        Tail {
            path: path.into(),
            shown: from,
        }
    }

    /// Copies what is new to `to`.
    pub fn show(&mut self, to: &mut impl Write) -> Result<()> {
        let Ok(mut file) = File::open(&self.path) else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(self.shown))?;
        loop {
            let mut bytes = Vec::new();
            Read::by_ref(&mut file)
                .take(CHUNK)
                .read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                return to.flush();
            }
            to.write_all(&bytes)?;
            self.shown += bytes.len() as u64;
        }
    }
}

/// Where supervisors write what they do.
pub struct Log {
    path: PathBuf,
    node: u32,
    /// Whether somebody looks at standard error.
    pub aloud: bool,
}

impl Log {
    /// The log at `path`, for this node.
    pub fn new(path: &Path, node: u32) -> Log {
        Log {
            path: path.into(),
            node,
            aloud: false,
        }
    }

    /// Adds a line.
    pub fn say(&self, text: &str) {
        if self.aloud {
            note(format_args!("reliable_run: {text}"));
        }
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let line = format!("{now} node {}: {}\n", self.node, text.trim_end());
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path);
        // A log that cannot be written must not end what it is about.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let path = std::env::temp_dir().join(format!("ssi-tail-{}", std::process::id()));
        let mut tail = Tail::new(&path, 0);
        let mut shown = Vec::new();
        tail.show(&mut shown).unwrap();
        for text in ["one\n", "one\ntwo\n", "one\n", "one\ntwo\nthree\n"] {
            std::fs::write(&path, text).unwrap();
            tail.show(&mut shown).unwrap();
        }
        assert_eq!(shown, b"one\ntwo\nthree\n");
        std::fs::remove_file(&path).unwrap();
    }
}
