// SPDX-License-Identifier: GPL-2.0
//! What can happen in a simulated cluster.
use crate::world::{Batch, ConnectionId, ProcessIx, StreamIx};
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::Body;
use std::rc::Rc;

/// A node in one of its lives: what was meant for an earlier one comes to nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct At {
    /// The node.
    pub node: NodeId,
    /// How often it was switched on before.
    pub life: u32,
}

/// An end of a connection or stream: 0 or 1.
pub type EndIx = usize;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// Time passes for the membership of a node.
    Tick(At),
    /// A timer of an operation may be over.
    Timers(At),
    /// The node has tried to connect to a peer.
    Dialled(At, NodeId),
    /// Something reaches an end of a connection between nodes.
    Arrive(ConnectionId, EndIx),
    /// The same where membership never changes and connections never break.
    Direct {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: At,
        /// What is said.
        body: Rc<Body>,
    },
    /// A batch of links, the same way.
    Relay {
        /// Receiver.
        to: At,
        /// What is said.
        batch: Rc<Batch>,
    },
    /// An act of a checkpoint on a node goes on, or is done.
    Work(At, OpId, WorkerStep),
    /// A helper of a restart goes on, or is done.
    Help(At, OpId, HelperStep),
    /// The act is done that the thread is at which keeps a copy of this node's part.
    Keep(At, OpId, NodeId),
    /// An act on the store that another node asked for goes on, or is done.
    Errand(At, u64),
    /// A process has come to rest.
    AtRest(At, OpId, ProcessIx),
    /// A process does something.
    Live(ProcessIx),
    /// Bytes of a stream reach an end, up to this position.
    Segment(StreamIx, EndIx, u64),
    /// The end that sent them hears that they were received.
    Acknowledged(StreamIx, EndIx, u64),
    /// The number of the call in the plan.
    Call(usize),
    /// The number of the fault in the plan.
    Fault(usize),
    /// The fault with this number ends.
    Mend(usize),
    /// A node is switched on.
    Boot(NodeId),
}

/// What a worker of a checkpoint goes through in one act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkerStep {
    /// The act of the number begins, or its next step does.
    Next(u32),
    /// The folder of the version, which is on its own.
    Folder,
}

/// What a helper of a restart goes through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelperStep {
    /// The part is read.
    Read(NodeId),
    /// The next end of a stream looks for its other end.
    Bind(NodeId),
    /// An end has connected to where the other one waits.
    Connect {
        /// The part whose end connects.
        part: NodeId,
        /// The end's number in the part.
        end: usize,
        /// The node where the other one waits.
        from: At,
    },
    /// It is time to make the processes of the part.
    Created(NodeId),
    /// The processes of the part run.
    Running(NodeId),
    /// Nothing of the part is left.
    TakenBack(NodeId),
    /// An end that waits is given up.
    Lonely(NodeId),
}

impl HelperStep {
    /// Which part it is about.
    pub fn part(&self) -> NodeId {
        match self {
            HelperStep::Read(part)
            | HelperStep::Bind(part)
            | HelperStep::Connect { part, .. }
            | HelperStep::Created(part)
            | HelperStep::Running(part)
            | HelperStep::TakenBack(part)
            | HelperStep::Lonely(part) => *part,
        }
    }
}
