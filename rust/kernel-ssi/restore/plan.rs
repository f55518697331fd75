// SPDX-License-Identifier: GPL-2.0
//! What is to be built: the processes of a part, checked before anything is created.

use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::caps::APPLICATION_END;
use kernel::prelude::*;
use kernel::str::CString;
use ssi_core::codec::CodecError;
use ssi_core::image::creds::{self, Caller};
use ssi_core::image::frame::Kind;
use ssi_core::image::part::ImageError;
use ssi_core::image::process::{self, flag, Process};
use ssi_core::image::thread::{self, Thread, FPU_BYTES_MAX};
use ssi_core::image::{signal, tree};
use ssi_core::sort;

/// A process that is to be made.
pub struct ProcessPlan {
    /// What it is.
    pub record: Process,
    /// Places of its sons among the processes.
    pub sons: KVec<usize>,
    /// Its threads, the leader first; none of a zombie.
    pub threads: KVec<ThreadPlan>,
    /// `Limits` payload.
    pub limits: Option<[u8; 256]>,
    /// Working directory and umask.
    pub directory: Option<(CString, u32)>,
    /// `SignalActions` payload.
    pub actions: KVec<u8>,
    /// `Timer` payload.
    pub timers: KVVec<u8>,
    /// Shared `PendingSignal` payloads, one after the other.
    pub pending: KVVec<u8>,
}

/// A thread that is to be made.
pub struct ThreadPlan {
    /// What it is.
    pub record: Thread,
    /// XSAVE image.
    pub fpu: KVec<u8>,
    /// `Credentials` payload.
    pub creds: KVVec<u8>,
    /// Its own `PendingSignal` payloads, one after the other.
    pub pending: KVVec<u8>,
}

/// The processes of a part, sorted by PID: a forest that can be built.
pub struct Plan {
    processes: KVVec<ProcessPlan>,
}

/// A damaged image.
fn damaged(pid: u32, what: &str) -> Failure {
    Failure::new(FailureCode::Damaged)
        .pid(pid)
        .bytes(what.as_bytes())
}

fn wrong(pid: u32, kind: Kind) -> impl Fn(ImageError) -> Failure {
    move |error| {
        let text = format_args!("{} record: {:?}", kind.name(), error);
        Failure::new(FailureCode::Damaged).pid(pid).text(text)
    }
}

fn copied<const N: usize>(payload: &[u8]) -> Result<[u8; N], ImageError> {
    payload
        .try_into()
        .map_err(|_| ImageError::from(CodecError::Length))
}

impl Plan {
    /// A plan without processes.
    pub fn new() -> Plan {
        Plan {
            processes: KVVec::new(),
        }
    }

    /// Has the processes made as those of an application.
    pub fn set_application(&mut self, application: u64) {
        let id = u32::try_from(application)
            .ok()
            .filter(|_| application < APPLICATION_END);
        for process in self.processes.iter_mut() {
            process.record.caps |= id.unwrap_or(0) << 2;
        }
    }

    /// Has the processes come back as if SIGSTOP had stopped them.
    pub fn set_stopped(&mut self) {
        for process in self.processes.iter_mut() {
            if !process.record.has(flag::ZOMBIE) {
                process.record.flags |= flag::STOPPED;
            }
        }
    }

    /// The processes, sorted by PID.
    pub fn processes(&self) -> &[ProcessPlan] {
        &self.processes
    }

    /// Where the process with this PID stands.
    pub fn find(&self, pid: u32) -> Option<usize> {
        self.processes
            .binary_search_by_key(&pid, |process| process.record.pid)
            .ok()
    }

    /// Takes over one record, in the order of the part; false where it is about something else.
    ///
    /// # Errors
    ///
    /// `Damaged` with the process and the kind of record.
    pub fn add(&mut self, kind: Kind, subject: u64, payload: &[u8]) -> Outcome<bool> {
        if !is_ours(kind) {
            return Ok(false);
        }
        // CAST: compared below with 32-bit numbers; a larger subject equals none.
        let pid = u32::try_from(subject).unwrap_or(0);
        if kind == Kind::Process {
            let record = process::parse(payload).map_err(wrong(pid, kind))?;
            return self.add_process(record, pid).map(|()| true);
        }
        let Some(process) = self.processes.last_mut() else {
            return Err(damaged(pid, "record before any process"));
        };
        match kind {
            Kind::Thread => process.add_thread(pid, payload)?,
            Kind::Fpu | Kind::Credentials => process.add_to_thread(kind, pid, payload)?,
            Kind::PendingSignal => process.add_pending(pid, payload)?,
            _ => process.add_shared(kind, pid, payload)?,
        }
        Ok(true)
    }

