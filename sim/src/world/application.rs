// SPDX-License-Identifier: GPL-2.0
//! What simulated processes do: compute, write, read, fork, connect, and end.
use super::population::{Hold, Process, State};
use super::streams::{Point, Stream, Way};
use super::{ProcessIx, World};
use crate::event::{At, EndIx, Event};
use crate::queue::MS;
use ssi_core::node::NodeId;

/// Most processes that a world grows to.
const PROCESSES_MAX: usize = 64;

/// How much slower processes are while no operation is under way: nothing depends on them.
const IDLE_TIMES: u64 = 50;

impl World {
    /// Whether an operation is under way somewhere.
    pub fn is_busy(&self) -> bool {
        let busy = |node: &super::Node| {
            let engine = &node.engine;
            !engine.checkpoints.is_empty()
                || !engine.restarts.is_empty()
                || !engine.surveys.is_empty()
                || !engine.copies.is_empty()
                || !engine.errands.is_empty()
        };
        self.nodes.iter().any(busy)
    }

    /// An operation begins: everybody is quick.
    pub(super) fn hurry(&mut self) {
        if self.plan.step_ms == 0 {
            return;
        }
        let all = self
            .nodes
            .iter()
            .flat_map(|node| node.processes.iter().copied());
        for which in all.collect::<Vec<ProcessIx>>() {
            self.goes_on(which);
        }
    }

    /// A process that may run has its next step before it.
    pub(super) fn goes_on(&mut self, which: ProcessIx) {
        let mut step = self.plan.step_ms * MS;
        if step == 0 {
            return;
        }
        if !self.is_busy() {
            step *= IDLE_TIMES;
        }
        let at = self.queue.now() + 1 + self.random.below(2 * step);
        // One step is planned at a time: an earlier one comes to nothing.
        self.process_mut(which).next = at;
        self.queue.at(at, Event::Live(which));
    }

    /// A process does its next step, if it runs and it is time.
    pub(super) fn live(&mut self, which: ProcessIx) {
        let process = self.process(which);
        let runs = matches!(process.state, State::Running | State::Stopping(_)) && !process.frozen;
        let (at, due) = (process.at, process.next == self.queue.now());
        if !runs || !due || !self.is_alive(at) {
            return;
        }
        let process = self.process_mut(which);
        process.steps += 1;
        let holds = process.holds.len();
        match self.random.below(64) {
            0 if self.plan.lively => self.fork(which),
            1 if self.plan.lively => self.connects(which),
            2 if self.plan.lively && holds == 0 && self.random.once_in(4) => {
                self.dies(which);
                return self.settle(at);
            }
            chance if holds > 0 => {
                let number = self.random.index(holds);
                match chance % 2 {
                    0 => self.writes(which, number),
                    _ => self.reads(which, number),
                }
            }
            _ => {}
        }
        self.goes_on(which);
        self.settle(at);
    }

    fn writes(&mut self, which: ProcessIx, number: usize) {
        let hold = self.process(which).holds[number];
        let len = 1 + self.random.below(16);
        let len = self.write(hold.stream, hold.end, hold.written, len);
        self.process_mut(which).holds[number].written += len;
    }

    fn reads(&mut self, which: ProcessIx, number: usize) {
        let hold = self.process(which).holds[number];
        let len = 1 + self.random.below(16);
        for run in self.read(hold.stream, hold.end, len) {
            let hold = &mut self.process_mut(which).holds[number];
            let expected = hold.read;
            hold.read = run.first + run.len;
            if run.first != expected {
                let pid = self.process(which).pid;
                let what = format!("{pid:?} reads byte {}, not {expected}", run.first);
                self.breaks("streams", what);
            }
        }
    }

