// SPDX-License-Identifier: GPL-2.0
//! The life of a restored task from its first instruction in kernel mode to user mode.

use super::plan::{ProcessPlan, ThreadPlan};
use super::{pid_failure, Creation};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::revive::{self, Revival, Timers};
use crate::sys::spawn::{self, Birth, Fate, Kind};
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::image::process::flag;

/// SIGKILL, as the status of what was taken back.
const KILLED: i32 = 9;

/// A task that is being made: a thread of a process, both by their places in the plan.
pub(super) struct Newborn {
    creation: Arc<Creation>,
    place: usize,
    role: Role,
    /// Place of the thread among those of the process.
    number: usize,
}

#[derive(Clone, Copy)]
enum Role {
    /// Has the PID of the process, and builds it.
    Leader,
    /// Is made by the leader.
    Thread,
}

impl Birth for Newborn {
    fn born(self) -> Fate {
        let mut sons = KVec::new();
        let done = match self.role {
            Role::Thread => self.become_thread(&mut sons),
            Role::Leader if self.process_plan().threads.is_empty() => self.become_zombie(),
            Role::Leader => self.become_process(&mut sons),
        };
        match done {
            Ok(fate) => fate,
            Err(failure) => {
                self.creation.fail(failure);
                // Sons end by themselves; where we are killed init takes them.
                let _ = spawn::wait_for_sons(&sons);
                Fate::Exits(KILLED)
            }
        }
    }
}

impl Newborn {
    /// The first thread of the process at `place`.
    pub(super) fn process(creation: &Arc<Creation>, place: usize) -> Newborn {
        Newborn {
            creation: creation.clone(),
            place,
            role: Role::Leader,
            number: 0,
        }
    }

    fn process_plan(&self) -> &ProcessPlan {
        &self.creation.plan.processes()[self.place]
    }

    fn thread_plan(&self) -> &ThreadPlan {
        &self.process_plan().threads[self.number]
    }

    /// The TID, or the PID of a zombie.
    fn tid(&self) -> u32 {
        let process = self.process_plan();
        process
            .threads
            .get(self.number)
            .map_or(process.record.pid, |thread| thread.record.tid)
    }

    /// Makes it, as a son or a thread of the calling task.
    pub(super) fn spawn(self) -> Outcome {
        let tid = self.tid();
        let process = self.process_plan();
        let kind = match self.role {
            Role::Leader => Kind::Process(process.record.exit_signal as u8),
            Role::Thread if self.has_own_table() => Kind::Loner,
            Role::Thread => Kind::Thread,
        };
        spawn::spawn(kind, tid, self).map_err(|error| pid_failure(tid, error))
    }

    fn has_own_table(&self) -> bool {
        let first = &self.process_plan().threads[0];
        self.thread_plan().record.table != first.record.table
    }

    fn failed(&self, what: &'static str) -> impl Fn(Error) -> Failure {
        let pid = self.tid();
        move |error| {
            let code = if error == ENOMEM {
                FailureCode::NoMemory
            } else {
                FailureCode::Internal
            };
            Failure::new(code)
                .pid(pid)
                .errno(error)
                .bytes(what.as_bytes())
        }
    }

    fn become_zombie(&self) -> Outcome<Fate> {
        spawn::reset_current().map_err(self.failed("new process"))?;
        let father = self.creation.plan.find(self.process_plan().record.parent);
        if let Some(thread) =
            father.and_then(|at| self.creation.plan.processes()[at].threads.first())
        {
            revive::set_identity(&thread.creds).map_err(self.failed("credentials"))?;
        }
        self.meet()?;
        self.join()?;
        self.creation.ready.add();
        Ok(Fate::Exits(self.process_plan().record.exit_code as i32))
    }

    fn become_process(&self, sons: &mut KVec<u32>) -> Outcome<Fate> {
        let process = self.process_plan();
        let record = &process.record;
        spawn::reset_current().map_err(self.failed("new process"))?;
        // While the memory is still the helper's: nothing of ours is there to be shared.
        for &son in process.sons.iter() {
            if !self.creation.plan.processes()[son]
                .record
                .has(flag::BORROWED_MEMORY)
            {
                self.make_son(son, sons)?;
            }
        }
        self.identify()?;
        if !record.has(flag::BORROWED_MEMORY) {
            self.creation
                .parts
                .memory(record.memory)
                .map_err(|it| it.pid(record.pid))?;
        }
        self.creation.parts.table(self.thread_plan().record.table)?;
        self.settle()?;
        self.make_threads()?;
        let revival = match process.has_ghost() {
            false => Some(self.prepare(sons)?),
            true => None,
        };
        self.meet()?;
        self.join()?;
        self.await_zombies()?;
        let timers = Timers::new(&process.timers).map_err(self.failed("timers"))?;
        self.limit()?;
        revive::flush_signals();
        revive::send_signals(&process.pending);
        self.hold()?;
        timers.start();
        match revival {
            Some(revival) => self.go_on(revival),
            None => Ok(Fate::Leaves),
        }
    }

