// SPDX-License-Identifier: GPL-2.0
//! Making the objects of a part again, from checked records, and giving them to the processes.

mod linked;

use super::payload::{invalid, Record};
use super::{
    device, epoll, eventfd, external, file, lock, pair, pipe, signalfd, table, tcp, timerfd,
};
use crate::failure::Outcome;
use crate::sys::file::FileRef;
use crate::sys::fsio::Creds;
pub use external::Stdio;
use kernel::prelude::*;
use ssi_core::image::file::FileLock;
use ssi_core::image::frame::Kind;
use ssi_core::image::object::{OBJECTS_MAX, TABLES_MAX};
use ssi_core::image::pipe::PipeEnd;
use ssi_core::image::socket::STREAMS_MAX;
use ssi_core::sort;
pub use tcp::transfer::{Bind, StreamBinder};
pub use timerfd::Idle as IdleTimer;

/// How one open file is made again.
enum Plan {
    Regular(file::Rebuilt),
    Device(device::Rebuilt),
    PipeEnd(PipeEnd),
    External(external::Rebuilt),
    Listener(tcp::listener::Rebuilt),
    TcpIdle(tcp::idle::Rebuilt),
    EventFd(eventfd::Rebuilt),
    TimerFd(timerfd::Rebuilt),
    SignalFd(signalfd::Rebuilt),
    Epoll(epoll::Rebuilt),
    Pair(pair::Rebuilt),
    /// Its stream has the same id.
    Tcp,
}

/// An open file of the image, and the new one once it is made.
struct Object {
    id: u64,
    plan: Plan,
    file: Option<FileRef>,
}

impl Drop for Object {
    fn drop(&mut self) {
        // What a part that is taken back had opened is closed when that is said.
        if let Some(file) = self.file.take() {
            file.close();
        }
    }
}

/// The objects of one part. [`Objects::parse`], [`Objects::create`] in the helper's context,
/// [`Objects::install_current`] in the context of every restored process, [`Objects::finish`].
pub struct Objects {
    /// Sorted by id, as the other two.
    objects: KVVec<Object>,
    pipes: KVVec<pipe::Rebuilt>,
    tables: KVVec<table::Rebuilt>,
    streams: KVVec<tcp::rebuilt::Rebuilt>,
    locks: KVVec<FileLock>,
}

impl Objects {
    /// Checks and takes over all records of objects; those of other kinds are left out.
    ///
    /// # Errors
    ///
    /// `Damaged` for what no writer writes: bad values, an id twice, a reference to nothing.
    pub fn parse<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Outcome<Objects> {
        let mut objects = Objects {
            objects: KVVec::new(),
            pipes: KVVec::new(),
            tables: KVVec::new(),
            streams: KVVec::new(),
            locks: KVVec::new(),
        };
        for record in records {
            objects.add(&record)?;
        }
        objects.check()?;
        Ok(objects)
    }

