// SPDX-License-Identifier: GPL-2.0
//! Where processes run: this node's own from the kernel, others' by asking the home of the PID.

use crate::engine::Context;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::caps;
use kernel::prelude::*;
use ssi_core::node::{ClusterPid, NodeId, OpId};
use ssi_core::process::table::{self, Slot};
use ssi_core::process::{answer, home, Here};
use ssi_core::wire::process::{At, Exited, Hosts, Message, Where};
use ssi_core::wire::Body;

/// Processes of this node's range that may run elsewhere; twice as many slots.
const ELSEWHERE_MAX: usize = 8192;

/// CHECKPOINTABLE processes of one node that are announced.
const ANNOUNCED_MAX: usize = 65_536;

/// Where a process is to be looked for.
#[derive(Clone, Copy)]
pub enum Place {
    /// It runs here.
    Here,
    /// It runs there.
    On(NodeId),
    /// That node knows.
    Ask(NodeId),
    /// It runs nowhere.
    Nowhere(FailureCode),
}

impl Place {
    /// What to tell who looked for it.
    pub fn failure(self) -> Failure {
        match self {
            Place::Nowhere(code) => Failure::new(code),
            Place::Here | Place::On(_) | Place::Ask(_) => Failure::new(FailureCode::Internal),
        }
    }
}

/// This node's share of the global process table.
pub struct Processes {
    slots: KVVec<Slot>,
}

fn token(op: OpId) -> u32 {
    op.number
}

/// Asks the home of `pid` on behalf of operation `op` of this node.
pub fn ask(context: &mut Context, home: NodeId, op: OpId, pid: Option<ClusterPid>) {
    if let Some(pid) = pid {
        let question = Where {
            pid,
            token: token(op),
        };
        context.send(home, Body::Process(Message::Where(question)));
    }
}

impl Processes {
    /// Nothing is known yet.
    pub fn new() -> Outcome<Processes> {
        let slots = KVVec::from_elem(Slot::Empty, 2 * ELSEWHERE_MAX, GFP_KERNEL)?;
        Ok(Processes { slots })
    }

    /// Where to look for process `pid`.
    pub fn place(&self, context: &Context, pid: u32) -> Place {
        if caps::get(pid).is_ok() {
            return Place::Here;
        }
        let Some(pid) = ClusterPid::new(pid) else {
            return Place::Nowhere(FailureCode::NoSuchProcess);
        };
        match home(pid, &context.peers.up()) {
            Some(home) if home != context.me() => Place::Ask(home),
            Some(_) | None => match table::get(&self.slots, pid) {
                Some(node) => Place::On(node),
                None => Place::Nowhere(FailureCode::NoSuchProcess),
            },
        }
    }

    /// Tells the homes of all foreign processes that they run here.
    pub fn announce(&self, context: &mut Context) {
        let Ok((local, _)) = caps::list(ANNOUNCED_MAX) else {
            return;
        };
        let me = context.me();
        let up = context.peers.up();
        for pid in local.iter().filter_map(|entry| ClusterPid::new(entry.pid)) {
            if pid.birth() == me {
                continue;
            }
            if let Some(home) = home(pid, &up) {
                context.send(home, Body::Process(Message::Hosts(Hosts { pid })));
            }
        }
    }

    /// A process of this node is gone.
    pub fn gone(&self, context: &mut Context, pid: u32) {
        let foreign = ClusterPid::new(pid).filter(|pid| pid.birth() != context.me());
        let Some(pid) = foreign else {
            return;
        };
        if let Some(home) = home(pid, &context.peers.up()) {
            context.send(home, Body::Process(Message::Exited(Exited { pid })));
        }
    }

    /// A message about a process came; an answer to a question of ours is returned.
    pub fn message(
        &mut self,
        context: &mut Context,
        from: NodeId,
        message: Message,
    ) -> Option<(OpId, Place)> {
        match message {
            Message::Hosts(hosts) => {
                if table::insert(&mut self.slots, hosts.pid, from).is_err() {
                    pr_warn!("no room to note where process {} runs\n", hosts.pid.raw());
                }
                None
            }
            Message::Exited(exited) => {
                table::remove(&mut self.slots, exited.pid, from);
                None
            }
            Message::Where(question) => {
                let here = match caps::get(question.pid.raw()) {
                    Ok(_) => Here::Runs,
                    Err(_) => Here::Absent,
                };
                let at = answer(context.me(), &question, here, &self.slots);
                context.send(from, Body::Process(Message::At(at)));
                None
            }
            Message::At(at) => Some(self.answered(context, &at)),
        }
    }

    fn answered(&self, context: &Context, at: &At) -> (OpId, Place) {
        let op = OpId {
            root: context.me(),
            epoch: context.node.config.epoch,
            number: at.token,
        };
        let place = match NodeId::new(at.node) {
            Some(node) if node == context.me() => Place::Here,
            Some(node) => Place::On(node),
            None => Place::Nowhere(FailureCode::NoSuchProcess),
        };
        (op, place)
    }

    /// A node is dead: nothing runs there any more.
    pub fn forget(&mut self, node: NodeId) {
        table::remove_node(&mut self.slots, node);
    }
}
