// SPDX-License-Identifier: GPL-2.0
//! The helper processes of one restart on this node: one for each part, all at work at once.
//!
//! Parts that came to one node may have streams between them, whose ends wait for each other.

use crate::engine::Event;
use crate::failure::Failure;
use crate::helper::{Helper, Job, Spec, Stdio};
use crate::host::Joined;
use crate::sys::thread::{Run, Thread};
use crate::sys::usermode;
use core::sync::atomic::AtomicBool;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::FailureCode;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{AgentEvent, Restored};
use ssi_core::wire::restart::Engage;

/// What a helper has done.
pub enum Done {
    /// The part is built and its processes are held.
    Built(NodeId, Restored),
    /// Building the part failed; nothing of it is left.
    NotBuilt(Failure),
    /// The processes of one part run.
    Running(NodeId),
    /// Nothing of one part is left.
    TakenBack(NodeId),
    /// The helper process with this number has ended, or was never there.
    Ended(u64, Failure),
}

struct Worker {
    part: NodeId,
    number: u64,
    helper: Arc<Helper>,
    /// Whether its process has come, or never will.
    process: Process,
    /// It has a job from `let_go` or `take_back` that it has not answered.
    owes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Process {
    Awaited,
    Here,
    Absent,
}

/// What all helpers were asked for last, after their parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Go,
    TakeBack,
}

/// All helpers of one operation on this node.
pub struct Team {
    spec: Arc<Spec>,
    workers: KVec<Worker>,
    next_number: u64,
    last: Last,
}

struct Starter {
    spec: Arc<Spec>,
    number: u64,
}

impl Run for Starter {
    fn run(self) {
        let ended = match usermode::run_helper(self.number) {
            Ok(()) => EINTR,
            Err(error) => error,
        };
        let why = Failure::new(FailureCode::Internal).errno(ended);
        let why = why.text(format_args!(
            "/usr/bin/ssi-restart-helper does not run (errno {}): is it installed?",
            ended.to_errno().unsigned_abs()
        ));
        self.spec.tell(Done::Ended(self.number, why));
    }
}

impl Team {
    /// Nobody works yet; helpers get numbers from `number` on.
    pub fn new(node: Arc<Joined>, op: OpId, engage: &Engage, number: u64) -> Result<Team> {
        let spec = Spec {
            node,
            op,
            options: engage.options,
            cancelled: AtomicBool::new(false),
        };
        Ok(Team {
            spec: Arc::new(spec, GFP_KERNEL)?,
            workers: KVec::new(),
            next_number: number,
            last: Last::Nothing,
        })
    }

    /// Has `part` built: by `caller`, where that is given, or by a new process.
    pub fn build(&mut self, part: NodeId, caller: Option<Arc<Helper>>) {
        if let Err(why) = self.try_build(part, caller) {
            self.spec.tell(Done::NotBuilt(why));
        }
    }

    fn try_build(
        &mut self,
        part: NodeId,
        caller: Option<Arc<Helper>>,
    ) -> core::result::Result<(), Failure> {
        let number = self.next_number;
        self.next_number += 1;
        let stdio = match caller {
            Some(_) => Stdio::Own,
            None => Stdio::Null,
        };
        let process = match caller {
            Some(_) => Process::Here,
            None => Process::Awaited,
        };
        let helper = match caller {
            Some(helper) => helper,
            None => Helper::new()?,
        };
        helper.give(Job::Restore(self.spec.clone(), part, stdio))?;
        let worker = Worker {
            part,
            number,
            helper,
            process,
            owes: false,
        };
        self.workers.push(worker, GFP_KERNEL)?;
        if process == Process::Awaited {
            let spec = self.spec.clone();
            drop(Thread::start(
                c_str!("ssi_starter"),
                Starter { spec, number },
            )?);
        }
        Ok(())
    }

