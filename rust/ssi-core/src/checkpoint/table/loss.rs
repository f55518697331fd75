// SPDX-License-Identifier: GPL-2.0
//! Every state with the loss of a node, and with the end of its time.

use super::{Agent, Sink, S};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::node::{Few, NodeId};

/// The death of a node. Says whether the pair is possible: it always is.
pub(super) fn on_peer_down<const F: usize>(
    agent: &mut Agent<F>,
    node: NodeId,
    out: Sink<'_, F>,
) -> bool {
    if !agent.lose(node) {
        return true;
    }
    let parent = agent.is_parent(node);
    match agent.state {
        abortable!() => {
            agent.abort(Failure::new(FailureCode::NodeDied).on(node), None, out);
        }
        S::Written if parent => agent.orphan(out),
        S::Aborting(mut at) => {
            at.waiting.remove(node);
            at.owed &= !parent;
            agent.settle(at, out);
        }
        S::Signalling(at) => agent.not_signalled(at, node, out),
        S::Locating(home) if home == node => {
            agent.give_up(Failure::new(FailureCode::NodeDied).on(node), out);
        }
        unborn!() | S::Written | S::Committing(_) | S::Ended => {}
    }
    true
}

/// A timer. Says whether the pair is possible: it always is.
pub(super) fn on_deadline<const F: usize>(
    agent: &mut Agent<F>,
    number: u32,
    out: Sink<'_, F>,
) -> bool {
    if !agent.is_current(number) {
        return true;
    }
    match agent.state {
        S::Stopping(_) | S::Stopped => {
            agent.abort(agent.late_stop(), None, out);
        }
        S::SavingSend(wait) | S::Snapshotting(wait) => {
            agent.abort(agent.late(&wait.children), None, out);
        }
        S::SendSaved | S::Snapped => agent.abort(agent.late_parent(), None, out),
        S::Released | S::Writing(_) => agent.abort(agent.late_media(), None, out),
        S::Written => agent.orphan(out),
        S::Signalling(at) => agent.late_signals(at, out),
        S::Aborting(mut at) => {
            at.waiting = Few::EMPTY;
            agent.settle(at, out);
        }
        S::Locating(home) => {
            agent.give_up(Failure::new(FailureCode::NodeUnreachable).on(home), out);
        }
        S::Fresh | S::Committing(_) | S::Ended => {}
    }
    true
}
