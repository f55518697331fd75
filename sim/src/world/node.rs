// SPDX-License-Identifier: GPL-2.0
//! One node: its lives, its clock, and what its protocol thread owns.
use super::checkpoints::Checkpoint;
use super::copies::Copy;
use super::errands::Errand;
use super::peers::{News, Peers};
use super::restarts::Restart;
use super::stakes::Staked;
use super::store::Store;
use super::survey::Surveying;
use super::ProcessIx;
use crate::event::At;
use crate::queue::Nanos;
use ssi_core::checkpoint::History;
use ssi_core::node::{Epoch, NodeId, OpId};
use ssi_core::process::table::Slot;
use ssi_core::wire::Body;
use std::collections::VecDeque;
use std::rc::Rc;

/// Monotonic time of a node: neither its zero nor its pace is that of the others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// What it shows at the beginning of the world.
    pub offset_ns: Nanos,
    /// Millionths by which it is too fast or too slow.
    pub drift_ppm: i64,
}

impl Clock {
    /// What it shows at `now`, in milliseconds.
    pub fn ms(&self, now: Nanos) -> u64 {
        let pace = i128::from(1_000_000 + self.drift_ppm);
        let own = i128::from(now) * pace / 1_000_000;
        // CAST: a run lasts hours, not centuries.
        (u128::from(self.offset_ns) as i128 + own) as u64 / 1_000_000
    }

    /// How long `ms` on this clock really take, rounded up.
    pub fn real_ns(&self, ms: u64) -> Nanos {
        let pace = u128::try_from(1_000_000 + self.drift_ppm).unwrap_or(1);
        // CAST: as above.
        (u128::from(ms) * 1_000_000 * 1_000_000).div_ceil(pace) as u64
    }
}

/// What the protocol thread of a node owns.
#[derive(Default)]
pub struct Engine {
    /// Membership.
    pub peers: Peers,
    /// What happened to peers, and their messages.
    pub news: VecDeque<News>,
    /// Messages to the node itself.
    pub own: VecDeque<Rc<Body>>,
    /// Processes of this node's range that run elsewhere.
    pub homes: Vec<Slot>,
    /// Operations under way.
    pub checkpoints: Vec<Checkpoint>,
    /// Operations that were aborted.
    pub history: History,
    /// Operations under way.
    pub restarts: Vec<Restart>,
    /// Restarts whose parts are looked for.
    pub surveys: Vec<Surveying>,
    /// Copies of others' parts.
    pub copies: Vec<Copy>,
    /// What may still be committed of versions here.
    pub stakes: Vec<Staked>,
    /// Acts on the store for others.
    pub errands: Vec<Errand>,
    /// Number of the last of them.
    pub errand: u64,
    /// Number of the last own operation.
    pub number: u32,
    /// The others hold this node for dead.
    pub expelled: bool,
}

/// A node.
pub struct Node {
    /// Its name, and which life it is in.
    pub at: At,
    /// Whether it is switched on.
    pub up: bool,
    /// Of this life.
    pub epoch: Epoch,
    /// Its clock.
    pub clock: Clock,
    /// It stands still until then.
    pub asleep_until: Nanos,
    /// The acts of its host stand still until then.
    pub hangs_until: Nanos,
    /// Processes of this life that are not gone.
    pub processes: Vec<ProcessIx>,
    /// Number of the next process that is born here.
    pub next_pid: u32,
    /// Next port.
    pub next_port: u32,
    /// Acts of the host that are going to fail.
    pub fails: u32,
    /// How many times slower its media is.
    pub slow: u64,
    /// Its media takes nothing.
    pub full: bool,
    /// A store of its own on a disk.
    pub disk: Store,
    /// A store of its own in memory.
    pub memory: Store,
    /// The protocol thread.
    pub engine: Engine,
}

impl Node {
    /// A node that has never been on.
    pub fn new(node: NodeId, clock: Clock) -> Node {
        Node {
            at: At { node, life: 0 },
            up: false,
            epoch: Epoch(0),
            clock,
            asleep_until: 0,
            hangs_until: 0,
            processes: Vec::new(),
            next_pid: node.pid_range().0,
            next_port: 1024,
            fails: 0,
            slow: 1,
            full: false,
            disk: Store::default(),
            memory: Store::default(),
            engine: Engine::default(),
        }
    }

    /// A name for a new operation of this node.
    pub fn new_op(&mut self) -> OpId {
        self.engine.number += 1;
        OpId {
            root: self.at.node,
            epoch: self.epoch,
            number: self.engine.number,
        }
    }

    /// Whether the next act fails.
    pub fn act_fails(&mut self) -> bool {
        let fails = self.fails > 0;
        self.fails = self.fails.saturating_sub(1);
        fails
    }
}
