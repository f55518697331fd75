// SPDX-License-Identifier: GPL-2.0
//! PIDs of parts that are read: who is asked whether they are in use, and helpers that wait for it.

use crate::engine::{Context, Event};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::helper::Spec;
use crate::reply::Reply;
use crate::sys::revive;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::wire::restart::{Claim, Message};
use ssi_core::wire::Body;

/// The PIDs of one part; kept until the operation is over here.
pub struct Claimed {
    part: NodeId,
    pids: KVVec<u32>,
    reply: Arc<Reply<()>>,
}

impl Claimed {
    /// The part.
    pub fn part(&self) -> NodeId {
        self.part
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // The first answer counts.
        self.reply.give(Err(given_up()));
    }
}

fn given_up() -> Failure {
    Failure::new(FailureCode::Internal).text(format_args!("taken back"))
}

/// Asks, on behalf of the helper that has read `part`, who has one of `pids`; returns when it is
/// known that nobody does.
///
/// # Errors
///
/// `PidInUse` and whatever else ends the operation: the helper does not learn which.
pub fn claim(spec: &Spec, part: NodeId, pids: KVVec<u32>) -> Outcome {
    let reply = Reply::new()?;
    let claimed = Claimed {
        part,
        pids,
        reply: reply.clone(),
    };
    let claimed = KBox::new(claimed, GFP_KERNEL)?;
    let asked = spec.node.events.put(Event::Claim(spec.op, claimed));
    asked.map_err(|_| Failure::new(FailureCode::NotJoined))?;
    reply.wait()?
}

/// What the parts of one restart that are made on this node claim.
pub struct Claims {
    parts: KVec<KBox<Claimed>>,
    /// The operation is being taken back: no helper waits any more.
    over: bool,
}

impl Claims {
    /// Nothing is read yet.
    pub fn new() -> Claims {
        Claims {
            parts: KVec::new(),
            over: false,
        }
    }

    /// Keeps what a part claims.
    ///
    /// # Errors
    ///
    /// `NoMemory`, and once the operation is being taken back: the helper has its answer.
    pub fn keep(&mut self, claimed: KBox<Claimed>) -> Outcome {
        if self.over {
            return Err(given_up());
        }
        if let Err(why) = self.parts.reserve(1, GFP_KERNEL) {
            claimed.reply.give(Err(why.into()));
        }
        Ok(self.parts.push(claimed, GFP_KERNEL)?)
    }

    fn find(&self, part: NodeId) -> Option<&Claimed> {
        let mut parts = self.parts.iter();
        parts
            .find(|claimed| claimed.part == part)
            .map(|claimed| &**claimed)
    }

    /// Asks the nodes of `of` for the PIDs of `part`.
    pub fn ask(&self, context: &mut Context, op: OpId, part: NodeId, of: NodeSet) {
        let Some(claimed) = self.find(part) else {
            return;
        };
        let mut rest = claimed.pids.as_slice();
        // Ends: every claim but the last takes PIDs off the rest.
        loop {
            let (claim, later) = Claim::first(part, rest);
            for node in of.iter() {
                context.send(node, Body::Restart(op, Message::Claim(claim)));
            }
            if later.is_empty() {
                return;
            }
            rest = later;
        }
    }

    /// Nobody has a PID of `part`: its helper goes on.
    pub fn grant(&self, part: NodeId) {
        if let Some(claimed) = self.find(part) {
            claimed.reply.give(Ok(()));
        }
    }

    /// Whether a part other than `but` claims the PID.
    pub fn has(&self, pid: u32, but: Option<NodeId>) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|claimed| Some(claimed.part) != but && claimed.pids.contains(&pid))
    }

    /// Ends the waiting of every helper.
    pub fn give_up(&mut self) {
        self.over = true;
        for claimed in self.parts.iter() {
            claimed.reply.give(Err(given_up()));
        }
    }
}

/// The first of the PIDs that a process of this node has, or that `is_claimed` here.
pub fn taken(claim: &Claim, is_claimed: impl Fn(u32) -> bool) -> Option<u32> {
    let mut pids = claim.pids();
    pids.find(|pid| revive::is_alive(*pid) || is_claimed(*pid))
}