    /// The process with this number has come: its helper.
    pub fn arrived(&mut self, number: u64) -> Option<Arc<Helper>> {
        let mut workers = self.workers.iter_mut();
        let worker = workers.find(|worker| worker.number == number)?;
        worker.process = Process::Here;
        Some(worker.helper.clone())
    }

    /// The process with this number has ended. One that had come has told what became of its
    /// part; one that never came has none, and owes nothing.
    fn ended(&mut self, number: u64, why: &Failure) -> Option<AgentEvent> {
        let mut workers = self.workers.iter_mut();
        let worker = workers.find(|worker| worker.number == number)?;
        if worker.process != Process::Awaited {
            return None;
        }
        let part = worker.part;
        self.gone(part, why)
    }

    /// The process of `helper` was killed, if it is one of the team. What that means for the
    /// operation, if anything.
    pub fn lost(&mut self, helper: &Arc<Helper>, why: &Failure) -> Option<AgentEvent> {
        let mut workers = self.workers.iter();
        let worker = workers.find(|worker| Arc::ptr_eq(&worker.helper, helper))?;
        let part = worker.part;
        self.gone(part, why)
    }

    /// The helper of `part` is gone, with all that it held: it is asked for nothing more, and what
    /// it owes it has done. Before that its part is missing; after it, it is nobody's loss.
    fn gone(&mut self, part: NodeId, why: &Failure) -> Option<AgentEvent> {
        let mut workers = self.workers.iter_mut();
        let worker = workers.find(|worker| worker.part == part)?;
        worker.process = Process::Absent;
        let owed = core::mem::replace(&mut worker.owes, false);
        let all = !self.workers.iter().any(|worker| worker.owes);
        match self.last {
            Last::Nothing => Some(AgentEvent::HostFailed(why.to_core())),
            Last::Go => (owed && all).then_some(AgentEvent::Running),
            Last::TakeBack => (owed && all).then_some(AgentEvent::TakenBack),
        }
    }

    /// Lets the processes of all parts go.
    pub fn let_go(&mut self) {
        self.last = Last::Go;
        self.give_all(Job::Go);
    }

    /// Has every trace of all parts removed.
    pub fn take_back(&mut self) {
        self.spec.cancel();
        self.last = Last::TakeBack;
        self.give_all(Job::TakeBack);
        if !self.workers.iter().any(|worker| worker.owes) {
            self.spec.tell(Done::TakenBack(self.spec.node.config.node));
        }
    }

    fn give_all(&mut self, job: fn(Arc<Spec>, NodeId) -> Job) {
        let present = |worker: &&mut Worker| worker.process != Process::Absent;
        for worker in self.workers.iter_mut().filter(present) {
            worker.owes = true;
            if worker
                .helper
                .give(job(self.spec.clone(), worker.part))
                .is_err()
            {
                // Without memory for a job the helper ends, and takes its part back with it.
                worker.helper.end();
                self.spec.tell(Done::TakenBack(worker.part));
            }
        }
    }

    /// A helper has done a job: what that means for the operation, if anything.
    pub fn done(&mut self, done: Done) -> Option<AgentEvent> {
        let (part, event) = match done {
            Done::Built(part, totals) => return Some(AgentEvent::Built { part, totals }),
            Done::Ended(number, why) => return self.ended(number, &why),
            Done::NotBuilt(why) => return Some(AgentEvent::HostFailed(why.to_core())),
            Done::Running(part) => (part, AgentEvent::Running),
            Done::TakenBack(part) => (part, AgentEvent::TakenBack),
        };
        for worker in self.workers.iter_mut().filter(|worker| worker.part == part) {
            worker.owes = false;
        }
        match self.workers.iter().any(|worker| worker.owes) {
            true => None,
            false => Some(event),
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for worker in self.workers.iter() {
            worker.helper.end();
        }
    }
}

impl Spec {
    /// Tells the engine what was done.
    pub fn tell(&self, done: Done) {
        let _ = self.node.events.put(Event::Restart(self.op, done));
    }
}
