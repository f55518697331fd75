// SPDX-License-Identifier: GPL-2.0
//! The thread that does one checkpoint's acts on a node, one after the other.
use super::copying::Copied;
use super::local::Share;
use super::World;
use crate::cost::Act;
use crate::event::{At, Event, WorkerStep};
use crate::plan::Media;
use crate::queue::{Nanos, MS};
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::{self, Found, Report, Seed, Version};
use ssi_core::failure::Failure;
use ssi_core::node::{NodeId, OpId};
use std::collections::VecDeque;

/// One act, named after the core's effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    /// Find and stop.
    Stop(Seed),
    /// Save send queues.
    SaveSend,
    /// Save everything else in memory.
    Snapshot,
    /// Let the processes go.
    Release,
    /// Send them the signal that was asked for, and let them go.
    Signal,
    /// Make the next version's folder. Some store has or had a version of this number.
    Open(Found, u32),
    /// Write the part.
    Write(Version),
    /// Send so many more chunks of the part to this node.
    Fill(NodeId, u32),
    /// Make the commit record as it goes to the other nodes.
    Record(Report),
    /// Write the commit record.
    Commit(Report),
    /// Undo what was done here.
    Discard,
    /// Remove the version's folder.
    Remove(Version),
}

/// What acts for one checkpoint on one node.
pub struct Worker {
    /// Acts that wait.
    jobs: VecDeque<Job>,
    /// The act under way, and which step of it comes next.
    busy: Option<(Job, u32)>,
    /// What is under way ends early, with a failure.
    pub cancelled: bool,
    /// What was found and saved here.
    pub share: Share,
}

/// How an act goes on.
pub(super) enum Progress {
    /// The next step comes after this time.
    After(Nanos),
    /// It waits for processes to come to rest.
    Waits,
    /// It is done, without a word.
    Silent,
    /// It is done.
    Told(checkpoint::Event),
    /// It is done, for the copies.
    Copied(Copied),
}

impl Worker {
    /// A worker that has nothing to do.
    pub fn new() -> Worker {
        Worker {
            jobs: VecDeque::new(),
            busy: None,
            cancelled: false,
            share: Share::default(),
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Worker::new()
    }
}

impl World {
    /// Queues an act.
    pub(super) fn give(&mut self, at: At, op: OpId, job: Job) {
        let apart = self.plan.folder_apart && matches!(job, Job::Open(..));
        let Some(worker) = self.worker(at, op) else {
            return;
        };
        if apart {
            worker.share.asked = Some(job);
            let time = self.slowly(at, Act::OpenVersion);
            let event = Event::Work(at, op, WorkerStep::Folder);
            return self.queue.after(time, event);
        }
        worker.jobs.push_back(job);
        if worker.busy.is_none() {
            self.next_job(at, op);
        }
    }

    fn next_job(&mut self, at: At, op: OpId) {
        let Some(worker) = self.worker(at, op) else {
            return;
        };
        worker.busy = worker.jobs.pop_front().map(|job| (job, 0));
        if let Some((job, _)) = worker.busy {
            let time = self.time_to_begin(at, op, &job);
            let event = Event::Work(at, op, WorkerStep::Next(0));
            self.queue.after(time, event);
        }
    }

    fn time_to_begin(&mut self, at: At, op: OpId, job: &Job) -> Nanos {
        let processes = self.node(at.node).processes.len() as u64;
        let (count, bytes) = self.share_size(at, op);
        let act = match job {
            Job::Stop(_) => Act::Scan { processes },
            Job::SaveSend => Act::SaveSend { bytes: 0 },
            Job::Snapshot => Act::Snapshot {
                processes: count,
                bytes,
            },
            Job::Open(..) => Act::OpenVersion,
            Job::Fill(..) | Job::Record(_) => Act::Read {
                node: at.node,
                bytes: 4096,
            },
            Job::Write(_) => Act::Write {
                node: at.node,
                bytes: 4096,
            },
            Job::Commit(_) => Act::Write {
                node: at.node,
                bytes: 512,
            },
            Job::Discard => Act::Discard,
            Job::Signal => Act::LetGo,
            Job::Release | Job::Remove(_) => return 0,
        };
        self.slowly(at, act)
    }

    /// How long an act takes on a node that may be slow, but does not hang.
    pub(super) fn slowly(&mut self, at: At, act: Act) -> Nanos {
        let most = match act {
            Act::Write { .. } | Act::Sync { .. } => 10_000 * MS,
            _ => 80_000 * MS,
        };
        let time = self.cost.of(act);
        time.saturating_mul(self.node(at.node).slow)
            .min(most.max(time))
    }

    /// Processes that the share holds, and the bytes of their address spaces.
    fn share_size(&mut self, at: At, op: OpId) -> (u64, u64) {
        let group = match self.worker(at, op) {
            Some(worker) => worker.share.group.clone(),
            None => return (0, 0),
        };
        let memory = group.iter().map(|which| self.process(*which).memory).sum();
        (group.len() as u64, memory)
    }

    /// A step of the act under way.
    pub(super) fn work(&mut self, at: At, op: OpId, step: WorkerStep) {
        let Some(worker) = self.worker(at, op) else {
            return;
        };
        match (step, worker.busy) {
            (WorkerStep::Folder, _) => {
                if let Some(Job::Open(found, newest)) = worker.share.asked.take() {
                    let event = self.open_version(at, op, found, newest);
                    self.checkpoint_event(at, op, event);
                }
            }
            (WorkerStep::Next(number), Some((job, expected))) if number == expected => {
                let progress = self.advance(at, op, job, number);
                self.progressed(at, op, job, progress);
            }
            (WorkerStep::Next(_), _) => {}
        }
        self.settle(at);
    }

