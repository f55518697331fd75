// SPDX-License-Identifier: GPL-2.0
//! Matching the ends of connections: both in the group, outside, on another node, or orphaned.

use super::idle::Idle;
use super::listener::Listener;
use super::{Stream, TcpLink};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::object::scan::refuse;
use crate::object::{ObjectSet, OpenFile, Saved, SHUT_SEND};
use crate::sys::tcp::{state, Direction, Pair, SockRef};
use kernel::prelude::*;
use ssi_core::image::socket::{BACKLOG_MAX, STREAMS_MAX};
use ssi_core::image::socket::{STREAM_KERNEL_HELD, STREAM_PEER_GONE, STREAM_QUEUED};
use ssi_core::sort;
use ssi_core::stream::End;

/// What is said of one that leads outside.
const WHAT: &str = "TCP connection";

/// What the TCP socket behind the open file `index` is.
pub(in crate::object) fn classify(
    streams: &mut KVVec<Stream>,
    open: &OpenFile,
    index: usize,
) -> Outcome<Saved> {
    let Some(file) = &open.file else {
        return Err(refuse(open, FailureCode::Internal));
    };
    let sock = SockRef::of(file)?;
    // A handshake with a node that is up ends in no time, whether its processes run or not.
    sock.settle();
    let info = sock.info();
    let mut traits = 0;
    match info.state {
        state::LISTEN => return Ok(Saved::Listener(Listener::save(open, &sock)?)),
        state::SYN_SENT => return Ok(Saved::TcpIdle(Idle::save(open, &sock)?)),
        state::SYN_RECV => {
            let failure = refuse(open, FailureCode::Unsupported);
            return Err(failure.text(format_args!("TCP socket in fast open")));
        }
        state::CLOSE if sock.queued(Direction::Receive) == 0 => {
            return Ok(Saved::TcpIdle(Idle::save(open, &sock)?));
        }
        // Dead, but with something left to read.
        state::CLOSE => traits = STREAM_PEER_GONE,
        _ => {}
    }
    let stream = Stream::new(sock, open, index, traits)?;
    push(streams, stream)?;
    Ok(Saved::Tcp(streams.len() - 1))
}

fn push(streams: &mut KVVec<Stream>, stream: Stream) -> Outcome {
    if streams.len() == STREAMS_MAX as usize {
        return Err(Failure::new(FailureCode::Limit).text(format_args!("TCP connections")));
    }
    Ok(streams.push(stream, GFP_KERNEL)?)
}

impl ObjectSet {
    /// Adds the connections that wait in the group's listeners.
    pub(in crate::object) fn scan_backlogs(&mut self) -> Outcome {
        for (index, open) in self.files.iter().enumerate() {
            let (Saved::Listener(_), Some(file)) = (&open.saved, &open.file) else {
                continue;
            };
            let listener = SockRef::of(file)?;
            let room = listener.info().queued.saturating_add(16).min(BACKLOG_MAX);
            for (sock, position) in listener.backlog(room)?.into_iter().zip(0..) {
                let mut stream = Stream::new(sock, open, index, STREAM_QUEUED)?;
                stream.set_position(position);
                push(&mut self.streams, stream)?;
            }
        }
        Ok(())
    }

    /// Finds the other end of every connection, as far as it is on this node.
    pub(in crate::object) fn match_streams(&mut self) -> Outcome {
        let mut keys = KVVec::new();
        for stream in self.streams.iter() {
            keys.push(stream.key(), GFP_KERNEL)?;
        }
        sort::by_key(&mut keys, |key| *key);
        for open in self.files.iter().enumerate() {
            if let (
                index,
                OpenFile {
                    saved: Saved::Tcp(_) | Saved::Listener(_),
                    ..
                },
            ) = open
            {
                if open.1.is_shared_outside() {
                    self.wanted
                        .push((open.1.info.stream, index, WHAT), GFP_KERNEL)?;
                    if let Saved::Tcp(stream) = open.1.saved {
                        self.outside.push(stream, GFP_KERNEL)?;
                    }
                }
            }
        }
        for index in 0..self.streams.len() {
            self.match_one(index, &keys)?;
        }
        Ok(())
    }

    fn match_one(&mut self, index: usize, keys: &[u64]) -> Outcome {
        let stream = &mut self.streams[index];
        let info = *stream.info();
        if info.far_is_local == 0 || info.state == state::CLOSE {
            return Ok(());
        }
        let Some(other) = SockRef::find(&info.real.reversed()) else {
            stream.add_traits(STREAM_PEER_GONE);
            return Ok(());
        };
        if keys.binary_search(&other.key()).is_ok() {
            return Ok(());
        }
        let other_info = other.info();
        if other_info.unheld != 0 && other_info.shutdown & SHUT_SEND != 0 {
            return push(
                &mut self.streams,
                Stream::kernel_held(other, STREAM_KERNEL_HELD),
            );
        }
        let holder = stream.open.unwrap_or(0);
        self.outside.push(index, GFP_KERNEL)?;
        Ok(self.wanted.push((other.key(), holder, WHAT), GFP_KERNEL)?)
    }

    /// Has the connections that lead to outside processes of this node saved as if their other
    /// ends were gone.
    pub fn sever_outside(&mut self) {
        for &index in self.outside.iter() {
            self.streams[index].add_traits(STREAM_PEER_GONE);
        }
    }

    /// The same for those that lead to other nodes, unless `follows` says that they belong.
    pub fn sever_remote(&mut self, follows: &dyn Fn(&End) -> bool) {
        let leaving = |stream: &&mut Stream| stream.leaves_node();
        for stream in self.streams.iter_mut().filter(leaving) {
            if !follows(&super::ends(&stream.info().real).far) {
                stream.add_traits(STREAM_PEER_GONE);
            }
        }
    }

    /// The connections whose other ends are on other nodes.
    pub fn remote_links(&self) -> Outcome<KVVec<TcpLink>> {
        let mut links = KVVec::new();
        for stream in self.streams.iter().filter(|stream| stream.leaves_node()) {
            let real = super::ends(&stream.info().real);
            let (near, far) = (real.near, real.far);
            links.push(TcpLink { near, far }, GFP_KERNEL)?;
        }
        Ok(links)
    }

    /// Adds this node's end `near` of a connection that no process holds: an orphan, so that what
    /// it still has to send is saved, or a trace of it, so that the other end finds something.
    pub fn add_kernel_end(&mut self, near: End, far: End) -> Outcome {
        let pair = Pair {
            near_address: near.address,
            near_port: near.port,
            far_address: far.address,
            far_port: far.port,
        };
        let known = |stream: &Stream| stream.info().real == pair;
        if self.streams.iter().any(known) {
            return Ok(());
        }
        let stream = match SockRef::find(&pair) {
            Some(sock) => Stream::kernel_held(sock, STREAM_KERNEL_HELD),
            None => Stream::ghost(pair),
        };
        push(&mut self.streams, stream)
    }
}
