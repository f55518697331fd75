// SPDX-License-Identifier: GPL-2.0
//! Every kind of record, read and checked, as named values.
use super::value::Value;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::{AddressSpace, Mapping, MappingKind, PageRun, Runs, SharedMemory};
use ssi_core::image::object::{Descriptor, DescriptorTable, DESCRIPTORS_MAX};
use ssi_core::image::pair::{PairEnd, PACKETS_MAX};
use ssi_core::image::part::{ImageError, PartHead, PartTail};
use ssi_core::image::pipe::{Pipe, PipeEnd, PipeSlot, SLOTS_MAX};
use ssi_core::image::process::{parse_fs, parse_limits, PosixTimer, Timer};
use ssi_core::image::socket::{TcpIdle, TcpListener, TcpStream};
use ssi_core::image::{creds, event, file, process, signal, thread};

type Said = Result<Value, ImageError>;

/// What a record of `kind` with this payload says.
pub fn said(kind: Kind, payload: &[u8]) -> Said {
    match kind {
        Kind::PartHead => fixed::<PartHead>(payload),
        Kind::PartTail => fixed::<PartTail>(payload),
        // A commit record stands in a file of its own.
        Kind::Commit => Err(ImageError::Order),
        Kind::Process => Ok(Value::of(&process::parse(payload)?)),
        Kind::Thread => Ok(Value::of(&thread::parse(payload)?)),
        Kind::Fpu => fpu(payload),
        Kind::SignalActions => actions(payload),
        Kind::PendingSignal => Ok(Value::of(&signal::parse_pending(payload)?)),
        Kind::Credentials => credentials(payload),
        Kind::FsContext => {
            let (context, path) = parse_fs(payload)?;
            Ok(Value::of(&context).with("directory", Value::text(path)))
        }
        Kind::Limits => {
            let limits = parse_limits(payload)?;
            Ok(record("limits", limits.iter().map(Value::of).collect()))
        }
        Kind::Timer => timers(payload),
        Kind::AddressSpace => {
            let (space, exe) = AddressSpace::parse(payload)?;
            Ok(Value::of(&space).with("exe_path", Value::text(exe)))
        }
        Kind::Mapping => mapping(payload),
        Kind::PageRuns => runs(payload),
        Kind::SharedMemory => Ok(Value::of(&SharedMemory::parse(payload)?)),
        Kind::DescriptorTable => {
            let (table, rest) = front::<DescriptorTable>(payload)?;
            let count = bounded(table.count, DESCRIPTORS_MAX)?;
            Ok(Value::of(&table).with("descriptors", all::<Descriptor>(rest, count)?))
        }
        Kind::RegularFile => with_path::<file::RegularFile>(payload),
        Kind::Device => with_path::<file::Device>(payload),
        Kind::Pipe => pipe(payload),
        Kind::PipeEnd => fixed::<PipeEnd>(payload),
        Kind::PairEnd => pair(payload),
        Kind::TcpStream => stream(payload),
        Kind::TcpListener => fixed::<TcpListener>(payload),
        Kind::TcpIdle => fixed::<TcpIdle>(payload),
        Kind::EventFd => fixed::<event::EventFd>(payload),
        Kind::TimerFd => fixed::<event::TimerFd>(payload),
        Kind::SignalFd => fixed::<event::SignalFd>(payload),
        Kind::Epoll => {
            let (epoll, rest) = front::<event::Epoll>(payload)?;
            let count = bounded(epoll.count, event::EPOLL_ITEMS_MAX)?;
            Ok(Value::of(&epoll).with("items", all::<event::EpollItem>(rest, count)?))
        }
        Kind::External => fixed::<file::External>(payload),
        Kind::FileLock => fixed::<file::FileLock>(payload),
    }
}

fn record(name: &'static str, values: Vec<Value>) -> Value {
    Value::Record(vec![(name, Value::List(values))])
}

fn fixed<T: Field>(payload: &[u8]) -> Said {
    Ok(Value::of(&T::take(payload)?))
}

fn front<T: Field>(payload: &[u8]) -> Result<(T, &[u8]), ImageError> {
    let mut reader = Reader::new(payload);
    let record = reader.field()?;
    Ok((record, reader.rest()))
}

fn bounded(count: u32, max: u32) -> Result<usize, ImageError> {
    match count <= max {
        true => Ok(count as usize),
        false => Err(ImageError::Value),
    }
}

