// SPDX-License-Identifier: GPL-2.0
//! One end of a connection to make again: its record, what it tells the other end, its queues.

use super::options::from_image;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::object::payload::{bounded, copy, invalid, take};
use crate::sys::file::FileRef;
use crate::sys::tcp::{Name, Options, Pair};
use crate::sys::tcpmake::Socket;
use kernel::prelude::*;
use ssi_core::codec::Reader;
use ssi_core::image::frame::PAYLOAD_BYTES_MAX;
use ssi_core::image::socket::{already_received, TcpHello, TcpPair, TcpStream, HELLO_MAGIC};
use ssi_core::image::socket::{SHUTDOWN_RECEIVE, SHUTDOWN_SEND};
use ssi_core::image::socket::{STREAM_GHOST, STREAM_KERNEL_HELD, STREAM_PEER_GONE, STREAM_QUEUED};
use ssi_core::node::NodeId;

/// One of the two ends is no more: nothing is sent.
const GONE: u32 = STREAM_PEER_GONE | STREAM_GHOST;

/// A connection's end, to be connected with the other one.
pub(in crate::object) struct Rebuilt {
    /// Object id.
    pub(in crate::object) id: u64,
    pub(super) record: TcpStream,
    send: KVVec<u8>,
    recv: KVVec<u8>,
    /// Connected, with what the other end said of itself.
    pub(super) socket: Option<(Socket, TcpHello)>,
}

fn pair(ends: &TcpPair) -> Pair {
    Pair {
        near_address: ends.near.address,
        near_port: ends.near.port,
        far_address: ends.far.address,
        far_port: ends.far.port,
    }
}

impl Rebuilt {
    pub(in crate::object) fn parse(id: u64, payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let record: TcpStream = take(&mut reader)?;
        let (send_len, recv_len) = (record.send_len as usize, record.recv_len as usize);
        bounded(send_len, PAYLOAD_BYTES_MAX, "bytes of a connection")?;
        bounded(recv_len, PAYLOAD_BYTES_MAX, "bytes of a connection")?;
        bounded(record.error as usize, 4095, "error of a connection")?;
        for end in [
            record.name.near,
            record.name.far,
            record.real.near,
            record.real.far,
        ] {
            bounded(end.port as usize, 65535, "port of a connection")?;
        }
        NodeId::new(record.node).ok_or(invalid("node of a connection"))?;
        let known = STREAM_KERNEL_HELD | STREAM_PEER_GONE | STREAM_GHOST | STREAM_QUEUED;
        let queued = record.traits & STREAM_QUEUED != 0;
        if record.traits & !known != 0
            || record.name.near == record.name.far
            || record.send_fin > 1
            || queued != (record.listener != 0)
        {
            return Err(invalid("connection"));
        }
        let bytes = reader.rest();
        if bytes.len() != send_len + recv_len {
            return Err(invalid("connection"));
        }
        Ok(Rebuilt {
            id,
            record,
            send: copy(&bytes[..send_len])?,
            recv: copy(&bytes[send_len..])?,
            socket: None,
        })
    }

    pub(super) fn has(&self, traits: u32) -> bool {
        self.record.traits & traits != 0
    }

    /// The listener in whose backlog it is, and its place there.
    pub(in crate::object) fn queued_in(&self) -> Option<(u64, u32)> {
        self.has(STREAM_QUEUED)
            .then_some((self.record.listener, self.record.position))
    }

    /// Flags of its open file; `None` where no descriptor refers to it.
    pub(in crate::object) fn is_held(&self) -> bool {
        !self.has(STREAM_QUEUED | STREAM_KERNEL_HELD)
    }

    /// What this end says first.
    pub(super) fn hello(&self, operation: u64) -> TcpHello {
        let ghost = self.has(STREAM_GHOST);
        TcpHello {
            magic: HELLO_MAGIC,
            traits: self.record.traits,
            operation,
            name: if ghost {
                self.record.real
            } else {
                self.record.name
            },
            node: self.record.node,
            recv_next: self.record.recv_next,
        }
    }

    /// Whether `hello` is what this end's other end would say. A ghost knows only the real names.
    pub(super) fn is_other_end(&self, hello: &TcpHello) -> bool {
        let ghost = hello.traits & STREAM_GHOST != 0 || self.has(STREAM_GHOST);
        let mine = if ghost {
            &self.record.real
        } else {
            &self.record.name
        };
        mine.near == hello.name.far
            && mine.far == hello.name.near
            && (ghost || !mine.near.is_loopback() || self.record.node == hello.node)
    }

    /// The bytes that the other end has not received yet.
    fn unsent(&self, hello: &TcpHello) -> Outcome<&[u8]> {
        // Nobody reads what is sent to an end that no process holds.
        if hello.traits & (STREAM_KERNEL_HELD | STREAM_GHOST) != 0 || self.has(GONE) {
            return Ok(&[]);
        }
        let record = &self.record;
        let len = record.send_len + record.send_fin;
        let skip = already_received(record.send_first, len, hello.recv_next)
            .ok_or(invalid("sequence numbers of a connection"))?;
        Ok(self.send.get(skip as usize..).unwrap_or(&[]))
    }

    /// Gives the connected socket everything that this end had.
    pub(super) fn refill(&self, socket: &Socket, hello: &TcpHello) -> Outcome {
        let record = &self.record;
        let memory = |error| {
            let failure = Failure::new(FailureCode::NoMemory).errno(error);
            failure.text(format_args!("TCP memory (net.ipv4.tcp_mem)"))
        };
        socket.preload(&self.recv).map_err(memory)?;
        socket.push(self.unsent(hello)?).map_err(memory)?;
        socket.set_name(&Name {
            pair: pair(&record.name),
            node: record.node,
            reserved: 0,
        })?;
        if self.has(STREAM_KERNEL_HELD) {
            // Its program closed it: what is left is sent, then comes the FIN.
            return Ok(socket.shut(SHUTDOWN_SEND, 0)?);
        }
        socket.apply(&self.options())?;
        let both = SHUTDOWN_RECEIVE | SHUTDOWN_SEND;
        Ok(socket.shut(record.shutdown & both, record.error)?)
    }

    pub(super) fn options(&self) -> Options {
        from_image(&self.record.options)
    }

    /// The connected socket; for a backlog.
    pub(in crate::object) fn take_socket(&mut self) -> Option<Socket> {
        self.socket.take().map(|(socket, _)| socket)
    }

    pub(in crate::object) fn take_file(&mut self) -> Outcome<FileRef> {
        let socket = self
            .take_socket()
            .ok_or(Failure::new(FailureCode::Internal))?;
        Ok(socket.into_file(self.record.flags)?)
    }
}
