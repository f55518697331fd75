// SPDX-License-Identifier: GPL-2.0
//! The threads of a flush: one on each node that writes parts, one for the commit record.

use crate::engine::Event;
use crate::errand::Errand;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::host::Joined;
use crate::making::is_made;
use crate::media::Store;
use crate::queue::{Queue, Taken};
use crate::request::FlushRequest;
use crate::sys::fsio::Creds;
use crate::sys::thread::{Run, Thread};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::node_state;
use ssi_core::flush::Stores;
use ssi_core::node::OpId;
use ssi_core::wire::copy::Owner;
use ssi_core::wire::flush::{Flush, Flushed};

/// Acts that may wait: one that was begun, the commit record, and those that end it.
const JOBS_MAX: usize = 5;

/// One act, named after the core's effect, or the record's, which has its turn among them: it
/// and [`Job::Keep`] bring the same folder to the same name.
pub enum Job {
    /// Write the parts.
    Write,
    /// Remove what was written.
    Remove,
    /// Give it the version's name.
    Keep,
    /// Write the commit record that came.
    Record(Errand),
}

/// What has been done.
pub enum Done {
    /// The parts are durable.
    Written(Flushed),
    /// They are not there.
    Failed(Failure),
    /// All is removed.
    Removed,
    /// All is kept.
    Kept,
    /// The version exists.
    Committed,
    /// It does not.
    NotCommitted(Failure),
}

/// The engine's end of a thread that writes parts.
pub struct Hand {
    jobs: Arc<Queue<Job>>,
    cancelled: Arc<AtomicBool>,
}

impl Hand {
    /// Starts the thread. `active` are the flushes that this node writes for now.
    pub fn start(node: Arc<Joined>, op: OpId, flush: &Flush, active: KVec<OpId>) -> Outcome<Hand> {
        let jobs = Queue::new(JOBS_MAX)?;
        let cancelled = Arc::new(AtomicBool::new(false), GFP_KERNEL)?;
        let body = Body {
            node,
            op,
            flush: *flush,
            active,
            jobs: jobs.clone(),
            cancelled: cancelled.clone(),
        };
        drop(Thread::start(c_str!("ssi_flush"), body)?);
        Ok(Hand { jobs, cancelled })
    }

    /// Queues an act. What is being written comes to an end where this ends it.
    pub fn give(&self, job: Job) {
        if matches!(job, Job::Remove | Job::Keep) {
            self.cancelled.store(true, Ordering::Release);
        }
        if self.jobs.try_put(job).is_err() {
            // The core gives three at most, and there is one record.
            pr_err!("flush: the writer is behind\n");
        }
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
        self.jobs.close();
    }
}

struct Body {
    node: Arc<Joined>,
    op: OpId,
    flush: Flush,
    active: KVec<OpId>,
    jobs: Arc<Queue<Job>>,
    cancelled: Arc<AtomicBool>,
}

fn store(owner: &Owner) -> Outcome<Store> {
    let creds = Creds::of_user(owner.uid, owner.gid)?;
    Store::new(owner.store.as_bytes(), creds)
}

impl Body {
    fn write(&self) -> Outcome<Done> {
        let flush = &self.flush;
        let owner = &flush.owner;
        let to = store(owner)?;
        let creds = Creds::of_user(owner.uid, owner.gid)?;
        let from = Store::new(flush.from.as_bytes(), creds)?;
        to.has_version(flush.version, flush.digest)?;
        self.tidy(&to)?;
        if self.op.root == self.node.config.node || flush.stores == Stores::Own {
            to.reserve(flush.version)?;
        }
        let go_on = || match self.cancelled.load(Ordering::Acquire) {
            true => Err(Failure::new(FailureCode::Internal).text(format_args!("cancelled"))),
            false => Ok(()),
        };
        let mut all = Flushed {
            bytes: 0,
            digest: 0,
        };
        for part in flush.parts.iter() {
            let copied = to.copy_part(&from, (flush.version, part), self.op, &go_on)?;
            all.bytes += copied.bytes;
            all.digest = all.digest.wrapping_add(copied.digest);
        }
        Ok(Done::Written(all))
    }

    /// What earlier flushes left is in nobody's way, but takes room.
    fn tidy(&self, to: &Store) -> Outcome {
        let nodes = self.node.status()?;
        let is_up = |op: &OpId| {
            nodes.iter().any(|node| {
                let same = node.node == op.root.raw() && node.epoch == op.epoch.0;
                same && node.state == node_state::UP
            })
        };
        let lives = |op: &OpId| match self.flush.stores {
            Stores::Shared => *op == self.op || is_up(op),
            // Nobody else writes here.
            Stores::Own => *op == self.op || self.active.contains(op),
        };
        to.remove_leftovers(self.flush.version.application, &lives)
    }

    fn end(&self, outcome: Outcome) {
        if outcome.is_err() {
            pr_warn!("flush: what was written could not be removed, or not be named\n");
        }
    }

    fn work(&self, job: Job) -> Option<Done> {
        let application = self.flush.version.application;
        let done = match job {
            Job::Write => self
                .write()
                .unwrap_or_else(|why| Done::Failed(why.node(self.node.config.node.raw()))),
            Job::Record(errand) => {
                errand.work();
                return None;
            }
            Job::Remove => {
                let to = store(&self.flush.owner);
                self.end(to.and_then(|to| to.remove_flush(application, self.op)));
                Done::Removed
            }
            Job::Keep => {
                let to = store(&self.flush.owner);
                self.end(to.and_then(|to| to.keep_flush(self.flush.version, self.op)));
                Done::Kept
            }
        };
        Some(done)
    }
}

impl Run for Body {
    fn run(self) {
        while let Taken::Item(job) = self.jobs.take(None) {
            if let Some(done) = self.work(job) {
                let _ = self.node.events.put(Event::Flush(self.op, done));
            }
        }
    }
}

struct Committer {
    node: Arc<Joined>,
    op: OpId,
    stores: Stores,
    owner: Owner,
    bytes: crate::media::RecordBytes,
}

impl Committer {
    fn commit(&self) -> Outcome {
        let (to, bytes) = (store(&self.owner)?, self.bytes.as_bytes());
        match self.stores {
            Stores::Shared => to.commit_flush(bytes, self.op),
            Stores::Own => {
                let is_made = is_made(&self.node, &self.owner);
                to.write_record(bytes, 0, self.op, &is_made)
            }
        }
    }
}

impl Run for Committer {
    fn run(self) {
        let done = match (self.commit(), self.stores) {
            (Ok(()), _) => Done::Committed,
            (Err(_), Stores::Own) => {
                pr_warn!("a version is committed, but not in the store of this node\n");
                Done::Committed
            }
            (Err(why), Stores::Shared) => Done::NotCommitted(why.node(self.node.config.node.raw())),
        };
        let _ = self.node.events.put(Event::Flush(self.op, done));
    }
}

/// Makes the version in the store of this node; where each has its own, others have it.
///
/// # Errors
/// There is no thread for it.
pub fn commit(node: Arc<Joined>, op: OpId, request: &FlushRequest) -> Outcome {
    let committer = Committer {
        node,
        op,
        stores: request.stores,
        owner: request.owner,
        bytes: request.bytes,
    };
    drop(Thread::start(c_str!("ssi_flush"), committer)?);
    Ok(())
}
