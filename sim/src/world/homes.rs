// SPDX-License-Identifier: GPL-2.0
//! Where processes run: a node's own from its kernel, others' by asking the home of the PID.
use super::World;
use crate::event::At;
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
use ssi_core::node::{ClusterPid, NodeId, OpId};
use ssi_core::process::table::{self, Slot};
use ssi_core::process::{answer, home, Here};
use ssi_core::wire::process::{Exited, Hosts, Message, Where};
use ssi_core::wire::Body;

/// Slots for processes of a node's range that run elsewhere.
const SLOTS: usize = 256;

/// Where a process is to be looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It runs there.
    On(NodeId),
    /// That node knows.
    Ask(NodeId),
    /// It runs nowhere.
    Nowhere,
}

impl World {
    /// Where `node` looks for `pid`.
    pub(super) fn place(&self, node: NodeId, pid: ClusterPid) -> Place {
        if self.capable_here(node, pid).is_some() {
            return Place::On(node);
        }
        match home(pid, &self.up_from(node)) {
            Some(home) if home != node => Place::Ask(home),
            Some(_) | None => match table::get(&self.node(node).engine.homes, pid) {
                Some(node) => Place::On(node),
                None => Place::Nowhere,
            },
        }
    }

    /// Tells the homes of all foreign processes that they run here.
    pub(super) fn announce(&mut self, at: At) {
        if self.plan.fixed_membership {
            return;
        }
        let up = self.up_from(at.node);
        let here = self.node(at.node).processes.clone();
        for process in here {
            let process = self.process(process);
            let (pid, capable) = (process.pid, process.capable);
            if !capable || pid.birth() == at.node {
                continue;
            }
            if let Some(home) = home(pid, &up) {
                self.send(at, home, Body::Process(Message::Hosts(Hosts { pid })));
            }
        }
    }

    /// A process of this node is gone.
    pub(super) fn gone_from(&mut self, at: At, pid: ClusterPid) {
        if pid.birth() == at.node || !self.is_alive(at) {
            return;
        }
        if let Some(home) = home(pid, &self.up_from(at.node)) {
            self.send(at, home, Body::Process(Message::Exited(Exited { pid })));
        }
    }

    pub(super) fn process_message(&mut self, at: At, from: NodeId, message: Message) {
        match message {
            Message::Hosts(hosts) => {
                let homes = &mut self.node_mut(at.node).engine.homes;
                if homes.is_empty() {
                    homes.resize(SLOTS, Slot::Empty);
                }
                if table::insert(homes, hosts.pid, from).is_err() {
                    self.breaks("bounds", format!("{at:?}: no room for {:?}", hosts.pid));
                }
            }
            Message::Exited(exited) => {
                let homes = &mut self.node_mut(at.node).engine.homes;
                table::remove(homes, exited.pid, from);
            }
            Message::Where(question) => {
                let here = match self.capable_here(at.node, question.pid) {
                    Some(_) => Here::Runs,
                    None => Here::Absent,
                };
                let found = answer(at.node, &question, here, &self.node(at.node).engine.homes);
                self.send(at, from, Body::Process(Message::At(found)));
            }
            Message::At(found) => {
                let op = OpId {
                    root: at.node,
                    epoch: self.node(at.node).epoch,
                    number: found.token,
                };
                let place = NodeId::new(found.node).map_or(Place::Nowhere, Place::On);
                self.placed(at, op, place);
            }
        }
    }

    /// Asks the home of `pid` on behalf of `op`.
    pub(super) fn ask(&mut self, at: At, home: NodeId, op: OpId, pid: ClusterPid) {
        let question = Where {
            pid,
            token: op.number,
        };
        self.send(at, home, Body::Process(Message::Where(question)));
    }

    /// A node is dead: nothing runs there any more.
    pub(super) fn forget(&mut self, at: At, dead: NodeId) {
        table::remove_node(&mut self.node_mut(at.node).engine.homes, dead);
    }
}

/// What a caller hears of a process that runs nowhere.
pub fn no_such_process(pid: ClusterPid) -> Failure {
    Failure::new(FailureCode::NoSuchProcess).of(pid.raw())
}
