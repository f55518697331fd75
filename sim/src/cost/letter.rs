// SPDX-License-Identifier: GPL-2.0
//! A message on its way. Whatever it needs on the way it takes when it gets there, so that who
//! sends much at once does not keep others from what is still free.

use super::hardware::Hardware;
use crate::queue::Nanos;
use ssi_core::node::NodeId;

/// What it waits for.
#[derive(Clone, Copy)]
enum Leg {
    /// To leave its sender's port.
    Out,
    /// To be in its receiver's port.
    Across,
    /// To be taken by the receiver's protocol thread.
    In,
}

/// A message with what it says.
pub struct Letter<T> {
    /// Who sent it.
    pub from: NodeId,
    /// Who gets it.
    pub to: NodeId,
    /// What it says.
    pub text: T,
    bytes: u64,
    leg: Leg,
}

impl<T> Letter<T> {
    /// Sends it; gives when to call [`Letter::go`].
    pub fn post(
        hardware: &mut Hardware<'_>,
        now: Nanos,
        (from, to, bytes): (NodeId, NodeId, u64),
        text: T,
    ) -> (Nanos, Letter<T>) {
        let letter = Letter {
            from,
            to,
            text,
            bytes,
            leg: Leg::Out,
        };
        (hardware.send(from, to, now, bytes), letter)
    }

    /// One that a node sends to itself is there at once.
    pub fn to_itself(node: NodeId, text: T) -> Letter<T> {
        Letter {
            from: node,
            to: node,
            text,
            bytes: 0,
            leg: Leg::In,
        }
    }

    /// Goes on; gives when to call this again, or nothing once it is there.
    pub fn go(&mut self, hardware: &mut Hardware<'_>, now: Nanos) -> Option<Nanos> {
        match self.leg {
            Leg::Out => {
                self.leg = Leg::Across;
                Some(hardware.carry(self.from, self.to, now, self.bytes))
            }
            Leg::Across => {
                self.leg = Leg::In;
                Some(hardware.receive(self.to, now))
            }
            Leg::In => None,
        }
    }
}