/// `count` records that fill `bytes`.
fn all<T: Field>(bytes: &[u8], count: usize) -> Said {
    if count.checked_mul(T::SIZE) != Some(bytes.len()) {
        return Err(ImageError::Length);
    }
    let values = bytes.chunks_exact(T::SIZE).map(fixed::<T>);
    Ok(Value::List(values.collect::<Result<_, _>>()?))
}

fn with_path<T: Field>(payload: &[u8]) -> Said {
    let (record, path) = front::<T>(payload)?;
    if path.len() > file::PATH_BYTES_MAX as usize {
        return Err(ImageError::Length);
    }
    if path.first() != Some(&b'/') || path.contains(&0) {
        return Err(ImageError::Value);
    }
    Ok(Value::of(&record).with("path", Value::text(path)))
}

fn fpu(payload: &[u8]) -> Said {
    if payload.len() > thread::FPU_BYTES_MAX {
        return Err(ImageError::Length);
    }
    Ok(Value::Record(vec![("registers", Value::bytes(payload))]))
}

/// Only signals of which a program has asked something.
fn actions(payload: &[u8]) -> Said {
    signal::check_actions(payload)?;
    let mut values = Vec::new();
    for (number, bytes) in (1_u64..).zip(payload.chunks_exact(signal::Action::SIZE)) {
        if bytes.iter().any(|byte| *byte != 0) {
            let action = signal::Action::take(bytes)?;
            values.push(Value::of(&action).with("signal", Value::Unsigned(number)));
        }
    }
    Ok(record("actions", values))
}

fn credentials(payload: &[u8]) -> Said {
    let (credentials, groups) = creds::parse(payload)?;
    let count = credentials.supplementary as usize;
    Ok(Value::of(&credentials).with("supplementary_groups", all::<u32>(groups, count)?))
}

fn timers(payload: &[u8]) -> Said {
    process::check_timers(payload)?;
    let interval = Timer::SIZE.saturating_mul(3);
    let (interval, posix) = payload
        .split_at_checked(interval)
        .ok_or(ImageError::Length)?;
    let count = posix.len() / PosixTimer::SIZE;
    let values = Value::Record(vec![("interval", all::<Timer>(interval, 3)?)]);
    Ok(values.with("posix", all::<PosixTimer>(posix, count)?))
}

fn mapping(payload: &[u8]) -> Said {
    let (mapping, kind, text) = Mapping::parse(payload)?;
    let what = match kind {
        MappingKind::Anonymous => "anonymous",
        MappingKind::FilePrivate => "private file",
        MappingKind::FileShared => "shared file",
        MappingKind::Shared => "shared memory",
        MappingKind::Vdso => "vdso",
        MappingKind::Vvar => "vvar",
    };
    let value = Value::of(&mapping).with("what", Value::text(what.as_bytes()));
    Ok(value.with("text", Value::text(text)))
}

fn runs(payload: &[u8]) -> Said {
    let runs: Result<Vec<PageRun>, _> = Runs::parse(payload)?.collect();
    Ok(record("runs", runs?.iter().map(Value::of).collect()))
}

fn pipe(payload: &[u8]) -> Said {
    let (pipe, rest) = front::<Pipe>(payload)?;
    let slots = bounded(pipe.slots, SLOTS_MAX)?.saturating_mul(PipeSlot::SIZE);
    let (slots, content) = rest.split_at_checked(slots).ok_or(ImageError::Length)?;
    if content.len() as u64 != pipe.bytes {
        return Err(ImageError::Length);
    }
    let value = Value::of(&pipe).with("slot", all::<PipeSlot>(slots, pipe.slots as usize)?);
    Ok(value.with("content", Value::bytes(content)))
}

fn pair(payload: &[u8]) -> Said {
    let (end, rest) = front::<PairEnd>(payload)?;
    let count = bounded(end.packets, PACKETS_MAX)?;
    let lengths = count.saturating_mul(u32::SIZE);
    let (lengths, content) = rest.split_at_checked(lengths).ok_or(ImageError::Length)?;
    if content.len() as u64 != end.bytes {
        return Err(ImageError::Length);
    }
    let value = Value::of(&end).with("lengths", all::<u32>(lengths, count)?);
    Ok(value.with("content", Value::bytes(content)))
}

fn stream(payload: &[u8]) -> Said {
    let (stream, rest) = front::<TcpStream>(payload)?;
    let sent = rest.split_at_checked(stream.send_len as usize);
    let (sent, received) = sent.ok_or(ImageError::Length)?;
    if received.len() as u64 != u64::from(stream.recv_len) {
        return Err(ImageError::Length);
    }
    let value = Value::of(&stream).with("to_send", Value::bytes(sent));
    Ok(value.with("received", Value::bytes(received)))
}
