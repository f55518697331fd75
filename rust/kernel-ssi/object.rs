// SPDX-License-Identifier: GPL-2.0
//! What processes hold: descriptor tables, open files, pipes, sockets; saved and made again.
//!
//! Saving: [`ObjectSet::scan`] with all members stopped, [`ObjectSet::save_send_queues`], the
//! barrier, [`ObjectSet::save_rest`], the release, [`ObjectSet::emit`]. Between scan and
//! `save_rest` the set holds references of the open files: a set that is given up is dropped
//! before the processes are let go, or a pipe's end would stay open for longer than its holder
//! lives.
//! Restoring: [`rebuild::Objects`].

mod device;
mod epoll;
mod eventfd;
mod external;
mod file;
mod lock;
mod pair;
mod payload;
mod pipe;
pub mod rebuild;
mod scan;
mod signalfd;
mod table;
pub mod tcp;
mod timerfd;

use crate::failure::Outcome;
use crate::sys::file::{FileInfo, FileRef};
use kernel::prelude::*;
use kernel::task::Task;
use kernel::types::ARef;
pub use payload::{Record, Sink};
pub use scan::OutsideHolder;
use ssi_core::image::file::FileLock;
use ssi_core::node::NodeId;

/// A stopped process of the group, with all its threads.
pub struct Member<'a> {
    /// Its PID.
    pub tgid: u32,
    /// Its threads, the leader among them.
    pub tasks: &'a [ARef<Task>],
}

/// What one kind of open file needs in order to be made again.
enum Saved {
    Unclassified,
    Regular(file::Regular),
    Device(device::Device),
    PipeEnd(pipe::End),
    External(external::External),
    Listener(tcp::listener::Listener),
    TcpIdle(tcp::idle::Idle),
    /// Index of the stream.
    Tcp(usize),
    EventFd(eventfd::EventFd),
    TimerFd(timerfd::TimerFd),
    SignalFd(signalfd::SignalFd),
    Epoll(epoll::Epoll),
    Pair(pair::End),
}

/// An open file, however many descriptors refer to it. Its object id is its index plus one.
struct OpenFile {
    /// Until `save_rest` is done.
    file: Option<FileRef>,
    info: FileInfo,
    /// Descriptors of members that refer to it.
    found: u64,
    /// One process that holds it, and by which descriptor: for messages.
    pid: u32,
    fd: u32,
    saved: Saved,
}

impl OpenFile {
    /// Whether somebody who is no member has a reference as well.
    fn is_shared_outside(&self) -> bool {
        // One reference is the set's own.
        self.info.count > self.found.saturating_add(1)
    }
}

/// Everything that a group of stopped processes holds.
pub struct ObjectSet {
    tables: KVVec<table::Table>,
    /// (thread, index of its table), sorted.
    uses: KVVec<(u32, u32)>,
    /// Members, sorted.
    tgids: KVVec<u32>,
    files: KVVec<OpenFile>,
    pipes: KVVec<pipe::Pipe>,
    /// Those of open files first, then those in backlogs, then those that the kernel alone holds.
    streams: KVVec<tcp::Stream>,
    /// Sockets that somebody outside holds: key, index of the group's open file, what it is.
    wanted: KVVec<(u64, usize, &'static str)>,
    /// Indices of the streams among them.
    outside: KVVec<usize>,
    locks: KVVec<FileLock>,
}

/// `SEND_SHUTDOWN` (include/net/sock.h).
const SHUT_SEND: u32 = 2;

/// How much a set holds, for reports.
#[derive(Clone, Copy, Default)]
pub struct StreamCounts {
    /// Pipes and connections.
    pub streams: u32,
    /// Bytes in flight in them.
    pub bytes: u64,
}

impl ObjectSet {
    /// The id of the descriptor table that thread `tid` uses; 0 where it has none any more.
    pub fn table_of(&self, tid: u32) -> u32 {
        match self.uses.binary_search_by_key(&tid, |&(tid, _)| tid) {
            // A table's id is its index plus one.
            Ok(index) => self.uses[index].1 + 1,
            Err(_) => 0,
        }
    }

