// SPDX-License-Identifier: GPL-2.0
//! What kernel and tools say to each other: the arguments and answers of the system calls.
//!
//! Every call takes `(struct *args, size_t size)` as clone3(2): bytes past what the kernel knows
//! must be zero (`E2BIG`), unknown flags and media are refused (`EINVAL`). Pointers are 64 bits.

mod flush;
mod progress;

pub use flush::{FlushArgs, FlushReport, FLUSH_COPIES, FLUSH_FLAGS};
pub use progress::{step, Progress};

/// System call numbers on x86_64 (patches/6.12, `syscall_64.tbl`).
pub mod number {
    /// `ssi_checkpoint`.
    pub const CHECKPOINT: i64 = 548;
    /// `ssi_restart`.
    pub const RESTART: i64 = 549;
    /// `ssi_capset`.
    pub const CAPSET: i64 = 550;
    /// `ssi_capget`.
    pub const CAPGET: i64 = 551;
    /// `ssi_ctl`.
    pub const CTL: i64 = 552;
}

/// Capability bits of a process.
pub mod cap {
    /// The process may be checkpointed.
    pub const CHECKPOINTABLE: u32 = 1;
    /// Its children get CHECKPOINTABLE, and this bit again.
    pub const INHERITABLE: u32 = 2;
}

/// Longest text in a [`Failure`], in bytes.
pub const FAILURE_TEXT: usize = 200;

