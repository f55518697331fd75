// SPDX-License-Identifier: GPL-2.0
//! Every state with every event of a checkpoint's agent, and what it leads to.

use super::agent::{Agent, Sink};
use super::state::{Aborting, Opening, State as S, Wait, Writing};
use super::{Event as E, Link, Violation};
use crate::node::NodeId;
use crate::wire::checkpoint::Message as M;

/// The states in which processes may be held or images half-written, and the root has not begun
/// to commit: a failure aborts the operation.
macro_rules! abortable {
    () => {
        S::Stopping(_)
            | S::Stopped
            | S::SavingSend(_)
            | S::SendSaved
            | S::Snapshotting(_)
            | S::Snapped
            | S::Released
            | S::Writing(_)
    };
}

/// The states in which what was under way when a failure came may still be heard of.
macro_rules! over {
    () => {
        S::Aborting(_) | S::Ended
    };
}

/// The states in which the version is there, or as good as there: nothing aborts any more.
macro_rules! late {
    () => {
        S::Committing(_) | S::Signalling(_)
    };
}

/// The states before the first act.
macro_rules! unborn {
    () => {
        S::Fresh | S::Locating(_)
    };
}

mod loss;

pub(super) fn step<const F: usize>(
    agent: &mut Agent<F>,
    event: E,
    out: Sink<'_, F>,
) -> Result<(), Violation> {
    let violation = Violation {
        state: agent.state.name(),
        event: event.name(),
    };
    let possible = match event {
        E::Message { from, message } => on_message(agent, from, &message, out),
        E::Relayed { from, count } => on_relay(agent, from, count, out),
        E::PeerDown(node) => loss::on_peer_down(agent, node, out),
        E::Deadline(number) => loss::on_deadline(agent, number, out),
        E::Asked(_)
        | E::Start { .. }
        | E::Link { .. }
        | E::Again(_)
        | E::Stopped(_)
        | E::SendSaved
        | E::Snapped(_)
        | E::Opened(_)
        | E::NotOpened(_)
        | E::Written(_)
        | E::Committed
        | E::NotCommitted(_)
        | E::Signalled(_)
        | E::Discarded
        | E::HostFailed(_)
        | E::Cancel(_) => on_host(agent, event, out),
    };
    if possible {
        Ok(())
    } else {
        Err(violation)
    }
}

