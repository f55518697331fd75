// SPDX-License-Identifier: GPL-2.0
//! Links that an agent cannot place: kept for it, and left to its children in batches.

use super::{Checkpoints, Operation};
use crate::engine::Context;
use crate::failure::{Failure, FailureCode};
use ssi_core::checkpoint::{Event, Link, Shares};
use ssi_core::wire::relay::{links, Relay};
use ssi_core::wire::Body;

impl Operation {
    pub(super) fn hold(&mut self, context: &mut Context, link: Link) {
        if self.held.keep(core::iter::once(link)).is_err() {
            self.fail_for_memory(context);
        }
    }

    /// Sends the oldest links that are kept to the children.
    #[inline(never)]
    pub(super) fn relay<const F: usize>(&mut self, context: &mut Context, shares: &Shares<F>) {
        let relay = Relay {
            sender: context.me(),
            epoch: context.node.config.epoch,
            op: self.op,
        };
        for (to, count) in shares.batches() {
            match self.held.relay(&relay, count) {
                Ok(bytes) => context.peers.send_bytes(to, bytes),
                Err(_) => return self.fail_for_memory(context),
            }
        }
    }

    fn fail_for_memory(&self, context: &mut Context) {
        let why = Failure::new(FailureCode::NoMemory);
        self.fail(context, why.text(format_args!("links")));
    }
}

impl Checkpoints {
    /// A batch of links came, for this node as a child of its sender; `bytes` are the message.
    #[inline(never)]
    pub fn relayed(&mut self, context: &mut Context, of: Relay, bytes: &[u8], now_ms: u64) {
        let Relay { sender, op, .. } = of;
        let Some(operation) = self.find(op) else {
            if let Some(answer) = self.history.stray_relay(op) {
                context.send(sender, Body::Checkpoint(op, answer));
            }
            return;
        };
        let event = match operation.held.keep(links(bytes)) {
            Ok(count) => Event::Relayed {
                from: sender,
                count,
            },
            Err(_) => return operation.fail_for_memory(context),
        };
        self.event(context, op, event, now_ms);
    }
}