    /// Streams and the bytes in them; right after `save_rest`.
    pub fn counts(&self) -> StreamCounts {
        let mut counts = StreamCounts::default();
        for pipe in self.pipes.iter().filter(|pipe| !pipe.is_external()) {
            counts.streams += 1;
            counts.bytes += pipe.bytes();
        }
        for stream in self.streams.iter() {
            counts.streams += u32::from(stream.counts_once());
            counts.bytes += stream.bytes();
        }
        for (index, open) in self.files.iter().enumerate() {
            if let Saved::Pair(end) = &open.saved {
                counts.streams += u32::from(end.counts_once(index));
                counts.bytes += end.bytes();
            }
        }
        counts
    }

    /// Saves the send queues of all connections; those of all nodes before anybody's `save_rest`.
    pub fn save_send_queues(&mut self) -> Outcome {
        for stream in self.streams.iter_mut() {
            stream.save_send()?;
        }
        Ok(())
    }

    /// Saves everything else, and gives up all references of open files.
    pub fn save_rest(&mut self) -> Outcome {
        for stream in self.streams.iter_mut() {
            stream.save_rest()?;
        }
        for pipe in self.pipes.iter_mut() {
            pipe.save(&self.files)?;
        }
        for open in self.files.iter_mut() {
            if let (Saved::Pair(end), Some(file)) = (&mut open.saved, &open.file) {
                end.save(file)?;
            }
            open.file = None;
        }
        Ok(())
    }

    /// Returns when every file that is open for writing is durable; with the processes running
    /// again.
    pub fn flush_files(&self) -> Outcome {
        for open in self.files.iter() {
            if let Saved::Regular(saved) = &open.saved {
                saved.flush()?;
            }
        }
        Ok(())
    }

    /// Hands every record to `sink`, as saved on `node`; after `save_rest`, with the processes
    /// running again.
    pub fn emit(&self, node: NodeId, sink: Sink<'_>) -> Outcome {
        let node = node.raw();
        for (pipe, id) in self.pipes.iter().zip(1..) {
            pipe.emit(id, sink)?;
        }
        for (open, id) in self.files.iter().zip(1..) {
            match &open.saved {
                Saved::Unclassified => {}
                Saved::Regular(saved) => saved.emit(id, sink)?,
                Saved::Device(saved) => saved.emit(id, sink)?,
                Saved::PipeEnd(saved) => saved.emit(self, open, id, sink)?,
                Saved::External(saved) => saved.emit(id, sink)?,
                Saved::Listener(saved) => saved.emit(id, sink)?,
                Saved::TcpIdle(saved) => saved.emit(id, sink)?,
                Saved::EventFd(saved) => saved.emit(id, sink)?,
                Saved::TimerFd(saved) => saved.emit(id, sink)?,
                Saved::SignalFd(saved) => saved.emit(id, sink)?,
                Saved::Epoll(saved) => saved.emit(id, sink)?,
                Saved::Pair(saved) => saved.emit(id, sink)?,
                Saved::Tcp(index) => self.streams[*index].emit(id, 0, node, sink)?,
            }
        }
        let unheld = self
            .streams
            .iter()
            .filter(|stream| !stream.has_descriptor());
        for (stream, id) in unheld.zip(self.files.len() as u64 + 1..) {
            // The object id of an open file is its index plus one.
            let listener = stream.open.map_or(0, |index| index as u64 + 1);
            stream.emit(id, listener, node, sink)?;
        }
        for (table, id) in self.tables.iter().zip(1..) {
            table.emit(id, sink)?;
        }
        for saved in self.locks.iter() {
            lock::emit(saved, sink)?;
        }
        Ok(())
    }
}
