// SPDX-License-Identifier: GPL-2.0
//! Which nodes hold which parts, in bounded room: all who hold everything, two more for each part.

use crate::node::{NodeId, NodeSet};
use crate::text::Text;
use crate::wire::copy::Located;

const NODES: usize = 256;

/// Where a store is shared, everybody holds everything; where it is not, a part has two holders.
const FEW: usize = 2;

/// Who holds what, and how much each of them runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holders {
    everything: NodeSet,
    /// Ids of nodes, 0 where there is none. Small, because kernel stacks are.
    some: [[u8; FEW]; NODES],
    /// At most the largest number.
    loads: [u16; NODES],
}

impl Holders {
    /// Nobody holds anything.
    pub const NOBODY: Holders = Holders {
        everything: NodeSet::EMPTY,
        some: [[0; FEW]; NODES],
        loads: [0; NODES],
    };

    /// Notes what `node` said. Of `parts`, which are asked for, it may have others, too.
    pub fn note(&mut self, node: NodeId, located: &Located, parts: &NodeSet) {
        if let Some(load) = self.loads.get_mut(index(node)) {
            *load = u16::try_from(located.load).unwrap_or(u16::MAX);
        }
        if parts.without(&located.parts).is_empty() {
            self.everything.insert(node);
            return;
        }
        for part in located.parts.both(parts).iter() {
            let slots = self.some.get_mut(index(part));
            let free = slots.and_then(|slots| slots.iter_mut().find(|slot| **slot == 0));
            if let Some(slot) = free {
                *slot = byte(node);
            }
        }
    }

    /// A node that answered is dead.
    pub fn lose(&mut self, node: NodeId) {
        self.everything.remove(node);
        for slot in self.some.iter_mut().flatten() {
            if *slot == byte(node) {
                *slot = 0;
            }
        }
    }

    /// Whether `node` holds `part`.
    pub fn has(&self, node: NodeId, part: NodeId) -> bool {
        self.everything.contains(node) || self.few(part).any(|holder| holder == node)
    }

    /// Whether anybody holds `part`.
    pub fn any(&self, part: NodeId) -> bool {
        !self.everything.is_empty() || self.few(part).next().is_some()
    }

    /// Processes that `node` runs, as it said itself.
    pub fn load(&self, node: NodeId) -> u32 {
        self.loads.get(index(node)).copied().unwrap_or(0).into()
    }

    fn few(&self, part: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let slots = self.some.get(index(part)).into_iter().flatten();
        slots.filter_map(|raw| NodeId::new((*raw).into()))
    }
}

fn index(node: NodeId) -> usize {
    // CAST: 32 bits fit in a usize on every supported machine.
    node.raw() as usize
}

/// 0 for a node that no kernel can be, which holds nothing.
fn byte(node: NodeId) -> u8 {
    u8::try_from(node.raw()).unwrap_or(0)
}

/// The nodes by their numbers, as many as fit.
pub(super) fn listed(nodes: &NodeSet) -> Text<64> {
    use core::fmt::Write;
    let mut line = Line(Text::EMPTY);
    let mut comma = "";
    for node in nodes.iter() {
        if write!(line, "{comma}{}", node.raw()).is_err() {
            break;
        }
        comma = ", ";
    }
    line.0
}

struct Line(Text<64>);

impl core::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0 = self.0.and(text.as_bytes()).ok_or(core::fmt::Error)?;
        Ok(())
    }
}