    /// A new process, on the same node or on another.
    fn fork(&mut self, which: ProcessIx) {
        if self.living() >= PROCESSES_MAX {
            return;
        }
        let remote = self.random.once_in(4);
        let at = match remote {
            true => self.some_node().unwrap_or(self.process(which).at),
            false => self.process(which).at,
        };
        let father = self.process(which);
        let (brood, capable, memory) = (father.brood, father.capable, father.memory);
        let (father, application) = (father.pid, father.application);
        let Some(pid) = self.new_pid(at.node) else {
            return;
        };
        let son = self.born(Process {
            pid,
            brood,
            at,
            father: Some(father),
            capable,
            application,
            memory,
            steps: 0,
            state: State::Running,
            frozen: false,
            holds: Vec::new(),
            next: 0,
        });
        self.goes_on(son);
    }

    fn living(&self) -> usize {
        self.nodes.iter().map(|node| node.processes.len()).sum()
    }

    fn some_node(&mut self) -> Option<At> {
        let up: Vec<At> = self
            .nodes
            .iter()
            .filter(|node| node.up)
            .map(|node| node.at)
            .collect();
        match up.len() {
            0 => None,
            len => Some(up[self.random.index(len)]),
        }
    }

    /// The process connects to another one that runs, of its own brood.
    fn connects(&mut self, which: ProcessIx) {
        let brood = self.process(which).brood;
        let runs = |other: &ProcessIx| {
            let process = self.process(*other);
            *other != which
                && process.brood == brood
                && process.state == State::Running
                && !process.frozen
        };
        let all = self
            .nodes
            .iter()
            .flat_map(|node| node.processes.iter().copied());
        let others: Vec<ProcessIx> = all.filter(runs).collect();
        if others.is_empty() || self.process(which).holds.len() >= 8 {
            return;
        }
        let other = others[self.random.index(others.len())];
        let (from, to) = (self.process(which).at.node, self.process(other).at.node);
        if self.reaches(from, to) && self.reaches(to, from) {
            self.join_processes(which, other);
        }
    }

    /// A new stream between two processes.
    pub(super) fn join_processes(&mut self, one: ProcessIx, two: ProcessIx) {
        let nodes = [self.process(one).at.node, self.process(two).at.node];
        let local = nodes[0] == nodes[1] && self.random.once_in(2);
        let ends = nodes.map(|node| self.new_point(node));
        let stream = self.new_stream(Stream {
            ends,
            ways: [Way::default(), Way::default()],
            local,
        });
        for (which, end) in [(one, 0), (two, 1)] {
            self.hold(which, stream, end);
        }
    }

    fn new_point(&mut self, node: NodeId) -> Point {
        let name = self.new_name(node);
        Point {
            holder: None,
            node,
            name,
            real: name,
        }
    }

    fn hold(&mut self, which: ProcessIx, stream: super::StreamIx, end: EndIx) {
        self.stream_mut(stream).ends[end].holder = Some(which);
        self.process_mut(which).holds.push(Hold {
            stream,
            end,
            written: 0,
            read: 0,
        });
    }

    /// Puts the plan's application into the world.
    pub(super) fn populate(&mut self) {
        let plan = self.plan.clone();
        let mut made: Vec<ProcessIx> = Vec::new();
        for wanted in &plan.processes {
            let node = wanted.node.min(plan.nodes).max(1);
            let at = self.nodes[node as usize - 1].at;
            let Some(pid) = self.new_pid(at.node) else {
                continue;
            };
            let father = wanted.father.and_then(|father| made.get(father));
            let father = father.map(|father| self.process(*father).pid);
            let which = self.born(Process {
                pid,
                brood: 0,
                at,
                father,
                capable: wanted.capable,
                application: 0,
                memory: wanted.memory,
                steps: 0,
                state: State::Running,
                frozen: false,
                holds: Vec::new(),
                next: 0,
            });
            made.push(which);
        }
        for (one, two) in &plan.streams {
            if let (Some(one), Some(two)) = (made.get(*one), made.get(*two)) {
                if one != two {
                    self.join_processes(*one, *two);
                }
            }
        }
        for which in made {
            self.goes_on(which);
        }
    }
}
