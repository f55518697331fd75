// SPDX-License-Identifier: GPL-2.0
//! The golden table of flushes: every state with every event.

use super::{node, set};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::flush::{Root, RootEffect, RootEvent, Stores, WriteEffect, WriteEvent, Writer};
use crate::trial::{golden, listed};
use crate::wire::flush::Flushed;

fn failure() -> Failure {
    Failure::new(FailureCode::Media)
}

fn flushed(digest: u64) -> Flushed {
    Flushed { bytes: 10, digest }
}

fn line(name: &str, state: &str, effects: &[String]) -> String {
    let line = format!("  {name:<18} -> {state}: {}", effects.join(", "));
    format!("{}\n", line.trim_end_matches([':', ' ']))
}

fn root_events() -> Vec<(&'static str, RootEvent)> {
    use RootEvent as E;
    vec![
        ("Start", E::Start { to: set(&[1, 2]) }),
        ("1: Flushed", E::Flushed(node(1), flushed(3))),
        ("2: Flushed", E::Flushed(node(2), flushed(4))),
        ("2: Flushed other", E::Flushed(node(2), flushed(5))),
        ("2: Unflushed", E::Unflushed(node(2), failure())),
        ("1: Forgotten", E::Forgotten(node(1))),
        ("2: Forgotten", E::Forgotten(node(2))),
        ("Committed", E::Committed),
        ("NotCommitted", E::NotCommitted(failure())),
        ("PeerDown 1", E::PeerDown(node(1))),
        ("PeerDown 2", E::PeerDown(node(2))),
        ("Deadline 1", E::Deadline(1)),
        ("Deadline 2", E::Deadline(2)),
        ("9: Flushed", E::Flushed(node(9), flushed(4))),
        ("9: Unflushed", E::Unflushed(node(9), failure())),
        ("PeerDown 9", E::PeerDown(node(9))),
    ]
}

fn root_effect(effect: &RootEffect) -> String {
    match effect {
        RootEffect::Ask { to } => format!("Flush to {to:?}"),
        RootEffect::Commit => "commit".into(),
        RootEffect::Settle { to } => format!("Settled to {to:?}"),
        RootEffect::Forget { to } => format!("Forget to {to:?}"),
        RootEffect::Timer { number, ms } => format!("timer {number} {ms}"),
        RootEffect::Reply(Ok(bytes)) => format!("reply {bytes}"),
        RootEffect::Reply(Err(why)) => format!("reply {:?}", why.code),
        RootEffect::End => "end".into(),
    }
}

fn root_table() -> String {
    use RootEvent as E;
    let done = [
        E::Start { to: set(&[1, 2]) },
        E::Flushed(node(1), flushed(3)),
        E::Flushed(node(2), flushed(4)),
        E::Committed,
    ];
    let mut paths: Vec<Vec<RootEvent>> = (0..=done.len()).map(|len| done[..len].to_vec()).collect();
    paths.push(vec![done[0], E::Unflushed(node(2), failure())]);
    paths.push(vec![
        done[0],
        E::Unflushed(node(2), failure()),
        E::Forgotten(node(1)),
    ]);
    let mut text = String::new();
    for path in paths {
        let mut root = Root::new(7, 1);
        path.iter().for_each(|event| root.step(*event, &mut |_| ()));
        let last = path.last().map_or("nothing", RootEvent::name);
        text += &format!("\nroot {} after {last}\n", root.state());
        let mut ignored = Vec::new();
        for (name, event) in root_events() {
            let (mut next, mut effects) = (root, Vec::new());
            next.step(event, &mut |effect| effects.push(root_effect(&effect)));
            if effects.is_empty() && next.state == root.state {
                ignored.push(name.to_string());
            } else {
                text += &line(name, next.state(), &effects);
            }
        }
        text += &listed("ignored", &ignored);
    }
    text
}

fn write_effect(effect: &WriteEffect) -> String {
    match effect {
        WriteEffect::Write => "write".into(),
        WriteEffect::Remove => "remove".into(),
        WriteEffect::Keep => "keep".into(),
        WriteEffect::Send(message) => message.name().into(),
        WriteEffect::End => "end".into(),
    }
}

const WRITE_EVENTS: [WriteEvent; 8] = [
    WriteEvent::Asked,
    WriteEvent::Written(Flushed {
        bytes: 10,
        digest: 3,
    }),
    WriteEvent::Failed(Failure::new(FailureCode::Media)),
    WriteEvent::Removed,
    WriteEvent::Kept,
    WriteEvent::Settled,
    WriteEvent::Forget,
    WriteEvent::RootDown,
];

fn writer_table(stores: Stores) -> String {
    let [asked, written, failed, removed, kept, settled, forget, down] = WRITE_EVENTS;
    let mut paths = vec![
        vec![],
        vec![asked],
        vec![asked, written],
        vec![asked, failed],
        vec![asked, failed, removed],
        vec![asked, forget],
        vec![asked, down],
        vec![asked, forget, removed],
    ];
    if stores == Stores::Own {
        paths.push(vec![asked, written, settled]);
        paths.push(vec![asked, written, settled, kept]);
    }
    let mut text = String::new();
    for path in paths {
        let mut writer = Writer::new(stores);
        for event in &path {
            assert_eq!(writer.step(*event, &mut |_| ()), Ok(()));
        }
        let last = path.last().map_or("nothing", WriteEvent::name);
        text += &format!("\nwriter ({stores:?}) {} after {last}\n", writer.state());
        let (mut ignored, mut impossible) = (Vec::new(), Vec::new());
        for event in WRITE_EVENTS {
            let (mut next, mut effects) = (writer, Vec::new());
            let name = event.name();
            match next.step(event, &mut |effect| effects.push(write_effect(&effect))) {
                Err(_) => {
                    assert!(effects.is_empty() && next.state == writer.state);
                    impossible.push(name.into());
                }
                Ok(()) if effects.is_empty() && next.state == writer.state => {
                    ignored.push(name.into());
                }
                Ok(()) => text += &line(name, next.state(), &effects),
            }
        }
        text += &listed("ignored", &ignored);
        text += &listed("impossible", &impossible);
    }
    text
}

#[test]
fn the_table_is_known() {
    let head = "Flushes: every state with every event. The root is node 1, and asks 1 and 2.\n";
    let text = [
        head.to_string(),
        root_table(),
        writer_table(Stores::Shared),
        writer_table(Stores::Own),
    ]
    .concat();
    golden("flush.table.txt", &text);
}
