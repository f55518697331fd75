// SPDX-License-Identifier: GPL-2.0
//! Makes the processes of a part again, with their PIDs: fathers make their sons, everyone is
//! held in kernel mode until all are there, then all go on, or none is left.

mod birth;
mod plan;

use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::revive::{self, HeldPid};
use crate::sys::spawn::{self, Door};
use birth::Newborn;
use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};
pub use plan::{Plan, ProcessPlan};
use ssi_core::image::creds::Caller;
use ssi_core::image::process::flag;

/// What others put into a process that is being made; both run in its context.
pub trait Parts: Send + Sync + 'static {
    /// Leaves the memory of the helper for address space `memory` of the image, newly made.
    fn memory(&self, memory: u32) -> Outcome;
    /// Gives the calling thread descriptor table `table` of the image.
    fn table(&self, table: u32) -> Outcome;
}

/// What all who are being made share.
pub(crate) struct Creation {
    plan: Plan,
    parts: Arc<dyn Parts>,
    caller: Caller,
    /// Processes that exist.
    born: Door,
    /// Tasks that need nothing more.
    ready: Door,
    /// Opened for all to go on.
    go: Door,
    failure: Pin<KBox<Mutex<Option<Failure>>>>,
    held: Pin<KBox<Mutex<KVec<HeldPid>>>>,
}

impl Creation {
    /// The first failure counts, and turns everybody away.
    fn fail(&self, failure: Failure) {
        self.failure.lock().get_or_insert(failure);
        self.born.break_open();
        self.ready.break_open();
        self.go.break_open();
    }

    fn failure(&self) -> Failure {
        let first = self.failure.lock().clone();
        first.unwrap_or_else(|| Failure::new(FailureCode::Internal).bytes(b"restart was killed"))
    }

    /// How many tasks count at the `ready` door.
    fn tasks(&self) -> u32 {
        let ghost = |process: &ProcessPlan| usize::from(process.has_ghost());
        let count = |process: &ProcessPlan| (process.threads.len() + ghost(process)) as u32;
        self.plan.processes().iter().map(count).sum()
    }
}

/// Processes that were made and are held. Dropping it takes them back.
pub struct Restored {
    creation: Arc<Creation>,
    heads: KVec<u32>,
    over: bool,
}

impl Plan {
    /// Makes all processes, as sons of the calling process where they have no father in the
    /// image, and returns when every one is held right before user mode.
    ///
    /// # Errors
    ///
    /// `PidInUse` with the PID; `Incompatible` where this CPU lacks a feature; `FileGone` for a
    /// working directory; `NotPermitted`; what `parts` returned. Nothing is left then.
    pub fn create(self, parts: Arc<dyn Parts>, caller: Caller) -> Outcome<Restored> {
        self.check_free()?;
        let creation = Arc::new(
            Creation {
                parts,
                caller,
                born: Door::new()?,
                ready: Door::new()?,
                go: Door::new()?,
                failure: KBox::pin_init(new_mutex!(None), GFP_KERNEL)?,
                held: KBox::pin_init(new_mutex!(self.hold_leaders()?), GFP_KERNEL)?,
                plan: self,
            },
            GFP_KERNEL,
        )?;
        let mut restored = Restored {
            creation,
            heads: KVec::new(),
            over: false,
        };
        match restored.make() {
            Ok(()) => Ok(restored),
            Err(failure) => {
                restored.creation.fail(failure);
                let first = restored.creation.failure();
                restored.take_back();
                Err(first)
            }
        }
    }

    /// A first look, so that the usual case makes nothing in vain; making them decides.
    fn check_free(&self) -> Outcome {
        for pid in self.pids()?.iter() {
            if !revive::is_free(*pid) {
                return Err(Failure::new(FailureCode::PidInUse).pid(*pid));
            }
        }
        Ok(())
    }

    /// PIDs of all processes and threads.
    pub fn pids(&self) -> Result<KVVec<u32>> {
        let mut pids = KVVec::new();
        for process in self.processes() {
            pids.push(process.record.pid, GFP_KERNEL)?;
            let tids = process.threads.iter().map(|thread| thread.record.tid);
            for tid in tids.filter(|tid| *tid != process.record.pid) {
                pids.push(tid, GFP_KERNEL)?;
            }
        }
        Ok(pids)
    }

    /// Takes the PIDs of dead leaders of sessions and groups.
    fn hold_leaders(&self) -> Outcome<KVec<HeldPid>> {
        let mut held: KVec<HeldPid> = KVec::new();
        for process in self.processes() {
            for nr in [self.session_of(process), self.group_of(process)]
                .into_iter()
                .flatten()
            {
                if self.find(nr).is_some() || held.iter().any(|pid| pid.nr() == nr) {
                    continue;
                }
                let pid = HeldPid::new(nr).map_err(|error| pid_failure(nr, error))?;
                held.push(pid, GFP_KERNEL)?;
            }
        }
        Ok(held)
    }

    /// The session that the process gets; `None`: that of the helper.
    fn session_of(&self, process: &ProcessPlan) -> Option<u32> {
        (!process.record.has(flag::SESSION_OUTSIDE)).then_some(process.record.session)
    }

    /// The same of its group.
    fn group_of(&self, process: &ProcessPlan) -> Option<u32> {
        (!process.record.has(flag::GROUP_OUTSIDE)).then_some(process.record.group)
    }
}

/// A PID that could not be had.
fn pid_failure(pid: u32, error: Error) -> Failure {
    let code = match error {
        EEXIST => FailureCode::PidInUse,
        ENOMEM => FailureCode::NoMemory,
        EAGAIN => FailureCode::Limit,
        _ => FailureCode::Internal,
    };
    let failure = Failure::new(code).pid(pid).errno(error);
    match error {
        EAGAIN => failure.text(format_args!("number of processes (ulimit -u, pids.max)")),
        _ => failure,
    }
}

impl Restored {
    fn make(&mut self) -> Outcome {
        let creation = &self.creation;
        for (place, process) in creation.plan.processes().iter().enumerate() {
            if process.record.parent == 0 {
                self.heads.reserve(1, GFP_KERNEL)?;
                Newborn::process(creation, place).spawn()?;
                self.heads.push(process.record.pid, GFP_KERNEL)?;
            }
        }
        let killed = |error| creation.failure().errno(error);
        creation.ready.wait(creation.tasks()).map_err(killed)
    }

    /// PIDs of those that are sons of the calling process now.
    pub fn heads(&self) -> &[u32] {
        &self.heads
    }

    /// All go on.
    pub fn release(mut self) {
        self.over = true;
        // Before the first of them runs: a checkpoint of one must take in all.
        for process in self.creation.plan.processes() {
            revive::set_caps(process.record.pid, process.record.caps);
        }
        self.creation.go.add();
    }

    /// All are killed; returns when those that the caller made are gone.
    pub fn take_back(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if !core::mem::replace(&mut self.over, true) {
            self.creation
                .fail(Failure::new(FailureCode::Internal).bytes(b"taken back"));
            // Where the caller is killed itself its sons end all the same.
            let _ = spawn::wait_for_sons(&self.heads);
        }
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        self.end();
    }
}
