// SPDX-License-Identifier: GPL-2.0
//! A run in a file, and back: bincode, one record after the other.

use super::{Note, What};
use crate::queue::Nanos;
use serde::{Deserialize, Serialize};
use ssi_core::checkpoint::Seed;
use ssi_core::node::OpId;
use ssi_core::wire::{checkpoint, process, Body};
use std::fmt;
use std::path::Path;

/// What the file begins with: a name and the version of the format.
const MAGIC: &[u8; 8] = b"SSITRC\x01\n";

/// Longest text of a record that is believed, in bytes.
const TEXT_MAX: usize = 1 << 16;

/// Which protocol a record is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, clap::ValueEnum)]
pub enum Protocol {
    /// What users want and are told, and what goes wrong.
    Run,
    /// Membership.
    Member,
    /// Where processes are.
    Process,
    /// Checkpoints.
    Checkpoint,
    /// Second copies.
    Copy,
    /// Restarts.
    Restart,
    /// The streams of a restart.
    Stream,
    /// Versions to other stores.
    Flush,
}

/// A message or a step of a state machine, or something from outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Fact {
    /// A message was sent.
    Message {
        /// Raw id of the receiver.
        to: u32,
        /// When it comes there, unless it is lost.
        arrives: Nanos,
        /// Its name.
        name: String,
    },
    /// A state machine took an event.
    Step {
        /// State before.
        before: String,
        /// The event.
        event: String,
        /// State after.
        after: String,
    },
    /// Anything else.
    Text(String),
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: Nanos,
    /// Raw id of the node where it happened.
    pub node: u32,
    /// Of what.
    pub protocol: Protocol,
    /// Root and number of the operation, (0, 0) where there is none.
    pub op: (u32, u32),
    /// The process concerned, or 0.
    pub pid: u32,
    /// What.
    pub fact: Fact,
}

impl From<&Note> for Record {
    fn from(note: &Note) -> Record {
        let (protocol, op, pid, fact) = match &note.what {
            What::Step {
                op,
                protocol,
                before,
                event,
                after,
            } => {
                let fact = Fact::Step {
                    before: (*before).into(),
                    event: (*event).into(),
                    after: (*after).into(),
                };
                (*protocol, Some(*op), 0, fact)
            }
            What::Sent { to, arrives, body } => {
                let fact = Fact::Message {
                    to: to.raw(),
                    arrives: *arrives,
                    name: name_of(body).into(),
                };
                (protocol_of(body), body.op(), pid_of(body), fact)
            }
            What::Relayed {
                to, arrives, op, ..
            } => {
                let fact = Fact::Message {
                    to: to.raw(),
                    arrives: *arrives,
                    name: "Relay".into(),
                };
                (Protocol::Checkpoint, Some(*op), 0, fact)
            }
            other => (Protocol::Run, None, 0, Fact::Text(other.to_string())),
        };
        Record {
            at: note.at,
            node: note.node.raw(),
            protocol,
            op: op.map_or((0, 0), |op: OpId| (op.root.raw(), op.number)),
            pid,
            fact,
        }
    }
}

fn protocol_of(body: &Body) -> Protocol {
    match body {
        Body::Member(_) => Protocol::Member,
        Body::Process(_) => Protocol::Process,
        Body::Checkpoint(..) => Protocol::Checkpoint,
        Body::Copy(..) => Protocol::Copy,
        Body::Flush(..) => Protocol::Flush,
        Body::Restart(..) => Protocol::Restart,
        Body::Stream(..) => Protocol::Stream,
    }
}

pub(super) fn name_of(body: &Body) -> &'static str {
    match body {
        Body::Member(message) => message.name(),
        Body::Process(message) => message.name(),
        Body::Checkpoint(_, message) => message.name(),
        Body::Copy(_, message) => message.name(),
        Body::Flush(_, message) => message.name(),
        Body::Restart(_, message) => message.name(),
        Body::Stream(_, message) => message.name(),
    }
}

fn pid_of(body: &Body) -> u32 {
    match body {
        Body::Process(process::Message::Hosts(message)) => message.pid.raw(),
        Body::Process(process::Message::Exited(message)) => message.pid.raw(),
        Body::Process(process::Message::Where(message)) => message.pid.raw(),
        Body::Process(process::Message::At(message)) => message.pid.raw(),
        Body::Checkpoint(_, checkpoint::Message::Enlist(enlist)) => match enlist.seed {
            Seed::Target(pid) | Seed::Father(pid) | Seed::Son(pid) => pid.raw(),
            Seed::Stream { .. } => 0,
        },
        Body::Checkpoint(_, checkpoint::Message::Failed(failed)) => failed.failure.pid,
        _ => 0,
    }
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<TEXT_MAX>()
}

