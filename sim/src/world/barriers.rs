// SPDX-License-Identifier: GPL-2.0
//! What must be true of the whole cluster before a host does an act: the named invariants.
use super::population::State;
use super::{ProcessIx, World};
use crate::check;
use crate::event::At;
use ssi_core::abi::CHECKPOINT_PROCESS_ONLY;
use ssi_core::checkpoint::Options;
use ssi_core::node::{NodeId, NodeSet, OpId};
use std::collections::BTreeSet;

/// What was seen of one restart.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The version that is restarted.
    pub version: (u64, u32),
    /// All its parts.
    pub parts: NodeSet,
    /// Parts that are, or were, built and held.
    pub built: BTreeSet<NodeId>,
    /// Parts whose processes were let go, and where.
    pub ran: BTreeSet<(NodeId, At)>,
    /// Parts that were taken back, and where.
    pub undone: BTreeSet<(NodeId, At)>,
    /// Somebody killed who held a part.
    pub killed: bool,
}

impl World {
    /// Everybody whom an operation holds, anywhere.
    pub fn held_by(&self, op: OpId) -> Vec<ProcessIx> {
        let all = self
            .nodes
            .iter()
            .flat_map(|node| node.processes.iter().copied());
        let held = |which: &ProcessIx| match self.process(*which).state {
            State::Stopping(by) | State::Stopped(by) => by == op,
            State::Running | State::Held(_) | State::Gone => false,
        };
        all.filter(held).collect()
    }

    /// Whether what an operation does still counts: it has failed nowhere.
    fn counts(&self, op: OpId) -> bool {
        !self.spoiled.contains(&op)
    }

    /// What was asked for, as the agent of `at` knows it.
    pub(super) fn options_of(&self, at: At, op: OpId) -> Option<Options> {
        let operations = &self.node(at.node).engine.checkpoints;
        let found = operations.iter().find(|operation| operation.op == op);
        found.map(|operation| *operation.agent.options())
    }

    fn flags_of(&self, at: At, op: OpId) -> u32 {
        self.options_of(at, op).map_or(0, |options| options.flags)
    }

    /// no-cut-before-stop: whoever belongs to the application is at rest, and nobody else.
    pub(super) fn barrier_sends(&mut self, at: At, op: OpId) {
        if !self.counts(op) || self.flags_of(at, op) & CHECKPOINT_PROCESS_ONLY != 0 {
            return;
        }
        if let Err(what) = check::frontier::compare(self, op) {
            self.breaks("frontier", what);
        }
    }

    /// All send queues are saved before anything of a receive queue is.
    pub(super) fn barrier_snapshot(&mut self, at: At, op: OpId) {
        if !self.counts(op) {
            return;
        }
        self.barrier_sends(at, op);
        let missing = self.held_by(op).into_iter().find(|which| {
            let process = self.process(*which);
            let share = self.share_of(process.at.node, op);
            let saved = |share: &super::local::Share| share.has_sends(process);
            !share.is_some_and(saved)
        });
        if let Some(which) = missing {
            let pid = self.process(which).pid;
            self.breaks(
                "barriers",
                format!("snapshot before the send queues of {pid:?}"),
            );
        }
    }

    /// no-release-before-cut: nobody is let go before all are snapshotted.
    pub(super) fn barrier_release(&mut self, _at: At, op: OpId) {
        if !self.counts(op) {
            return;
        }
        let missing = self.held_by(op).into_iter().find(|which| {
            let process = self.process(*which);
            let share = self.share_of(process.at.node, op);
            share.is_none_or(|share| share.image.is_none())
        });
        if let Some(which) = missing {
            let pid = self.process(which).pid;
            self.breaks(
                "barriers",
                format!("release before the snapshot of {pid:?}"),
            );
        }
    }

    fn share_of(&self, node: NodeId, op: OpId) -> Option<&super::local::Share> {
        let operations = &self.node(node).engine.checkpoints;
        let found = operations.iter().find(|operation| operation.op == op)?;
        Some(&found.worker.share)
    }

    /// hold-at-the-door: nothing of a restart runs before all of it is built.
    pub(super) fn barrier_go(&mut self, op: OpId) {
        let Some(seen) = self.seen.get(&op) else {
            return;
        };
        let missing = seen.parts.iter().find(|part| !seen.built.contains(part));
        if let Some(part) = missing {
            let what = format!("{op:?} runs before part {} is built", part.raw());
            self.breaks("barriers", what);
        }
    }
}