/// Events of the host. Says whether the pair is possible.
fn on_host<const F: usize>(agent: &mut Agent<F>, event: E, out: Sink<'_, F>) -> bool {
    match (agent.state, event) {
        (S::Fresh, E::Asked(home)) => return agent.locate(home, out),
        (S::Locating(_) | abortable!() | S::Written | late!() | over!(), E::Asked(_)) => {
            return false;
        }
        (S::Fresh | S::Locating(_), E::Start { node, seed }) => {
            return agent.start(node, seed, out)
        }
        (abortable!() | S::Written | late!() | over!(), E::Start { .. }) => return false,

        (S::Stopping(at), E::Link { .. } | E::Stopped(_)) if at.stops == 0 => return false,
        (S::Stopping(at), E::Link { node, seed }) => agent.link(at, Link { node, seed }, out),
        (S::Stopping(at), E::Again(link)) => return agent.again(at, link, out),
        (S::Stopping(at), E::Stopped(found)) => return agent.stopped(at, &found, out),
        (
            unborn!()
            | S::Stopped
            | S::SavingSend(_)
            | S::SendSaved
            | S::Snapshotting(_)
            | S::Snapped
            | S::Released
            | S::Writing(_)
            | S::Written
            | late!(),
            E::Link { .. } | E::Again(_) | E::Stopped(_),
        ) => return false,

        (S::SavingSend(wait), E::SendSaved) if !wait.host_done => {
            agent.send_saved(
                Wait {
                    host_done: true,
                    ..wait
                },
                out,
            );
        }
        (unborn!() | abortable!() | S::Written | late!(), E::SendSaved) => return false,

        (S::Snapshotting(wait), E::Snapped(counts)) if !wait.host_done => {
            agent.snapped(
                Wait {
                    host_done: true,
                    ..wait
                },
                &counts,
                out,
            );
        }
        (unborn!() | abortable!() | S::Written | late!(), E::Snapped(_)) => return false,

        (S::Writing(at), E::Written(totals)) if !at.wait.host_done => {
            let wait = Wait {
                host_done: true,
                ..at.wait
            };
            let part = agent.own_part(totals);
            agent.written(Writing { wait, ..at }, &part, out);
        }
        (unborn!() | abortable!() | S::Written | late!(), E::Written(_)) => return false,

        (S::Released, E::Opened(version)) => {
            let asked = agent.opened(Opening::Open(version));
            if asked {
                agent.write(version, out);
            }
            return asked;
        }
        (S::Released, E::NotOpened(failure)) => {
            let asked = agent.opened(Opening::Absent);
            if asked {
                agent.abort(failure, None, out);
            }
            return asked;
        }
        (S::Aborting(at), E::Opened(version)) => {
            let asked = agent.opened(Opening::Open(version));
            agent.settle(at, out);
            return asked;
        }
        (S::Aborting(at), E::NotOpened(_)) => {
            let asked = agent.opened(Opening::Absent);
            agent.settle(at, out);
            return asked;
        }
        (
            unborn!()
            | S::Stopping(_)
            | S::Stopped
            | S::SavingSend(_)
            | S::SendSaved
            | S::Snapshotting(_)
            | S::Snapped
            | S::Writing(_)
            | S::Written
            | late!()
            | S::Ended,
            E::Opened(_) | E::NotOpened(_),
        ) => return false,

        (S::Committing(report), E::Committed) => agent.committed(report, out),
        (S::Committing(_), E::NotCommitted(failure)) => agent.abort(failure, None, out),
        (
            unborn!() | abortable!() | S::Written | S::Signalling(_) | over!(),
            E::Committed | E::NotCommitted(_),
        ) => return false,

        (S::Signalling(at), E::Signalled(counts)) if !at.wait.host_done => {
            agent.host_signalled(at, &counts, out);
        }
        (unborn!() | abortable!() | S::Written | late!(), E::Signalled(_)) => return false,

        (S::Aborting(at), E::Discarded) if !at.host_done => {
            agent.settle(
                Aborting {
                    host_done: true,
                    ..at
                },
                out,
            );
        }
        (unborn!() | abortable!() | S::Written | late!() | over!(), E::Discarded) => return false,

        (unborn!(), E::Cancel(failure)) => agent.give_up(failure, out),
        (abortable!(), E::Cancel(failure) | E::HostFailed(failure)) => {
            agent.abort(failure, None, out);
        }
        // Too late: the version is as good as there.
        (S::Written | late!(), E::Cancel(_)) => {}
        (S::Signalling(at), E::HostFailed(_)) => agent.not_signalled(at, agent.me(), out),
        (unborn!() | S::Written | S::Committing(_), E::HostFailed(_)) => return false,

        // What was under way when the operation failed comes to nothing.
        (
            over!(),
            E::Link { .. }
            | E::Again(_)
            | E::Stopped(_)
            | E::SendSaved
            | E::Snapped(_)
            | E::Written(_)
            | E::Signalled(_)
            | E::Cancel(_)
            | E::HostFailed(_),
        ) => {}

        // Of other tables.
        (
            unborn!() | abortable!() | S::Written | late!() | over!(),
            E::Message { .. } | E::Relayed { .. } | E::PeerDown(_) | E::Deadline(_),
        ) => return false,
    }
    true
}

/// Batches of links. Says whether the pair is possible.
fn on_relay<const F: usize>(
    agent: &mut Agent<F>,
    from: NodeId,
    count: u32,
    out: Sink<'_, F>,
) -> bool {
    match agent.state {
        S::Stopping(at) if agent.is_parent(from) => agent.relay_busy(at, count, out),
        S::Stopped if agent.is_parent(from) => agent.relay_again(from, count, out),
        S::Aborting(at) if agent.is_parent(from) => agent.enlist_failed(at, from, out),
        unborn!() | abortable!() | S::Written | late!() | over!() => return false,
    }
    true
}

