// SPDX-License-Identifier: GPL-2.0
//! `ssi-sim show`: a trace as text in fixed columns, or as a message sequence chart.

use super::FINE;
use crate::cost::chart::write;
use crate::trace::record::{load, Fact, Protocol, Record};
use crate::trace::sequence::chart;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which records of which trace.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What `ssi-sim run --trace` wrote.
    trace: PathBuf,
    /// Only what this node did, or was sent.
    #[arg(long)]
    node: Option<u32>,
    /// Only what is about this process.
    #[arg(long)]
    pid: Option<u32>,
    /// Only this protocol; may be given several times.
    #[arg(long, value_enum)]
    protocol: Vec<Protocol>,
    /// Only this operation: its root and number, as in 1.2.
    #[arg(long, value_name = "ROOT.NUMBER")]
    op: Option<String>,
    /// Draws the messages into this SVG file, in place of printing.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

impl Arguments {
    /// Prints or draws.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn run(&self) -> Result<ExitCode, String> {
        let op = self.op.as_deref().map(operation).transpose()?;
        let mut records = load(&self.trace)?;
        records.retain(|record| self.wants(record, op));
        if let Some(file) = &self.chart {
            write(file, &chart(&records)?)?;
            return Ok(FINE);
        }
        let mut out = std::io::stdout().lock();
        for record in &records {
            if writeln!(out, "{record}").is_err() {
                // Who reads has seen enough.
                break;
            }
        }
        Ok(FINE)
    }

    fn wants(&self, record: &Record, op: Option<(u32, u32)>) -> bool {
        let sent_to = match &record.fact {
            Fact::Message { to, .. } => Some(*to),
            Fact::Step { .. } | Fact::Text(_) => None,
        };
        self.node
            .is_none_or(|node| record.node == node || sent_to == Some(node))
            && self.pid.is_none_or(|pid| record.pid == pid)
            && (self.protocol.is_empty() || self.protocol.contains(&record.protocol))
            && op.is_none_or(|op| record.op == op)
    }
}

/// A root and a number.
fn operation(text: &str) -> Result<(u32, u32), String> {
    text.split_once('.')
        .and_then(|(root, number)| Some((root.parse().ok()?, number.parse().ok()?)))
        .ok_or(format!("--op: `{text}` is not ROOT.NUMBER"))
}
