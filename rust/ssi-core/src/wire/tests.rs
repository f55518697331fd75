// SPDX-License-Identifier: GPL-2.0
//! The wire format as literal bytes, and what a parser must refuse.

use super::*;
use crate::abi::FailureCode;
use crate::checkpoint::{Found, Seed};
use crate::failure::Failure;
use crate::node::{ClusterPid, NodeSet};
use crate::stream::{End, Side, StreamId};
use crate::text::Path;
use crate::trial::Random;

mod literal;

fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

fn op() -> OpId {
    OpId {
        root: node(3),
        epoch: Epoch(0x1122),
        number: 5,
    }
}

fn message(body: Body) -> Message {
    Message {
        sender: node(2),
        epoch: Epoch(0x0102_0304_0506_0708),
        body,
    }
}

fn emit(message: &Message) -> Vec<u8> {
    let mut out = [0; MESSAGE_BYTES_MAX];
    let len = message.emit(&mut out).unwrap();
    out[..len].to_vec()
}

/// One of each, with fields that are not zero.
fn examples() -> Vec<Message> {
    use crate::{checkpoint as c, restart as r};
    let failure = Failure::new(FailureCode::Media)
        .on(node(9))
        .named(b"disk")
        .because(28);
    let pid = ClusterPid::new((1 << 22) | 301).unwrap();
    let id = StreamId {
        low: End {
            address: 1,
            port: 2,
        },
        high: End {
            address: 3,
            port: 4,
        },
        node: 0,
    };
    let side = Side::High;
    let totals = c::Totals {
        bytes: 1,
        digest: 2,
        pause_ns_max: 3,
    };
    let counts = c::Counts {
        processes: 1,
        threads: 2,
        streams: 3,
        stream_bytes: 5,
    };
    let store = Path::cut(b"/store");
    let options = c::Options {
        flags: 1,
        uid: 2,
        gid: 3,
        signal: 9,
        store,
    };
    let part = node(4);
    let nodes = NodeSet::only(part);
    let near = id.low;
    let member = [
        member::Message::Hello(member::Hello {
            cluster: [7; 32],
            node: node(2),
            epoch: Epoch(8),
            nonce: [9; 16],
            took_part: 1,
        }),
        member::Message::Proof(member::Proof { mac: [1; 32] }),
        member::Message::Heartbeat(member::Heartbeat { processes: 6 }),
        member::Message::Refuse(member::Refuse {
            reason: member::Reason::DeadEpoch,
        }),
        member::Message::Leave(member::Leave),
    ];
    let process = [
        process::Message::Hosts(process::Hosts { pid }),
        process::Message::Exited(process::Exited { pid }),
        process::Message::Where(process::Where { pid, token: 7 }),
        process::Message::At(process::At {
            pid,
            token: 7,
            node: 3,
        }),
    ];
    let seeds = [
        Seed::Target(pid),
        Seed::Father(pid),
        Seed::Son(pid),
        Seed::Stream { near, far: id.high },
    ];
    let enlist =
        seeds.map(|seed| checkpoint::Message::Enlist(checkpoint::Enlist { options, seed }));
    let found = Found {
        application: 1,
        head_root: 2,
    };
    let checkpoint = [
        checkpoint::Message::Ack(checkpoint::Ack { adopted: 1, found }),
        checkpoint::Message::SaveSend(checkpoint::SaveSend),
        checkpoint::Message::SendSaved(checkpoint::SendSaved),
        checkpoint::Message::Snapshot(checkpoint::Snapshot),
        checkpoint::Message::Snapped(checkpoint::Snapped { counts }),
        checkpoint::Message::Release(checkpoint::Release),
        checkpoint::Message::Write(checkpoint::Write {
            version: c::Version {
                application: 1,
                number: 2,
            },
        }),
        checkpoint::Message::Written(checkpoint::Written {
            totals,
            parts: 1,
            nodes,
        }),
        checkpoint::Message::Done(checkpoint::Done),
        checkpoint::Message::Failed(checkpoint::Failed { failure }),
        checkpoint::Message::Abort(checkpoint::Abort { failure }),
        checkpoint::Message::Aborted(checkpoint::Aborted),
        checkpoint::Message::Orphaned(checkpoint::Orphaned),
        checkpoint::Message::Signal(checkpoint::Signal),
        checkpoint::Message::Signalled(checkpoint::Signalled {
            counts,
            nodes,
            lost: 3,
        }),
    ];
    let options = r::Options {
        application: 1,
        version: 2,
        uid: 3,
        gid: 4,
        flags: 2,
        store,
        output: Path::EMPTY,
    };
    let restored = r::Restored {
        processes: 1,
        streams: 2,
        head_root: 0,
        digest: 3,
    };
    let restart = [
        restart::Message::Engage(restart::Engage {
            options,
            participants: nodes,
        }),
        restart::Message::Engaged(restart::Engaged { up: nodes }),
        restart::Message::Restore(restart::Restore { part }),
        restart::Message::Restored(restart::Restored {
            part,
            totals: restored,
        }),
        restart::Message::Failed(restart::Failed { failure }),
        restart::Message::Go(restart::Go),
        restart::Message::Gone(restart::Gone),
        restart::Message::TakeBack(restart::TakeBack { failure }),
        restart::Message::TakenBack(restart::TakenBack),
        restart::Message::Claim(restart::Claim::first(part, &[pid.raw(), 7]).0),
        restart::Message::Free(restart::Free { part }),
        restart::Message::Taken(restart::Taken { part, pid: 7 }),
    ];
    let version = c::Version {
        application: 1,
        number: 2,
    };
    let owner = copy::Owner {
        uid: 3,
        gid: 4,
        store,
    };
    let copy = [
        copy::Message::Offer(copy::Offer { version, owner }),
        copy::Message::Accept(copy::Accept),
        copy::Message::Took(copy::Took { chunks: 2 }),
        copy::Message::Finish(copy::Finish),
        copy::Message::Kept(copy::Kept),
        copy::Message::Refused(copy::Refused { failure }),
        copy::Message::Settled(copy::Settled),
        copy::Message::Forget(copy::Forget),
        copy::Message::Record(copy::Record {
            owner,
            keep: 2,
            bytes: crate::text::Text::cut(b"record"),
        }),
        copy::Message::Recorded(copy::Recorded),
        copy::Message::Unrecorded(copy::Unrecorded { failure }),
        copy::Message::Locate(copy::Locate {
            version,
            digest: 7,
            owner,
        }),
        copy::Message::Located(copy::Located {
            parts: nodes,
            newest: 2,
            load: 3,
        }),
        copy::Message::NotLocated(copy::NotLocated { failure }),
    ];
    let flush = [
        flush::Message::Flush(flush::Flush {
            version,
            digest: 7,
            parts: nodes,
            stores: crate::flush::Stores::Own,
            from: store,
            owner,
        }),
        flush::Message::Flushed(flush::Flushed {
            bytes: 8,
            digest: 9,
        }),
        flush::Message::Unflushed(flush::Unflushed { failure }),
        flush::Message::Settled(flush::Settled),
        flush::Message::Forget(flush::Forget),
        flush::Message::Forgotten(flush::Forgotten),
    ];
    let stream = [
        stream::Message::Bind(stream::Bind {
            id,
            side,
            address: 1,
            port: 2,
        }),
        stream::Message::Create(stream::Create { id, side }),
        stream::Message::Found(stream::Found {
            id,
            side,
            address: 1,
            port: 2,
        }),
        stream::Message::Unbound(stream::Unbound { id, side, failure }),
    ];
    let mut all: Vec<Body> = member.map(Body::Member).to_vec();
    all.extend(process.map(Body::Process));
    all.extend(enlist.map(|message| Body::Checkpoint(op(), message)));
    all.extend(checkpoint.map(|message| Body::Checkpoint(op(), message)));
    all.extend(copy.map(|message| Body::Copy(op(), message)));
    all.extend(flush.map(|message| Body::Flush(op(), message)));
    all.extend(restart.map(|message| Body::Restart(op(), message)));
    all.extend(stream.map(|message| Body::Stream(op(), message)));
    all.into_iter().map(message).collect()
}

