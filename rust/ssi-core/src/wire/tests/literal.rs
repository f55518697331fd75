// SPDX-License-Identifier: GPL-2.0
//! Messages as literal bytes.

use super::*;

#[test]
fn a_message_as_literal_bytes() {
    let snapped = checkpoint::Snapped {
        counts: crate::checkpoint::Counts {
            processes: 1,
            threads: 2,
            streams: 3,
            stream_bytes: 0x0506_0708_090a_0b0c,
        },
    };
    let message = message(Body::Checkpoint(
        op(),
        checkpoint::Message::Snapped(snapped),
    ));
    #[rustfmt::skip]
    let bytes = [
        b'S', b'S', b'I', b'm', 7, 0, 37, 0, 20, 0, 0, 0, // magic, version, kind, length
        2, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, // sender, epoch
        5, 0, 0, 0, 3, 0, 0, 0, 0x22, 0x11, 0, 0, 0, 0, 0, 0, // operation
        1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xc, 0xb, 0xa, 9, 8, 7, 6, 5,
    ];
    assert_eq!(emit(&message), bytes);
    assert_eq!(Message::parse(&bytes), Ok(message));
}

#[test]
fn a_signal_is_a_header() {
    let bytes = emit(&message(Body::Member(member::Message::Leave(
        member::Leave,
    ))));
    assert_eq!(bytes.len(), HEADER_BYTES);
    assert_eq!(bytes[4..12], [7, 0, 5, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[24..], [0; 16]);
}

#[test]
fn a_flush_as_literal_bytes() {
    let flushed = flush::Flushed {
        bytes: 0x0102,
        digest: 0x0506_0708_090a_0b0c,
    };
    let bytes = emit(&message(Body::Flush(
        op(),
        flush::Message::Flushed(flushed),
    )));
    assert_eq!(bytes[4..12], [7, 0, 113, 0, 16, 0, 0, 0]);
    #[rustfmt::skip]
    assert_eq!(bytes[HEADER_BYTES..], [2, 1, 0, 0, 0, 0, 0, 0, 0xc, 0xb, 0xa, 9, 8, 7, 6, 5]);
}
