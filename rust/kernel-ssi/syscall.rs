// SPDX-License-Identifier: GPL-2.0
//! The five system calls: arguments checked and copied in, answers copied out.

use crate::failure::{Failure, FailureCode, Outcome};
use crate::host::{self, Joined};
use crate::join;
use crate::media::Store;
use crate::request::{CheckpointRequest, FlushRequest, RestartRequest};
use crate::sys::fsio::Creds;
use crate::sys::thread::clock_ns;
use crate::sys::{caps, entry, user};
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::{self, ctl};
use ssi_core::checkpoint::Version;
use ssi_core::flush::Stores;
use ssi_core::node::{ClusterPid, NodeSet};
use ssi_core::text::Path;
use ssi_core::wire::copy::Owner;

/// Longest path of a store or an output file, in bytes.
const PATH_MAX: usize = ssi_core::limits::PATH_BYTES_MAX;
/// Longest description, in bytes.
const DESCRIPTION_MAX: usize = 255;
/// Entries that one STATUS or PROCESSES call may ask for.
const ENTRIES_MAX: u32 = 65_536;

/// The errno of a failed call, for callers that did not ask for the details.
fn errno_of(failure: &Failure) -> Error {
    use FailureCode as C;
    match failure.code() {
        C::NotJoined => ENODEV,
        C::NoSuchProcess => ESRCH,
        C::NotCheckpointable | C::NotPermitted => EPERM,
        C::Unsupported | C::OutsideEnd | C::BadArgument | C::Damaged | C::Incompatible => EINVAL,
        C::NodeUnreachable
        | C::NodeDied
        | C::StopTimeout
        | C::Media
        | C::PartUnreachable
        | C::Internal => EIO,
        C::Busy | C::PidInUse => EBUSY,
        C::NoMemory => ENOMEM,
        C::NoSuchVersion | C::FileGone => ENOENT,
        C::Limit => E2BIG,
    }
}

fn answer<T: user::Plain>(outcome: Outcome<T>, report: u64, failure: u64) -> Result<i64> {
    match outcome {
        Ok(value) => {
            user::write(report, &value)?;
            Ok(0)
        }
        Err(why) => {
            user::write(failure, &why.to_abi())?;
            Err(errno_of(&why))
        }
    }
}

fn path(address: u64, len: u32) -> Outcome<KVec<u8>> {
    let bad = || Failure::new(FailureCode::BadArgument);
    let bytes = user::read_bytes(address, len, PATH_MAX).map_err(|error| bad().errno(error))?;
    if bytes.first() != Some(&b'/') || bytes.contains(&0) {
        return Err(bad().text(format_args!("not an absolute path")));
    }
    Ok(bytes)
}

#[inline(never)]
fn checkpoint_request(args: &abi::CheckpointArgs) -> Outcome<CheckpointRequest> {
    let called_ns = clock_ns();
    let bad = Failure::new(FailureCode::BadArgument);
    if args.media != 0 {
        return Err(bad.text(format_args!("media {}", args.media)));
    }
    if args.reserved != 0 || (args.keep != 0 && args.flags & abi::CHECKPOINT_COPIES == 0) {
        return Err(bad.text(format_args!("keep {}", args.keep)));
    }
    let (pid, _) = caps::get(args.pid).unwrap_or((args.pid, 0));
    let description = user::read_bytes(args.description, args.description_len, DESCRIPTION_MAX)
        .map_err(|error| bad.errno(error).text(format_args!("description")))?;
    let (uid, gid) = entry::caller();
    Ok(CheckpointRequest {
        called_ns,
        pid,
        flags: args.flags,
        signal: args.signal,
        store: path(args.store, args.store_len)?,
        description,
        keep: args.keep,
        uid,
        gid,
        caller: caps::get(0)?.0,
    })
}

/// `ssi_checkpoint(struct ssi_checkpoint_args *, size_t)`.
pub fn checkpoint(address: usize, size: usize) -> Result<i64> {
    let args: abi::CheckpointArgs = user::read_args(address, size)?;
    let outcome = host::joined()
        .and_then(|node| Ok((node, checkpoint_request(&args)?)))
        .and_then(|(node, request)| node.checkpoint(request));
    answer(outcome, args.report, args.failure)
}

#[inline(never)]
fn restart_request(args: &abi::RestartArgs) -> Outcome<RestartRequest> {
    let output = match args.output_len {
        0 => KVec::new(),
        len => path(args.output, len)?,
    };
    let nodes = NodeSet::of_words(args.nodes).ok_or(Failure::new(FailureCode::BadArgument))?;
    let (uid, gid) = entry::caller();
    let store = path(args.store, args.store_len)?;
    let commit =
        Store::new(&store, Creds::current())?.read_commit(args.application, args.version)?;
    Ok(RestartRequest {
        application: args.application,
        version: args.version,
        commit,
        store,
        flags: args.flags,
        nodes,
        output,
        uid,
        gid,
    })
}

fn restart_in(node: Arc<Joined>, args: &abi::RestartArgs) -> Outcome<abi::RestartReport> {
    if args.flags == abi::RESTART_HELPER {
        if !entry::caller_is_admin() {
            return Err(Failure::new(FailureCode::NotPermitted));
        }
        return node.help(args.application).map(|()| Default::default());
    }
    if args.flags & !abi::RESTART_STOPPED != 0 {
        return Err(Failure::new(FailureCode::BadArgument).text(format_args!("flags")));
    }
    node.restart(restart_request(args)?)
}

