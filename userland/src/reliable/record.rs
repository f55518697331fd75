// SPDX-License-Identifier: GPL-2.0
//! What is kept of a job in its folder: the job, who supervises it, how far it is, who serves it.
//!
//! Every file is JSON and has one writer: `job` whoever started the job, `claim-<t>` and
//! `state-<t>` the supervisor of term t, `node-<n>` the attendant of node n.
use super::period::Periodicity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Numbers of nodes with their epochs: nodes that died and came back are others.
pub type Lives = BTreeMap<u32, u64>;

/// A job as it was started; never changed.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Folder in which it starts.
    pub folder: PathBuf,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// File that takes its output.
    pub output: PathBuf,
    /// File that takes what its supervisors have to say.
    pub log: PathBuf,
    /// The pattern of checkpoints.
    pub periodicity: Periodicity,
    /// Mean time between failures that the user gave, milliseconds.
    pub mtbf_ms: Option<u64>,
    /// `--media` of checkpoint.
    pub media: String,
    /// Versions that are kept.
    pub keep: usize,
    /// Restarts after failures of its own without a new version in between.
    pub max_restarts: u32,
    /// With media memory: every so many versions one goes to disk.
    #[serde(default)]
    pub flush_every: Option<u32>,
    /// Command to run after a checkpoint.
    pub on_checkpoint: Option<String>,
    /// Command to run after a restart.
    pub on_restart: Option<String>,
}

/// Who supervises the job in one term.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The node.
    pub node: u32,
    /// This life of it.
    pub epoch: u64,
    /// The process.
    pub pid: u32,
}

/// How far a job is.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The command is being started.
    Starting,
    /// It runs.
    Running,
    /// A last checkpoint is being taken.
    Leaving,
    /// Its processes are being stopped, so that none sees another's end.
    Stopping,
    /// They are being killed.
    Killing,
    /// A version is being restarted.
    Restoring,
    /// It ended by itself.
    Ended,
    /// It was stopped on request and can be resumed.
    Preempted,
    /// It was given up.
    Failed,
}

impl Phase {
    /// Whether nobody has anything to do any more.
    pub fn is_final(self) -> bool {
        matches!(self, Phase::Ended | Phase::Preempted | Phase::Failed)
    }
}

/// What follows when all processes are gone.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// The last version runs again.
    Restart,
    /// Nothing, until the job is resumed.
    Preempt,
    /// Nothing any more.
    GiveUp,
}

/// What attendants are to do; each acts on the newest number only.
#[derive(Serialize, Deserialize, Clone, Default, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Report what runs here now.
    pub probe: u64,
    /// Stop the application's processes.
    pub stop: u64,
    /// Kill them.
    pub kill: u64,
    /// The lives that `stop` and `kill` are about: what came later has nothing of theirs.
    pub lives: Lives,
}

/// A version that was committed.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Application id.
    pub application: u64,
    /// Its version.
    pub version: u32,
    /// When its checkpoint began, milliseconds since 1970.
    pub cut_ms: u64,
    /// Exit status of the command, where that had ended before its other processes.
    pub status: Option<u8>,
}

/// What happened so far.
#[derive(Serialize, Deserialize, Clone, Copy, Default, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Checkpoints that were committed.
    pub checkpoints: u32,
    /// Checkpoints that failed.
    pub failed_checkpoints: u32,
    /// Versions that went from memory to disk.
    #[serde(default)]
    pub flushes: u32,
    /// Restarts, from a version or from nothing.
    pub restarts: u32,
    /// Work done again, milliseconds: from the cut of the version to the failure.
    pub lost_ms: u64,
    /// From failures to restarted applications, milliseconds.
    pub down_ms: u64,
    /// Longest pause of a checkpoint, microseconds.
    pub pause_us_max: u64,
    /// Failures of its own since the last version.
    pub crashes_in_row: u32,
    /// Restarts that failed since the last one that succeeded.
    pub attempts_in_row: u32,
}

