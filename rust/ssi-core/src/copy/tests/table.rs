// SPDX-License-Identifier: GPL-2.0
//! The golden table of second copies: every state with every event, of all three machines.

use super::pair::offer;
use super::{node, set};
use crate::abi::FailureCode;
use crate::copy::{
    KeepEffect, KeepEvent, Keeper, Seal, SealEffect, SealEvent, SendEffect, SendEvent, Sender,
};
use crate::failure::Failure;
use crate::node::NodeSet;
use crate::text::{Path, Text};
use crate::trial::{golden, listed};
use crate::wire::copy::{self as wire, Message as M};

fn failure() -> Failure {
    Failure::new(FailureCode::Media)
}

fn messages() -> Vec<M> {
    let owner = wire::Owner {
        uid: 0,
        gid: 0,
        store: Path::EMPTY,
    };
    vec![
        M::Offer(offer()),
        M::Accept(wire::Accept),
        M::Took(wire::Took { chunks: 1 }),
        M::Finish(wire::Finish),
        M::Kept(wire::Kept),
        M::Refused(wire::Refused { failure: failure() }),
        M::Settled(wire::Settled),
        M::Forget(wire::Forget),
        M::Record(wire::Record {
            owner,
            keep: 0,
            bytes: Text::EMPTY,
        }),
        M::Recorded(wire::Recorded),
        M::Unrecorded(wire::Unrecorded { failure: failure() }),
        M::Locate(wire::Locate {
            version: offer().version,
            digest: 1,
            owner,
        }),
        M::Located(wire::Located {
            parts: NodeSet::EMPTY,
            newest: 0,
            load: 0,
        }),
        M::NotLocated(wire::NotLocated { failure: failure() }),
    ]
}

/// What stands at the head of the table.
const PROOFS: &str = "\
A line with (never: x) says what the machine would do; why the event does not come there says x:
a: a host gives a copy up only after a pair that is impossible.
b: the host reads the part only when it is asked to, and Filled answers that.
c: a checkpoint with a part ends without Discard only after it was told that the part is stored,
   which it is when the copy is kept.
";

/// The proof for a line of the table.
fn proof(machine: &str, state: &str, event: &str) -> Option<char> {
    match (machine, state, event) {
        ("keeper", _, "give up") => Some('a'),
        ("sender", "Fresh" | "Offered" | "Finishing", "Failed") => Some('b'),
        ("sender", "Offered" | "Sending" | "Finishing", "Settle") => Some('c'),
        _ => None,
    }
}

fn line(name: &str, (at, state): ((&str, &str), &str), effects: &[String]) -> String {
    let line = format!("  {name:<18} -> {state}: {}", effects.join(", "));
    let line = line.trim_end_matches([':', ' ']);
    match proof(at.0, at.1, name) {
        Some(proof) => format!("{line} (never: {proof})\n"),
        None => format!("{line}\n"),
    }
}

fn from_partner(message: M) -> SendEvent {
    SendEvent::Message {
        from: node(2),
        message,
    }
}

fn start(partner: Option<u32>) -> SendEvent {
    SendEvent::Start {
        partner: partner.map(node),
        offer: offer(),
    }
}

fn send_events() -> Vec<(String, SendEvent)> {
    let mut events = vec![
        ("Start".into(), start(Some(2))),
        ("Start alone".into(), start(None)),
        ("Filled".into(), SendEvent::Filled { last: false }),
        ("Filled last".into(), SendEvent::Filled { last: true }),
        ("PeerDown 2".into(), SendEvent::PeerDown(node(2))),
        ("PeerDown stranger".into(), SendEvent::PeerDown(node(9))),
        ("Failed".into(), SendEvent::Failed(failure())),
        ("Settle".into(), SendEvent::Settle),
        ("Discard".into(), SendEvent::Discard),
    ];
    for message in messages() {
        events.push((message.name().into(), from_partner(message)));
    }
    let many = M::Took(wire::Took { chunks: 16 });
    events.push(("Took 16".into(), from_partner(many)));
    let from = node(9);
    let message = M::Accept(wire::Accept);
    let stranger = SendEvent::Message { from, message };
    events.push(("stranger: Accept".into(), stranger));
    events
}

fn send_effect(effect: &SendEffect) -> String {
    match effect {
        SendEffect::Send { to, message } => format!("{} to {}", message.name(), to.raw()),
        SendEffect::Fill { to, chunks } => format!("fill {chunks} to {}", to.raw()),
        SendEffect::Done => "done".into(),
        SendEffect::Fail(why) => format!("fail {:?}", why.code),
    }
}

fn sender_table() -> String {
    let path = [
        start(Some(2)),
        from_partner(M::Accept(wire::Accept)),
        SendEvent::Filled { last: false },
        from_partner(M::Took(wire::Took { chunks: 8 })),
        SendEvent::Filled { last: true },
        from_partner(M::Kept(wire::Kept)),
        SendEvent::Settle,
    ];
    let mut text = String::new();
    for len in 0..=path.len() {
        let mut sender = Sender::new();
        for event in &path[..len] {
            assert_eq!(sender.step(*event, &mut |_| ()), Ok(()));
        }
        let last = path[..len].last().map_or("nothing", SendEvent::name);
        text += &format!("\nsender {} after {last}\n", sender.state());
        let (mut ignored, mut impossible) = (Vec::new(), Vec::new());
        for (name, event) in send_events() {
            let (mut next, mut effects) = (sender, Vec::new());
            match next.step(event, &mut |effect| effects.push(send_effect(&effect))) {
                Err(_) => {
                    assert!(effects.is_empty() && next.state == sender.state);
                    impossible.push(name);
                }
                Ok(()) if effects.is_empty() && next.state == sender.state => ignored.push(name),
                Ok(()) => {
                    let at = ("sender", sender.state());
                    text += &line(&name, (at, next.state()), &effects);
                }
            }
        }
        text += &listed("ignored", &ignored);
        text += &listed("impossible", &impossible);
    }
    text
}

