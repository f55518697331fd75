// SPDX-License-Identifier: GPL-2.0
//! TCP connections: found, matched with their other ends, and saved queue by queue.

mod hello;
pub(super) mod idle;
pub(super) mod listener;
mod matching;
pub(super) mod options;
pub(super) mod rebuilt;
pub(super) mod transfer;

use super::payload::{Payload, Sink};
use super::scan::refuse;
use super::OpenFile;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::file::find_holders;
use crate::sys::tcp::{Direction, Options, Pair, Queue, SockRef, TcpInfo};
use kernel::prelude::*;
pub(super) use matching::classify;
use ssi_core::codec::Field;
use ssi_core::image::frame::{Kind, PAYLOAD_BYTES_MAX};
use ssi_core::image::socket::{TcpPair, TcpStream};
use ssi_core::image::socket::{STREAM_GHOST, STREAM_KERNEL_HELD, STREAM_PEER_GONE, STREAM_QUEUED};
use ssi_core::stream::End;

/// Room beyond what a queue held when it was looked at: more may have come since.
const SLACK_BYTES: usize = 1 << 16;
/// How often a queue is tried again that has outgrown its buffer.
const TRIES_MAX: usize = 8;

/// A connection's end on this node.
pub(super) struct Stream {
    /// None for a ghost, and once it is saved.
    sock: Option<SockRef>,
    key: u64,
    info: TcpInfo,
    /// `STREAM_*` bits.
    traits: u32,
    /// f_flags of its open file.
    flags: u32,
    /// Index of its open file, or of the listener's in whose backlog it is.
    pub(super) open: Option<usize>,
    position: u32,
    options: Options,
    send: Queue,
    send_data: KVVec<u8>,
    recv: Queue,
    recv_data: KVVec<u8>,
}

/// Who holds the other end of a connection on this node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TcpHolder {
    /// A process.
    Process(u32),
    /// Nobody, but the kernel still has bytes to send: to be saved as a kernel-held end.
    Orphan,
    /// There is no such connection (any more).
    Nothing,
}

/// A connection whose other end is on another node: its real ends.
#[derive(Clone, Copy)]
pub struct TcpLink {
    /// The end here.
    pub near: End,
    /// The end there.
    pub far: End,
}

pub(super) fn ends(pair: &Pair) -> TcpPair {
    TcpPair {
        near: End {
            address: pair.near_address,
            port: pair.near_port,
        },
        far: End {
            address: pair.far_address,
            port: pair.far_port,
        },
    }
}

/// Which process of this node holds the end `near` of the connection to `far` (real ends).
pub fn holder_of_tcp(near: End, far: End) -> Outcome<TcpHolder> {
    let pair = Pair {
        near_address: near.address,
        near_port: near.port,
        far_address: far.address,
        far_port: far.port,
    };
    let Some(sock) = SockRef::find(&pair) else {
        return Ok(TcpHolder::Nothing);
    };
    if let Some(pid) = process_of(sock.key())? {
        return Ok(TcpHolder::Process(pid));
    }
    // It may wait for accept(2): then whoever holds the listener has it.
    let info = sock.info();
    if info.unheld != 0 && info.shutdown & super::SHUT_SEND == 0 {
        if let Some(listener) = SockRef::find_listener(&pair) {
            if let Some(pid) = process_of(listener.key())? {
                return Ok(TcpHolder::Process(pid));
            }
        }
    }
    Ok(TcpHolder::Orphan)
}

fn process_of(key: u64) -> Outcome<Option<u32>> {
    let holders = find_holders(&[key], super::scan::HOLDERS_MAX)?;
    Ok(holders.first().map(|holder| holder.pid))
}

/// The failure for a socket in a state that cannot be saved.
pub(super) fn check(open: &OpenFile, info: &TcpInfo) -> Outcome {
    let what = match info.refusal {
        0 => return Ok(()),
        1 => "TCP socket of a network namespace",
        2 => "TCP socket with an upper layer protocol",
        3 => "MPTCP socket",
        4 => "TCP socket in a socket map",
        5 => "TCP socket with MD5 or AO keys",
        6 => "TCP socket in repair mode",
        7 => "TCP socket with urgent data",
        8 => "TCP socket bound to a device",
        9 => "TCP socket with a filter",
        _ => "TCP socket with zero-copy notifications",
    };
    Err(refuse(open, FailureCode::Unsupported).text(format_args!("{what}")))
}

impl Stream {
    /// The end behind the open file `index`, or one in the backlog of that listener.
    pub(super) fn new(
        sock: SockRef,
        open: &OpenFile,
        index: usize,
        traits: u32,
    ) -> Outcome<Stream> {
        let info = sock.info();
        check(open, &info)?;
        if info.real.near_address == info.real.far_address
            && info.real.near_port == info.real.far_port
        {
            let failure = refuse(open, FailureCode::Unsupported);
            return Err(failure.text(format_args!("TCP socket connected to itself")));
        }
        let mut stream = Stream::kernel_held(sock, traits);
        stream.open = Some(index);
        stream.flags = open.info.flags;
        Ok(stream)
    }