/// Messages of other agents. Says whether the pair is possible.
fn on_message<const F: usize>(
    agent: &mut Agent<F>,
    from: NodeId,
    message: &M,
    out: Sink<'_, F>,
) -> bool {
    let parent = agent.is_parent(from);
    let enlisted = agent.has_enlisted(from);
    match (agent.state, message) {
        (S::Fresh, M::Enlist(enlist)) => return agent.engage(from, enlist, out),
        (S::Stopping(at), M::Enlist(enlist)) => agent.enlist_busy(at, from, enlist, out),
        (S::Stopped, M::Enlist(enlist)) => agent.enlist_again(from, enlist, out),
        (S::Aborting(at), M::Enlist(_)) => agent.enlist_failed(at, from, out),
        (
            S::Locating(_)
            | S::SavingSend(_)
            | S::SendSaved
            | S::Snapshotting(_)
            | S::Snapped
            | S::Released
            | S::Writing(_)
            | S::Written
            | late!()
            | S::Ended,
            M::Enlist(_),
        ) => return false,

        (S::Stopping(at), M::Ack(ack)) if enlisted => return agent.acked(at, from, ack, out),
        (unborn!() | abortable!() | S::Written | late!(), M::Ack(_)) => return false,

        (S::Stopped, M::SaveSend(_)) if parent => agent.save_send(out),
        (S::SendSaved, M::Snapshot(_)) if parent => agent.snapshot(out),
        (S::Snapped, M::Release(_)) if parent => agent.release(out),
        (S::Released, M::Write(write)) if parent => agent.write(write.version, out),
        (
            unborn!() | abortable!() | S::Written | late!(),
            M::SaveSend(_) | M::Snapshot(_) | M::Release(_) | M::Write(_),
        ) => return false,

        (S::SavingSend(wait), M::SendSaved(_)) if wait.children.contains(from) => {
            agent.send_saved(wait.heard(from), out);
        }
        (S::Snapshotting(wait), M::Snapped(snapped)) if wait.children.contains(from) => {
            agent.snapped(wait.heard(from), &snapped.counts, out);
        }
        (S::Writing(at), M::Written(part)) if at.wait.children.contains(from) => {
            let wait = at.wait.heard(from);
            agent.written(Writing { wait, ..at }, part, out);
        }
        (
            unborn!() | abortable!() | S::Written | late!(),
            M::SendSaved(_) | M::Snapped(_) | M::Written(_),
        ) => return false,

        (S::Stopped, M::Signal(_)) if parent && agent.options().only_signals() => {
            agent.signal(None, out);
        }
        (S::Written, M::Signal(_)) if parent && agent.options().holds() => agent.signal(None, out),
        (S::Signalling(at), M::Signalled(part)) if at.wait.children.contains(from) => {
            agent.child_signalled(at, from, part, out);
        }
        (unborn!() | abortable!() | S::Written | late!(), M::Signal(_) | M::Signalled(_)) => {
            return false
        }

        (S::Written, M::Done(_)) if parent => agent.done(out),
        (S::Written, M::Orphaned(_)) if parent => agent.orphan(out),
        // Somebody else aborted it, which the parent did not hear of.
        (S::Aborting(at), M::Orphaned(_)) if parent => {
            agent.settle(Aborting { owed: false, ..at }, out);
        }
        (
            unborn!() | abortable!() | S::Written | late!() | over!(),
            M::Done(_) | M::Orphaned(_),
        ) => return false,

        // Who fails or aborts has not reported its part: the root has not committed.
        (abortable!() | S::Written, M::Failed(failed)) if enlisted => {
            agent.abort(failed.failure, None, out);
        }
        (S::Signalling(at), M::Failed(_)) if enlisted => agent.not_signalled(at, from, out),
        (unborn!() | abortable!() | S::Written | late!(), M::Failed(_)) => return false,

        (abortable!() | S::Written, M::Abort(abort)) => {
            agent.abort(abort.failure, Some(from), out);
        }
        // Somebody who enlisted this agent has not come to its own signal.
        (S::Signalling(_), M::Abort(_)) => agent.refuse_abort(from, out),
        (S::Aborting(at), M::Abort(_)) => agent.abort_again(at, from, out),
        (unborn!() | S::Committing(_) | S::Ended, M::Abort(_)) => return false,

        (S::Aborting(mut at), M::Aborted(_)) => {
            at.waiting.remove(from);
            agent.settle(at, out);
        }
        (unborn!() | abortable!() | S::Written | late!(), M::Aborted(_)) => return false,

        // What was on its way when the operation failed comes to nothing.
        (
            over!(),
            M::Ack(_)
            | M::SaveSend(_)
            | M::Snapshot(_)
            | M::Release(_)
            | M::Write(_)
            | M::SendSaved(_)
            | M::Snapped(_)
            | M::Written(_)
            | M::Signal(_)
            | M::Signalled(_)
            | M::Failed(_),
        )
        | (S::Ended, M::Aborted(_)) => {}
    }
    true
}
