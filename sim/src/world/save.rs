// SPDX-License-Identifier: GPL-2.0
//! Saving a node's share of a checkpoint, letting it go, and undoing it.
use super::image::{EndImage, PartImage, ProcessImage};
use super::population::State;
use super::streams::length;
use super::worker::Progress;
use super::{ProcessIx, StreamIx, World};
use crate::event::At;
use ssi_core::abi::FailureCode;
use ssi_core::checkpoint::{Counts, Event as Happens};
use ssi_core::failure::Failure;
use ssi_core::node::OpId;

impl World {
    /// Saves the send queues of all connections.
    pub(super) fn save_send(&mut self, at: At, op: OpId) -> Progress {
        for member in self.share(at, op).group.clone() {
            if self.process(member).state == State::Gone {
                return killed(self.process(member).pid.raw());
            }
            for hold in self.process(member).holds.clone() {
                let way = &self.stream(hold.stream).ways[hold.end];
                let queue = (way.una, way.send.clone());
                let key = (hold.stream, hold.end);
                self.share(at, op).sends.insert(key, queue);
            }
        }
        self.barrier_sends(at, op);
        Progress::Told(Happens::SendSaved)
    }

    /// Saves everything else in memory.
    pub(super) fn snapshot(&mut self, at: At, op: OpId) -> Progress {
        let group = self.share(at, op).group.clone();
        self.barrier_snapshot(at, op);
        let mut image = PartImage {
            node: at.node,
            application: 0,
            processes: Vec::new(),
            ends: Vec::new(),
        };
        for member in group {
            if self.process(member).state == State::Gone {
                return killed(self.process(member).pid.raw());
            }
            self.save_process(at, op, member, &mut image);
        }
        pair_up(&mut image);
        let counts = counts(&image);
        self.share(at, op).image = Some(image);
        Progress::Told(Happens::Snapped(counts))
    }

    fn save_process(&mut self, at: At, op: OpId, member: ProcessIx, image: &mut PartImage) {
        let mut holds = self.process(member).holds.clone();
        for hold in &mut holds {
            let (send_first, send) = self
                .share(at, op)
                .sends
                .get(&(hold.stream, hold.end))
                .cloned()
                .unwrap_or_default();
            let stream = self.stream(hold.stream);
            let (near, far) = (&stream.ends[hold.end], &stream.ends[1 - hold.end]);
            let way = &stream.ways[1 - hold.end];
            image.ends.push(EndImage {
                near: (near.name.address, near.name.port),
                far: (far.name.address, far.name.port),
                other: None,
                alone: far.holder.is_none() || self.is_outside(op, far.holder),
                local: stream.local,
                send_first,
                send,
                recv_next: way.received(),
                recv: way.recv.clone(),
            });
            // CAST: a list in memory.
            hold.stream = image.ends.len() as StreamIx - 1;
        }
        let process = self.process(member);
        image.processes.push(ProcessImage {
            pid: process.pid,
            father: process.father,
            memory: process.memory,
            steps: process.steps,
            frozen: process.frozen,
            holds,
        });
    }

    /// Whether a process is not held by the operation; others' ends are left out of the image.
    fn is_outside(&self, op: OpId, holder: Option<ProcessIx>) -> bool {
        let held = |which| matches!(self.process(which).state, State::Stopped(by) if by == op);
        !holder.is_some_and(held)
    }

    /// The application goes on.
    pub(super) fn release(&mut self, at: At, op: OpId) {
        self.barrier_release(at, op);
        let group = self.share(at, op).group.clone();
        self.let_go(at, op, &group);
    }

    pub(super) fn let_go(&mut self, _at: At, op: OpId, group: &[ProcessIx]) {
        for member in group {
            let held = matches!(self.process(*member).state,
                State::Stopped(by) | State::Stopping(by) if by == op);
            if held {
                self.process_mut(*member).state = State::Running;
                self.goes_on(*member);
            }
        }
    }

    /// Undoes everything: processes go on, the part is removed.
    pub(super) fn discard(&mut self, at: At, op: OpId) {
        let group = self.share(at, op).group.clone();
        self.let_go(at, op, &group);
        if let Some(version) = self.share(at, op).written.take() {
            let media = self.media_of(at, op);
            self.store_mut(at.node, media).remove_part(version, at.node);
        }
    }
}

fn killed(pid: u32) -> Progress {
    let why = Failure::new(FailureCode::NoSuchProcess).of(pid);
    Progress::Told(Happens::HostFailed(why))
}

/// Local streams have both ends in one part.
fn pair_up(image: &mut PartImage) {
    for one in 0..image.ends.len() {
        let (near, far) = (image.ends[one].near, image.ends[one].far);
        let other = image
            .ends
            .iter()
            .position(|end| (end.far, end.near) == (near, far));
        if image.ends[one].local {
            image.ends[one].other = other;
        }
    }
}

fn counts(image: &PartImage) -> Counts {
    // CAST: lists in memory.
    Counts {
        processes: image.processes.len() as u32,
        threads: image.processes.len() as u32,
        streams: image.ends.iter().filter(|end| end.near < end.far).count() as u32,
        stream_bytes: image.ends.iter().map(|end| length(&end.recv)).sum(),
    }
}