    /// All threads but the leader, if that lives.
    fn make_threads(&self) -> Outcome {
        let process = self.process_plan();
        let first = usize::from(!process.has_ghost());
        for number in first..process.threads.len() {
            let thread = Newborn {
                creation: self.creation.clone(),
                place: self.place,
                role: Role::Thread,
                number,
            };
            thread.spawn()?;
        }
        Ok(())
    }

    fn become_thread(&self, sons: &mut KVec<u32>) -> Outcome<Fate> {
        self.identify()?;
        if self.has_own_table() {
            self.creation.parts.table(self.thread_plan().record.table)?;
        }
        let revival = self.prepare(sons)?;
        revive::flush_signals();
        self.hold()?;
        self.go_on(revival)
    }

    fn make_son(&self, place: usize, sons: &mut KVec<u32>) -> Outcome {
        sons.reserve(1, GFP_KERNEL)?;
        Newborn::process(&self.creation, place).spawn()?;
        Ok(sons.push(self.creation.plan.processes()[place].record.pid, GFP_KERNEL)?)
    }

    /// From here on the task has no right that the image does not give it.
    fn identify(&self) -> Outcome {
        revive::set_identity(&self.thread_plan().creds).map_err(self.failed("credentials"))
    }

    fn settle(&self) -> Outcome {
        let process = self.process_plan();
        if let Some((path, umask)) = &process.directory {
            revive::set_directory(path, *umask).map_err(|error| {
                let failure = Failure::new(FailureCode::FileGone).pid(process.record.pid);
                failure.errno(error).bytes(path.as_bytes())
            })?;
        }
        revive::set_actions(&process.actions).map_err(self.failed("signal actions"))?;
        revive::set_process(&process.record).map_err(self.failed("process"))
    }

    /// Registers and all else that does not show; the son that borrows our memory.
    fn prepare(&self, sons: &mut KVec<u32>) -> Outcome<Revival> {
        let thread = self.thread_plan();
        let mut revival = Revival::new(&thread.record)?;
        if let Some(son) = self.creation.plan.find(thread.record.vfork_child) {
            self.make_son(son, sons)?;
            revival.vfork().map_err(self.failed("vfork"))?;
        }
        revival.registers(&thread.fpu).map_err(|error| {
            let code = if error == EINVAL {
                FailureCode::Incompatible
            } else {
                FailureCode::Internal
            };
            Failure::new(code)
                .pid(thread.record.tid)
                .errno(error)
                .bytes(b"registers")
        })?;
        Ok(revival)
    }

    /// Waits until every process exists, so that every session and group does.
    fn meet(&self) -> Outcome {
        self.creation.born.add();
        let all = self.creation.plan.processes().len() as u32;
        self.creation
            .born
            .wait(all)
            .map_err(|_| self.creation.failure())
    }

    fn join(&self) -> Outcome {
        let (plan, process) = (&self.creation.plan, self.process_plan());
        if let Some(session) = plan.session_of(process) {
            revive::join_session(session).map_err(self.failed("session"))?;
            self.used(session);
        }
        if let Some(group) = plan.group_of(process) {
            revive::join_group(group).map_err(self.failed("process group"))?;
            self.used(group);
        }
        Ok(())
    }

    fn used(&self, nr: u32) {
        for pid in self
            .creation
            .held
            .lock()
            .iter_mut()
            .filter(|pid| pid.nr() == nr)
        {
            pid.set_used();
        }
    }

    fn await_zombies(&self) -> Outcome {
        let all = self.creation.plan.processes();
        for &son in self.process_plan().sons.iter() {
            if all[son].record.has(flag::ZOMBIE) {
                let pid = all[son].record.pid;
                spawn::wait_for_zombie(pid).map_err(|_| self.creation.failure())?;
            }
        }
        Ok(())
    }

    /// Last, because the limits may lie below what it takes to make the process.
    fn limit(&self) -> Outcome {
        let Some(limits) = &self.process_plan().limits else {
            return Ok(());
        };
        let root = self.creation.caller.uid == 0;
        revive::set_limits(limits, root).map_err(|error| match error {
            EPERM => Failure::new(FailureCode::NotPermitted)
                .pid(self.tid())
                .bytes(b"limits"),
            error => self.failed("limits")(error),
        })
    }

    /// The door: held until all are ready and the operation says so. From here on signals
    /// count: a process that was let go before us may send us some.
    fn hold(&self) -> Outcome {
        let process = self.process_plan();
        if matches!(self.role, Role::Thread) || !process.has_ghost() {
            revive::send_signals(&self.thread_plan().pending);
            if process.record.has(flag::STOPPED) {
                revive::stop_current(process.record.stop_signal);
            }
        }
        self.creation.ready.add();
        self.creation
            .go
            .wait(1)
            .map_err(|_| self.creation.failure())
    }

    fn go_on(&self, revival: Revival) -> Outcome<Fate> {
        revival.revive().map_err(self.failed("revival"))?;
        Ok(Fate::Lives)
    }
}
