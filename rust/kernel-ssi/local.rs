// SPDX-License-Identifier: GPL-2.0
//! This node's share of a checkpoint: its processes and what they hold.

use crate::failure::{Failure, FailureCode, Outcome};
use crate::freeze::{Group, Policy, Scope, Seed as LocalSeed};
use crate::host::Joined;
use crate::media::{Folder, FrameWriter, Store};
use crate::memory::Memories;
use crate::object::tcp::{holder_of_tcp, TcpHolder, TcpLink};
use crate::object::{Member, ObjectSet, OutsideHolder};
use crate::sys::caps;
use crate::sys::fsio::Creds;
use crate::sys::thread::{clock_ns, wall_ms};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::{CHECKPOINT_EXTERNAL_ENDS, CHECKPOINT_PROCESS_ONLY};
use ssi_core::checkpoint::{Counts, Found, Options, Report, Seed, Totals, Version};
use ssi_core::image::commit::Commit;
use ssi_core::image::part::{PartHead, RELEASE_BYTES};
use ssi_core::node::{NodeId, OpId};
use ssi_core::stream::End;

/// Rounds in which a stop may grow by local streams.
const ROUNDS_MAX: u32 = 4096;

/// Hears of links that leave the node.
pub type Leads<'a> = &'a mut dyn FnMut(NodeId, Seed);

/// The share of one operation.
pub struct Local {
    node: Arc<Joined>,
    op: OpId,
    options: Options,
    description: KVec<u8>,
    cancelled: Arc<AtomicBool>,
    creds: Creds,
    group: Group,
    objects: Option<ObjectSet>,
    memories: Arc<Memories>,
    reported: KVec<TcpLink>,
    /// Ends that no process of this node holds any more.
    orphans: KVec<TcpLink>,
    counts: Counts,
    stopped_ns: u64,
    paused_ns: u64,
    date: u64,
    written: Option<Folder>,
}

impl Local {
    /// The share before anything was found.
    pub fn new(
        node: Arc<Joined>,
        op: OpId,
        options: Options,
        description: KVec<u8>,
        cancelled: Arc<AtomicBool>,
    ) -> Outcome<Local> {
        Ok(Local {
            creds: Creds::of_user(options.uid, options.gid)?,
            node,
            op,
            options,
            description,
            cancelled,
            group: Group::new()?,
            objects: None,
            memories: Memories::new()?,
            reported: KVec::new(),
            orphans: KVec::new(),
            counts: Counts::ZERO,
            stopped_ns: 0,
            paused_ns: 0,
            date: 0,
            written: None,
        })
    }

    /// The failure as the core takes it, with this node's name.
    pub fn blame(&self, why: Failure) -> ssi_core::failure::Failure {
        why.node(self.node.config.node.raw()).to_core()
    }

    fn has(&self, flag: u32) -> bool {
        self.options.flags & flag != 0
    }

    fn check_cancelled(&self) -> Outcome {
        match self.cancelled.load(Ordering::Acquire) {
            true => Err(Failure::new(FailureCode::Internal).text(format_args!("cancelled"))),
            false => Ok(()),
        }
    }

    /// Finds and stops what `seed` leads to on this node, and says what leads to others.
    pub fn stop(&mut self, seed: Seed, leads: Leads<'_>) -> Outcome<Found> {
        self.check_cancelled()?;
        if self.stopped_ns == 0 {
            self.stopped_ns = clock_ns();
        }
        if let Some(pid) = self.pid_of(seed)? {
            self.stop_from(pid)?;
        }
        self.close_over_streams()?;
        self.lead_on(leads)?;
        self.found()
    }

    /// The process at a seed; `None` where only the kernel has the end of the stream.
    fn pid_of(&mut self, seed: Seed) -> Outcome<Option<u32>> {
        let (near, far) = match seed {
            Seed::Target(pid) | Seed::Father(pid) | Seed::Son(pid) => return Ok(Some(pid.raw())),
            Seed::Stream { near, far } => (near, far),
        };
        let outside = Failure::new(FailureCode::OutsideEnd);
        match holder_of_tcp(near, far)? {
            TcpHolder::Process(pid) => match caps::get(pid) {
                Ok((_, caps)) if caps & ssi_core::abi::cap::CHECKPOINTABLE != 0 => Ok(Some(pid)),
                Ok(_) | Err(_) => Err(outside.pid(pid).text(format_args!("TCP connection"))),
            },
            // Even where nothing is left, the other end must find something at a restart.
            TcpHolder::Orphan | TcpHolder::Nothing => {
                self.orphans.push(TcpLink { near, far }, GFP_KERNEL)?;
                Ok(None)
            }
        }
    }