    fn add(&mut self, record: &Record<'_>) -> Outcome {
        let (id, payload) = (record.subject, record.payload);
        let plan = match record.kind {
            Kind::DescriptorTable => {
                let table = table::Rebuilt::parse(id, payload)?;
                return push(&mut self.tables, table, TABLES_MAX);
            }
            Kind::Pipe => {
                let pipe = pipe::Rebuilt::parse(id, payload)?;
                return push(&mut self.pipes, pipe, OBJECTS_MAX);
            }
            Kind::FileLock => {
                let lock = lock::parse(payload)?;
                return push(&mut self.locks, lock, OBJECTS_MAX);
            }
            Kind::RegularFile => Plan::Regular(file::Rebuilt::parse(payload)?),
            Kind::Device => Plan::Device(device::Rebuilt::parse(payload)?),
            Kind::PipeEnd => Plan::PipeEnd(pipe::parse_end(payload)?),
            Kind::External => Plan::External(external::Rebuilt::parse(payload)?),
            Kind::EventFd => Plan::EventFd(eventfd::Rebuilt::parse(payload)?),
            Kind::TimerFd => Plan::TimerFd(timerfd::Rebuilt::parse(payload)?),
            Kind::SignalFd => Plan::SignalFd(signalfd::Rebuilt::parse(payload)?),
            Kind::Epoll => Plan::Epoll(epoll::Rebuilt::parse(payload)?),
            Kind::PairEnd => Plan::Pair(pair::Rebuilt::parse(payload)?),
            Kind::TcpListener => Plan::Listener(tcp::listener::Rebuilt::parse(payload)?),
            Kind::TcpIdle => Plan::TcpIdle(tcp::idle::Rebuilt::parse(payload)?),
            Kind::TcpStream => {
                let stream = tcp::rebuilt::Rebuilt::parse(id, payload)?;
                let held = stream.is_held();
                push(&mut self.streams, stream, STREAMS_MAX)?;
                if !held {
                    return Ok(());
                }
                Plan::Tcp
            }
            _ => return Ok(()),
        };
        let file = None;
        push(&mut self.objects, Object { id, plan, file }, OBJECTS_MAX)
    }

    fn check(&mut self) -> Outcome {
        sort::by_key(&mut self.objects, |object| object.id);
        sort::by_key(&mut self.pipes, |pipe| pipe.id);
        sort::by_key(&mut self.tables, |table| table.id);
        sort::by_key(&mut self.streams, |stream| stream.id);
        unique(self.streams.iter().map(|stream| stream.id))?;
        unique(self.objects.iter().map(|object| object.id))?;
        unique(self.pipes.iter().map(|pipe| pipe.id))?;
        unique(self.tables.iter().map(|table| table.id))?;
        for object in self.objects.iter() {
            match &object.plan {
                Plan::PipeEnd(end) => drop(find_pipe(&self.pipes, end.pipe)?),
                Plan::Epoll(plan) => {
                    for id in plan.objects() {
                        self.index_of(id).ok_or(invalid("epoll of nothing"))?;
                    }
                }
                Plan::Pair(plan) => drop(self.other_end(object.id, plan)?),
                _ => {}
            }
        }
        for (listener, _) in self.streams.iter().filter_map(|stream| stream.queued_in()) {
            let index = self.index_of(listener).ok_or(invalid("listener"))?;
            let Plan::Listener(_) = &self.objects[index].plan else {
                return Err(invalid("listener"));
            };
        }
        for lock in self.locks.iter() {
            self.index_of(lock.object)
                .ok_or(invalid("lock of nothing"))?;
        }
        for table in self.tables.iter() {
            for (_, id) in table.objects() {
                self.index_of(id).ok_or(invalid("descriptor of nothing"))?;
            }
        }
        Ok(())
    }

    fn index_of(&self, id: u64) -> Option<usize> {
        self.objects
            .binary_search_by_key(&id, |object| object.id)
            .ok()
    }

    /// Makes every object, in the context of the helper process, with the rights of `creds`;
    /// `binder` leads to the other ends of its connections.
    ///
    /// # Errors
    ///
    /// `FileGone` with the path; `Incompatible` with a port that is in use; `NodeUnreachable` with
    /// a connection whose other end does not come; `NoMemory`; `Limit`.
    pub fn create(&mut self, binder: &dyn StreamBinder, stdio: &Stdio, creds: &Creds) -> Outcome {
        creds.act(|| self.create_all(binder, stdio))
    }

