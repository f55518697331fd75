// SPDX-License-Identifier: GPL-2.0
//! The system calls, with lifetimes and lengths that cannot be wrong: the only unsafe code here.
#![expect(unsafe_code, reason = "system calls take addresses")]
use nix::sys::signal::{SigSet, Signal};
use ssi_core::abi::{
    ctl, number, CapArgs, CheckpointArgs, CheckpointReport, CtlArgs, Failure, FlushArgs,
    FlushReport, JoinArgs, NodeAddress, NodeStatus, ProcessStatus, Progress, RestartArgs,
    RestartReport, FAILURE_TEXT, NODES_MAX, RESTART_HELPER,
};
use ssi_core::node::NodeSet;
use std::mem::size_of;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

/// Why a call failed.
#[derive(Clone, Debug)]
pub struct CallError {
    /// What the system call returned, positive.
    pub errno: i32,
    /// What stood in the way, where the kernel said it; its `code` is 0 otherwise.
    pub failure: Box<Failure>,
}

/// What to checkpoint, and where to.
pub struct Checkpoint<'a> {
    /// `CHECKPOINT_*` bits.
    pub flags: u32,
    /// PID of any process of the application.
    pub pid: u32,
    /// Absolute path of the store on every node.
    pub store: &'a Path,
    /// Text for the picker.
    pub description: &'a str,
    /// Signal for the processes, or 0.
    pub signal: u32,
    /// Versions that stay, with copies; 0: all.
    pub keep: u32,
}

/// What to restart, and from where.
pub struct Restart<'a> {
    /// Application id.
    pub application: u64,
    /// Version.
    pub version: u32,
    /// Absolute path of the store on every node.
    pub store: &'a Path,
    /// File that takes the output of standard streams to outside, if not the caller's.
    pub output: Option<&'a Path>,
    /// `RESTART_*` bits.
    pub flags: u32,
    /// Nodes that may be used; empty: all.
    pub nodes: NodeSet,
}

/// What to write to another store.
pub struct Flush<'a> {
    /// Application id.
    pub application: u64,
    /// Version.
    pub version: u32,
    /// Absolute path of the store that has it, on every node.
    pub from: &'a Path,
    /// Absolute path of the store that it goes to, on every node.
    pub to: &'a Path,
    /// `FLUSH_*` bits.
    pub flags: u32,
}

/// Most processes that one node reports.
const PROCESSES_MAX: usize = 1 << 16;

fn no_failure() -> Failure {
    Failure {
        code: 0,
        node: 0,
        pid: 0,
        fd: -1,
        errno: 0,
        text_len: 0,
        text: [0; FAILURE_TEXT],
    }
}

fn address<T>(value: &mut T) -> u64 {
    std::ptr::from_mut(value) as u64
}

fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// A length as the calls take it; one that is too long for them is refused by the kernel.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// One raw call; `args` and everything it points to must live until it returns.
///
/// # Safety
/// Every address in `args` is that of memory as large as the call's layout says, and the kernel
/// may write to those that it fills.
unsafe fn raw<A>(number: i64, args: &mut A, failure: &Failure) -> Result<(), CallError> {
    // SAFETY: `args` is a live, exclusive borrow of `size_of::<A>()` bytes; the caller vouches
    // for what it points to.
    let result = unsafe { libc::syscall(number, std::ptr::from_mut(args), size_of::<A>()) };
    if result >= 0 {
        return Ok(());
    }
    let errno = std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO);
    // SAFETY: a live borrow; volatile because the kernel wrote it through an address in `args`.
    let failure = unsafe { std::ptr::read_volatile(failure) };
    Err(CallError {
        errno,
        failure: Box::new(failure),
    })
}

/// Takes a checkpoint.
pub fn checkpoint(what: &Checkpoint<'_>) -> Result<CheckpointReport, CallError> {
    let mut report = CheckpointReport::default();
    let mut failure = no_failure();
    let store = path_bytes(what.store);
    let mut args = CheckpointArgs {
        flags: what.flags,
        media: 0,
        pid: what.pid,
        store_len: length(store),
        store: store.as_ptr() as u64,
        description_len: length(what.description.as_bytes()),
        signal: what.signal,
        description: what.description.as_ptr() as u64,
        failure: address(&mut failure),
        report: address(&mut report),
        keep: what.keep,
        reserved: 0,
    };
    // SAFETY: all four buffers live in this frame or in `what`, with the lengths given.
    unsafe { raw(number::CHECKPOINT, &mut args, &failure)? };
    Ok(report)
}

/// Restarts a version.
pub fn restart(what: &Restart<'_>) -> Result<RestartReport, CallError> {
    let mut report = RestartReport::default();
    let mut failure = no_failure();
    let store = path_bytes(what.store);
    let output = what.output.map(path_bytes).unwrap_or_default();
    let mut args = RestartArgs {
        flags: what.flags,
        version: what.version,
        application: what.application,
        store: store.as_ptr() as u64,
        store_len: length(store),
        output_len: length(output),
        output: output.as_ptr() as u64,
        failure: address(&mut failure),
        report: address(&mut report),
        nodes: what.nodes.words(),
    };
    // SAFETY: all four buffers live in this frame or in `what`, with the lengths given.
    unsafe { raw(number::RESTART, &mut args, &failure)? };
    Ok(report)
}