/// The file of these records.
///
/// # Errors
/// A record that is longer than any may be.
pub fn to_bytes(records: &[Record]) -> Result<Vec<u8>, String> {
    let mut bytes = MAGIC.to_vec();
    for record in records {
        let one = bincode::serde::encode_to_vec(record, config());
        bytes.extend(one.map_err(|why| why.to_string())?);
    }
    Ok(bytes)
}

/// The records of a file.
///
/// # Errors
/// The byte from which on it makes no sense, and why.
pub fn parse(bytes: &[u8]) -> Result<Vec<Record>, (usize, String)> {
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        return Err((0, "not a trace of this version of ssi-sim".into()));
    };
    let mut records = Vec::new();
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let wrong = |why: bincode::error::DecodeError| (at, why.to_string());
        let (record, len) = bincode::serde::decode_from_slice(rest, config()).map_err(wrong)?;
        records.push(record);
        rest = &rest[len..];
    }
    Ok(records)
}

/// The records of the file at `path`.
///
/// # Errors
/// One line with the file, the position and what is wrong there.
pub fn load(path: &Path) -> Result<Vec<Record>, String> {
    let file = path.display();
    let bytes = std::fs::read(path).map_err(|why| format!("{file}: {why}"))?;
    parse(&bytes).map_err(|(at, why)| format!("{file}: byte {at}: {why}"))
}

impl Protocol {
    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Run => "run",
            Protocol::Member => "member",
            Protocol::Process => "process",
            Protocol::Checkpoint => "checkpoint",
            Protocol::Copy => "copy",
            Protocol::Flush => "flush",
            Protocol::Restart => "restart",
            Protocol::Stream => "stream",
        }
    }
}

/// Fixed columns: milliseconds, node, protocol, operation, process, what.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, us) = (self.at / 1_000_000, self.at / 1_000 % 1_000);
        let or_dash = |there: bool, text: String| if there { text } else { "-".into() };
        let op = or_dash(self.op.1 > 0, format!("{}.{}", self.op.0, self.op.1));
        let pid = or_dash(self.pid > 0, self.pid.to_string());
        let (node, protocol) = (self.node, self.protocol.name());
        write!(
            f,
            "{ms:>8}.{us:03} {node:>4} {protocol:<10} {op:>7} {pid:>10}  "
        )?;
        match &self.fact {
            Fact::Message { to, arrives, name } => {
                let took = arrives.saturating_sub(self.at) / 1_000;
                write!(f, "{name} to {to}, {took} us")
            }
            Fact::Step {
                before,
                event,
                after,
            } => write!(f, "{before} + {event} -> {after}"),
            Fact::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::trace) fn sample() -> Vec<Record> {
        let record = |at, node, fact| Record {
            at,
            node,
            protocol: Protocol::Checkpoint,
            op: (1, 3),
            pid: 0,
            fact,
        };
        let step = Fact::Step {
            before: "Stopped".into(),
            event: "SaveSend".into(),
            after: "SavingSend".into(),
        };
        let message = Fact::Message {
            to: 2,
            arrives: 1_700_000,
            name: "SaveSend".into(),
        };
        vec![record(1_500_000, 1, message), record(1_700_000, 2, step)]
    }

    #[test]
    fn there_and_back() {
        let bytes = to_bytes(&sample()).unwrap();
        assert_eq!(parse(&bytes), Ok(sample()));
        let lines: Vec<String> = sample().iter().map(Record::to_string).collect();
        assert_eq!(
            lines[0],
            "       1.500    1 checkpoint     1.3          -  SaveSend to 2, 200 us"
        );
        assert_eq!(
            lines[1],
            "       1.700    2 checkpoint     1.3          -  Stopped + SaveSend -> SavingSend"
        );
    }

    #[test]
    fn what_is_damaged_has_a_position() {
        let bytes = to_bytes(&sample()).unwrap();
        assert_eq!(parse(b"something else").unwrap_err().0, 0);
        let first = bytes.len() - to_bytes(&sample()[1..]).unwrap().len() + MAGIC.len();
        for short in first + 1..bytes.len() {
            assert_eq!(parse(&bytes[..short]).unwrap_err().0, first, "{short}");
        }
        let mut wrong = bytes.clone();
        wrong[first + 5..].fill(255);
        assert_eq!(parse(&wrong).unwrap_err().0, first);
    }
}
