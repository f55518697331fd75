// SPDX-License-Identifier: GPL-2.0
//! Which node writes which parts: a pure function of who holds them.

use super::Stores;
use crate::failure::Failure;
use crate::node::{NodeId, NodeSet};
use crate::place::Plan;
use crate::survey::Survey;

const NODES: usize = 256;

/// Who writes what.
#[derive(Clone, Debug)]
pub struct Shares {
    /// For each part the ids of those who write it, 0 where there is none. Small, because kernel
    /// stacks are.
    writers: [[u8; 2]; NODES],
}

impl Shares {
    /// Each part by a node that holds it, the one that wrote it if that does; where every node
    /// has a store of its own, by another that holds it as well.
    ///
    /// # Errors
    /// Nobody holds a part, or only one node where two are needed.
    #[expect(
        clippy::result_large_err,
        reason = "without allocation there is no box to put it in"
    )]
    pub fn new(survey: &Survey, stores: Stores) -> Result<Shares, Failure> {
        let mut shares = Shares {
            writers: [[0; 2]; NODES],
        };
        let first = survey.plan().ok_or_else(|| survey.refusal())?;
        shares.note(&first);
        if stores == Stores::Own {
            shares.note(&survey.second(&first)?);
        }
        Ok(shares)
    }

    fn note(&mut self, plan: &Plan) {
        for (part, place) in plan.iter() {
            // CAST: 32 bits fit in a usize on every supported machine.
            let slots = self.writers.get_mut(part.raw() as usize);
            let free = slots.and_then(|slots| slots.iter_mut().find(|slot| **slot == 0));
            if let Some(slot) = free {
                *slot = byte(place);
            }
        }
    }

    /// The parts that `node` writes.
    pub fn of(&self, node: NodeId) -> NodeSet {
        let mut parts = NodeSet::EMPTY;
        for (part, _) in self.iter().filter(|(_, writer)| *writer == node) {
            parts.insert(part);
        }
        parts
    }

    /// All who write something.
    pub fn writers(&self) -> NodeSet {
        let mut writers = NodeSet::EMPTY;
        for (_, writer) in self.iter() {
            writers.insert(writer);
        }
        writers
    }

    fn iter(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        // CAST: as above.
        let slots = |part: NodeId| self.writers.get(part.raw() as usize).into_iter().flatten();
        NodeId::all().flat_map(move |part| {
            slots(part).filter_map(move |raw| Some((part, NodeId::new((*raw).into())?)))
        })
    }
}

/// 0 for a node that no kernel can be, which holds nothing.
fn byte(node: NodeId) -> u8 {
    u8::try_from(node.raw()).unwrap_or(0)
}
