// SPDX-License-Identifier: GPL-2.0
//! A node's share of a checkpoint: its processes, stopped and saved.
use super::image::PartImage;
use super::population::{Hold, Process, State, View};
use super::streams::{node_at, Bytes};
use super::worker::{Job, Progress};
use super::{ProcessIx, StreamIx, World};
use crate::cost::Act;
use crate::event::{At, EndIx, Event};
use ssi_core::abi::{FailureCode, CHECKPOINT_EXTERNAL_ENDS, CHECKPOINT_PROCESS_ONLY};
use ssi_core::checkpoint::{Event as Happens, Found, Seed, Version};
use ssi_core::failure::Failure;
use ssi_core::frontier::{belongs, climb, Belongs, Off, Top};
use ssi_core::node::{ClusterPid, NodeId, OpId};
use std::collections::{BTreeMap, BTreeSet};

/// Where a link leads: told apart by the process or stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lead {
    Process(u32, u32),
    Stream(StreamIx, EndIx),
}

/// What was found and saved on one node.
#[derive(Default)]
pub struct Share {
    /// Processes of the application on this node.
    pub group: Vec<ProcessIx>,
    /// The folder that is being made on its own.
    pub asked: Option<Job>,
    reported: BTreeSet<Lead>,
    /// Send queues, by stream and end.
    pub(super) sends: BTreeMap<(StreamIx, EndIx), (u64, Bytes)>,
    /// What the part will hold.
    pub image: Option<PartImage>,
    /// This process was killed while it was held.
    pub killed: Option<ClusterPid>,
    /// What was written, and must be removed on failure.
    pub written: Option<Version>,
}

type Outcome<T> = Result<T, Failure>;

impl Share {
    /// Whether the send queues of a process are saved.
    pub(super) fn has_sends(&self, process: &Process) -> bool {
        let saved = |hold: &Hold| self.sends.contains_key(&(hold.stream, hold.end));
        process.holds.iter().all(saved)
    }
}

impl World {
    pub(super) fn share(&mut self, at: At, op: OpId) -> &mut Share {
        // The operation is there while its worker works.
        static LOST: &str = "a worker without an operation";
        &mut self.worker(at, op).expect(LOST).share
    }

    fn flags(&mut self, at: At, op: OpId) -> u32 {
        let operations = &self.node(at.node).engine.checkpoints;
        let found = operations.iter().find(|operation| operation.op == op);
        found.map_or(0, |operation| operation.agent.options().flags)
    }

    /// Finds and stops what `seed` leads to on this node; a step for every round.
    pub(super) fn stop(&mut self, at: At, op: OpId, seed: Seed, number: u32) -> Progress {
        let found = match number {
            0 => self.stop_seed(at, op, seed),
            _ => Ok(()),
        };
        match found.and_then(|()| self.close_over(at, op)) {
            Ok(true) => Progress::Waits,
            Ok(false) => self.lead_on(at, op),
            Err(why) => Progress::Told(Happens::HostFailed(why.on(at.node))),
        }
    }

