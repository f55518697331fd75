// SPDX-License-Identifier: GPL-2.0
//! The remap table: the first end of a stream that asks creates it, the other finds it.

use super::{Side, StreamId};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::node::NodeId;
use crate::wire::stream::{Bind, Create, Found, Message, Unbound};

/// One stream whose home is this node. The host provides the memory: a slice of empty slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Slot {
    /// No stream.
    #[default]
    Empty,
    /// One end waits.
    Waiting {
        /// The stream.
        id: StreamId,
        /// The end that waits.
        side: Side,
        /// Address and port of its listener.
        at: (u32, u32),
    },
    /// Both ends are there.
    Bound {
        /// The stream.
        id: StreamId,
    },
}

impl Slot {
    fn id(&self) -> Option<StreamId> {
        match self {
            Slot::Empty => None,
            Slot::Waiting { id, .. } | Slot::Bound { id } => Some(*id),
        }
    }
}

/// Takes an end into the table of `slots` and answers it. `me` is this node.
///
/// # Errors
/// None as such: an end that comes twice, a third end or a full table is answered by
/// [`Message::Unbound`], which fails the restart.
pub fn bind(slots: &mut [Slot], me: NodeId, bind: &Bind) -> Message {
    let Bind {
        id,
        side,
        address,
        port,
    } = *bind;
    let refuse = |code| {
        let failure = Failure::new(code).on(me).named(b"stream");
        Message::Unbound(Unbound { id, side, failure })
    };
    let Some(slot) = find(slots, &id) else {
        return refuse(FailureCode::Limit);
    };
    match *slot {
        Slot::Empty => {
            *slot = Slot::Waiting {
                id,
                side,
                at: (address, port),
            };
            Message::Create(Create { id, side })
        }
        Slot::Waiting {
            side: first, at, ..
        } if first != side => {
            *slot = Slot::Bound { id };
            Message::Found(Found {
                id,
                side,
                address: at.0,
                port: at.1,
            })
        }
        // The image names one end twice.
        Slot::Waiting { .. } | Slot::Bound { .. } => refuse(FailureCode::Damaged),
    }
}

/// The slot of `id`, or the empty one where it belongs: open addressing, linear probing. Nothing
/// is ever removed.
fn find<'a>(slots: &'a mut [Slot], id: &StreamId) -> Option<&'a mut Slot> {
    let len = u32::try_from(slots.len()).ok()?;
    let start = usize::try_from(id.hash().checked_rem(len)?).ok()?;
    let (head, tail) = slots.split_at_mut_checked(start)?;
    tail.iter_mut()
        .chain(head)
        .find(|slot| slot.id().unwrap_or(*id) == *id)
}
