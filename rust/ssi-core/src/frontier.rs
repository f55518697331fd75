// SPDX-License-Identifier: GPL-2.0
//! Who belongs to the application: climbing filiation links, and what hangs below.
//!
//! Each node decides for its own processes; what leads to another node becomes a seed there
//! (docs/protocol/checkpoint.md). The union over all nodes is the tree below one head root.

#[cfg(test)]
mod tests;

use crate::limits::DEPTH_MAX;
use crate::node::{ClusterPid, NodeId};

/// The father of a process of this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Father {
    /// None that could be CHECKPOINTABLE: init, or a process from before the join.
    Outside,
    /// On this node.
    Here(ClusterPid),
    /// On another node, which alone knows its capabilities.
    There(ClusterPid, NodeId),
}

/// The processes of this node as the rules see them. Consistent while a rule is asked.
pub trait Filiation {
    /// The father of a process of this node.
    fn father(&self, pid: ClusterPid) -> Father;
    /// Whether a process of this node has the capability now.
    fn is_checkpointable(&self, pid: ClusterPid) -> bool;
}

/// The top of the sub-application that a process belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Top {
    /// A head root: its father is not CHECKPOINTABLE.
    Head(ClusterPid),
    /// A local root: its father is on another node. It is a head root too if that father turns
    /// out not to be CHECKPOINTABLE.
    Local {
        /// The local root.
        root: ClusterPid,
        /// Its father.
        father: ClusterPid,
        /// The father's node.
        node: NodeId,
    },
}

impl Top {
    /// The process at the top.
    pub const fn pid(&self) -> ClusterPid {
        match self {
            Top::Head(pid) => *pid,
            Top::Local { root, .. } => *root,
        }
    }
}

/// Why a rule gives no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Off {
    /// The process is not CHECKPOINTABLE: it belongs to no application.
    NotCheckpointable,
    /// More than [`DEPTH_MAX`] fathers.
    TooDeep,
}

/// Climbs from a process of this node while the father is CHECKPOINTABLE and on this node.
///
/// # Errors
/// [`Off`], for the process itself or for the chain above it.
pub fn climb(tree: &dyn Filiation, from: ClusterPid) -> Result<Top, Off> {
    if !tree.is_checkpointable(from) {
        return Err(Off::NotCheckpointable);
    }
    let mut at = from;
    for _ in 0..DEPTH_MAX {
        match tree.father(at) {
            Father::Here(father) if tree.is_checkpointable(father) => at = father,
            Father::Here(_) | Father::Outside => return Ok(Top::Head(at)),
            Father::There(father, node) => {
                return Ok(Top::Local {
                    root: at,
                    father,
                    node,
                })
            }
        }
    }
    Err(Off::TooDeep)
}

/// Whether a process of this node belongs to the sub-application below `top`: every process from
/// it up to `top` is CHECKPOINTABLE.
///
/// # Errors
/// [`Off::TooDeep`].
pub fn belongs(tree: &dyn Filiation, pid: ClusterPid, top: &Top) -> Result<Belongs, Off> {
    match climb(tree, pid) {
        Ok(own) if own.pid() == top.pid() => Ok(Belongs::Yes),
        Ok(_) | Err(Off::NotCheckpointable) => Ok(Belongs::No),
        Err(Off::TooDeep) => Err(Off::TooDeep),
    }
}

/// An answer of [`belongs`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Belongs {
    /// It is in.
    Yes,
    /// It is not.
    No,
}
