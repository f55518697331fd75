// SPDX-License-Identifier: GPL-2.0
//! Stops sets of processes at the user boundary, and lets them go on as if nothing had been.

use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::stop::{self, Refusal};
use crate::sys::thread::clock_ns;
use core::sync::atomic::AtomicU32;
use kernel::prelude::*;
use kernel::task::Task;
use kernel::types::ARef;

/// Most milliseconds that one [`Group::stop`] waits for the processes to come to rest.
pub const STOP_MS_MAX: u64 = 30_000;

/// Where to begin.
#[derive(Clone, Copy)]
pub enum Seed {
    /// Any process of the application, by its PID; a TID stands for its process.
    Pid(u32),
}

/// Whom to take in.
#[derive(Clone, Copy)]
pub struct Policy {
    /// What belongs to the seeds.
    pub scope: Scope,
    /// The caller's user id; 0 may stop everybody.
    pub uid: u32,
}

/// What belongs to a seed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Its head root with all CHECKPOINTABLE descendants.
    Application,
    /// Only the process.
    Process,
}

/// Why a process cannot ask for a checkpoint of an application that it belongs to.
const OWN_APPLICATION: &str =
    "the process that asks belongs to the application (ssi-cap --clear takes it out)";

/// A stopped process.
pub struct Process {
    /// Its PID.
    pub tgid: u32,
    /// Its living threads, the leader first while it lives; none of a zombie.
    pub tasks: KVec<ARef<Task>>,
    /// Its number in the group.
    pub(super) index: u32,
    /// Id of its address space in the image, once it is saved.
    pub(super) memory: AtomicU32,
}

/// A set of processes. Dropping it lets them go.
pub struct Group {
    pub(super) raw: stop::Group,
    pub(super) processes: KVec<Process>,
}

impl Group {
    /// A group without processes, which `caller` must not belong to.
    pub fn new(caller: u32) -> Outcome<Group> {
        Ok(Group {
            raw: stop::Group::new(caller)?,
            processes: KVec::new(),
        })
    }

    /// Takes in what belongs to `seeds`, and returns when every thread of the group is at rest.
    /// Children born and threads created meanwhile are caught. May be called again.
    ///
    /// # Errors
    ///
    /// `NoSuchProcess`, `NotCheckpointable`, `NotPermitted`, `Busy`, `Unsupported` (traced,
    /// io_uring), `StopTimeout`, `Limit`, `NoMemory`, each with the process; the group may hold
    /// part of the processes then, until it is dropped.
    pub fn stop(&mut self, seeds: &[Seed], policy: Policy) -> Outcome {
        let deadline = clock_ns() + STOP_MS_MAX * 1_000_000;
        for Seed::Pid(pid) in seeds {
            let lonely = policy.scope == Scope::Process;
            if let Err(refusal) = self.raw.stop(*pid, lonely, policy.uid, deadline) {
                return Err(self.explain(refusal));
            }
        }
        self.list()
    }

    /// The processes that belong to the cut, in the order in which they were found.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter()
    }

    /// Everybody gets the signal, and heeds it when it continues.
    pub fn signal(&mut self, signal: u32) {
        self.raw.signal(signal);
    }

    /// Everybody continues. What was saved stays until the group is dropped.
    pub fn release(&mut self) {
        self.raw.release();
    }

    fn list(&mut self) -> Outcome {
        self.processes = KVec::new();
        for index in 0..self.raw.processes() {
            let Some(info) = self.raw.process(index) else {
                continue;
            };
            if !info.counts() {
                continue;
            }
            let mut tasks = KVec::with_capacity(info.threads as usize, GFP_KERNEL)?;
            while let Some(task) = self.raw.thread(index, tasks.len() as u32) {
                tasks.push(task, GFP_KERNEL)?;
            }
            let process = Process {
                tgid: info.pid,
                tasks,
                index,
                memory: AtomicU32::new(0),
            };
            self.processes.push(process, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// The failure that a refusal of C stands for.
    pub(super) fn explain(&self, refusal: Refusal) -> Failure {
        let (code, text) = match refusal {
            Refusal::NoProcess => (FailureCode::NoSuchProcess, ""),
            Refusal::NoCapability => (FailureCode::NotCheckpointable, ""),
            Refusal::Permission => (FailureCode::NotPermitted, ""),
            Refusal::Busy => (FailureCode::Busy, "in another checkpoint"),
            Refusal::Traced => (FailureCode::Unsupported, "a tracer (ptrace)"),
            Refusal::Timeout => (FailureCode::StopTimeout, ""),
            Refusal::Memory => (FailureCode::NoMemory, ""),
            Refusal::Limit => (FailureCode::Limit, "threads of one application"),
            Refusal::Interrupted => (FailureCode::Internal, "the checkpoint was killed"),
            Refusal::Killed => (FailureCode::NoSuchProcess, "killed during the checkpoint"),
            Refusal::Worker => (FailureCode::Unsupported, "io_uring"),
            Refusal::Caller => (FailureCode::BadArgument, OWN_APPLICATION),
            Refusal::Unsupported => {
                return self
                    .about(FailureCode::Unsupported)
                    .bytes(self.raw.unsupported().to_bytes());
            }
            Refusal::Other(error) => return self.about(FailureCode::Internal).errno(error),
        };
        self.about(code).bytes(text.as_bytes())
    }

    fn about(&self, code: FailureCode) -> Failure {
        Failure::new(code).pid(self.raw.refused_pid())
    }
}