fn keep_events() -> Vec<(String, KeepEvent)> {
    let mut events: Vec<KeepEvent> = vec![
        KeepEvent::Offered,
        KeepEvent::Opened,
        KeepEvent::Chunk,
        KeepEvent::Stored,
        KeepEvent::Synced,
        KeepEvent::Removed,
        KeepEvent::Failed(failure()),
        KeepEvent::SenderDown,
    ];
    events.extend(messages().into_iter().map(KeepEvent::Message));
    events
        .into_iter()
        .map(|event| (event.name().into(), event))
        .collect()
}

fn keep_effect(effect: &KeepEffect) -> String {
    match effect {
        KeepEffect::Open => "open".into(),
        KeepEffect::Store => "store".into(),
        KeepEffect::Sync => "sync".into(),
        KeepEffect::Remove => "remove".into(),
        KeepEffect::Send(message) => message.name().into(),
        KeepEffect::End => "end".into(),
    }
}

fn keeper_table() -> String {
    let kept = [
        KeepEvent::Offered,
        KeepEvent::Opened,
        KeepEvent::Message(M::Finish(wire::Finish)),
        KeepEvent::Synced,
        KeepEvent::Message(M::Settled(wire::Settled)),
    ];
    let mut full = kept[..2].to_vec();
    full.extend([KeepEvent::Chunk; 16]);
    let forgotten = vec![
        KeepEvent::Offered,
        KeepEvent::Message(M::Forget(wire::Forget)),
    ];
    let mut paths: Vec<Vec<KeepEvent>> = (0..=kept.len()).map(|len| kept[..len].to_vec()).collect();
    paths.extend([full, forgotten]);
    let mut text = String::new();
    for path in paths {
        let mut keeper = Keeper::new(node(1));
        for event in &path {
            assert_eq!(keeper.step(*event, &mut |_| ()), Ok(()));
        }
        let last = path.last().map_or("nothing", KeepEvent::name);
        let at = ("keeper", keeper.state());
        text += &format!("\nkeeper {} after {last}\n", keeper.state());
        let (mut ignored, mut impossible) = (Vec::new(), Vec::new());
        for (name, event) in keep_events() {
            let (mut next, mut effects) = (keeper, Vec::new());
            match next.step(event, &mut |effect| effects.push(keep_effect(&effect))) {
                Err(_) => {
                    assert!(effects.is_empty() && next.state == keeper.state);
                    impossible.push(name);
                }
                Ok(()) if effects.is_empty() && next.state == keeper.state => ignored.push(name),
                Ok(()) => text += &line(&name, (at, next.state()), &effects),
            }
        }
        let (mut next, mut effects) = (keeper, Vec::new());
        next.give_up(&mut |effect| effects.push(keep_effect(&effect)));
        text += &line("give up", (at, next.state()), &effects);
        text += &listed("ignored", &ignored);
        text += &listed("impossible", &impossible);
    }
    text
}

fn seal_table() -> String {
    let start = SealEvent::Start { to: set(&[2, 3]) };
    let down = SealEvent::PeerDown(node(3));
    let refused = SealEvent::Unrecorded(node(3), failure());
    let recorded = SealEvent::Recorded(node(2));
    let paths = [
        vec![],
        vec![start],
        vec![start, refused],
        vec![start, down],
        vec![start, recorded],
    ];
    let mut text = String::new();
    for path in paths {
        let mut seal = Seal::new();
        path.iter().for_each(|event| seal.step(*event, &mut |_| ()));
        let last = path.last().map_or("nothing", SealEvent::name);
        text += &format!("\nseal {} after {last}\n", seal.state());
        let mut ignored = Vec::new();
        let alone = SealEvent::Start { to: NodeSet::EMPTY };
        for (name, event) in [("Start", start), ("Start alone", alone)]
            .into_iter()
            .chain([
                ("2: Recorded", recorded),
                ("2: Unrecorded", SealEvent::Unrecorded(node(2), failure())),
                ("2: PeerDown", SealEvent::PeerDown(node(2))),
                ("3: Unrecorded", refused),
                ("3: PeerDown", down),
                ("stranger: Recorded", SealEvent::Recorded(node(9))),
            ])
        {
            let (mut next, mut effects) = (seal, Vec::new());
            next.step(event, &mut |effect| {
                effects.push(match effect {
                    SealEffect::Send { to } => format!("Record to {to:?}"),
                    SealEffect::Done => "done".into(),
                    SealEffect::Fail(why) => format!("fail {:?}", why.code),
                });
            });
            if effects.is_empty() && next.state == seal.state {
                ignored.push(name.into());
            } else {
                let at = ("seal", seal.state());
                text += &line(name, (at, next.state()), &effects);
            }
        }
        text += &listed("ignored", &ignored);
    }
    text
}

#[test]
fn the_table_is_known() {
    let head = "Second copies: every state with every event.\n";
    let text = [
        head.to_string(),
        PROOFS.to_string(),
        sender_table(),
        keeper_table(),
        seal_table(),
    ]
    .concat();
    golden("copy.table.txt", &text);
}
