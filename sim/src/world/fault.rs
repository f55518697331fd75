// SPDX-License-Identifier: GPL-2.0
//! What goes wrong: power cuts, broken connections, cuts of the network, failing hosts.
use super::store::Store;
use super::{ConnectionId, ProcessIx, State, World};
use crate::event::{At, Event};
use crate::plan::Trouble;
use crate::queue::US;
use crate::trace::What;
use ssi_core::node::{Epoch, NodeId, OpId};

impl World {
    fn named(&self, raw: u32) -> Option<NodeId> {
        NodeId::new(raw).filter(|node| node.raw() <= self.plan.nodes)
    }

    /// The fault with this number happens.
    pub(super) fn strike(&mut self, number: usize) {
        let fault = self.plan.faults[number].clone();
        self.strike_with(&fault.trouble, fault.for_us);
        if fault.for_us > 0 {
            self.queue.after(fault.for_us * US, Event::Mend(number));
        }
    }

    /// Something goes wrong, for some time.
    pub fn strike_with(&mut self, trouble: &Trouble, for_us: u64) {
        let first = match trouble {
            Trouble::Crash(node, _)
            | Trouble::Break(node, ..)
            | Trouble::Cut(node, _)
            | Trouble::Sleep(node)
            | Trouble::Fail(node, _)
            | Trouble::Hang(node)
            | Trouble::Full(node)
            | Trouble::Slow(node, _) => self.named(*node),
            Trouble::KillProcess(process) => {
                if let Some(which) = self.incarnation(*process) {
                    self.kill(which);
                }
                return;
            }
        };
        let Some(node) = first else {
            return;
        };
        self.tell(node, What::Trouble(format!("{trouble:?}")));
        match trouble {
            Trouble::Crash(_, hears) => self.crash(node, *hears),
            Trouble::Break(_, other, a, b) => {
                if let Some(other) = self.named(*other) {
                    self.break_between(node, other, [*a, *b]);
                }
            }
            Trouble::Cut(_, other) => {
                if let Some(other) = self.named(*other).filter(|other| *other != node) {
                    self.network.cuts.insert((node, other));
                }
            }
            Trouble::Sleep(_) => {
                self.node_mut(node).asleep_until = self.queue.now() + for_us * US;
            }
            Trouble::Hang(_) => {
                self.node_mut(node).hangs_until = self.queue.now() + for_us * US;
            }
            Trouble::Fail(_, acts) => self.node_mut(node).fails = *acts,
            Trouble::Full(_) => self.node_mut(node).full = true,
            Trouble::Slow(_, times) => self.node_mut(node).slow = (*times).max(1),
            Trouble::KillProcess(_) => {}
        }
    }

    /// The fault with this number is over.
    pub(super) fn mend(&mut self, number: usize) {
        match self.plan.faults[number].trouble.clone() {
            Trouble::Crash(node, _) => {
                if let Some(node) = self.named(node).filter(|node| !self.node(*node).up) {
                    self.boot(node);
                }
            }
            Trouble::Cut(one, two) => self.heal(one, two),
            Trouble::Full(node) => self.room_again(node),
            Trouble::Slow(node, _) => {
                if let Some(node) = self.named(node) {
                    self.node_mut(node).slow = 1;
                }
            }
            Trouble::Fail(node, _) => {
                if let Some(node) = self.named(node) {
                    self.node_mut(node).fails = 0;
                }
            }
            Trouble::Break(..) | Trouble::Sleep(_) | Trouble::Hang(_) | Trouble::KillProcess(_) => {
            }
        }
    }

    /// The media of a node has room again.
    pub(crate) fn room_again(&mut self, node: u32) {
        if let Some(node) = self.named(node) {
            self.node_mut(node).full = false;
        }
    }

    /// What was cut between two nodes is whole again.
    pub(crate) fn heal(&mut self, one: u32, two: u32) {
        if let (Some(one), Some(two)) = (self.named(one), self.named(two)) {
            self.network.cuts.remove(&(one, two));
            self.release_held();
        }
    }

    /// A node is switched on, in a new life.
    pub(crate) fn boot(&mut self, node: NodeId) {
        let now = self.queue.now();
        let host = self.node_mut(node);
        let first = host.epoch == Epoch(0);
        host.at.life += u32::from(!first);
        host.up = true;
        // Wall clock in milliseconds: later than that of the life before.
        host.epoch = Epoch(1_000 + now / 1_000_000 + u64::from(host.at.life));
        host.fails = 0;
        let at = host.at;
        self.touched.membership = true;
        self.meet(at);
    }

    /// A node loses power.
    pub(super) fn crash(&mut self, node: NodeId, hears: bool) {
        if !self.node(node).up {
            return;
        }
        let host = self.node_mut(node);
        host.up = false;
        host.asleep_until = 0;
        host.hangs_until = 0;
        let at = host.at;
        let engine = std::mem::take(&mut host.engine);
        let operations = engine.checkpoints.iter().map(|operation| operation.op);
        let restarts = engine.restarts.iter().map(|operation| operation.op);
        let ops: Vec<OpId> = operations.chain(restarts).collect();
        self.spoiled.extend(ops);
        for which in self.node(node).processes.clone() {
            self.dies(which);
        }
        self.drop_connections(at, hears);
        self.shared.power_cut(at, &mut self.random);
        let host = &mut self.nodes[node.raw() as usize - 1];
        host.disk.power_cut_own(at, &mut self.random);
        host.memory = Store::default();
        self.crashes.push((self.queue.now(), node));
        self.note_lost_memory(node);
        self.touched.membership = true;
        self.touched.store = true;
        self.touched.operations = true;
    }

    fn break_between(&mut self, one: NodeId, two: NodeId, hears: [bool; 2]) {
        let between = |a: At, b: At| (a.node, b.node) == (one, two);
        let ids: Vec<(ConnectionId, bool)> = self
            .network
            .connections
            .iter()
            .filter_map(|(id, connection)| {
                let (a, b) = (connection.ends[0].at, connection.ends[1].at);
                (between(a, b) || between(b, a)).then(|| (*id, between(a, b)))
            })
            .collect();
        for (id, same) in ids {
            let hears = if same { hears } else { [hears[1], hears[0]] };
            self.break_connection(id, hears);
        }
    }

    /// A process is killed. Who kills one that a restart holds kills the helper that holds it.
    pub(super) fn kill(&mut self, which: ProcessIx) {
        let process = self.process(which);
        let at = process.at;
        match process.state {
            State::Gone => return,
            State::Held(op) => self.helper_killed(at, op, which),
            State::Running | State::Stopping(_) | State::Stopped(_) => {
                self.dies(which);
                self.rest_of_group(at);
            }
        }
        self.settle(at);
    }

    /// A process that a stop waited for may be gone.
    fn rest_of_group(&mut self, at: At) {
        let operations = &self.node(at.node).engine.checkpoints;
        let ops: Vec<OpId> = operations.iter().map(|operation| operation.op).collect();
        for op in ops {
            self.maybe_rested(at, op);
        }
    }
}