    fn add_process(&mut self, record: Process, subject: u32) -> Outcome {
        if subject != record.pid {
            return Err(damaged(subject, "process under another PID"));
        }
        if self.processes.len() >= tree::PROCESSES_MAX {
            return Err(damaged(subject, "too many processes"));
        }
        let process = ProcessPlan {
            record,
            sons: KVec::new(),
            threads: KVec::new(),
            limits: None,
            directory: None,
            actions: KVec::new(),
            timers: KVVec::new(),
            pending: KVVec::new(),
        };
        Ok(self.processes.push(process, GFP_KERNEL)?)
    }

    /// Checks all that takes more than one record.
    ///
    /// # Errors
    ///
    /// `Damaged`; `NotPermitted` where `caller` may not have such a process made.
    pub fn check(&mut self, caller: Caller) -> Outcome {
        sort::by_key(&mut self.processes, |process| process.record.pid);
        let mut records = KVVec::with_capacity(self.processes.len(), GFP_KERNEL)?;
        for process in self.processes.iter() {
            process.check(caller)?;
            records.push(process.record, GFP_KERNEL)?;
        }
        let mut seen = KVVec::from_elem(0, records.len(), GFP_KERNEL)?;
        tree::check(&records, &mut seen).map_err(wrong(0, Kind::Process))?;
        for (place, record) in records.iter().enumerate() {
            if let Some(father) = tree::find(&records, record.parent) {
                self.processes[father].sons.push(place, GFP_KERNEL)?;
                self.check_borrower(father, record)?;
            }
        }
        self.check_ids()
    }

    /// At most one thread waits in vfork for a son; one who runs in his father's memory has one.
    fn check_borrower(&self, father: usize, son: &Process) -> Outcome {
        let father = &self.processes[father];
        let waiting = |thread: &&ThreadPlan| thread.record.vfork_child == son.pid;
        let waits = father.threads.iter().filter(waiting).count();
        let borrows = son.has(flag::BORROWED_MEMORY);
        if waits > 1 || (borrows && (waits == 0 || son.memory != father.record.memory)) {
            return Err(damaged(son.pid, "vfork without its other half"));
        }
        Ok(())
    }

    /// Every PID and TID once; every vfork has its son.
    fn check_ids(&self) -> Outcome {
        let mut ids = KVVec::new();
        for process in self.processes.iter() {
            if process.has_ghost() {
                ids.push(process.record.pid, GFP_KERNEL)?;
            }
            for thread in process.threads.iter() {
                ids.push(thread.record.tid, GFP_KERNEL)?;
                let child = thread.record.vfork_child;
                let son = self.find(child).map(|place| &self.processes[place].record);
                if child != 0 && son.is_none_or(|son| son.parent != process.record.pid) {
                    return Err(damaged(process.record.pid, "vfork without a son"));
                }
            }
        }
        sort::by_key(&mut ids, |id| *id);
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(damaged(pair[0], "PID twice")),
            None => Ok(()),
        }
    }
}

fn is_ours(kind: Kind) -> bool {
    (Kind::Process as u16..=Kind::Timer as u16).contains(&(kind as u16))
}

impl ProcessPlan {
    /// Whether a task has to be made that is no thread of the image: its leader had ended.
    pub fn has_ghost(&self) -> bool {
        self.threads
            .first()
            .is_none_or(|first| first.record.tid != self.record.pid)
    }

    fn add_shared(&mut self, kind: Kind, subject: u32, payload: &[u8]) -> Outcome {
        if subject != self.record.pid {
            return Err(damaged(subject, "record of another process"));
        }
        let error = wrong(subject, kind);
        match kind {
            Kind::Limits => {
                process::parse_limits(payload).map_err(&error)?;
                self.limits = Some(copied(payload).map_err(&error)?);
            }
            Kind::FsContext => {
                let (fs, path) = process::parse_fs(payload).map_err(&error)?;
                let text = core::str::from_utf8(path);
                let text = text.map_err(|_| damaged(subject, "path that is no UTF-8"))?;
                self.directory = Some((CString::try_from_fmt(format_args!("{text}"))?, fs.umask));
            }
            Kind::SignalActions => {
                signal::check_actions(payload).map_err(&error)?;
                self.actions = KVec::new();
                self.actions.extend_from_slice(payload, GFP_KERNEL)?;
            }
            Kind::Timer => {
                process::check_timers(payload).map_err(&error)?;
                self.timers = KVVec::new();
                self.timers.extend_from_slice(payload, GFP_KERNEL)?;
            }
            _ => return Err(damaged(subject, "record out of place")),
        }
        Ok(())
    }