    fn stop_seed(&mut self, at: At, op: OpId, seed: Seed) -> Outcome<()> {
        let missing = |pid| Failure::new(FailureCode::NoSuchProcess).of(pid);
        match seed {
            Seed::Target(pid) => match self.here(at.node, pid) {
                None => Err(missing(pid.raw())),
                Some(which) if !self.process(which).capable => {
                    Err(Failure::new(FailureCode::NotCheckpointable).of(pid.raw()))
                }
                Some(which) => self.take_in(at, op, which),
            },
            // A relative that has ended meanwhile, or is outside, leads nowhere.
            Seed::Father(pid) | Seed::Son(pid) => match self.capable_here(at.node, pid) {
                Some(which) => self.take_in(at, op, which),
                None => Ok(()),
            },
            Seed::Stream { near, far } => {
                let is_it = |hold: &Hold, world: &World| {
                    let stream = world.stream(hold.stream);
                    stream.ends[hold.end].real == near && stream.ends[1 - hold.end].real == far
                };
                let mut here = self.node(at.node).processes.iter().copied();
                let holder = here.find(|which| {
                    let holds = &self.process(*which).holds;
                    holds.iter().any(|hold| is_it(hold, self))
                });
                match holder {
                    Some(which) if self.process(which).capable => self.take_in(at, op, which),
                    Some(which) => {
                        let pid = self.process(which).pid.raw();
                        Err(Failure::new(FailureCode::OutsideEnd).of(pid))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// Stops the sub-application of a process; with its members that are already at rest.
    fn take_in(&mut self, at: At, op: OpId, which: ProcessIx) -> Outcome<()> {
        let members = match self.flags(at, op) & CHECKPOINT_PROCESS_ONLY {
            0 => self.sub_application(at.node, which)?,
            _ => vec![which],
        };
        for member in members {
            self.stop_one(at, op, member)?;
        }
        Ok(())
    }

    fn sub_application(&self, node: NodeId, which: ProcessIx) -> Outcome<Vec<ProcessIx>> {
        let view = View { world: self, node };
        let deep = |_: Off| Failure::new(FailureCode::Limit).on(node);
        let top = climb(&view, self.process(which).pid).map_err(deep)?;
        let mut members = Vec::new();
        for member in &self.node(node).processes {
            let pid = self.process(*member).pid;
            if belongs(&view, pid, &top).map_err(deep)? == Belongs::Yes {
                members.push(*member);
            }
        }
        Ok(members)
    }

    fn stop_one(&mut self, at: At, op: OpId, member: ProcessIx) -> Outcome<()> {
        let pid = self.process(member).pid.raw();
        match self.process(member).state {
            State::Running => {
                self.process_mut(member).state = State::Stopping(op);
                self.share(at, op).group.push(member);
                let time = self.cost.of(Act::StopProcess);
                self.queue.after(time, Event::AtRest(at, op, member));
                Ok(())
            }
            State::Stopping(other) | State::Stopped(other) if other == op => Ok(()),
            State::Stopping(_) | State::Stopped(_) | State::Held(_) => {
                Err(Failure::new(FailureCode::Busy).of(pid))
            }
            State::Gone => Ok(()),
        }
    }

    /// A process has come to rest.
    pub(super) fn at_rest(&mut self, at: At, op: OpId, which: ProcessIx) {
        if self.process(which).state == State::Stopping(op) {
            self.process_mut(which).state = State::Stopped(op);
            self.touched.operations = true;
        }
        self.maybe_rested(at, op);
        self.settle(at);
    }

    /// A stop that waited for nobody else goes on.
    pub(super) fn maybe_rested(&mut self, at: At, op: OpId) {
        if self.worker(at, op).is_some() && self.all_at_rest(at, op) {
            self.rested(at, op);
        }
    }

    fn all_at_rest(&mut self, at: At, op: OpId) -> bool {
        let group = self.share(at, op).group.clone();
        let rests = |which: &ProcessIx| {
            matches!(self.process(*which).state, State::Stopped(_) | State::Gone)
        };
        group.iter().all(rests)
    }

    /// Takes in who was born meanwhile and who holds other ends of local streams; says whether
    /// somebody must still come to rest.
    fn close_over(&mut self, at: At, op: OpId) -> Outcome<bool> {
        let people = &self.people.list;
        let group = match self
            .node(at.node)
            .engine
            .checkpoints
            .iter()
            .find(|o| o.op == op)
        {
            Some(operation) => operation.worker.share.group.clone(),
            None => Vec::new(),
        };
        let alive = |which: &&ProcessIx| people[**which as usize].state != State::Gone;
        let group: Vec<ProcessIx> = group.iter().filter(alive).copied().collect();
        self.share(at, op).group = group.clone();
        if self.flags(at, op) & CHECKPOINT_PROCESS_ONLY == 0 {
            for member in &group {
                self.take_in(at, op, *member)?;
            }
        }
        for member in group {
            for hold in self.process(member).holds.clone() {
                self.close_over_stream(at, op, (member, hold))?;
            }
        }
        Ok(!self.all_at_rest(at, op))
    }

    fn close_over_stream(&mut self, at: At, op: OpId, end: (ProcessIx, Hold)) -> Outcome<()> {
        let (member, hold) = end;
        let other = &self.stream(hold.stream).ends[1 - hold.end];
        let Some(holder) = other.holder.filter(|_| other.node == at.node) else {
            return Ok(());
        };
        let flags = self.flags(at, op);
        if self.process(holder).capable && flags & CHECKPOINT_PROCESS_ONLY == 0 {
            return self.take_in(at, op, holder);
        }
        let inside = matches!(self.process(holder).state, State::Stopped(by) if by == op);
        if inside || flags & CHECKPOINT_EXTERNAL_ENDS != 0 {
            return Ok(());
        }
        let pid = self.process(member).pid.raw();
        Err(Failure::new(FailureCode::OutsideEnd).of(pid))
    }

    /// Everybody is at rest: reports what leads to other nodes, and what was found.
    fn lead_on(&mut self, at: At, op: OpId) -> Progress {
        let mut leads = Vec::new();
        if self.flags(at, op) & CHECKPOINT_PROCESS_ONLY == 0 {
            leads = self.leads(at, op);
        }
        for (lead, node, seed) in leads {
            // The operation may fail at any of them.
            let Some(worker) = self.worker(at, op) else {
                return Progress::Silent;
            };
            if worker.share.reported.insert(lead) {
                self.checkpoint_event(at, op, Happens::Link { node, seed });
            }
        }
        match self.worker(at, op) {
            Some(_) => Progress::Told(Happens::Stopped(self.found(at, op))),
            None => Progress::Silent,
        }
    }

    fn leads(&mut self, at: At, op: OpId) -> Vec<(Lead, NodeId, Seed)> {
        let group = self.share(at, op).group.clone();
        let mut leads = Vec::new();
        for member in group {
            let process = self.process(member);
            if let Some(father) = self.father(member).map(|father| self.process(father)) {
                let lead = Lead::Process(father.pid.raw(), father.brood);
                leads.push((lead, father.at.node, Seed::Father(father.pid)));
            }
            for son in self.sons(member) {
                let son = self.process(son);
                let lead = Lead::Process(son.pid.raw(), son.brood);
                leads.push((lead, son.at.node, Seed::Son(son.pid)));
            }
            for hold in &process.holds {
                let stream = self.stream(hold.stream);
                let (near, far) = (&stream.ends[hold.end], &stream.ends[1 - hold.end]);
                let node = node_at(far.real.address).filter(|_| far.holder.is_some());
                if let Some(node) = node.filter(|_| !stream.local) {
                    let seed = Seed::Stream {
                        near: far.real,
                        far: near.real,
                    };
                    leads.push((Lead::Stream(hold.stream, hold.end), node, seed));
                }
            }
        }
        leads.retain(|(_, node, _)| *node != at.node);
        leads
    }

    fn found(&mut self, at: At, op: OpId) -> Found {
        let group = self.share(at, op).group.clone();
        let mut found = Found::NOTHING;
        let view = View {
            world: self,
            node: at.node,
        };
        for member in group {
            let process = self.process(member);
            let top = climb(&view, process.pid).map_or(process.pid, |top: Top| top.pid());
            found = found.and(&Found {
                application: process.application,
                head_root: top.raw(),
            });
        }
        found
    }
}
