// SPDX-License-Identifier: GPL-2.0
//! One pass over the descriptor tables of stopped processes: what they hold, and who else does.

use super::table::{Entry, Table};
use super::{device, eventfd, external, file, pair, pipe, signalfd, tcp, timerfd};
use super::{Member, ObjectSet, OpenFile, Saved};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::file::{self as sys, kind, Fd, FileInfo, FileRef};
use kernel::prelude::*;
use ssi_core::abi::cap;
use ssi_core::image::object::{DESCRIPTORS_MAX, DESCRIPTOR_END, OBJECTS_MAX, TABLES_MAX};
use ssi_core::sort;

/// Most holders outside the group that one search names.
pub(super) const HOLDERS_MAX: usize = 4096;

/// A process outside the group that holds an end of one of its streams.
#[derive(Clone, Copy)]
pub struct OutsideHolder {
    /// The process; 0 where the end is in no process's table (a descriptor on its way through a
    /// UNIX socket, or in the kernel's hands).
    pub pid: u32,
    /// Whether it is CHECKPOINTABLE.
    pub checkpointable: bool,
    /// Whether the group's end is a standard stream that may be saved as external.
    pub external: bool,
    /// A member that holds the group's end.
    pub member: u32,
    /// Its descriptor.
    pub fd: u32,
    /// The kind of stream.
    pub what: &'static str,
}

/// A failure about one open file.
pub(super) fn refuse(open: &OpenFile, code: FailureCode) -> Failure {
    Failure::new(code).pid(open.pid).fd(open.fd as i32)
}

/// The open file of an object that nobody outside may have as well.
pub(super) fn own_file<'a>(open: &'a OpenFile, what: &str) -> Outcome<&'a FileRef> {
    let Some(file) = &open.file else {
        return Err(refuse(open, FailureCode::Internal));
    };
    if open.is_shared_outside() {
        return Err(refuse(open, FailureCode::OutsideEnd).text(format_args!("{what}")));
    }
    Ok(file)
}