    fn add_thread(&mut self, subject: u32, payload: &[u8]) -> Outcome {
        let record = thread::parse(payload).map_err(wrong(subject, Kind::Thread))?;
        if subject != record.tid || self.threads.len() >= self.record.threads as usize {
            return Err(damaged(self.record.pid, "thread out of place"));
        }
        let thread = ThreadPlan {
            record,
            fpu: KVec::new(),
            creds: KVVec::new(),
            pending: KVVec::new(),
        };
        Ok(self.threads.push(thread, GFP_KERNEL)?)
    }

    fn add_to_thread(&mut self, kind: Kind, subject: u32, payload: &[u8]) -> Outcome {
        let Some(thread) = self
            .threads
            .last_mut()
            .filter(|it| it.record.tid == subject)
        else {
            return Err(damaged(subject, "record of another thread"));
        };
        if kind == Kind::Credentials {
            creds::parse(payload).map_err(wrong(subject, kind))?;
            thread.creds = KVVec::new();
            return Ok(thread.creds.extend_from_slice(payload, GFP_KERNEL)?);
        }
        if payload.len() > FPU_BYTES_MAX {
            return Err(damaged(subject, "registers that no CPU has"));
        }
        thread.fpu = KVec::new();
        Ok(thread.fpu.extend_from_slice(payload, GFP_KERNEL)?)
    }

    fn add_pending(&mut self, subject: u32, payload: &[u8]) -> Outcome {
        let error = wrong(subject, Kind::PendingSignal);
        let record = signal::parse_pending(payload).map_err(error)?;
        let list = match (record.shared, self.threads.last_mut()) {
            (1, None) if subject == self.record.pid => &mut self.pending,
            (0, Some(thread)) if thread.record.tid == subject => &mut thread.pending,
            _ => return Err(damaged(subject, "signal of nobody")),
        };
        if list.len() / payload.len() >= signal::PENDING_MAX as usize {
            return Err(damaged(subject, "too many signals"));
        }
        Ok(list.extend_from_slice(payload, GFP_KERNEL)?)
    }

    /// Checks the process alone: complete, and within what `caller` may.
    fn check(&self, caller: Caller) -> Outcome {
        let pid = self.record.pid;
        let zombie = self.record.has(flag::ZOMBIE);
        let shared = self.limits.is_some()
            && self.directory.is_some()
            && !self.actions.is_empty()
            && !self.timers.is_empty();
        if self.threads.len() != self.record.threads as usize || shared == zombie {
            return Err(damaged(pid, "process with parts missing"));
        }
        if zombie && self.record.parent == 0 {
            return Err(damaged(pid, "zombie without a father"));
        }
        for (number, thread) in self.threads.iter().enumerate() {
            thread.check(pid, number == 0, caller)?;
        }
        // Only root may keep a process from the kernel's out-of-memory killer.
        match self.record.oom_score_adj < 0 && caller.uid != 0 {
            true => Err(Failure::new(FailureCode::NotPermitted).pid(pid)),
            false => Ok(()),
        }
    }
}

impl ThreadPlan {
    fn check(&self, pid: u32, first: bool, caller: Caller) -> Outcome {
        let tid = self.record.tid;
        if self.fpu.is_empty() || self.creds.is_empty() {
            return Err(damaged(tid, "thread with parts missing"));
        }
        // The thread that has the process's PID comes first, unless it has ended.
        if tid == pid && !first {
            return Err(damaged(pid, "leader out of place"));
        }
        let (creds, _) = creds::parse(&self.creds).map_err(wrong(tid, Kind::Credentials))?;
        let urgent = self.record.policy == 1 || self.record.policy == 2 || self.record.nice < 0;
        if !creds.within(caller) || (urgent && caller.uid != 0) {
            return Err(Failure::new(FailureCode::NotPermitted).pid(pid));
        }
        Ok(())
    }
}