/// How far the job is, as its supervisor knows it; times in milliseconds since 1970.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// How far.
    pub phase: Phase,
    /// What follows `Stopping` and `Killing`.
    pub goal: Goal,
    /// For the attendants.
    pub orders: Orders,
    /// Since when the phase lasts.
    pub since_ms: u64,
    /// When the application began to run, for the first time or again.
    pub running_ms: u64,
    /// When the job was started.
    pub started_ms: u64,
    /// When what is being repaired broke.
    pub broken_ms: u64,
    /// The process whose end is the command's; its children are the application's.
    pub root: u32,
    /// Application id, 0 before its first checkpoint.
    pub application: u64,
    /// Nodes on which the application runs.
    pub members: Lives,
    /// Probe after whose answers an end of the application is believed.
    pub ending: Option<u64>,
    /// When that was asked.
    pub ending_ms: u64,
    /// Exit status of the command, as a shell gives it.
    pub status: Option<u8>,
    /// Committed versions, the oldest first.
    pub versions: Vec<Version>,
    /// Versions that could not be restarted.
    pub bad: Vec<Version>,
    /// Those that went to disk and are kept there, the oldest first.
    #[serde(default)]
    pub flushed: Vec<Version>,
    /// Those that memory does not have any more.
    #[serde(default)]
    pub lost: Vec<Version>,
    /// Committed since the last one that went to disk.
    #[serde(default)]
    pub unflushed: u32,
    /// Start of the last checkpoint since `running_ms`.
    pub tried_ms: Option<u64>,
    /// Its end.
    pub tried_end_ms: u64,
    /// Whether it failed.
    pub try_failed: bool,
    /// Mean cost of a checkpoint, milliseconds.
    pub cost_ms: Option<u64>,
    /// When failures of nodes hit the application.
    pub failures: Vec<u64>,
    /// What happened so far.
    pub counters: Counters,
    /// Why it was given up.
    pub why: String,
}

/// What runs on a node, and what its attendant has done.
#[derive(Serialize, Deserialize, Clone, Default, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// This life of the node.
    pub epoch: u64,
    /// The attendant.
    pub pid: u32,
    /// Grows while the attendant lives.
    pub beat: u64,
    /// Newest probe that was answered.
    pub probe: u64,
    /// Newest order to stop that was obeyed.
    pub stopped: u64,
    /// Newest order to kill that was obeyed.
    pub killed: u64,
    /// Processes of the application that live here.
    pub processes: u32,
    /// One of them, or 0.
    pub one: u32,
    /// Newest of the job's versions that the node's own memory lists, 0: none, or all nodes share
    /// the store.
    #[serde(default)]
    pub lists: u32,
}

/// What may be asked of a supervisor, by a file of this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// A checkpoint, now.
    Checkpoint,
    /// A last checkpoint, and the end for now.
    Stop,
}

impl Request {
    /// Every request.
    pub const ALL: [Request; 2] = [Request::Checkpoint, Request::Stop];

    /// Name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Request::Checkpoint => "request-checkpoint",
            Request::Stop => "request-stop",
        }
    }
}

impl State {
    /// A job whose command has not been started.
    pub fn new(now_ms: u64) -> State {
        State {
            phase: Phase::Starting,
            goal: Goal::Restart,
            orders: Orders::default(),
            since_ms: now_ms,
            running_ms: now_ms,
            started_ms: now_ms,
            broken_ms: 0,
            root: 0,
            application: 0,
            members: Lives::new(),
            ending: None,
            ending_ms: 0,
            status: None,
            versions: Vec::new(),
            bad: Vec::new(),
            flushed: Vec::new(),
            lost: Vec::new(),
            unflushed: 0,
            tried_ms: None,
            tried_end_ms: 0,
            try_failed: false,
            cost_ms: None,
            failures: Vec::new(),
            counters: Counters::default(),
            why: String::new(),
        }
    }
}
