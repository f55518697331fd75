// SPDX-License-Identifier: GPL-2.0
//! What a run consists of: a cluster, an application, calls and faults. Drawn from a seed, or
//! read from a file.
pub mod application;
pub mod draw;
mod file;
mod media;

pub use media::Media;

use crate::queue::Nanos;
use serde::{Deserialize, Serialize};

/// A process that there is in the beginning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Raw id of its node.
    pub node: u32,
    /// Number of its father in the list, before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub father: Option<usize>,
    /// CHECKPOINTABLE.
    #[serde(default = "yes")]
    pub capable: bool,
    /// Bytes of its address space.
    #[serde(default = "megabyte")]
    pub memory: u64,
}

fn yes() -> bool {
    true
}

fn megabyte() -> u64 {
    1 << 20
}

/// What a user wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// A checkpoint of the process with this number in the list.
    Checkpoint(usize),
    /// The same with flags of the system call.
    CheckpointWith(usize, u32),
    /// A checkpoint of it, after which the application is killed.
    CheckpointKill(usize),
    /// Its application is frozen.
    Freeze(usize),
    /// It goes on.
    Unfreeze(usize),
    /// A restart of the newest version of the application that this process belonged to.
    Restart(usize),
    /// The call with this number is given up.
    Cancel(usize),
    /// All processes that carry the application of this process are killed.
    Kill(usize),
}

/// A user's call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Call {
    /// When, in microseconds.
    pub at_us: Nanos,
    /// Raw id of the node where the user sits.
    pub node: u32,
    /// What for.
    pub wish: Wish,
    /// Where the versions are that it is about.
    #[serde(default)]
    pub media: Media,
}

impl Call {
    /// A call that is about the store that all nodes share.
    pub fn new(at_us: Nanos, node: u32, wish: Wish) -> Call {
        Call {
            at_us,
            node,
            wish,
            media: Media::Shared,
        }
    }
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The node loses power; the others' kernels are told where `1`.
    Crash(u32, bool),
    /// The connections between two nodes break; who hears of it at once: first, second.
    Break(u32, u32, bool, bool),
    /// Nothing gets from the first node to the second.
    Cut(u32, u32),
    /// The node stands still.
    Sleep(u32),
    /// The next acts of the node's host fail.
    Fail(u32, u32),
    /// The acts of the node's host stand still.
    Hang(u32),
    /// The node's media takes nothing.
    Full(u32),
    /// The node's media is that much slower.
    Slow(u32, u64),
    /// A process of the list's number or later is killed.
    KillProcess(usize),
}

/// A fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// When, in microseconds.
    pub at_us: Nanos,
    /// For how long, in microseconds: then the node boots, the cut heals, the disk has room.
    /// 0: for ever.
    #[serde(default)]
    pub for_us: Nanos,
    /// What.
    pub trouble: Trouble,
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Seed of what happens by chance in the run.
    pub seed: u64,
    /// How many nodes.
    pub nodes: u32,
    /// Silence after which a peer counts as dead.
    pub failure_ms: u32,
    /// No membership: every node is always up, and no connection breaks.
    pub fixed_membership: bool,
    /// Every message goes through the codec.
    pub encode: bool,
    /// The version's folder is made beside other acts.
    pub folder_apart: bool,
    /// One segment of so many is lost; 0: none.
    pub lossy: u64,
    /// Millionths by which clocks differ.
    pub drift_ppm: u32,
    /// Milliseconds between two steps of a process; 0: it does nothing.
    pub step_ms: u64,
    /// Processes fork, connect and end.
    pub lively: bool,
    /// So many versions of an application stay in stores of the nodes' own; 0: all.
    pub keep: u32,
    /// The application.
    pub processes: Vec<Wanted>,
    /// Streams between processes, by number.
    pub streams: Vec<(usize, usize)>,
    /// What users want.
    pub calls: Vec<Call>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            seed: 0,
            nodes: 1,
            failure_ms: ssi_core::limits::FAILURE_MS_DEFAULT,
            fixed_membership: false,
            encode: false,
            folder_apart: false,
            lossy: 0,
            drift_ppm: 0,
            step_ms: 0,
            lively: false,
            keep: 0,
            processes: Vec::new(),
            streams: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
        }
    }
}
