// SPDX-License-Identifier: GPL-2.0
//! Streams between processes: bytes by number, in queues and on their way.
use super::{ProcessIx, World};
use crate::cost::Act;
use crate::event::{EndIx, Event};
use crate::queue::{Nanos, MS};
use ssi_core::node::NodeId;
use ssi_core::stream::End;
use std::collections::VecDeque;

/// A stream's number in the world, never used twice.
pub type StreamIx = u32;

/// Most bytes in one queue.
pub const QUEUE_BYTES: u64 = 64;
/// What was lost on the way is sent again after this time.
const AGAIN_MS: Nanos = 200 * MS;

/// Bytes with ascending numbers. A program numbers what it writes from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Run {
    /// Number of the first.
    pub first: u64,
    /// How many.
    pub len: u64,
}

/// Bytes in a row.
pub type Bytes = VecDeque<Run>;

/// How many bytes there are.
pub fn length(bytes: &Bytes) -> u64 {
    bytes.iter().map(|run| run.len).sum()
}

/// Appends a run.
pub fn append(bytes: &mut Bytes, run: Run) {
    match bytes.back_mut() {
        Some(last) if last.first + last.len == run.first => last.len += run.len,
        _ if run.len > 0 => bytes.push_back(run),
        _ => {}
    }
}

/// Takes `count` bytes from the head.
pub fn take(bytes: &mut Bytes, count: u64) -> Bytes {
    let (mut taken, mut left) = (Bytes::new(), count);
    while left > 0 {
        let Some(run) = bytes.front_mut() else {
            break;
        };
        let len = run.len.min(left);
        append(
            &mut taken,
            Run {
                first: run.first,
                len,
            },
        );
        left -= len;
        run.first += len;
        run.len -= len;
        if run.len == 0 {
            bytes.pop_front();
        }
    }
    taken
}

/// One direction of a stream, from one end to the other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Way {
    /// Position of the first byte in `send`.
    pub una: u64,
    /// What was written and not acknowledged.
    pub send: Bytes,
    /// Position of the first byte in `recv`.
    pub read: u64,
    /// What was received and not read.
    pub recv: Bytes,
}

impl Way {
    /// Position after what was written.
    pub fn next(&self) -> u64 {
        self.una + length(&self.send)
    }

    /// Position after what was received.
    pub fn received(&self) -> u64 {
        self.read + length(&self.recv)
    }
}

/// One end.
#[derive(Clone, Debug)]
pub struct Point {
    /// Who has it; nobody once it is closed.
    pub holder: Option<ProcessIx>,
    /// On which node.
    pub node: NodeId,
    /// Address and port as the program knows them.
    pub name: End,
    /// Those the network knows.
    pub real: End,
}

/// A stream.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its ends; bytes of `ways[i]` come from end `i`.
    pub ends: [Point; 2],
    /// Both directions.
    pub ways: [Way; 2],
    /// Between processes of one node, without a network: a pipe or UNIX socket.
    pub local: bool,
}

impl World {
    /// A stream by its number.
    pub fn stream(&self, which: StreamIx) -> &Stream {
        &self.streams[which as usize]
    }

    pub(super) fn stream_mut(&mut self, which: StreamIx) -> &mut Stream {
        self.touched.streams.push(which);
        &mut self.streams[which as usize]
    }

    pub(super) fn new_stream(&mut self, stream: Stream) -> StreamIx {
        // CAST: a world has fewer than four billion streams.
        let which = self.streams.len() as StreamIx;
        self.streams.push(stream);
        self.touched.streams.push(which);
        which
    }

    /// A name for a new end on a node.
    pub(super) fn new_name(&mut self, node: NodeId) -> End {
        let host = self.node_mut(node);
        host.next_port += 1;
        End {
            address: address_of(node),
            port: host.next_port,
        }
    }

    /// The process at `end` writes some bytes; says how many there was room for.
    pub(super) fn write(&mut self, which: StreamIx, end: EndIx, first: u64, len: u64) -> u64 {
        let stream = self.stream_mut(which);
        let way = &mut stream.ways[end];
        if stream.ends[1 - end].holder.is_none() {
            return 0;
        }
        let queue = if stream.local {
            &mut way.recv
        } else {
            &mut way.send
        };
        let len = len.min(QUEUE_BYTES.saturating_sub(length(queue)));
        append(queue, Run { first, len });
        if stream.local {
            way.una += len;
        } else if len > 0 {
            let upto = way.next();
            self.transmit(which, 1 - end, upto);
        }
        len
    }

    fn transmit(&mut self, which: StreamIx, to: EndIx, upto: u64) {
        let stream = self.stream(which);
        let act = Act::Segment {
            from: stream.ends[1 - to].node,
            to: stream.ends[to].node,
            bytes: QUEUE_BYTES,
        };
        let delay = match self.plan.lossy > 0 && self.random.once_in(self.plan.lossy) {
            true => AGAIN_MS,
            false => 0,
        };
        let delay = delay + self.cost.of(act);
        self.queue.after(delay, Event::Segment(which, to, upto));
    }

    /// Bytes up to position `upto` reach end `to`, with whatever was lost before them.
    pub(super) fn segment(&mut self, which: StreamIx, to: EndIx, upto: u64) {
        let stream = self.stream(which);
        let (source, sink) = (&stream.ends[1 - to], &stream.ends[to]);
        let (from, at) = (source.node, sink.node);
        if source.holder.is_none() || sink.holder.is_none() {
            return;
        }
        if !self.reaches(from, at) || !self.reaches(at, from) {
            return self.queue.after(AGAIN_MS, Event::Segment(which, to, upto));
        }
        let way = &mut self.stream_mut(which).ways[1 - to];
        let skip = way.received() - way.una;
        let mut unseen = way.send.clone();
        take(&mut unseen, skip);
        for run in take(&mut unseen, upto.saturating_sub(way.received())) {
            append(&mut way.recv, run);
        }
        // The acknowledgement comes back some time later.
        let delay = self.message_time(at, from);
        self.queue
            .after(delay, Event::Acknowledged(which, 1 - to, upto));
    }

    /// The sender at `end` hears that all up to position `upto` was received.
    pub(super) fn acknowledged(&mut self, which: StreamIx, end: EndIx, upto: u64) {
        let way = &mut self.stream_mut(which).ways[end];
        let count = upto.saturating_sub(way.una).min(length(&way.send));
        take(&mut way.send, count);
        way.una += count;
    }

    /// The process at `end` reads up to `len` bytes.
    pub(super) fn read(&mut self, which: StreamIx, end: EndIx, len: u64) -> Bytes {
        let way = &mut self.stream_mut(which).ways[1 - end];
        let bytes = take(&mut way.recv, len);
        way.read += length(&bytes);
        bytes
    }

    /// Nobody holds an end any more.
    pub(super) fn close_stream(&mut self, which: StreamIx, end: EndIx) {
        let stream = self.stream_mut(which);
        stream.ends[end].holder = None;
        stream.ways[end].send.clear();
        stream.ways[1 - end].recv.clear();
    }
}

/// The address of a node.
pub fn address_of(node: NodeId) -> u32 {
    0x0a00_0000 | node.raw()
}

/// The node with an address.
pub fn node_at(address: u32) -> Option<NodeId> {
    NodeId::new(address & 0x00ff_ffff)
}
