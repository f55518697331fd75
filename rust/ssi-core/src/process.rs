// SPDX-License-Identifier: GPL-2.0
//! The global process table: who keeps the entry of a PID, and where the process runs.
//!
//! The home of a PID is its birth node while that is up, otherwise the next node up in the ring of
//! ids. A home knows its own processes from its kernel; a [`table`] holds the others.

pub mod table;

use crate::node::{ClusterPid, NodeId, NodeSet};
use crate::wire::process::{At, Where};
use table::Slot;

/// The node that keeps the entry of `pid` when the nodes of `up` are up; `None` if none is.
pub fn home(pid: ClusterPid, up: &NodeSet) -> Option<NodeId> {
    let birth = pid.birth();
    up.iter().find(|node| *node >= birth).or_else(|| up.nth(0))
}

/// Whether a process runs on the node that is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Here {
    /// It runs here.
    Runs,
    /// It does not.
    Absent,
}

/// The answer of a home `me` to a question.
pub fn answer(me: NodeId, question: &Where, here: Here, slots: &[Slot]) -> At {
    let node = match here {
        Here::Runs => Some(me),
        Here::Absent => table::get(slots, question.pid),
    };
    At {
        pid: question.pid,
        token: question.token,
        node: node.map_or(0, NodeId::raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(birth: u32) -> ClusterPid {
        ClusterPid::new(NodeId::new(birth).unwrap().pid_range().0).unwrap()
    }

    fn home_of(birth: u32, up: &[u32]) -> Option<u32> {
        let mut set = NodeSet::EMPTY;
        for raw in up {
            set.insert(NodeId::new(*raw).unwrap());
        }
        home(pid(birth), &set).map(NodeId::raw)
    }

    #[test]
    fn homes_go_round_the_ring() {
        assert_eq!(home_of(2, &[1, 2, 3]), Some(2));
        assert_eq!(home_of(2, &[1, 3]), Some(3));
        assert_eq!(home_of(3, &[1, 2]), Some(1));
        assert_eq!(home_of(254, &[7]), Some(7));
        assert_eq!(home_of(1, &[]), None);
    }

    #[test]
    fn a_home_answers_for_its_own_and_for_others() {
        let (me, other) = (NodeId::new(1).unwrap(), NodeId::new(3).unwrap());
        let mut slots = [Slot::Empty; 4];
        table::insert(&mut slots, pid(2), other).unwrap();
        let ask = |birth, here| {
            answer(
                me,
                &Where {
                    pid: pid(birth),
                    token: 5,
                },
                here,
                &slots,
            )
        };
        assert_eq!(
            ask(1, Here::Runs),
            At {
                pid: pid(1),
                token: 5,
                node: 1
            }
        );
        assert_eq!(ask(2, Here::Absent).node, 3);
        assert_eq!(ask(1, Here::Absent).node, 0);
    }
}
