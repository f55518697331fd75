// SPDX-License-Identifier: GPL-2.0
//! PIDs of parts that are read: who is asked whether they are in use, and what is answered.
use super::World;
use crate::event::{At, Event, HelperStep};
use crate::queue::{Nanos, MS};
use ssi_core::node::{ClusterPid, NodeId, NodeSet, OpId};
use ssi_core::restart::answer;
use ssi_core::wire::restart::{Claim, Message};
use ssi_core::wire::Body;

/// For all ends on other nodes to connect.
const ACCEPT_MS: Nanos = 30_000 * MS;

impl World {
    /// Asks the nodes of `of` for the PIDs of a part.
    pub(super) fn claim(&mut self, at: At, op: OpId, part: NodeId, of: NodeSet) {
        let image = self
            .helper(at, op, part)
            .and_then(|helper| helper.image.clone());
        let Some(image) = image else {
            return;
        };
        let processes = image.processes.iter();
        let pids: Vec<u32> = processes.map(|process| process.pid.raw()).collect();
        let mut rest = pids.as_slice();
        loop {
            let (claim, later) = Claim::first(part, rest);
            for to in of.iter() {
                self.send(at, to, Body::Restart(op, Message::Claim(claim)));
            }
            if later.is_empty() {
                return;
            }
            rest = later;
        }
    }

    /// Nobody has a PID of a part: its helper goes on.
    pub(super) fn granted(&mut self, at: At, op: OpId, part: NodeId) {
        let lonely = Event::Help(at, op, HelperStep::Lonely(part));
        self.queue.after(ACCEPT_MS, lonely);
        let event = Event::Help(at, op, HelperStep::Bind(part));
        self.queue.after(0, event);
    }

    /// Somebody asks for PIDs.
    pub(super) fn claimed(&mut self, at: At, op: OpId, from: NodeId, claim: &Claim) {
        let taken = claim.pids().find(|raw| {
            let pid = ClusterPid::new(*raw);
            pid.is_some_and(|pid| {
                self.here(at.node, pid).is_some() || self.claims(at, pid, (op, claim.part))
            })
        });
        if let Some(answer) = answer(claim, taken) {
            self.send(at, from, Body::Restart(op, answer));
        }
    }

    /// Whether a part that the node makes has the PID, other than `asking` itself.
    fn claims(&self, at: At, pid: ClusterPid, asking: (OpId, NodeId)) -> bool {
        let mut operations = self.node(at.node).engine.restarts.iter();
        operations.any(|operation| {
            let sides = operation.participant.iter();
            let mut helpers = sides.flat_map(|side| side.team.helpers.iter());
            helpers.any(|helper| {
                let image = helper.image.iter();
                let mut processes = image.flat_map(|image| image.processes.iter());
                (operation.op, helper.part) != asking && processes.any(|process| process.pid == pid)
            })
        })
    }
}