/// `ssi_restart(struct ssi_restart_args *, size_t)`.
pub fn restart(address: usize, size: usize) -> Result<i64> {
    let args: abi::RestartArgs = user::read_args(address, size)?;
    let outcome = host::joined().and_then(|node| restart_in(node, &args));
    answer(outcome, args.report, args.failure)
}

/// `ssi_capset(struct ssi_cap_args *, size_t)`.
///
/// # Errors
///
/// `EINVAL` for unknown bits, and for a process that was born before the node joined: its PID is
/// not unique in the cluster. `ENODEV` before the join. `ESRCH`, `EPERM`.
pub fn capset(address: usize, size: usize) -> Result<i64> {
    let args: abi::CapArgs = user::read_args(address, size)?;
    if args.caps & !(abi::cap::CHECKPOINTABLE | abi::cap::INHERITABLE) != 0 {
        return Err(EINVAL);
    }
    let (pid, _) = caps::get(args.pid)?;
    if args.caps != 0 {
        host::joined().map_err(|_| ENODEV)?;
        ClusterPid::new(pid).ok_or(EINVAL)?;
    }
    caps::set(args.pid, args.caps)?;
    Ok(0)
}

/// `ssi_capget(struct ssi_cap_args *, size_t)`: fills `caps`.
pub fn capget(address: usize, size: usize) -> Result<i64> {
    let mut args: abi::CapArgs = user::read_args(address, size)?;
    (_, args.caps) = caps::get(args.pid)?;
    user::write(address as u64, &args)?;
    Ok(0)
}

fn fill<T: user::Plain>(args: &mut abi::CtlArgs, entries: &[T]) -> Result {
    let room = args.count as usize;
    args.count = u32::try_from(entries.len())?;
    let step = core::mem::size_of::<T>() as u64;
    for (at, entry) in (args.data..)
        .step_by(step as usize)
        .zip(entries.iter().take(room))
    {
        user::write(at, entry)?;
    }
    Ok(())
}

fn admin() -> Outcome {
    match entry::caller_is_admin() {
        true => Ok(()),
        false => Err(Failure::new(FailureCode::NotPermitted)),
    }
}

#[inline(never)]
fn flush_request(args: &abi::FlushArgs) -> Outcome<FlushRequest> {
    let bad = Failure::new(FailureCode::BadArgument);
    let stores = match args.flags {
        0 => Stores::Shared,
        abi::FLUSH_COPIES => Stores::Own,
        flags => return Err(bad.text(format_args!("flags {flags:#x}"))),
    };
    let (from, to) = (path(args.from, args.from_len)?, path(args.to, args.to_len)?);
    let (record, bytes) =
        Store::new(&from, Creds::current())?.read_record(args.application, args.version)?;
    let (uid, gid) = entry::caller();
    let short = |path: &[u8]| Path::new(path).ok_or(bad.clone());
    Ok(FlushRequest {
        version: Version {
            application: args.application,
            number: args.version,
        },
        digest: record.digest,
        nodes: record.nodes,
        bytes,
        from: short(&from)?,
        owner: Owner {
            uid,
            gid,
            store: short(&to)?,
        },
        stores,
    })
}

fn flush(args: &abi::CtlArgs) -> Outcome {
    let node = host::joined()?;
    let args: abi::FlushArgs = user::read_args(args.data as usize, args.count as usize)?;
    let request = flush_request(&args)?;
    let to = Store::new(request.owner.store.as_bytes(), Creds::current())?;
    let report = match to.has_version(request.version, request.digest)? {
        true => abi::FlushReport::default(),
        false => node.flush(request)?,
    };
    Ok(user::write(args.report, &report)?)
}

#[inline(never)]
fn control(args: &mut abi::CtlArgs) -> Outcome {
    match args.command {
        ctl::JOIN => admin().and_then(|()| join::join(args.data)),
        ctl::LEAVE => admin().and_then(|()| join::leave()),
        ctl::STATUS => {
            let entries = host::joined()?.status()?;
            Ok(fill(args, &entries)?)
        }
        ctl::PROCESSES => {
            host::joined()?;
            let (entries, all) = caps::list(args.count.min(ENTRIES_MAX) as usize)?;
            fill(args, &entries)?;
            args.count = all;
            Ok(())
        }
        ctl::FLUSH => flush(args),
        ctl::PROGRESS => Ok(user::write(args.data, &host::joined()?.progress())?),
        other => Err(Failure::new(FailureCode::BadArgument).text(format_args!("command {other}"))),
    }
}

/// `ssi_ctl(struct ssi_ctl_args *, size_t)`.
pub fn ctl(address: usize, size: usize) -> Result<i64> {
    let mut args: abi::CtlArgs = user::read_args(address, size)?;
    match control(&mut args) {
        Ok(()) => {
            user::write(address as u64, &args)?;
            Ok(0)
        }
        Err(why) => {
            user::write(args.failure, &why.to_abi())?;
            Err(errno_of(&why))
        }
    }
}

/// A process with a capability or with a PID of another node is gone and its PID is free.
pub fn process_released(pid: u32) {
    if let Ok(node) = host::joined() {
        node.process_gone(pid);
    }
}