/// Whose fault a failed call is, what exactly stood in the way, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Failure {
    /// A number of [`FailureCode`]; 0 where nothing failed.
    pub code: u32,
    /// The node that refused or failed, 0 where none is concerned.
    pub node: u32,
    /// The process concerned, or 0.
    pub pid: u32,
    /// The descriptor concerned, or -1.
    pub fd: i32,
    /// The errno beneath, positive, or 0.
    pub errno: u32,
    /// Bytes used in `text`.
    pub text_len: u32,
    /// UTF-8: the kind of object, the path or the name concerned.
    pub text: [u8; FAILURE_TEXT],
}

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $number:literal),* $(,)?) => {
        /// Why a call failed; the tools have a message and an exit code for each.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum FailureCode { $($(#[$meta])* $name = $number),* }

        impl FailureCode {
            /// The code with this number, if this build knows it.
            pub const fn new(number: u32) -> Option<FailureCode> {
                match number {
                    $($number => Some(FailureCode::$name),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// The node has not joined a cluster.
    NotJoined = 1,
    /// No process has this PID.
    NoSuchProcess = 2,
    /// The process has no CHECKPOINTABLE capability.
    NotCheckpointable = 3,
    /// The process is somebody else's.
    NotPermitted = 4,
    /// Something that a process holds cannot be saved: named in the text.
    Unsupported = 5,
    /// A stream's other end belongs to a process outside the application.
    OutsideEnd = 6,
    /// A node of the application cannot be reached.
    NodeUnreachable = 7,
    /// A node died while the operation ran.
    NodeDied = 8,
    /// A process did not come to rest in time.
    StopTimeout = 9,
    /// The media is full, or failed.
    Media = 10,
    /// Another checkpoint or restart of the application runs.
    Busy = 11,
    /// The host has not enough memory.
    NoMemory = 12,
    /// The version does not exist.
    NoSuchVersion = 13,
    /// The version is damaged: a part is missing or a digest is wrong.
    Damaged = 14,
    /// A PID of the application is in use.
    PidInUse = 15,
    /// A file that the application had open is missing or has changed.
    FileGone = 16,
    /// The image needs a feature that this node lacks.
    Incompatible = 17,
    /// A bound of this implementation was reached: named in the text.
    Limit = 18,
    /// The arguments are wrong.
    BadArgument = 19,
    /// Something that should not happen; the kernel log has more.
    Internal = 20,
    /// No node that is up and may be used has a part of the version: named in the text.
    PartUnreachable = 21,
}

/// `ssi_checkpoint`: only this process, not its application.
pub const CHECKPOINT_PROCESS_ONLY: u32 = 1;
/// `ssi_checkpoint`: streams to outside are recorded as such in place of a refusal.
pub const CHECKPOINT_EXTERNAL_ENDS: u32 = 2;
/// `ssi_checkpoint`: nothing is saved; the processes are stopped, get the signal and go on.
pub const CHECKPOINT_SIGNAL_ONLY: u32 = 4;
/// `ssi_checkpoint`, with `CHECKPOINT_SIGNAL_ONLY`: they get SIGCONT, after the signal if any.
pub const CHECKPOINT_CONTINUE: u32 = 8;
/// `ssi_checkpoint`: the processes are held until the commit, then get the signal and go on.
pub const CHECKPOINT_HOLD: u32 = 16;
/// `ssi_checkpoint`: every node's store is its own, and a second copy of its part goes to another.
pub const CHECKPOINT_COPIES: u32 = 32;
/// Every flag of `ssi_checkpoint`.
pub const CHECKPOINT_FLAGS: u32 = 63;

/// Arguments and results of `ssi_checkpoint`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CheckpointArgs {
    /// `CHECKPOINT_*` bits.
    pub flags: u32,
    /// 0 disk; no other yet.
    pub media: u32,
    /// PID of any process of the application.
    pub pid: u32,
    /// Bytes at `store`.
    pub store_len: u32,
    /// Absolute path of the store on every node, not NUL-terminated.
    pub store: u64,
    /// Bytes at `description`, at most 255.
    pub description_len: u32,
    /// Signal that the processes get, or 0.
    pub signal: u32,
    /// UTF-8 text for the picker.
    pub description: u64,
    /// Where a [`Failure`] is written when the call fails; may be 0.
    pub failure: u64,
    /// Where a [`CheckpointReport`] is written when it succeeds; may be 0.
    pub report: u64,
    /// With [`CHECKPOINT_COPIES`]: so many versions of the application stay, the new one among
    /// them; 0: all.
    pub keep: u32,
    /// Zero.
    pub reserved: u32,
}

/// What a checkpoint found and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct CheckpointReport {
    /// Application id.
    pub application: u64,
    /// Version that was committed.
    pub version: u32,
    /// Nodes with a part.
    pub nodes: u32,
    /// Processes saved.
    pub processes: u32,
    /// Threads saved.
    pub threads: u32,
    /// Streams saved (pipes and connections; a connection counts once).
    pub streams: u32,
    /// Zero.
    pub reserved: u32,
    /// Bytes in flight in streams.
    pub stream_bytes: u64,
    /// Bytes written to the media.
    pub bytes: u64,
    /// Nanoseconds from the call to the release, at the node of the call.
    pub pause_ns: u64,
    /// Nanoseconds from the call to the end.
    pub total_ns: u64,
    /// The longest pause of any one node, from its first stop to its release, nanoseconds.
    pub node_pause_ns_max: u64,
    /// Until every process of the application is found and stopped, nanoseconds.
    pub stop_ns: u64,
    /// From there until the send queues of all connections are saved, nanoseconds.
    pub send_ns: u64,
    /// From there until all else is in memory and processes that are not held go on, nanoseconds.
    pub snapshot_ns: u64,
    /// From there until the parts of all nodes are durable, nanoseconds.
    pub write_ns: u64,
    /// From there until the commit record is durable, nanoseconds.
    pub commit_ns: u64,
}

/// `ssi_restart`: restore the processes of this node's share in the caller's context; used by the
/// helper that the kernel starts, never by a user.
pub const RESTART_HELPER: u32 = 1;
/// `ssi_restart`: the processes come back as if SIGSTOP had stopped them.
pub const RESTART_STOPPED: u32 = 2;

/// Arguments and results of `ssi_restart`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RestartArgs {
    /// `RESTART_*` bits.
    pub flags: u32,
    /// Version to restart.
    pub version: u32,
    /// Application id; with [`RESTART_HELPER`] the operation's number.
    pub application: u64,
    /// Absolute path of the store on every node.
    pub store: u64,
    /// Bytes at `store`.
    pub store_len: u32,
    /// Bytes at `output`; 0: standard streams to outside become the caller's, on its node.
    pub output_len: u32,
    /// Absolute path of a file that takes the output of external standard streams.
    pub output: u64,
    /// Where a [`Failure`] is written when the call fails; may be 0.
    pub failure: u64,
    /// Where a [`RestartReport`] is written when it succeeds; may be 0.
    pub report: u64,
    /// Nodes that may be used: node n is bit n % 64 of word n / 64. None set: all.
    pub nodes: [u64; 4],
}

/// What a restart did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RestartReport {
    /// Nodes that took part.
    pub nodes: u32,
    /// Processes that run again.
    pub processes: u32,
    /// Streams that were bound.
    pub streams: u32,
    /// Parts that went to another node than they came from.
    pub moved: u32,
    /// Nanoseconds from the call to the release.
    pub total_ns: u64,
    /// One of the restored head roots.
    pub pid: u32,
    /// Zero.
    pub reserved: u32,
}