    /// An end that nobody holds.
    pub(super) fn kernel_held(sock: SockRef, traits: u32) -> Stream {
        Stream {
            key: sock.key(),
            info: sock.info(),
            options: sock.options(),
            sock: Some(sock),
            traits,
            flags: 0,
            open: None,
            position: 0,
            send: Queue::default(),
            send_data: KVVec::new(),
            recv: Queue::default(),
            recv_data: KVVec::new(),
        }
    }

    /// An end of which nothing is left.
    pub(super) fn ghost(pair: Pair) -> Stream {
        let name = crate::sys::tcp::Name {
            pair,
            ..Default::default()
        };
        Stream {
            key: 0,
            info: TcpInfo {
                state: crate::sys::tcp::state::CLOSE,
                shutdown: super::SHUT_SEND,
                refusal: 0,
                backlog: 0,
                queued: 0,
                error: 0,
                far_is_local: 0,
                unheld: 1,
                real: pair,
                name,
            },
            options: Options::default(),
            sock: None,
            traits: STREAM_KERNEL_HELD | STREAM_GHOST,
            flags: 0,
            open: None,
            position: 0,
            send: Queue::default(),
            send_data: KVVec::new(),
            recv: Queue::default(),
            recv_data: KVVec::new(),
        }
    }

    /// As `FileInfo::stream`.
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    pub(super) fn info(&self) -> &TcpInfo {
        &self.info
    }

    pub(super) fn set_position(&mut self, position: u32) {
        self.position = position;
        self.flags = 0;
    }

    pub(super) fn add_traits(&mut self, traits: u32) {
        self.traits |= traits;
    }

    /// Whether its other end is on another node.
    pub(super) fn leaves_node(&self) -> bool {
        self.info.far_is_local == 0 && self.traits & (STREAM_PEER_GONE | STREAM_GHOST) == 0
    }

    /// Whether a descriptor refers to it.
    pub(super) fn has_descriptor(&self) -> bool {
        self.traits & (STREAM_KERNEL_HELD | STREAM_QUEUED) == 0
    }

    /// Whether this end counts the connection: of two ends, the one with the smaller name does.
    pub(super) fn counts_once(&self) -> bool {
        let name = ends(&self.info.name.pair);
        name.near < name.far || self.traits & STREAM_PEER_GONE != 0
    }

    /// Bytes in flight towards and from this end.
    pub(super) fn bytes(&self) -> u64 {
        self.send_data.len() as u64 + self.recv_data.len() as u64
    }

    pub(super) fn save_send(&mut self) -> Outcome {
        let Some(sock) = &self.sock else {
            return Ok(());
        };
        (self.send, self.send_data) = copy_queue(sock, Direction::Send)?;
        Ok(())
    }

    /// Copies what was received; the state is now the one that counts.
    pub(super) fn save_rest(&mut self) -> Outcome {
        let Some(sock) = self.sock.take() else {
            return Ok(());
        };
        (self.recv, self.recv_data) = copy_queue(&sock, Direction::Receive)?;
        let info = sock.info();
        self.info.state = info.state;
        self.info.shutdown = info.shutdown;
        self.info.error = info.error;
        Ok(())
    }

    /// Hands over its record; `listener` is the object id of the listener it waits in, or 0.
    pub(super) fn emit(&self, id: u64, listener: u64, node: u32, sink: Sink<'_>) -> Outcome {
        let (send, recv) = (&self.send_data, &self.recv_data);
        let room = TcpStream::SIZE + send.len() + recv.len();
        let mut payload = Payload::with_room(room)?;
        let name = &self.info.name;
        payload.field(&TcpStream {
            flags: self.flags,
            traits: self.traits,
            shutdown: self.info.shutdown,
            error: self.info.error,
            name: ends(&name.pair),
            real: ends(&self.info.real),
            node: if name.node != 0 { name.node } else { node },
            position: self.position,
            listener: if self.traits & STREAM_QUEUED != 0 {
                listener
            } else {
                0
            },
            send_first: self.send.sequence,
            send_len: send.len() as u32,
            send_fin: self.send.fin,
            recv_next: self.recv.sequence,
            recv_len: recv.len() as u32,
            reserved: 0,
            options: options::to_image(&self.options),
        })?;
        payload.bytes(send)?;
        payload.bytes(recv)?;
        sink(Kind::TcpStream, id, payload.as_slice())
    }
}

/// Copies a queue into a buffer of the right size, got before the socket is locked.
fn copy_queue(sock: &SockRef, direction: Direction) -> Outcome<(Queue, KVVec<u8>)> {
    for _ in 0..TRIES_MAX {
        let room = sock.queued(direction) + SLACK_BYTES;
        if room > PAYLOAD_BYTES_MAX as usize {
            break;
        }
        let mut data = KVVec::with_capacity(room, GFP_KERNEL)?;
        match sock.save(direction, &mut data) {
            Ok(queue) => return Ok((queue, data)),
            Err(error) if error == ENOSPC => continue,
            Err(error) => {
                let failure = Failure::new(FailureCode::Internal).errno(error);
                return Err(failure.text(format_args!("queue of a TCP connection")));
            }
        }
    }
    Err(Failure::new(FailureCode::Limit).text(format_args!("bytes in a TCP connection")))
}
