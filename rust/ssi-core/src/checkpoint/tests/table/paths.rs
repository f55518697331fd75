// SPDX-License-Identifier: GPL-2.0
//! What leads an agent to each of its states.

use super::*;

/// A path: who walks it, as which node, in which kind of operation.
type Path = (&'static str, u32, Kind, Vec<Event>);

/// What leads an agent from its first event to each state: the root is node 1, the other agent
/// is node 2, and node 3 is the child of either.
pub(super) fn paths() -> Vec<Path> {
    let root = vec![
        Event::Start {
            node: node(1),
            seed: seed(),
        },
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Stopped(found()),
        said(CHILD, ack(1)),
        Event::SendSaved,
        said(CHILD, M::SendSaved(wire::SendSaved)),
        Event::Snapped(Counts::ZERO),
        said(
            CHILD,
            M::Snapped(wire::Snapped {
                counts: Counts::ZERO,
            }),
        ),
        Event::Opened(version()),
        Event::Written(None),
        said(CHILD, written()),
        Event::Committed,
    ];
    let other = vec![
        said(PARENT, enlist(Kind::Plain)),
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Stopped(found()),
        said(CHILD, ack(1)),
        said(PARENT, M::SaveSend(wire::SaveSend)),
        Event::SendSaved,
        said(CHILD, M::SendSaved(wire::SendSaved)),
        said(PARENT, M::Snapshot(wire::Snapshot)),
        Event::Snapped(Counts::ZERO),
        said(
            CHILD,
            M::Snapped(wire::Snapped {
                counts: Counts::ZERO,
            }),
        ),
        said(PARENT, M::Release(wire::Release)),
        said(PARENT, M::Write(wire::Write { version: version() })),
        Event::Written(None),
        said(CHILD, written()),
        said(PARENT, M::Done(wire::Done)),
    ];
    let mut paths = vec![("root", 1, Kind::Plain, vec![Event::Asked(node(CHILD))])];
    let signals = signal_paths(&root, &other);
    // Aborted once all is stopped, and at the root also while the version's folder is made.
    let cases: [(_, _, _, &[usize]); 2] = [("root", 1, root, &[4, 8]), ("agent", 2, other, &[4])];
    for (who, me, path, aborts) in cases {
        for len in 0..=path.len() {
            paths.push((who, me, Kind::Plain, path[..len].to_vec()));
        }
        for len in aborts {
            let mut aborting = path[..*len].to_vec();
            aborting.push(Event::Cancel(failure()));
            paths.push((who, me, Kind::Plain, aborting.clone()));
            aborting.push(Event::Discarded);
            paths.push((who, me, Kind::Plain, aborting));
        }
    }
    paths.extend(beyond_paths());
    paths.extend(signals);
    paths
}

/// The states that differ where the processes are to get a signal.
fn signal_paths(root: &[Event], other: &[Event]) -> Vec<Path> {
    let signal = said(PARENT, M::Signal(wire::Signal));
    let host_done = Event::Signalled(Counts::ZERO);
    // The cut, the commit, the signal.
    let mut paths = vec![
        ("root", 1, Kind::Hold, root[..7].to_vec()),
        ("root", 1, Kind::Hold, root[..root.len() - 1].to_vec()),
    ];
    for (kind, len) in [(Kind::Signal, 4), (Kind::Hold, root.len())] {
        for host in [&[][..], &[host_done]] {
            paths.push(("root", 1, kind, [&root[..len], host].concat()));
        }
    }
    for (kind, lens) in [
        (Kind::Signal, vec![4]),
        (Kind::Hold, vec![10, other.len() - 1]),
    ] {
        let mut path = vec![said(PARENT, enlist(kind))];
        for len in lens {
            path.extend(&other[path.len()..len]);
            paths.push(("agent", 2, kind, path.clone()));
        }
        for event in [signal, host_done] {
            path.push(event);
            paths.push(("agent", 2, kind, path.clone()));
        }
    }
    paths
}

fn beyond_paths() -> Vec<Path> {
    let mut paths = Vec::new();
    // With a fan-out of one: a link is held until there is a child, and then relayed.
    let mut beyond = vec![
        said(PARENT, enlist(Kind::Plain)),
        Event::Link {
            node: node(CHILD),
            seed: seed(),
        },
        Event::Link {
            node: node(4),
            seed: seed(),
        },
        said(CHILD, ack(1)),
    ];
    for len in 3..=beyond.len() {
        paths.push(("agent", 2, Kind::Plain, beyond[..len].to_vec()));
    }
    beyond.truncate(3);
    beyond.push(Event::Stopped(found()));
    paths.push(("agent", 2, Kind::Plain, beyond.clone()));
    for event in [said(CHILD, ack(0)), Event::Again(link())] {
        beyond.push(event);
        paths.push(("agent", 2, Kind::Plain, beyond.clone()));
    }
    paths
}
