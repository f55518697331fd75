// SPDX-License-Identifier: GPL-2.0
//! Versions that may still be committed, and what a node has of them without a commit record.
use super::World;
use crate::event::At;
use crate::plan::Media;
use ssi_core::checkpoint::Version;
use ssi_core::copy::Stake;
use ssi_core::node::{NodeId, OpId};

/// One node's stake in what one operation makes.
pub struct Staked {
    op: OpId,
    media: Media,
    version: Version,
    stake: Stake,
}

impl World {
    /// An act for a version begins on a node.
    pub(super) fn begin_stake(&mut self, at: At, op: OpId, media: Media, version: Version) {
        let awaits = op.root != at.node && self.up_from(at.node).contains(op.root);
        let stakes = &mut self.node_mut(at.node).engine.stakes;
        let of = (op, media, version);
        let known = stakes
            .iter()
            .position(|staked| (staked.op, staked.media, staked.version) == of);
        let which = known.unwrap_or_else(|| {
            stakes.push(Staked {
                op,
                media,
                version,
                stake: Stake::new(awaits),
            });
            stakes.len() - 1
        });
        stakes[which].stake.begin();
    }

    /// Something happens to a node's stake in what `op` makes.
    pub(super) fn stake(&mut self, at: At, op: OpId, event: fn(&mut Stake)) {
        self.stakes(at, event, |staked| staked.op == op);
    }

    /// A node is dead, or messages to it are lost.
    pub(super) fn stakes_peer_down(&mut self, at: At, node: NodeId) {
        self.stakes(at, Stake::heard, |staked| staked.op.root == node);
    }

    fn stakes(&mut self, at: At, event: fn(&mut Stake), are: impl Fn(&Staked) -> bool) {
        let stakes = &mut self.node_mut(at.node).engine.stakes;
        for staked in stakes.iter_mut().filter(|staked| are(staked)) {
            event(&mut staked.stake);
        }
        stakes.retain(|staked| !staked.stake.is_over());
    }

    /// Whether what a node has of a version may still be committed.
    pub(super) fn is_under_way(&self, at: At, media: Media, version: Version) -> bool {
        let mut stakes = self.node(at.node).engine.stakes.iter();
        stakes.any(|staked| (staked.media, staked.version) == (media, version))
    }
}
