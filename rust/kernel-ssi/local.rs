// SPDX-License-Identifier: GPL-2.0
//! This node's share of a checkpoint: its processes and what they hold.

mod copy;
mod media;

use crate::failure::{Failure, FailureCode, Outcome};
use crate::freeze::{Group, Policy, Scope, Seed as LocalSeed};
use crate::host::Joined;
use crate::media::Folder;
use crate::memory::Memories;
use crate::object::tcp::{holder_of_tcp, TcpHolder, TcpLink};
use crate::object::{Member, ObjectSet, OutsideHolder};
use crate::request::Note;
use crate::sys::caps;
use crate::sys::fsio::Creds;
use crate::sys::thread::{clock_ns, wall_ms};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::{CHECKPOINT_EXTERNAL_ENDS, CHECKPOINT_PROCESS_ONLY};
use ssi_core::checkpoint::{Counts, Found, Options, Seed};
use ssi_core::node::NodeId;
use ssi_core::stream::End;

/// Rounds in which a stop may grow by local streams.
const ROUNDS_MAX: u32 = 4096;

/// signal(7), x86.
const SIGCONT: u32 = 18;

/// Hears of links that leave the node.
pub type Leads<'a> = &'a mut dyn FnMut(NodeId, Seed);

/// What engine and worker tell each other past the queue of acts.
#[derive(Default)]
pub struct Signals {
    /// What is under way shall end early.
    pub cancelled: AtomicBool,
    /// When the processes were let go, nanoseconds of the monotonic clock.
    pub released_ns: AtomicU64,
}

/// The share of one operation.
pub struct Local {
    node: Arc<Joined>,
    options: Options,
    note: Note,
    signals: Arc<Signals>,
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
    sending: Option<copy::Sending>,
}

impl Local {
    /// The share before anything was found.
    pub fn new(
        node: Arc<Joined>,
        options: Options,
        note: Note,
        signals: Arc<Signals>,
    ) -> Outcome<Local> {
        Ok(Local {
            creds: Creds::of_user(options.uid, options.gid)?,
            node,
            options,
            signals,
            group: Group::new(note.caller)?,
            note,
            objects: None,
            memories: Memories::new()?,
            reported: KVec::new(),
            orphans: KVec::new(),
            counts: Counts::ZERO,
            stopped_ns: 0,
            paused_ns: 0,
            date: 0,
            written: None,
            sending: None,
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
        match self.signals.cancelled.load(Ordering::Acquire) {
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
                self.sever();
                return Ok(());
            }
        }
        Err(Failure::new(FailureCode::Limit).text(format_args!("processes linked by streams")))
    }

    /// Where the user wants it so: connections out of the application end with it.
    fn sever(&mut self) {
        let lonely = self.has(CHECKPOINT_PROCESS_ONLY);
        if !self.has(CHECKPOINT_EXTERNAL_ENDS) {
            return;
        }
        if let Some(objects) = self.objects.as_mut() {
            let config = &self.node.config;
            objects.sever_outside();
            objects.sever_remote(&|far| !lonely && config.node_at(far.address).is_some());
        }
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
        let (mut head_root, mut application) = (0, 0);
        for process in self.group.processes() {
            let known = caps::application(process.tgid);
            if known != 0 && (application == 0 || known < application) {
                application = known;
            }
            let head = caps::is_head_root(process.tgid) || self.has(CHECKPOINT_PROCESS_ONLY);
            if head && (head_root == 0 || process.tgid < head_root) {
                head_root = process.tgid;
            }
        }
        Ok(Found {
            application,
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

    /// The processes get what was asked for, and go on; says how many they are.
    pub fn signal(&mut self) -> Counts {
        self.objects = None;
        if self.options.signal != 0 {
            self.group.signal(self.options.signal);
        }
        if self.options.continues() {
            self.group.signal(SIGCONT);
        }
        let threads = self.group.processes().map(|process| process.tasks.len());
        let counts = Counts {
            processes: self.group.processes().count() as u32,
            threads: threads.sum::<usize>() as u32,
            ..Counts::ZERO
        };
        self.release();
        counts
    }

    /// The application goes on.
    pub fn release(&mut self) {
        self.group.release();
        if self.stopped_ns != 0 && self.paused_ns == 0 {
            let now_ns = clock_ns();
            self.signals.released_ns.store(now_ns, Ordering::Release);
            self.paused_ns = now_ns.saturating_sub(self.stopped_ns);
        }
    }

    /// Undoes everything: processes go on, the part is removed.
    pub fn discard(&mut self) {
        self.objects = None;
        self.release();
        self.sending = None;
        if let Some(folder) = self.written.take() {
            if folder.remove().is_err() {
                pr_warn!("a part of a failed checkpoint could not be removed\n");
            }
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