    fn stop_from(&mut self, pid: u32) -> Outcome {
        let scope = match self.has(CHECKPOINT_PROCESS_ONLY) {
            true => Scope::Process,
            false => Scope::Application,
        };
        let policy = Policy {
            scope,
            uid: self.options.uid,
        };
        self.group.stop(&[LocalSeed::Pid(pid)], policy)?;
        let processes = self.group.processes().count() as u32;
        self.node
            .gauge
            .processes
            .store(processes, Ordering::Relaxed);
        Ok(())
    }

    fn scan(&self) -> Outcome<ObjectSet> {
        let mut members = KVec::new();
        for process in self.group.processes() {
            let member = Member {
                tgid: process.tgid,
                tasks: &process.tasks,
            };
            members.push(member, GFP_KERNEL)?;
        }
        ObjectSet::scan(&members)
    }

    /// Takes in who holds the other ends of local streams, until nobody is added.
    fn close_over_streams(&mut self) -> Outcome {
        for _ in 0..ROUNDS_MAX {
            self.check_cancelled()?;
            // The old set's references go first, or they would count as somebody else's.
            self.objects = None;
            let mut objects = self.scan()?;
            for end in self.orphans.iter() {
                objects.add_kernel_end(end.near, end.far)?;
            }
            let holders = objects.outside_holders()?;
            self.objects = Some(objects);
            let mut grown = false;
            for holder in holders.iter() {
                if holder.checkpointable && !self.has(CHECKPOINT_PROCESS_ONLY) {
                    self.stop_from(holder.pid)?;
                    grown = true;
                } else if !holder.external && !self.has(CHECKPOINT_EXTERNAL_ENDS) {
                    return Err(outside_holder(holder));
                }
            }
            if !grown {
                return Ok(());
            }
        }
        Err(Failure::new(FailureCode::Limit).text(format_args!("processes linked by streams")))
    }

    /// Reports connections that lead to other nodes, each once.
    fn lead_on(&mut self, leads: Leads<'_>) -> Outcome {
        let Some(objects) = self.objects.as_ref() else {
            return Ok(());
        };
        for link in objects.remote_links()?.iter() {
            let known = |old: &TcpLink| (old.near, old.far) == (link.near, link.far);
            if self.reported.iter().any(known) {
                continue;
            }
            let node = self.node.config.node_at(link.far.address);
            match node {
                Some(node) if !self.has(CHECKPOINT_PROCESS_ONLY) => {
                    let seed = Seed::Stream {
                        near: link.far,
                        far: link.near,
                    };
                    leads(node, seed);
                }
                Some(_) | None => return Err(outside_address(&link.far)),
            }
            self.reported.push(*link, GFP_KERNEL)?;
        }
        Ok(())
    }

    fn found(&self) -> Outcome<Found> {
        let mut head_root = 0;
        for process in self.group.processes() {
            let head = caps::is_head_root(process.tgid) || self.has(CHECKPOINT_PROCESS_ONLY);
            if head && (head_root == 0 || process.tgid < head_root) {
                head_root = process.tgid;
            }
        }
        Ok(Found {
            application: 0,
            head_root,
        })
    }

    /// Saves the send queues of all connections.
    pub fn save_send(&mut self) -> Outcome {
        match self.objects.as_mut() {
            Some(objects) => objects.save_send_queues(),
            None => Ok(()),
        }
    }

    /// Saves everything else in memory, every process in its own context.
    pub fn snapshot(&mut self) -> Outcome<Counts> {
        self.check_cancelled()?;
        let Some(objects) = self.objects.as_mut() else {
            return Ok(Counts::ZERO);
        };
        objects.save_rest()?;
        let streams = objects.counts();
        let memories = self.memories.clone();
        self.group.snapshot(&memories, &|_| Ok(()))?;
        self.date = wall_ms() / 1000;
        let threads = self.group.processes().map(|process| process.tasks.len());
        self.counts = Counts {
            processes: self.group.processes().count() as u32,
            threads: threads.sum::<usize>() as u32,
            streams: streams.streams,
            stream_bytes: streams.bytes,
        };
        Ok(self.counts)
    }

    /// The application goes on.
    pub fn release(&mut self) {
        self.group.release();
        if self.stopped_ns != 0 && self.paused_ns == 0 {
            self.paused_ns = clock_ns().saturating_sub(self.stopped_ns);
        }
    }

