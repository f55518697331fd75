// SPDX-License-Identifier: GPL-2.0
//! A helper process: in its context a restart builds this node's parts, one job after the other.

use crate::failure::{Failure, FailureCode, Outcome};
use crate::host::Joined;
use crate::part::Part;
use crate::sys::gate::Gate;
use crate::team::Done;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::Options;

/// Whose standard streams the external ones become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stdio {
    /// The helper's: it is the caller of the restart.
    Own,
    /// Nobody's: the helper was started by the kernel.
    Null,
}

/// What is to be restored, and for whom.
pub struct Spec {
    /// This node.
    pub node: Arc<Joined>,
    /// The operation.
    pub op: OpId,
    /// Version, store, caller.
    pub options: Options,
    /// Set when what is under way is to end early.
    pub cancelled: AtomicBool,
}

/// One job.
pub enum Job {
    /// Build the part that this node wrote, and hold its processes.
    Restore(Arc<Spec>, NodeId, Stdio),
    /// Let the processes of the part go.
    Go(Arc<Spec>, NodeId),
    /// Remove every trace of the part.
    TakeBack(Arc<Spec>, NodeId),
    /// The helper is not needed any more.
    End,
}

/// The engine's end of a helper process.
#[pin_data]
pub struct Helper {
    #[pin]
    jobs: Mutex<KVec<Job>>,
    gate: Gate,
}

impl Helper {
    /// A helper whose process has nothing to do yet.
    pub fn new() -> Result<Arc<Helper>> {
        let gate = Gate::new()?;
        Arc::pin_init(
            pin_init!(Helper {
                jobs <- new_mutex!(KVec::new(), "ssi_helper"),
                gate,
            }),
            GFP_KERNEL,
        )
    }

    /// Gives the process a job.
    pub fn give(&self, job: Job) -> Outcome {
        self.jobs.lock().push(job, GFP_KERNEL)?;
        self.gate.open();
        Ok(())
    }

    /// Lets the process go.
    pub fn end(&self) {
        if self.give(Job::End).is_err() {
            // An empty list of jobs is an end as well.
            self.gate.open();
        }
    }

    fn take(&self) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        let mut rest = KVec::new();
        let mut all = core::mem::replace(&mut *jobs, KVec::new()).into_iter();
        let first = all.next();
        for job in all {
            // Room for no more than there was: where even that fails, the process is killed soon.
            let _ = rest.push(job, GFP_KERNEL);
        }
        *jobs = rest;
        first
    }
}

fn restore(spec: &Arc<Spec>, part: NodeId, stdio: Stdio) -> Option<Part> {
    match Part::restore(spec, part, stdio) {
        Ok(made) => {
            spec.tell(Done::Built(part, made.totals()));
            Some(made)
        }
        Err(why) => {
            spec.tell(Done::NotBuilt(why.node(spec.node.config.node.raw())));
            None
        }
    }
}

/// Works on jobs in the caller's context until [`Job::End`].
///
/// # Errors
///
/// `Internal` when the caller is being killed: what was built is taken back by then.
pub fn serve(helper: &Helper) -> Outcome {
    let mut built = None;
    while helper.gate.wait().is_ok() {
        match helper.take() {
            Some(Job::Restore(spec, part, stdio)) => built = restore(&spec, part, stdio),
            Some(Job::Go(spec, part)) => {
                if let Some(built) = built.take() {
                    built.release();
                }
                spec.tell(Done::Running(part));
            }
            Some(Job::TakeBack(spec, part)) => {
                // A part that is dropped without release is taken back.
                built = None;
                spec.tell(Done::TakenBack(part));
            }
            Some(Job::End) | None => return Ok(()),
        }
    }
    drop(built);
    Err(Failure::new(FailureCode::Internal).errno(EINTR))
}

impl Spec {
    /// An error once the operation is being taken back.
    pub fn check_cancelled(&self) -> Outcome {
        match self.cancelled.load(Ordering::Acquire) {
            true => Err(Failure::new(FailureCode::Internal).text(format_args!("taken back"))),
            false => Ok(()),
        }
    }

    /// Makes what is under way end early.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }
}
