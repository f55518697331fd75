// SPDX-License-Identifier: GPL-2.0
//! The thread that does one checkpoint's acts on this node, one after the other.

use crate::checkpoints::Copied;
use crate::engine::Event;
use crate::failure::Outcome;
use crate::host::Joined;
use crate::local::{Local, Signals};
use crate::queue::{Queue, Taken};
use crate::request::Note;
use crate::sys::powercut::{self, Step};
use crate::sys::thread::{Run, Thread};
use core::sync::atomic::Ordering;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::step;
use ssi_core::checkpoint::{self as core_checkpoint, Found, Options, Report, Seed, Version};
use ssi_core::node::{NodeId, OpId};

/// Acts that may wait for a worker: seeds come as fast as links are found elsewhere.
const JOBS_MAX: usize = 1024;

/// One act, named after the core's effect.
pub enum Job {
    /// Find and stop.
    Stop(Seed),
    /// Save send queues.
    SaveSend,
    /// Save everything else in memory.
    Snapshot,
    /// Let the processes go.
    Release,
    /// Choose the application's id where it has none, and make the next version's folder. Some
    /// store has or had a version of this number, of the application or of a namesake.
    Open(Found, u32),
    /// Write the part.
    Write(Version),
    /// Send so many more chunks of the part to this node.
    Fill(NodeId, u32),
    /// Write the commit record.
    Commit(Report),
    /// Make the commit record as it goes to the other nodes.
    Record(Report),
    /// Send the signal that was asked for, and let the processes go.
    Signal,
    /// Undo what was done here.
    Discard,
    /// Remove the version's folder.
    Remove(Version),
}

/// The engine's end of a worker.
pub struct Worker {
    jobs: Arc<Queue<Job>>,
    signals: Arc<Signals>,
}

impl Worker {
    /// Starts the worker of one operation.
    pub fn start(node: Arc<Joined>, op: OpId, options: Options, note: Note) -> Outcome<Worker> {
        let jobs = Queue::new(JOBS_MAX)?;
        let signals = Arc::new(Signals::default(), GFP_KERNEL)?;
        let local = Local::new(node.clone(), options, note, signals.clone())?;
        let body = Body {
            node,
            op,
            jobs: jobs.clone(),
            local,
        };
        drop(Thread::start(c_str!("ssi_worker"), body)?);
        Ok(Worker { jobs, signals })
    }

    /// Queues an act. `false` where the worker is hopelessly behind.
    #[must_use]
    pub fn give(&self, job: Job) -> bool {
        self.jobs.try_put(job).is_ok()
    }

    /// Makes what is under way end early, with a failure.
    pub fn cancel(&self) {
        self.signals.cancelled.store(true, Ordering::Release);
    }

    /// When the processes of this node were let go, or 0 where there are none or they are not.
    pub fn released_ns(&self) -> u64 {
        self.signals.released_ns.load(Ordering::Acquire)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

/// What has been done when this is told.
fn step_of(event: &core_checkpoint::Event) -> Option<Step> {
    use core_checkpoint::Event as E;
    match event {
        E::Stopped(_) => Some(Step::Stopped),
        E::SendSaved => Some(Step::SendSaved),
        E::Snapped(_) => Some(Step::Snapped),
        E::Opened(_) => Some(Step::Opened),
        E::Committed => Some(Step::CommitDone),
        _ => None,
    }
}

struct Body {
    node: Arc<Joined>,
    op: OpId,
    jobs: Arc<Queue<Job>>,
    local: Local,
}

impl Body {
    fn tell(&self, event: core_checkpoint::Event) {
        if let Some(step) = step_of(&event) {
            powercut::at(step);
        }
        let _ = self.node.events.put(Event::Checkpoint(self.op, event));
    }

    fn tell_or_fail(&self, outcome: Outcome<core_checkpoint::Event>) {
        self.tell(
            outcome.unwrap_or_else(|why| core_checkpoint::Event::HostFailed(self.local.blame(why))),
        );
    }

    fn stop(&mut self, seed: Seed) -> Outcome<core_checkpoint::Event> {
        let (node, op) = (self.node.clone(), self.op);
        let found = self.local.stop(seed, &mut |to, seed| {
            let link = core_checkpoint::Event::Link { node: to, seed };
            let _ = node.events.put(Event::Checkpoint(op, link));
        })?;
        Ok(core_checkpoint::Event::Stopped(found))
    }

    fn fill(&mut self, to: NodeId, chunks: u32) {
        let (node, op) = (self.node.clone(), self.op);
        let send = &mut |chunk| {
            let _ = node.events.put(Event::Chunk(to, chunk));
        };
        let event = match self.local.fill(op, chunks, send) {
            Ok(last) => Copied::Filled { last },
            Err(why) => Copied::NotFilled(why.node(self.node.config.node.raw())),
        };
        let _ = self.node.events.put(Event::Copied(op, event));
    }

    /// What the other nodes get, before this one writes its own.
    fn record(&mut self, report: &Report) {
        match self.local.record(report) {
            Ok(record) => {
                let copied = Copied::Record(record);
                let _ = self.node.events.put(Event::Copied(self.op, copied));
            }
            Err(why) => self.tell(core_checkpoint::Event::NotCommitted(self.local.blame(why))),
        }
    }

    fn work(&mut self, job: Job) {
        use core_checkpoint::Event as E;
        let gauge = self.node.clone();
        match job {
            Job::Stop(seed) => {
                gauge.gauge.enter(step::STOP);
                let outcome = self.stop(seed);
                self.tell_or_fail(outcome);
            }
            Job::SaveSend => {
                let outcome = self.local.save_send();
                self.tell_or_fail(outcome.map(|()| E::SendSaved));
            }
            Job::Snapshot => {
                gauge.gauge.enter(step::SNAPSHOT);
                let outcome = self.local.snapshot();
                self.tell_or_fail(outcome.map(E::Snapped));
            }
            Job::Release => {
                self.local.release();
                powercut::at(Step::Released);
            }
            Job::Signal => {
                let counts = self.local.signal();
                self.tell(E::Signalled(counts));
            }
            Job::Open(found, newest) => {
                let outcome = self.local.open_version(found, newest);
                self.tell(match outcome {
                    Ok(version) => E::Opened(version),
                    Err(why) => E::NotOpened(self.local.blame(why)),
                });
            }
            Job::Write(version) => {
                gauge.gauge.enter(step::WRITE);
                let outcome = self.local.write(version);
                self.tell_or_fail(outcome.map(E::Written));
            }
            Job::Fill(to, chunks) => self.fill(to, chunks),
            Job::Commit(report) => {
                gauge.gauge.enter(step::COMMIT);
                let outcome = self.local.commit(&report);
                self.tell(match outcome {
                    Ok(()) => E::Committed,
                    Err(why) => E::NotCommitted(self.local.blame(why)),
                });
            }
            Job::Record(report) => self.record(&report),
            Job::Discard => {
                self.local.discard();
                self.tell(E::Discarded);
            }
            Job::Remove(version) => self.local.remove_version(version),
        }
    }
}

impl Run for Body {
    fn run(mut self) {
        while let Taken::Item(job) = self.jobs.take(None) {
            self.work(job);
        }
        self.node.gauge.enter(step::IDLE);
    }
}
