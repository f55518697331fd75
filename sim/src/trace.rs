// SPDX-License-Identifier: GPL-2.0
//! What happened in a run, one note after the other.

pub mod record;
pub mod sequence;

use crate::queue::Nanos;
use crate::world::Answer;
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::Body;
use std::fmt;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Note {
    /// When.
    pub at: Nanos,
    /// On which node.
    pub node: NodeId,
    /// What.
    pub what: What,
}

/// What there is to note.
#[derive(Clone, Debug)]
pub enum What {
    /// A state machine took an event.
    Step {
        /// Of this operation.
        op: OpId,
        /// Which protocol's.
        protocol: record::Protocol,
        /// State before.
        before: &'static str,
        /// The event.
        event: &'static str,
        /// State after.
        after: &'static str,
    },
    /// A message was sent.
    Sent {
        /// Receiver.
        to: NodeId,
        /// When it comes there, unless it is lost.
        arrives: Nanos,
        /// What it says.
        body: Body,
    },
    /// Links were sent to a child.
    Relayed {
        /// Receiver.
        to: NodeId,
        /// When they come there, unless they are lost.
        arrives: Nanos,
        /// Of this operation.
        op: OpId,
        /// How many.
        links: usize,
    },
    /// A user wants something.
    Call(String),
    /// A user was told something.
    Answer(Answer),
    /// Something went wrong.
    Trouble(String),
}

/// Notes in their order.
pub type Trace = Vec<Note>;

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, us) = (self.at / 1_000_000, self.at / 1_000 % 1_000);
        write!(
            f,
            "{ms:>8}.{us:03} node {:<3} {}",
            self.node.raw(),
            self.what
        )
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Step {
                op,
                before,
                event,
                after,
                ..
            } => {
                let (root, number) = (op.root.raw(), op.number);
                write!(f, "op {root}.{number}  {before} + {event} -> {after}")
            }
            What::Sent { to, body, .. } => {
                write!(f, "sends   {} to node {}", record::name_of(body), to.raw())
            }
            What::Relayed { to, links, .. } => {
                write!(f, "sends   Relay of {links} to node {}", to.raw())
            }

            What::Call(wish) => write!(f, "call    {wish}"),
            What::Answer(Answer::Failed(why)) => {
                write!(
                    f,
                    "answer  {:?} node {} pid {}",
                    why.code, why.node, why.pid
                )
            }
            What::Answer(Answer::Checkpointed(report)) => {
                let (processes, nodes) = (report.counts.processes, report.nodes.len());
                match report.version.number {
                    0 => write!(f, "answer  signalled")?,
                    version => write!(f, "answer  version {version}")?,
                }
                write!(f, ": {processes} processes, {nodes} nodes")
            }
            What::Answer(Answer::Restarted(report)) => {
                let (processes, moved) = (report.restored.processes, report.moved);
                write!(
                    f,
                    "answer  restarted: {processes} processes, {moved} parts moved"
                )
            }
            What::Answer(Answer::Done) => write!(f, "answer  done"),
            What::Trouble(trouble) => write!(f, "trouble {trouble}"),
        }
    }
}
