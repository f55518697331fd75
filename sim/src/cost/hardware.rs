// SPDX-License-Identifier: GPL-2.0
//! The parts of a cluster in use: who has to wait for whom, and how long things take.

use super::profile::{transfer, us, Profile, Store};
use super::resource::{Line, Pool};
use super::transfer::Way;
use crate::queue::Nanos;
use ssi_core::node::NodeId;

/// One node's parts.
#[derive(Clone, Copy, Default)]
struct Parts {
    /// The protocol's thread.
    engine: Line,
    /// The thread that acts.
    worker: Line,
    out: Line,
    into: Line,
    disk: Line,
    /// Messages that it has sent, and that were sent to it.
    messages: u64,
}

/// All of it.
pub struct Hardware<'a> {
    /// What things cost.
    pub profile: &'a Profile,
    nodes: Vec<Parts>,
    uplinks: Vec<(Line, Line)>,
    processors: Pool,
    shared_disk: Line,
    nfs: Line,
    parallel: Line,
}

impl<'a> Hardware<'a> {
    /// So many nodes, all idle.
    pub fn new(profile: &'a Profile, nodes: u32) -> Self {
        let uplinks = match profile.network.nodes_per_uplink {
            0 => 0,
            each => nodes.div_ceil(each),
        };
        Hardware {
            profile,
            // CAST: a number of nodes.
            nodes: vec![Parts::default(); nodes as usize],
            uplinks: vec![<(Line, Line)>::default(); uplinks as usize],
            processors: Pool::new(profile.node.shared_processors),
            shared_disk: Line::default(),
            nfs: Line::default(),
            parallel: Line::default(),
        }
    }

    fn parts(&mut self, node: NodeId) -> &mut Parts {
        // CAST: a number of a node, from 1.
        &mut self.nodes[node.raw() as usize - 1]
    }

    /// A node's worker computes for so long.
    pub fn compute(&mut self, node: NodeId, now: Nanos, time: Nanos) -> Nanos {
        let done = self.parts(node).worker.serve(now, time);
        if self.profile.node.shared_processors == 0 {
            done
        } else {
            self.processors.serve(done - time, time).max(done)
        }
    }

    /// Messages of all nodes, and those sent and received by the node with the most.
    pub fn messages(&self) -> (u64, u64) {
        let each = || self.nodes.iter().map(|node| node.messages);
        (each().sum::<u64>() / 2, each().max().unwrap_or(0))
    }

    /// A node sends a message: when it has left the node's port.
    pub fn send(&mut self, from: NodeId, to: NodeId, now: Nanos, bytes: u64) -> Nanos {
        let network = self.profile.network;
        self.parts(from).messages += 1;
        self.parts(to).messages += 1;
        let sent = self.parts(from).engine.serve(now, us(network.message_us));
        let time = transfer(bytes, network.link_mib_s);
        self.parts(from).out.serve(sent, time)
    }

    /// It goes through switches: when all of it is in the receiver's port.
    pub fn carry(&mut self, from: NodeId, to: NodeId, now: Nanos, bytes: u64) -> Nanos {
        let network = self.profile.network;
        let mut at = now;
        if let Some((up, down)) = self.apart(from, to) {
            let time = transfer(bytes, network.uplink_mib_s);
            at = self.uplinks[up].0.serve(at, time);
            at = self.uplinks[down].1.serve(at, time) + us(network.latency_us);
        }
        let time = transfer(bytes, network.link_mib_s);
        at += us(network.latency_us);
        self.parts(to).into.serve(at.saturating_sub(time), time)
    }

    /// The receiver's protocol thread takes it: when that is done.
    pub fn receive(&mut self, to: NodeId, now: Nanos) -> Nanos {
        let each = us(self.profile.network.message_us);
        self.parts(to).engine.serve(now, each)
    }

    /// The uplinks on the way, if the nodes do not share a switch.
    fn apart(&self, from: NodeId, to: NodeId) -> Option<(usize, usize)> {
        let each = self.profile.network.nodes_per_uplink;
        let which = |node: NodeId| (node.raw() - 1).checked_div(each);
        // CAST: numbers of uplinks.
        let (up, down) = (which(from)? as usize, which(to)? as usize);
        (up != down).then_some((up, down))
    }

    /// A piece of a [`super::transfer::Transfer`] that begins now: when it is there.
    pub fn transfer(&mut self, node: NodeId, now: Nanos, bytes: u64, by: (Store, Way)) -> Nanos {
        let (store, way) = by;
        let media = self.profile.media(store);
        let (all, one) = match way {
            Way::Write => (media.write_mib_s, media.part_write_mib_s),
            Way::Read => (media.read_mib_s, media.part_read_mib_s),
        };
        let link = transfer(bytes, self.profile.network.link_mib_s);
        let alone = if one > 0.0 { transfer(bytes, one) } else { 0 };
        let media = transfer(bytes, all);
        match store {
            Store::Disk if self.profile.disk.shared => {
                self.shared_disk.serve(now, media).max(now + alone)
            }
            Store::Disk => self.parts(node).disk.serve(now, media),
            Store::Nfs => self.nfs.serve(now, media).max(now + link.max(alone)),
            Store::Parallel => self.parallel.serve(now, media).max(now + link.max(alone)),
            // Into own memory and over the link into the partner's, both at once.
            Store::Memory => {
                let copy = transfer(bytes, self.profile.node.copy_mib_s);
                let copied = self.parts(node).worker.serve(now, copy);
                self.parts(node).out.serve(now, link).max(copied)
            }
        }
    }

    /// A node makes something durable.
    pub fn sync(&mut self, node: NodeId, now: Nanos, store: Store) -> Nanos {
        if store == Store::Memory {
            return now + 2 * us(self.profile.network.latency_us);
        }
        let media = *self.profile.media(store);
        let time = us(media.sync_us);
        match (store, media.shared) {
            (Store::Disk, false) => self.parts(node).disk.serve(now, time),
            // Servers make the files of many clients durable together.
            _ => now + time,
        }
    }
}