    fn store(&self) -> Outcome<Store> {
        Store::new(self.options.store.as_bytes(), self.creds.clone())
    }

    /// Makes the folder of the application's next version; a new application is named after
    /// its smallest head root.
    pub fn open_version(&mut self, found: Found) -> Outcome<Version> {
        let application = match found.application {
            0 => u64::from(found.head_root),
            known => known,
        };
        let number = self.store()?.open_version(application)?;
        Ok(Version {
            application,
            number,
        })
    }

    #[inline(never)]
    /// Writes this node's part and makes it durable; `None` where there is nothing.
    pub fn write(&mut self, version: Version) -> Outcome<Option<Totals>> {
        let Some(objects) = self.objects.take() else {
            return Ok(None);
        };
        let node = self.node.config.node;
        let folder = self
            .store()?
            .create_part(version.application, version.number, node)?;
        let head = PartHead {
            application: version.application,
            version: version.number,
            node: node.raw(),
            epoch: self.node.config.epoch.0,
            date: self.date,
            release: [0; RELEASE_BYTES],
        };
        let mut part = FrameWriter::create(&folder, &head)?;
        self.written = Some(folder);
        let (cancelled, node) = (self.cancelled.clone(), self.node.clone());
        let watch = |bytes: u64| {
            node.gauge.bytes.fetch_add(bytes, Ordering::Relaxed);
            match cancelled.load(Ordering::Acquire) {
                true => Err(Failure::new(FailureCode::Internal).text(format_args!("cancelled"))),
                false => Ok(()),
            }
        };
        self.node.gauge.bytes.store(0, Ordering::Relaxed);
        let table_of = |tid| objects.table_of(tid);
        objects.emit(node.config.node, &mut |kind, id, bytes| {
            part.record(kind, id, bytes)
        })?;
        self.memories
            .emit(&mut |kind, id, bytes| part.record(kind, id, bytes))?;
        self.group.emit(&table_of, &mut |kind, id, bytes| {
            part.record(kind, id, bytes)
        })?;
        let pages = match self.written.as_ref() {
            Some(folder) => self
                .memories
                .write(folder, &watch, &mut |kind, id, bytes| {
                    part.record(kind, id, bytes)
                })?,
            None => 0,
        };
        let summary = part.finish(self.counts.processes, self.counts.threads, pages)?;
        if let Some(folder) = self.written.as_ref() {
            folder.sync()?;
        }
        Ok(Some(Totals {
            bytes: summary.bytes,
            digest: summary.digest,
            pause_ns_max: self.paused_ns,
        }))
    }

    /// Writes the commit record: from here on the version exists.
    pub fn commit(&mut self, report: &Report) -> Outcome {
        let record = Commit {
            application: report.version.application,
            version: report.version.number,
            pid: self.op.number,
            date: self.date,
            nodes: report.nodes,
            processes: report.counts.processes,
            threads: report.counts.threads,
            streams: report.counts.streams,
            uid: self.options.uid,
            stream_bytes: report.counts.stream_bytes,
            bytes: report.totals.bytes,
            digest: report.totals.digest,
            description_len: 0,
            reserved: 0,
        };
        let description = core::str::from_utf8(&self.description).map_err(|_| {
            Failure::new(FailureCode::BadArgument).text(format_args!("description"))
        })?;
        self.store()?.write_commit(&record, description)
    }

    /// Undoes everything: processes go on, the part is removed.
    pub fn discard(&mut self) {
        self.objects = None;
        self.release();
        if let Some(folder) = self.written.take() {
            if folder.remove().is_err() {
                pr_warn!("a part of a failed checkpoint could not be removed\n");
            }
        }
    }

    /// Removes the folder of a version that was never committed.
    pub fn remove_version(&mut self, version: Version) {
        let removed = self
            .store()
            .and_then(|store| store.remove_version(version.application, version.number));
        if removed.is_err() {
            pr_warn!("the folder of a failed checkpoint could not be removed\n");
        }
    }
}

fn outside_holder(holder: &OutsideHolder) -> Failure {
    let why = Failure::new(FailureCode::OutsideEnd)
        .pid(holder.member)
        .fd(holder.fd as i32);
    why.text(format_args!(
        "{} held by process {}",
        holder.what, holder.pid
    ))
}

fn outside_address(end: &End) -> Failure {
    let [a, b, c, d] = end.address.to_be_bytes();
    let text = format_args!("TCP connection with {a}.{b}.{c}.{d}:{}", end.port);
    Failure::new(FailureCode::OutsideEnd).text(text)
}