#[test]
fn every_message_comes_back() {
    let mut kinds = std::collections::BTreeSet::new();
    for example in examples() {
        let bytes = emit(&example);
        assert_eq!(Message::parse(&bytes), Ok(example));
        let header = Header::parse(&bytes[..HEADER_BYTES]).unwrap();
        assert_eq!(header.body_bytes(), bytes.len() - HEADER_BYTES);
        kinds.insert(example.body.kind());
        let mut short = vec![0; bytes.len() - 1];
        assert_eq!(example.emit(&mut short), Err(CodecError::Length));
    }
    assert_eq!(
        kinds.len(),
        5 + 4 + 16 + 14 + 6 + 12 + 4,
        "an example of each kind, and no kind twice"
    );
}

#[test]
fn other_lengths_are_refused() {
    for example in examples() {
        let mut bytes = emit(&example);
        assert!(Message::parse(&bytes[..bytes.len() - 1]).is_err());
        bytes.push(0);
        assert_eq!(Message::parse(&bytes), Err(CodecError::Length));
        // A body that is longer than its kind.
        let len = (bytes.len() - HEADER_BYTES) as u32;
        bytes[8..12].copy_from_slice(&len.to_le_bytes());
        assert!(Message::parse(&bytes).is_err(), "{example:?}");
    }
}

#[test]
fn wrong_headers_are_refused() {
    let bytes = emit(&message(Body::Checkpoint(
        op(),
        checkpoint::Message::Done(checkpoint::Done),
    )));
    // Magic, version, kind, length beyond the longest, no sender, no operation, no root.
    for (at, value) in [
        (0, 0),
        (4, 1),
        (6, 255),
        (9, 4),
        (12, 0),
        (24, 0),
        (28, 0),
        (28, 255),
    ] {
        let mut wrong = bytes.clone();
        wrong[at] = value;
        assert_eq!(Message::parse(&wrong), Err(CodecError::Value), "byte {at}");
    }
    let mut leave = emit(&message(Body::Member(member::Message::Leave(
        member::Leave,
    ))));
    leave[24] = 1;
    assert_eq!(
        Message::parse(&leave),
        Err(CodecError::Value),
        "an operation where none belongs"
    );
}

#[test]
fn what_parses_is_what_was_emitted() {
    // One value has one encoding, whatever a peer invents.
    let examples = examples();
    let mut random = Random::new(1);
    let mut parsed = 0;
    for _ in 0..200_000 {
        let mut bytes = emit(&examples[random.below(examples.len())]);
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        if let Ok(message) = Message::parse(&bytes) {
            parsed += 1;
            assert_eq!(emit(&message), bytes);
        }
    }
    assert!(parsed > 10_000);
}

#[test]
fn all_pids_are_claimed() {
    let pids: Vec<u32> = (1..=300).collect();
    let (mut rest, mut asked, mut left) = (&pids[..], Vec::new(), Vec::new());
    loop {
        let (claim, later) = restart::Claim::first(node(4), rest);
        asked.extend(claim.pids());
        left.push(claim.left);
        rest = later;
        if claim.left == 0 {
            break;
        }
    }
    assert_eq!((asked, left), (pids, vec![172, 44, 0]));
    assert_eq!(restart::Claim::first(node(4), &[]).0.left, 0);
}
