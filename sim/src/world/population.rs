// SPDX-License-Identifier: GPL-2.0
//! The processes of the cluster as the kernels of its nodes have them.
use super::{StreamIx, World};
use crate::event::{At, EndIx};
use crate::queue::Nanos;
use ssi_core::frontier::{Father, Filiation};
use ssi_core::node::{ClusterPid, NodeId, OpId};
use std::collections::HashMap;

/// A process's number in the world, never used twice.
pub type ProcessIx = u32;

/// What a process is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It runs.
    Running,
    /// A checkpoint wants it at rest.
    Stopping(OpId),
    /// A checkpoint holds it.
    Stopped(OpId),
    /// A restart made it, and holds it before its first instruction.
    Held(OpId),
    /// It has ended.
    Gone,
}

/// How a process uses an end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Hold {
    /// The stream.
    pub stream: StreamIx,
    /// Which end.
    pub end: EndIx,
    /// Bytes it has written.
    pub written: u64,
    /// Bytes it has read.
    pub read: u64,
}

/// A process, in one of its lives.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its PID.
    pub pid: ClusterPid,
    /// Which restart made it, 0: none. Processes of one brood know each other.
    pub brood: u32,
    /// Where it runs.
    pub at: At,
    /// Its father, while that lives.
    pub father: Option<ClusterPid>,
    /// CHECKPOINTABLE.
    pub capable: bool,
    /// Id of its application, 0 before its first checkpoint.
    pub application: u64,
    /// Bytes of its address space.
    pub memory: u64,
    /// Steps it has done.
    pub steps: u64,
    /// What it is doing.
    pub state: State,
    /// A signal has stopped it.
    pub frozen: bool,
    /// Ends of streams that it holds.
    pub holds: Vec<Hold>,
    /// When it does its next step, if it runs.
    pub next: Nanos,
}

/// All processes there ever were.
#[derive(Default)]
pub struct Population {
    /// By number.
    pub list: Vec<Process>,
    alive: HashMap<(ClusterPid, u32), ProcessIx>,
    sons: HashMap<(ClusterPid, u32), Vec<ProcessIx>>,
    /// Number of the last brood.
    pub broods: u32,
    /// When the last process died.
    pub died_at: Nanos,
}

impl World {
    /// A process by its number.
    pub fn process(&self, which: ProcessIx) -> &Process {
        &self.people.list[which as usize]
    }

    pub(super) fn process_mut(&mut self, which: ProcessIx) -> &mut Process {
        self.touched.processes = true;
        &mut self.people.list[which as usize]
    }

    /// Puts a process into the world.
    pub(super) fn born(&mut self, process: Process) -> ProcessIx {
        self.touched.processes = true;
        // CAST: a world has fewer than four billion processes.
        let which = self.people.list.len() as ProcessIx;
        let (pid, brood, at) = (process.pid, process.brood, process.at);
        if let Some(father) = process.father {
            self.people
                .sons
                .entry((father, brood))
                .or_default()
                .push(which);
        }
        self.people.alive.insert((pid, brood), which);
        self.people.list.push(process);
        self.node_mut(at.node).processes.push(which);
        which
    }

    /// A new PID of a node.
    pub(super) fn new_pid(&mut self, node: NodeId) -> Option<ClusterPid> {
        let node = self.node_mut(node);
        let pid = ClusterPid::new(node.next_pid);
        node.next_pid += 1;
        pid
    }

    /// The living process with this PID in a brood.
    pub fn alive(&self, pid: ClusterPid, brood: u32) -> Option<ProcessIx> {
        self.people.alive.get(&(pid, brood)).copied()
    }

    /// The living sons of a process.
    pub fn sons(&self, which: ProcessIx) -> Vec<ProcessIx> {
        let process = self.process(which);
        let sons = self.people.sons.get(&(process.pid, process.brood));
        let sons = sons.map_or(&[][..], |sons| sons);
        let lives = |son: &&ProcessIx| self.process(**son).state != State::Gone;
        sons.iter().filter(lives).copied().collect()
    }

    /// The father of a process, wherever it lives.
    pub fn father(&self, which: ProcessIx) -> Option<ProcessIx> {
        let process = self.process(which);
        self.alive(process.father?, process.brood)
    }

    /// The process of `node` with this PID, any but one that is held.
    pub fn here(&self, node: NodeId, pid: ClusterPid) -> Option<ProcessIx> {
        let mut here = self.node(node).processes.iter().copied();
        here.find(|which| self.process(*which).pid == pid)
    }

    /// The same, if it is CHECKPOINTABLE.
    pub fn capable_here(&self, node: NodeId, pid: ClusterPid) -> Option<ProcessIx> {
        let found = self.here(node, pid);
        found.filter(|which| self.process(*which).capable)
    }

    /// CHECKPOINTABLE processes of a node.
    pub fn capable_on(&self, node: NodeId) -> u32 {
        let here = self.node(node).processes.iter();
        // CAST: a node has fewer than four billion processes.
        here.filter(|which| self.process(**which).capable).count() as u32
    }

    /// A process ends: its sons are orphans, its streams have an end less.
    pub(super) fn dies(&mut self, which: ProcessIx) {
        let now = self.queue.now();
        match self.process(which).state {
            State::Gone => return,
            State::Stopped(op) => {
                let (at, pid) = (self.process(which).at, self.process(which).pid);
                if let Some(worker) = self.worker(at, op) {
                    worker.share.killed = Some(pid);
                }
            }
            State::Running | State::Stopping(_) | State::Held(_) => {}
        }
        self.people.died_at = now;
        for son in self.sons(which) {
            self.process_mut(son).father = None;
        }
        let process = self.process_mut(which);
        process.state = State::Gone;
        let (pid, brood, at) = (process.pid, process.brood, process.at);
        let holds = std::mem::take(&mut process.holds);
        self.people.alive.remove(&(pid, brood));
        self.people.sons.remove(&(pid, brood));
        self.node_mut(at.node)
            .processes
            .retain(|other| *other != which);
        for hold in holds {
            self.close_stream(hold.stream, hold.end);
        }
        self.gone_from(at, pid);
    }
}

/// A node's own processes, as the rules of the frontier see them.
pub struct View<'a> {
    /// The world.
    pub world: &'a World,
    /// The node.
    pub node: NodeId,
}

impl Filiation for View<'_> {
    fn father(&self, pid: ClusterPid) -> Father {
        let own = self.world.here(self.node, pid);
        let Some(father) = own.and_then(|own| self.world.father(own)) else {
            return Father::Outside;
        };
        let father = self.world.process(father);
        if father.at.node == self.node {
            Father::Here(father.pid)
        } else {
            Father::There(father.pid, father.at.node)
        }
    }

    fn is_checkpointable(&self, pid: ClusterPid) -> bool {
        self.world.capable_here(self.node, pid).is_some()
    }
}