    /// All that the act waited for is at rest.
    pub(super) fn rested(&mut self, at: At, op: OpId) {
        let Some(worker) = self.worker(at, op) else {
            return;
        };
        if let Some((Job::Stop(_), number)) = worker.busy {
            let time = self.cost.of(Act::Scan {
                processes: self.nodes[0].processes.len() as u64,
            });
            let event = Event::Work(at, op, WorkerStep::Next(number));
            self.queue.after(time, event);
        }
    }

    fn progressed(&mut self, at: At, op: OpId, job: Job, progress: Progress) {
        let Some(worker) = self.worker(at, op) else {
            return;
        };
        let number = worker.busy.map_or(0, |(_, number)| number) + 1;
        match progress {
            Progress::After(time) => {
                worker.busy = Some((job, number));
                let event = Event::Work(at, op, WorkerStep::Next(number));
                self.queue.after(time, event);
            }
            Progress::Waits => worker.busy = Some((job, number)),
            Progress::Silent => self.next_job(at, op),
            Progress::Told(event) => {
                self.next_job(at, op);
                self.checkpoint_event(at, op, event);
            }
            Progress::Copied(copied) => {
                self.next_job(at, op);
                self.copied(at, op, copied);
            }
        }
    }

    fn advance(&mut self, at: At, op: OpId, job: Job, number: u32) -> Progress {
        let safe = matches!(
            job,
            Job::Release | Job::Signal | Job::Discard | Job::Remove(_)
        );
        let fails = !safe && self.node_mut(at.node).act_fails();
        let cancelled = self.worker(at, op).is_some_and(|worker| worker.cancelled);
        let late = cancelled && !safe && !matches!(job, Job::Fill(..) | Job::Record(_));
        if fails || late {
            let failure = Failure::new(FailureCode::NoMemory).on(at.node);
            return self.fail(at, op, job, failure);
        }
        let killed = self.worker(at, op).and_then(|worker| worker.share.killed);
        match (job, killed) {
            (Job::Stop(_) | Job::SaveSend | Job::Snapshot, Some(pid)) => {
                let why = Failure::new(FailureCode::NoSuchProcess).of(pid.raw());
                self.fail(at, op, job, why.on(at.node))
            }
            (job, _) => self.perform(at, op, job, number),
        }
    }

    fn perform(&mut self, at: At, op: OpId, job: Job, number: u32) -> Progress {
        match job {
            Job::Stop(seed) => self.stop(at, op, seed, number),
            Job::SaveSend => self.save_send(at, op),
            Job::Snapshot => self.snapshot(at, op),
            Job::Release => {
                self.release(at, op);
                Progress::Silent
            }
            Job::Signal => Progress::Told(self.signal(at, op)),
            Job::Open(found, newest) => Progress::Told(self.open_version(at, op, found, newest)),
            Job::Fill(to, chunks) => Progress::Copied(self.fill(at, op, to, chunks)),
            Job::Record(report) => match self.make_record(at, op, &report) {
                Some(copied) => Progress::Copied(copied),
                None => self.fail(at, op, job, World::media_failed(at)),
            },
            Job::Write(version) => self.write_part(at, op, version, number),
            Job::Commit(report) => self.write_commit(at, op, &report, number),
            Job::Discard => {
                self.discard(at, op);
                Progress::Told(checkpoint::Event::Discarded)
            }
            Job::Remove(version) => {
                self.remove_version(at, op, version);
                Progress::Silent
            }
        }
    }

    /// How an act tells that it failed; a commit that is already visible does not.
    pub(super) fn fail(&mut self, at: At, op: OpId, job: Job, failure: Failure) -> Progress {
        if let Job::Fill(..) = job {
            return Progress::Copied(Copied::NotFilled(failure));
        }
        Progress::Told(match job {
            Job::Record(_) => checkpoint::Event::NotCommitted(failure),
            Job::Open(..) => checkpoint::Event::NotOpened(failure),
            Job::Commit(report) => match self.undo_commit(at, op, &report) {
                true => checkpoint::Event::NotCommitted(failure),
                false => checkpoint::Event::Committed,
            },
            Job::Stop(_)
            | Job::SaveSend
            | Job::Snapshot
            | Job::Release
            | Job::Signal
            | Job::Write(_)
            | Job::Fill(..)
            | Job::Discard
            | Job::Remove(_) => checkpoint::Event::HostFailed(failure),
        })
    }

    /// The operation is over on this node; what it still has to do silently is done.
    pub(super) fn end_worker(&mut self, at: At, (op, media): (OpId, Media), worker: Worker) {
        for job in worker
            .busy
            .map(|(job, _)| job)
            .into_iter()
            .chain(worker.jobs)
        {
            match job {
                Job::Remove(version) => {
                    self.store_mut(at.node, media).remove(version);
                }
                Job::Release => self.let_go(at, op, &worker.share.group),
                Job::Stop(_)
                | Job::SaveSend
                | Job::Snapshot
                | Job::Signal
                | Job::Open(..)
                | Job::Write(_)
                | Job::Fill(..)
                | Job::Record(_)
                | Job::Commit(_)
                | Job::Discard => {
                    self.breaks("bounds", format!("{at:?} ends {op:?} with {job:?} to do"));
                }
            }
        }
    }
}