    fn create_all(&mut self, binder: &dyn StreamBinder, stdio: &Stdio) -> Outcome {
        for pipe in self.pipes.iter_mut() {
            pipe.create()?;
        }
        for object in self.objects.iter_mut() {
            object.file = match &mut object.plan {
                Plan::Regular(plan) => Some(plan.create()?),
                Plan::Device(plan) => Some(plan.create()?),
                Plan::PipeEnd(end) => {
                    let index = find_pipe(&self.pipes, end.pipe)?;
                    Some(self.pipes[index].open(end)?)
                }
                Plan::External(plan) => Some(plan.create(stdio)?),
                Plan::TcpIdle(plan) => Some(plan.create()?),
                Plan::EventFd(plan) => Some(plan.create()?),
                Plan::TimerFd(plan) => Some(plan.create()?),
                Plan::SignalFd(plan) => Some(plan.create()?),
                Plan::Epoll(plan) => Some(plan.create()?),
                Plan::Listener(plan) => {
                    plan.create()?;
                    None
                }
                Plan::Tcp | Plan::Pair(_) => None,
            };
        }
        for pipe in self.pipes.iter_mut() {
            pipe.finish();
        }
        self.create_pairs()?;
        tcp::transfer::connect(&mut self.streams, binder)?;
        self.fill_backlogs()?;
        self.open_sockets()?;
        for lock in self.locks.iter().filter(|lock| lock.table == 0) {
            let file = self.file(lock.object).ok_or(invalid("lock of a file"))?;
            lock::take_again(lock, file)?;
        }
        self.fill_epolls()
    }

    /// Gives the calling task the descriptor table `id`, in place of what it has; 0 leaves none
    /// open. Tasks that name the same table share it.
    pub fn install_current(&mut self, id: u32) -> Outcome {
        let Objects {
            objects,
            tables,
            locks,
            ..
        } = self;
        let index = match tables.binary_search_by_key(&u64::from(id), |table| table.id) {
            Ok(index) => index,
            Err(_) if id == 0 => return Ok(crate::sys::file::clear_current()?),
            Err(_) => return Err(invalid("descriptor table")),
        };
        tables[index].install(locks, |id| {
            let index = objects.binary_search_by_key(&id, |object| object.id).ok()?;
            objects[index].file.as_ref()
        })?;
        self.watch_signals(index)
    }

    /// The open file `id` of the image: for mappings and for others that refer to it.
    pub fn file(&self, id: u64) -> Option<&FileRef> {
        self.objects[self.index_of(id)?].file.as_ref()
    }

    /// How many ends of connections it has.
    pub fn stream_ends(&self) -> u32 {
        self.streams.len() as u32
    }

    /// The last step before the processes may be let go: what was connecting goes on, files that
    /// were written at their end get their length back, and all references are given up but those
    /// of the timers, which are to be started then.
    pub fn finish(self, creds: &Creds) -> Outcome<KVVec<IdleTimer>> {
        creds.act(|| {
            let mut timers = KVVec::new();
            for object in self.objects.iter() {
                match (&object.plan, &object.file) {
                    (Plan::TcpIdle(plan), Some(file)) => plan.go_on(file)?,
                    (Plan::Regular(plan), Some(file)) => plan.finish(file)?,
                    (Plan::Pair(plan), Some(file)) => plan.finish(file),
                    (Plan::TimerFd(plan), Some(file)) => {
                        timers.push(plan.idle(file), GFP_KERNEL)?;
                    }
                    _ => {}
                }
            }
            Ok(timers)
        })
    }
}

fn push<T>(list: &mut KVVec<T>, item: T, max: u32) -> Outcome {
    super::payload::bounded(list.len() + 1, max, "objects of an image")?;
    Ok(list.push(item, GFP_KERNEL)?)
}

fn unique(ids: impl Iterator<Item = u64>) -> Outcome {
    let mut last = 0;
    for id in ids {
        if id <= last {
            return Err(invalid("id of an object"));
        }
        last = id;
    }
    Ok(())
}

fn find_pipe(pipes: &[pipe::Rebuilt], id: u64) -> Outcome<usize> {
    pipes
        .binary_search_by_key(&id, |pipe| pipe.id)
        .map_err(|_| invalid("end of no pipe"))
}
