// SPDX-License-Identifier: GPL-2.0
//! Making a stream of the saved ends: what one end has not received, the other sends again.
use super::image::EndImage;
use super::streams::{length, take, Point, Stream, Way};
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
use ssi_core::image::socket::already_received;
use ssi_core::node::NodeId;
use ssi_core::stream::End;

type Outcome<T> = Result<T, Failure>;

pub(super) fn damaged(what: &'static [u8]) -> Failure {
    Failure::new(FailureCode::Damaged).named(what)
}

/// An end with what it had received.
pub(super) fn alone(mine: &EndImage, node: NodeId) -> Stream {
    let (near, far) = mine.names();
    let point = |name: End| Point {
        holder: None,
        node,
        name,
        real: name,
    };
    let out = Way {
        una: mine.send_first,
        ..Way::default()
    };
    let received = Way {
        una: mine.recv_next,
        read: mine.recv_next - length(&mine.recv),
        recv: mine.recv.clone(),
        ..Way::default()
    };
    Stream {
        ends: [point(near), point(far)],
        ways: [out, received],
        local: mine.local,
    }
}

/// A connection of two ends: each refills its receive queue, and sends what the other one has
/// not received.
pub(super) fn join(one: (&EndImage, NodeId), two: (&EndImage, NodeId)) -> Outcome<Stream> {
    let way = |from: &EndImage, to: &EndImage| {
        // CAST: positions wrap as TCP's sequence numbers do.
        let (first, next) = (from.send_first as u32, to.recv_next as u32);
        let skip = already_received(first, length(&from.send) as u32, next);
        let skip = skip.ok_or(damaged(b"sequence numbers of a connection"))?;
        let mut send = from.send.clone();
        take(&mut send, u64::from(skip));
        Ok(Way {
            una: to.recv_next,
            send,
            read: to.recv_next - length(&to.recv),
            recv: to.recv.clone(),
        })
    };
    let mut stream = alone(one.0, one.1);
    stream.ends[1].node = two.1;
    stream.ways = [way(one.0, two.0)?, way(two.0, one.0)?];
    Ok(stream)
}