impl ObjectSet {
    /// Finds and classifies everything that `members`, all stopped, hold.
    ///
    /// # Errors
    ///
    /// `Unsupported` with process, descriptor and kind or path of what cannot be saved; `Limit`.
    pub fn scan(members: &[Member<'_>]) -> Outcome<ObjectSet> {
        let mut set = ObjectSet {
            tables: KVVec::new(),
            uses: KVVec::new(),
            tgids: KVVec::new(),
            files: KVVec::new(),
            pipes: KVVec::new(),
            streams: KVVec::new(),
            wanted: KVVec::new(),
            outside: KVVec::new(),
            locks: KVVec::new(),
        };
        for member in members {
            set.tgids.push(member.tgid, GFP_KERNEL)?;
        }
        sort::by_key(&mut set.tgids, |tgid| *tgid);
        let fds = set.scan_tables(members)?;
        set.scan_files(fds)?;
        set.classify()?;
        set.scan_locks()?;
        set.scan_epolls()?;
        set.scan_backlogs()?;
        set.match_streams()?;
        set.match_pairs()?;
        Ok(set)
    }

    /// Finds the distinct tables, and walks each once.
    fn scan_tables(&mut self, members: &[Member<'_>]) -> Outcome<KVVec<(Fd, u32)>> {
        let mut uses = KVVec::new();
        for (index, member) in members.iter().enumerate() {
            for (thread, task) in member.tasks.iter().enumerate() {
                let (key, users) = sys::table_key(task);
                if key != 0 {
                    uses.push((key, users, index, thread), GFP_KERNEL)?;
                }
            }
        }
        sort::by_key(&mut uses, |used| *used);
        let mut fds = KVVec::new();
        for same in uses.chunk_by(|a, b| a.0 == b.0) {
            let (key, users, index, thread) = same[0];
            let member = &members[index];
            if users as usize > same.len() {
                let failure = Failure::new(FailureCode::Unsupported).pid(member.tgid);
                return Err(failure.text(format_args!("descriptors shared with another process")));
            }
            if self.tables.len() == TABLES_MAX as usize {
                return Err(limit(member.tgid, "descriptor tables"));
            }
            let table = self.tables.len() as u32;
            for &(_, _, index, thread) in same {
                let tid = sys::tid(&members[index].tasks[thread]);
                self.uses.push((tid, table), GFP_KERNEL)?;
            }
            let walked = sys::walk(&member.tasks[thread], DESCRIPTORS_MAX as usize)
                .map_err(|error| limit(member.tgid, "descriptors").errno(error))?;
            self.tables
                .push(Table::new(key, member.tgid, walked.len())?, GFP_KERNEL)?;
            for fd in walked {
                fds.push((fd, table), GFP_KERNEL)?;
            }
        }
        sort::by_key(&mut self.uses, |used| *used);
        Ok(fds)
    }

    /// Finds the distinct open files behind all descriptors.
    fn scan_files(&mut self, mut fds: KVVec<(Fd, u32)>) -> Outcome {
        sort::by_key(&mut fds, |(fd, table)| (fd.file.key(), fd.fd, *table));
        for (fd, index) in fds {
            let table = &mut self.tables[index as usize];
            if fd.fd >= DESCRIPTOR_END {
                return Err(limit(table.pid, "descriptor number").fd(fd.fd as i32));
            }
            let known = self.files.last().and_then(|open| open.file.as_ref());
            if known.map(|file| file.key()) != Some(fd.file.key()) {
                if self.files.len() == OBJECTS_MAX as usize {
                    return Err(limit(table.pid, "open files"));
                }
                let open = OpenFile {
                    info: fd.file.info(),
                    file: Some(fd.file),
                    found: 0,
                    pid: table.pid,
                    fd: fd.fd,
                    saved: Saved::Unclassified,
                };
                self.files.push(open, GFP_KERNEL)?;
            }
            let object = self.files.len();
            self.files[object - 1].found += 1;
            let entry = Entry {
                fd: fd.fd,
                cloexec: fd.cloexec,
                object: object as u32,
            };
            table.entries.push(entry, GFP_KERNEL)?;
        }
        for table in self.tables.iter_mut() {
            sort::by_key(&mut table.entries, |entry| entry.fd);
        }
        Ok(())
    }

    /// Says of every open file what it is. Of several that cannot be saved, the one with the
    /// lowest descriptor is named.
    fn classify(&mut self) -> Outcome {
        let mut refused: Option<(u32, u32, Failure)> = None;
        for index in 0..self.files.len() {
            // Only now have the references of further descriptors been given up.
            let open = &mut self.files[index];
            open.info = match &open.file {
                Some(file) => file.info(),
                None => continue,
            };
            let at = (open.pid, open.fd);
            match self.classify_one(index) {
                Ok(saved) => self.files[index].saved = saved,
                Err(why) if refused.as_ref().is_none_or(|first| at < (first.0, first.1)) => {
                    refused = Some((at.0, at.1, why));
                }
                Err(_) => {}
            }
        }
        match refused {
            Some((_, _, why)) => Err(why),
            None => Ok(()),
        }
    }

    fn classify_one(&mut self, index: usize) -> Outcome<Saved> {
        let open = &self.files[index];
        if open.info.flags & O_ASYNC != 0 {
            let failure = refuse(open, FailureCode::Unsupported);
            return Err(failure.text(format_args!("{} with O_ASYNC", open.info.what())));
        }
        Ok(match open.info.kind {
            kind::REGULAR | kind::DIRECTORY => Saved::Regular(file::Regular::save(open)?),
            kind::DEVICE => Saved::Device(device::Device::save(open)?),
            kind::TTY => Saved::External(external::External::terminal(open)),
            kind::PIPE => Saved::PipeEnd(pipe::End::at(&mut self.pipes, open, index)?),
            kind::EVENTFD => Saved::EventFd(eventfd::EventFd::save(open)?),
            kind::TIMERFD => Saved::TimerFd(timerfd::TimerFd::save(open)?),
            kind::SIGNALFD => Saved::SignalFd(signalfd::SignalFd::save(open)?),
            // Saved last, by scan_epolls().
            kind::EPOLL => Saved::Unclassified,
            kind::TCP => tcp::classify(&mut self.streams, open, index)?,
            kind::UNIX if self.is_external_socket(open) => {
                Saved::External(external::External::pipe(open))
            }
            kind::UNIX => Saved::Pair(pair::End::scan(open)?),
            _ => return Err(unsupported(open, &open.info)),
        })
    }

    /// Whether a UNIX socket is just a standard stream to outside, as a pipe may be.
    fn is_external_socket(&self, open: &OpenFile) -> bool {
        let inside = |other: &OpenFile| other.info.stream == open.info.peer;
        open.fd <= 2 && open.info.peer != 0 && !self.files.iter().any(inside)
    }

    /// Who holds the other ends of the group's streams without being a member.
    pub fn outside_holders(&self) -> Outcome<KVVec<OutsideHolder>> {
        let mut wanted = KVVec::new();
        for pipe in self.pipes.iter().filter(|pipe| pipe.leads_outside()) {
            let open = &self.files[pipe.any_end()];
            let external = pipe.is_external();
            wanted.push((pipe.key(), open, external, "pipe"), GFP_KERNEL)?;
        }
        for &(key, index, what) in self.wanted.iter() {
            let open = &self.files[index];
            let external = matches!(open.saved, Saved::External(_));
            wanted.push((key, open, external, what), GFP_KERNEL)?;
        }
        sort::by_key(&mut wanted, |wanted| wanted.0);
        let mut keys = KVVec::new();
        for wanted in wanted.iter() {
            keys.push(wanted.0, GFP_KERNEL)?;
        }
        let mut outside = KVVec::new();
        if keys.is_empty() {
            return Ok(outside);
        }
        let mut found = sys::find_holders(&keys, HOLDERS_MAX)
            .map_err(|error| Failure::from(error).text(format_args!("holders of streams")))?;
        sort::by_key(&mut found, |holder| (holder.key, holder.pid));
        for (key, open, external, what) in wanted {
            let start = found.partition_point(|holder| holder.key < key);
            let mut last = 0;
            let mut holder = OutsideHolder {
                pid: 0,
                checkpointable: false,
                external,
                member: open.pid,
                fd: open.fd,
                what,
            };
            for other in found[start..].iter().take_while(|other| other.key == key) {
                if other.pid == last || self.tgids.binary_search(&other.pid).is_ok() {
                    continue;
                }
                last = other.pid;
                holder.pid = other.pid;
                holder.checkpointable = other.caps & cap::CHECKPOINTABLE != 0;
                outside.push(holder, GFP_KERNEL)?;
            }
            if last == 0 {
                outside.push(holder, GFP_KERNEL)?;
            }
        }
        Ok(outside)
    }
}

/// `O_ASYNC`, include/uapi/asm-generic/fcntl.h (FASYNC).
const O_ASYNC: u32 = 0o20000;

fn limit(pid: u32, what: &str) -> Failure {
    Failure::new(FailureCode::Limit)
        .pid(pid)
        .text(format_args!("{what}"))
}

fn unsupported(open: &OpenFile, info: &FileInfo) -> Failure {
    refuse(open, FailureCode::Unsupported).text(format_args!("{}", info.what()))
}