/// Arguments of `ssi_capset` and `ssi_capget`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CapArgs {
    /// Process, 0 for the caller.
    pub pid: u32,
    /// `cap::*` bits, to set or as read.
    pub caps: u32,
}

/// Commands of `ssi_ctl`.
pub mod ctl {
    /// Joins the cluster described by [`super::JoinArgs`].
    pub const JOIN: u32 = 1;
    /// Leaves it: refused while applications run here.
    pub const LEAVE: u32 = 2;
    /// Fills [`super::NodeStatus`] entries.
    pub const STATUS: u32 = 3;
    /// Fills [`super::ProcessStatus`] entries of this node.
    pub const PROCESSES: u32 = 4;
    /// Fills [`super::Progress`] of the caller's node's newest operation.
    pub const PROGRESS: u32 = 5;
    /// Writes a version to another store, as [`super::FlushArgs`] say.
    pub const FLUSH: u32 = 6;
}

/// Arguments of `ssi_ctl`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CtlArgs {
    /// A command of [`ctl`].
    pub command: u32,
    /// Entries that fit at `data` (STATUS, PROCESSES); on return, how many there are. Bytes of
    /// [`FlushArgs`] (FLUSH).
    pub count: u32,
    /// [`JoinArgs`], [`FlushArgs`], or the entries to fill.
    pub data: u64,
    /// Where a [`Failure`] is written when the call fails; may be 0.
    pub failure: u64,
}

/// Longest name of a cluster, in bytes.
pub const CLUSTER_NAME: usize = 32;
/// Bytes of the cluster's key.
pub const CLUSTER_KEY: usize = 32;
/// Most nodes that a join names.
pub const NODES_MAX: usize = 254;

/// One node of a cluster as its configuration names it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct NodeAddress {
    /// Node id, 1 to 254.
    pub node: u32,
    /// IPv4 address in host byte order.
    pub address: u32,
}

/// How a node joins.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct JoinArgs {
    /// This node's id.
    pub node: u32,
    /// TCP port of the transport, the same on all nodes.
    pub port: u32,
    /// Entries at `addresses`.
    pub addresses_len: u32,
    /// Milliseconds of silence after which a node counts as dead; 0 for the default, 3000.
    pub failure_ms: u32,
    /// [`NodeAddress`] entries: all nodes of the cluster, this one among them.
    pub addresses: u64,
    /// Name of the cluster, padded with zeros.
    pub cluster: [u8; CLUSTER_NAME],
    /// Shared key of the cluster.
    pub key: [u8; CLUSTER_KEY],
    /// Nodes that may fail together with this one, itself among them, as in
    /// [`RestartArgs::nodes`]; none set: none.
    pub group: [u64; 4],
}

/// State of a node as seen from this one.
pub mod node_state {
    /// Configured, not reached yet.
    pub const ABSENT: u32 = 0;
    /// Handshake under way.
    pub const JOINING: u32 = 1;
    /// Up.
    pub const UP: u32 = 2;
    /// Was up, is dead.
    pub const DOWN: u32 = 3;
    /// Reached, but its key, version or cluster is another.
    pub const REFUSED: u32 = 4;
    /// Reached, but one holds the other's life for dead: either has to leave and join again.
    pub const ESTRANGED: u32 = 5;
}

/// One node in the answer to STATUS.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct NodeStatus {
    /// Node id.
    pub node: u32,
    /// A number of [`node_state`].
    pub state: u32,
    /// IPv4 address in host byte order.
    pub address: u32,
    /// CHECKPOINTABLE processes there, as last heard.
    pub processes: u32,
    /// Epoch, milliseconds of wall clock at its join; 0 where unknown.
    pub epoch: u64,
}

/// One CHECKPOINTABLE process in the answer to PROCESSES.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProcessStatus {
    /// Cluster PID.
    pub pid: u32,
    /// Parent's PID.
    pub ppid: u32,
    /// Process group.
    pub pgid: u32,
    /// Session.
    pub sid: u32,
    /// `cap::*` bits.
    pub caps: u32,
    /// User id.
    pub uid: u32,
    /// Application id, 0 before its first checkpoint.
    pub application: u64,
    /// Command name, padded with zeros.
    pub comm: [u8; 16],
}