/// Serves the restart helper number `job` of the kernel until it is not needed any more.
pub fn help(job: u64) -> Result<(), CallError> {
    let mut failure = no_failure();
    let mut args = RestartArgs {
        flags: RESTART_HELPER,
        version: 0,
        application: job,
        store: 0,
        store_len: 0,
        output_len: 0,
        output: 0,
        failure: address(&mut failure),
        report: 0,
        nodes: NodeSet::EMPTY.words(),
    };
    // SAFETY: `failure` lives in this frame; nothing else is addressed.
    unsafe { raw(number::RESTART, &mut args, &failure) }
}

/// Gives the process `pid` (0: the caller) exactly the capabilities `caps`.
pub fn capset(pid: u32, caps: u32) -> Result<(), CallError> {
    let mut args = CapArgs { pid, caps };
    // SAFETY: the layout holds no addresses.
    unsafe { raw(number::CAPSET, &mut args, &no_failure()) }
}

/// The capabilities of the process `pid` (0: the caller).
pub fn capget(pid: u32) -> Result<u32, CallError> {
    let mut args = CapArgs { pid, caps: 0 };
    // SAFETY: the layout holds no addresses.
    unsafe { raw(number::CAPGET, &mut args, &no_failure())? };
    Ok(args.caps)
}

fn control(command: u32, count: u32, data: u64) -> Result<u32, CallError> {
    let mut failure = no_failure();
    let mut args = CtlArgs {
        command,
        count,
        data,
        failure: address(&mut failure),
    };
    // SAFETY: `failure` lives in this frame; every caller below passes a `data` that fits the
    // command and `count`.
    unsafe { raw(number::CTL, &mut args, &failure)? };
    Ok(args.count)
}

/// Joins the cluster of `nodes`; the address fields of `join` are filled in here.
pub fn join(mut join: JoinArgs, nodes: &[NodeAddress]) -> Result<(), CallError> {
    join.addresses = nodes.as_ptr() as u64;
    join.addresses_len = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    control(ctl::JOIN, 0, address(&mut join)).map(drop)
}

/// Leaves the cluster.
pub fn leave() -> Result<(), CallError> {
    control(ctl::LEAVE, 0, 0).map(drop)
}

/// The nodes of the cluster as this one sees them.
pub fn nodes() -> Result<Vec<NodeStatus>, CallError> {
    let (nodes, _) = list(ctl::STATUS, NodeStatus::default(), NODES_MAX, NODES_MAX)?;
    Ok(nodes)
}

/// The CHECKPOINTABLE processes of this node, as many as a list may have, and how many there are.
pub fn processes() -> Result<(Vec<ProcessStatus>, usize), CallError> {
    let empty = ProcessStatus {
        pid: 0,
        ppid: 0,
        pgid: 0,
        sid: 0,
        caps: 0,
        uid: 0,
        application: 0,
        comm: [0; 16],
    };
    list(ctl::PROCESSES, empty, 256, PROCESSES_MAX)
}

/// How far this node's newest operation is.
pub fn progress() -> Result<Progress, CallError> {
    let mut progress = Progress::default();
    control(ctl::PROGRESS, 1, address(&mut progress))?;
    Ok(progress)
}

/// Writes a version to another store.
pub fn flush(what: &Flush<'_>) -> Result<FlushReport, CallError> {
    let mut report = FlushReport::default();
    let (from, to) = (path_bytes(what.from), path_bytes(what.to));
    let mut args = FlushArgs {
        application: what.application,
        version: what.version,
        flags: what.flags,
        from: from.as_ptr() as u64,
        to: to.as_ptr() as u64,
        from_len: length(from),
        to_len: length(to),
        report: address(&mut report),
    };
    let size = u32::try_from(size_of::<FlushArgs>()).unwrap_or(u32::MAX);
    control(ctl::FLUSH, size, address(&mut args))?;
    // SAFETY: a live local; volatile because the kernel wrote it through an address in `args`.
    Ok(unsafe { std::ptr::read_volatile(&raw const report) })
}

/// The entries of a list, at most `room_max`, and how many there are.
fn list<T: Copy>(
    command: u32,
    empty: T,
    room: usize,
    room_max: usize,
) -> Result<(Vec<T>, usize), CallError> {
    let mut room = room;
    loop {
        let mut entries = vec![empty; room];
        let fits = u32::try_from(room).unwrap_or(u32::MAX);
        let all = control(command, fits, entries.as_mut_ptr() as u64)? as usize;
        if all <= room || room >= room_max {
            entries.truncate(all);
            return Ok((entries, all));
        }
        // Some more may be born until the next call.
        room = all.saturating_mul(2).min(room_max);
    }
}

/// Starts `command` with `signals`, which the caller has blocked, let through again.
pub fn spawn_unblocked(command: &mut Command, signals: &SigSet) -> std::io::Result<Child> {
    let signals = *signals;
    // SAFETY: between fork and exec the closure makes one system call, which is safe there, and
    // allocates nothing.
    unsafe { command.pre_exec(move || signals.thread_unblock().map_err(Into::into)) };
    command.spawn()
}

/// Starts `command`, which is killed when the calling thread ends.
pub fn spawn_tied(command: &mut Command) -> std::io::Result<Child> {
    // SAFETY: between fork and exec the closure makes one system call, which is safe there, and
    // allocates nothing.
    unsafe {
        command.pre_exec(|| nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(Into::into))
    };
    command.spawn()
}
