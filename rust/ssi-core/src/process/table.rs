// SPDX-License-Identifier: GPL-2.0
//! Processes that run on other nodes than their home: open addressing over the host's memory.
//!
//! The host provides slots, empty at first, at least twice as many as there may be processes.

use crate::node::{ClusterPid, NodeId};

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Slot {
    /// Never used: a search ends here.
    #[default]
    Empty,
    /// Was used: a search goes on.
    Free,
    /// A process and where it runs.
    Used(ClusterPid, NodeId),
}

/// There is no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// Notes that `pid` runs on `node`, in place of what was noted before.
///
/// # Errors
/// [`Full`] where every slot is used by another process.
pub fn insert(slots: &mut [Slot], pid: ClusterPid, node: NodeId) -> Result<(), Full> {
    let noted = |slot: &Slot| matches!(slot, Slot::Used(other, _) if *other == pid);
    if let Some(slot) = probe(slots, pid).ok_or(Full)?.find_mut(&noted) {
        *slot = Slot::Used(pid, node);
        return Ok(());
    }
    let unused = |slot: &Slot| matches!(slot, Slot::Empty | Slot::Free);
    match probe(slots, pid).ok_or(Full)?.first_mut(&unused) {
        Some(slot) => {
            *slot = Slot::Used(pid, node);
            Ok(())
        }
        None => Err(Full),
    }
}

/// Where `pid` was noted to run.
pub fn get(slots: &[Slot], pid: ClusterPid) -> Option<NodeId> {
    let (tail, head) = split(slots, pid)?;
    for slot in tail.iter().chain(head) {
        match slot {
            Slot::Used(other, node) if *other == pid => return Some(*node),
            Slot::Used(..) | Slot::Free => {}
            Slot::Empty => return None,
        }
    }
    None
}

/// Forgets `pid` if it was noted to run on `node`; says whether it was.
pub fn remove(slots: &mut [Slot], pid: ClusterPid, node: NodeId) -> bool {
    let noted = |slot: &Slot| *slot == Slot::Used(pid, node);
    match probe(slots, pid).and_then(|probe| probe.find_mut(&noted)) {
        Some(slot) => {
            *slot = Slot::Free;
            true
        }
        None => false,
    }
}

/// Forgets all that ran on `node`, and makes the slots that nothing probes past empty again if
/// none is left.
pub fn remove_node(slots: &mut [Slot], node: NodeId) {
    for slot in slots.iter_mut() {
        if matches!(slot, Slot::Used(_, at) if *at == node) {
            *slot = Slot::Free;
        }
    }
    if !slots.iter().any(|slot| matches!(slot, Slot::Used(..))) {
        slots.fill(Slot::Empty);
    }
}

/// The slots in the order in which a process looks for its own.
struct Probe<'a> {
    tail: &'a mut [Slot],
    head: &'a mut [Slot],
}

impl<'a> Probe<'a> {
    /// The first slot that `is` true of, whatever comes before it.
    fn first_mut(self, is: &dyn Fn(&Slot) -> bool) -> Option<&'a mut Slot> {
        self.tail.iter_mut().chain(self.head).find(|slot| is(slot))
    }

    /// The first slot that `is` true of, before any empty one.
    fn find_mut(self, is: &dyn Fn(&Slot) -> bool) -> Option<&'a mut Slot> {
        self.first_mut(&|slot| is(slot) || *slot == Slot::Empty)
            .filter(|slot| is(slot))
    }
}

fn probe(slots: &mut [Slot], pid: ClusterPid) -> Option<Probe<'_>> {
    let start = start(slots.len(), pid)?;
    let (head, tail) = slots.split_at_mut_checked(start)?;
    Some(Probe { tail, head })
}

fn split(slots: &[Slot], pid: ClusterPid) -> Option<(&[Slot], &[Slot])> {
    let (head, tail) = slots.split_at_checked(start(slots.len(), pid)?)?;
    Some((tail, head))
}

/// Where the search for `pid` starts: Fibonacci hashing (Knuth, TAOCP 3, section 6.4).
fn start(len: usize, pid: ClusterPid) -> Option<usize> {
    let hash = pid.raw().wrapping_mul(0x9e37_79b9) >> 8;
    usize::try_from(hash).ok()?.checked_rem(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn node(raw: u32) -> NodeId {
        NodeId::new(raw).unwrap()
    }

    fn pid(number: u32) -> ClusterPid {
        ClusterPid::new((2 << 22) | number).unwrap()
    }

    #[test]
    fn as_a_map_does() {
        let mut slots = [Slot::Empty; 13];
        let mut model = BTreeMap::new();
        let mut random = 1u32;
        for _ in 0..20_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (pid, node) = (pid((random >> 20) % 12), node(1 + ((random >> 12) % 3)));
            match (random >> 28) % 8 {
                0..=4 => {
                    insert(&mut slots, pid, node).unwrap();
                    model.insert(pid, node);
                }
                5..=6 => {
                    let was = model.get(&pid) == Some(&node);
                    assert_eq!(remove(&mut slots, pid, node), was);
                    if was {
                        model.remove(&pid);
                    }
                }
                _ if random >> 31 == 1 => {
                    remove_node(&mut slots, node);
                    model.retain(|_, at| *at != node);
                }
                _ => {}
            }
            for number in 0..12 {
                let pid = self::pid(number);
                assert_eq!(get(&slots, pid), model.get(&pid).copied());
            }
        }
    }

    #[test]
    fn full() {
        let mut slots = [Slot::Empty; 2];
        insert(&mut slots, pid(1), node(1)).unwrap();
        insert(&mut slots, pid(2), node(1)).unwrap();
        assert_eq!(insert(&mut slots, pid(3), node(1)), Err(Full));
        insert(&mut slots, pid(2), node(3)).unwrap();
        assert_eq!(insert(&mut [], pid(1), node(1)), Err(Full));
        assert_eq!(get(&[], pid(1)), None);
    }
}
