// SPDX-License-Identifier: GPL-2.0
//! Names that carry life: nodes with their epoch, cluster PIDs, operations.

use core::num::NonZeroU32;

use crate::codec::{CodecError, Field};

pub mod few;
pub mod set;

pub use few::Few;
pub use set::NodeSet;

/// Bits of a cluster PID that number a process on its birth node.
pub const LOCAL_BITS: u32 = 22;

/// Bits of a cluster PID that name the birth node. `LOCAL_BITS + NODE_BITS` is 30, because a
/// futex word keeps 30 bits of a TID (`FUTEX_TID_MASK`, include/uapi/linux/futex.h).
pub const NODE_BITS: u32 = 8;

const _: () = assert!(LOCAL_BITS + NODE_BITS == 30);

/// One Linux kernel of the cluster: 1 to 254. Only a host without kernels may go further.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(NonZeroU32);

impl NodeId {
    /// The node called `raw`, or `None` outside 1..=254: what PIDs, messages, sets and images name.
    pub const fn new(raw: u32) -> Option<NodeId> {
        match NonZeroU32::new(raw) {
            Some(id) if raw <= 254 => Some(NodeId(id)),
            Some(_) | None => None,
        }
    }

    /// A node of a cluster that is larger than PIDs can name, in a simulator. It has no PIDs of
    /// its own, cannot be sent in a message and is in no [`NodeSet`].
    pub const fn beyond(raw: u32) -> Option<NodeId> {
        match NonZeroU32::new(raw) {
            Some(id) => Some(NodeId(id)),
            None => None,
        }
    }

    /// The number of the node.
    pub const fn raw(self) -> u32 {
        self.0.get()
    }

    /// All nodes that kernels can be, in ascending order.
    pub fn all() -> impl Iterator<Item = NodeId> {
        (1..=254).filter_map(NodeId::new)
    }

    /// The smallest and the largest cluster PID that this node gives out, both inclusive.
    pub const fn pid_range(self) -> (u32, u32) {
        let base = self.raw() << LOCAL_BITS;
        // The first 300 stay free, as the kernel's own RESERVED_PIDS (kernel/pid.c).
        (base | 300, base | ((1 << LOCAL_BITS) - 1))
    }

    /// The first PID that this node gives out in the life `epoch`: one further for every
    /// millisecond, so that the processes of a rebooted node do not take the PIDs of applications
    /// that began in an earlier life and run elsewhere by now, or will be restarted. The range
    /// comes round after 70 minutes; a life goes on from where it began.
    pub fn first_pid(self, epoch: Epoch) -> u32 {
        let (min, max) = self.pid_range();
        let count = u64::from(max.saturating_sub(min)).saturating_add(1);
        let further = epoch.0.checked_rem(count).unwrap_or_default();
        min.saturating_add(u32::try_from(further).unwrap_or_default())
    }
}

/// One life of a node, in milliseconds of wall clock when it joined: larger is later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Epoch(pub u64);

/// A PID that is unique in the whole cluster and says on which node it was born.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClusterPid(u32);

impl ClusterPid {
    /// The cluster PID `raw`, or `None` where its upper bits name no node.
    pub const fn new(raw: u32) -> Option<ClusterPid> {
        match NodeId::new(raw >> LOCAL_BITS) {
            Some(_) => Some(ClusterPid(raw)),
            None => None,
        }
    }

    /// The PID as the kernel and the application see it.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The node on which the process was born; the home of the PID while that node is up.
    pub const fn birth(self) -> NodeId {
        match NonZeroU32::new(self.0 >> LOCAL_BITS) {
            Some(id) => NodeId(id),
            // INVARIANT: `new` let only 1..=254 pass.
            None => NodeId(NonZeroU32::MIN),
        }
    }
}

/// One operation of the cluster: the node that coordinates it, in which life, and a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpId {
    /// The coordinator.
    pub root: NodeId,
    /// The coordinator's epoch.
    pub epoch: Epoch,
    /// Given out by the coordinator in ascending order, from 1.
    pub number: u32,
}

impl Field for NodeId {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        self.raw().put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        NodeId::new(Field::take(bytes)?).ok_or(CodecError::Value)
    }
}

impl Field for Epoch {
    const SIZE: usize = 8;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        self.0.put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        Ok(Epoch(Field::take(bytes)?))
    }
}

impl Field for ClusterPid {
    const SIZE: usize = 4;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        self.raw().put(out)
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        ClusterPid::new(Field::take(bytes)?).ok_or(CodecError::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_says_where_it_was_born() {
        let node = NodeId::new(3).unwrap();
        let (first, last) = node.pid_range();
        assert_eq!(ClusterPid::new(first).unwrap().birth(), node);
        assert_eq!(ClusterPid::new(last).unwrap().birth(), node);
        assert!(last < 1 << 30);
    }

    #[test]
    fn a_new_life_gives_out_other_pids() {
        let node = NodeId::new(3).unwrap();
        let (min, max) = node.pid_range();
        let born = |ms| ClusterPid::new(node.first_pid(Epoch(ms))).unwrap().birth();
        let booted = node.first_pid(Epoch(1_763_680_000_000));
        assert_eq!(node.first_pid(Epoch(1_763_680_010_000)), booted + 10_000);
        let count = u64::from(max - min) + 1;
        assert_eq!(node.first_pid(Epoch(0)), min);
        assert_eq!(node.first_pid(Epoch(count - 1)), max);
        assert_eq!(node.first_pid(Epoch(count)), min);
        assert_eq!((born(u64::MAX), born(count - 1)), (node, node));
    }

    #[test]
    fn pids_from_before_a_join_are_no_cluster_pids() {
        assert_eq!(ClusterPid::new(1), None);
        assert_eq!(ClusterPid::new(4_194_303), None);
        assert_eq!(ClusterPid::new(255 << LOCAL_BITS), None);
    }

    #[test]
    fn a_node_beyond_is_in_no_set_and_no_message() {
        let far = NodeId::beyond(100_000).unwrap();
        assert_eq!((NodeId::beyond(0), NodeId::new(far.raw())), (None, None));
        let mut set = NodeSet::EMPTY;
        assert!(!set.insert(far) && !set.contains(far));
        assert_eq!(NodeSet::only(NodeId::beyond(255).unwrap()), NodeSet::EMPTY);
        let mut bytes = [0; 4];
        far.put(&mut bytes).unwrap();
        assert_eq!(NodeId::take(&bytes), Err(CodecError::Value));
    }
}
