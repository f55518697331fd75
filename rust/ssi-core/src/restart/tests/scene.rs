// SPDX-License-Identifier: GPL-2.0
//! What the runs of a restart are about: names, the operation, and what may go wrong.

use crate::node::{Epoch, NodeId, OpId};
use crate::restart::Options;
use crate::text::Path;

/// What may go wrong in a run, once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    Nothing,
    /// This node loses power.
    Crash(u32),
    /// The connection of these two breaks, and what is on it is lost.
    Break(u32, u32),
    /// The next act of this node's host fails.
    Host(u32),
    /// The caller gives up.
    Cancel,
    /// The parts are not what the commit record says.
    Damage,
    /// The first node holds the second for dead, which it is not.
    Blind(u32, u32),
    /// A process of the smallest part runs on this node, which takes part or not.
    Elsewhere(u32),
}

pub const ROOT: u32 = 1;

pub fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

pub fn op() -> OpId {
    OpId {
        root: node(ROOT),
        epoch: Epoch(7),
        number: 1,
    }
}

pub fn options() -> Options {
    let store = Path::cut(b"/store");
    Options {
        application: 1,
        version: 2,
        uid: 1000,
        gid: 1000,
        flags: 0,
        store,
        output: Path::EMPTY,
    }
}

/// Every part has one process.
pub fn pid(part: u32) -> u32 {
    (part << 22) | 300
}
