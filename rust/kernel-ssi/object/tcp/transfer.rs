// SPDX-License-Identifier: GPL-2.0
//! Connecting the two ends of every restored connection, wherever they are now.
//!
//! Each end asks the home of its stream. The first gets `Create` and is connected to; the second
//! gets `Found` and connects. First all connect, which a backlog makes possible without an accept,
//! and say hello; then all accept; then all read hellos: so two nodes never wait for each other.

use super::hello;
use super::rebuilt::Rebuilt;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::tcpmake::Socket;
use crate::sys::thread::clock_ms;
use kernel::prelude::*;
use ssi_core::image::socket::{TcpPair, TcpStream};
use ssi_core::image::socket::{STREAM_GHOST, STREAM_KERNEL_HELD, STREAM_PEER_GONE, STREAM_QUEUED};
use ssi_core::wire::member::Mac;

/// TIMEOUT: for a connection to a node that is up, and for a hello on it.
pub(super) const PEER_MS: u32 = 10_000;
/// TIMEOUT: for all ends on other nodes to connect.
const ACCEPT_MS: u64 = 30_000;
/// TIMEOUT: for those whose absence is no failure.
const ACCEPT_OPTIONAL_MS: u64 = 5_000;
/// Ends that are given up where the other one does not come: what an orphan had to say is lost
/// with who would have read it; a connection that no accept(2) returned yet is made anew by a
/// program that was still connecting.
const OPTIONAL: u32 = STREAM_KERNEL_HELD | STREAM_QUEUED;
/// Connections of strangers that are put up with.
const STRANGERS_MAX: usize = 64;
/// 127.0.0.1.
const LOOPBACK: u32 = 0x7f00_0001;

/// Answer of a stream's home.
#[derive(Clone, Copy)]
pub enum Bind {
    /// The other end will connect to the address that was given.
    Create,
    /// The other end is reached there.
    Found {
        /// IPv4 address, host byte order.
        address: u32,
        /// Port.
        port: u32,
    },
}

/// The remap table of this restart, as this node reaches it.
pub trait StreamBinder {
    /// Number of the restart, the same on all its nodes.
    fn operation(&self) -> u64;

    /// A MAC of `hello` that only a node of this cluster can make, for this restart alone.
    fn sign(&self, hello: &[u8]) -> Result<Mac>;

    /// An address of this node that the other nodes reach.
    fn address(&self) -> u32;

    /// Says that the end `name.near` of the connection `name` is here and listens at `address`,
    /// `port`; `node` is the node of the name, for loopback addresses. Waits for the answer.
    fn bind(&self, name: &TcpPair, node: u32, address: u32, port: u32) -> Outcome<Bind>;
}

/// Connects and refills all `streams`.
pub(in crate::object) fn connect(streams: &mut [Rebuilt], binder: &dyn StreamBinder) -> Outcome {
    for stream in streams
        .iter_mut()
        .filter(|stream| stream.has(STREAM_PEER_GONE))
    {
        alone(stream)?;
    }
    if !streams.iter().all(|stream| stream.socket.is_some()) {
        connect_others(streams, binder)?;
    }
    for stream in streams.iter_mut() {
        finish(stream)?;
    }
    Ok(())
}

/// Those whose other end is somewhere.
fn connect_others(streams: &mut [Rebuilt], binder: &dyn StreamBinder) -> Outcome {
    let backlog = streams.len().min(65535) as u32;
    let (listener, port) = Socket::listen(binder.address(), backlog)?;
    let mut connected = KVVec::new();
    for (index, stream) in streams.iter().enumerate() {
        if stream.socket.is_some() {
            continue;
        }
        if let Some(socket) = bind_one(stream, binder, port)? {
            connected.push((index, socket), GFP_KERNEL)?;
        }
    }
    accept(streams, &connected, &listener, binder)?;
    for (index, socket) in connected {
        let hello = hello::read(&socket, binder).map_err(|error| lost(&streams[index], error))?;
        if !streams[index].is_other_end(&hello) {
            return Err(lost(&streams[index], EINVAL));
        }
        streams[index].socket = Some((socket, hello));
    }
    Ok(())
}

/// Refills a connected end; one that no process holds goes back to the kernel at once.
fn finish(stream: &mut Rebuilt) -> Outcome {
    if let Some((socket, hello)) = &stream.socket {
        stream.refill(socket, hello)?;
    }
    if stream.has(STREAM_KERNEL_HELD) {
        stream.socket = None;
    }
    Ok(())
}

/// An end whose other end is gone: data may be left to read, and then the end of the stream.
fn alone(stream: &mut Rebuilt) -> Outcome {
    let (listener, port) = Socket::listen(LOOPBACK, 1)?;
    let socket = Socket::connect(LOOPBACK, port, PEER_MS)?;
    let other = listener.accept(PEER_MS)?;
    let mut hello = stream.hello(0);
    hello.traits = STREAM_GHOST;
    stream.socket = Some((socket, hello));
    // Closed in good order, the other one leaves a FIN.
    drop(other);
    Ok(())
}

/// Announces an end; the connection, where it is the second.
fn bind_one(stream: &Rebuilt, binder: &dyn StreamBinder, port: u32) -> Outcome<Option<Socket>> {
    let TcpStream {
        name, real, node, ..
    } = &stream.record;
    let at = binder.address();
    let names: &[&TcpPair] = if stream.has(STREAM_GHOST) {
        &[real]
    } else if name == real || stream.has(STREAM_KERNEL_HELD) {
        &[name]
    } else {
        // A ghost at the other end knows only the real names.
        &[name, real]
    };
    for name in names {
        if let Bind::Found { address, port } = binder.bind(name, *node, at, port)? {
            let socket = Socket::connect(address, port, PEER_MS);
            let socket = socket.map_err(|error| lost(stream, error))?;
            hello::send(&socket, &stream.hello(binder.operation()), binder)
                .map_err(|error| lost(stream, error))?;
            return Ok(Some(socket));
        }
    }
    Ok(None)
}

/// Takes the connections of the others until every end that waits for one has it.
fn accept(
    streams: &mut [Rebuilt],
    connected: &[(usize, Socket)],
    listener: &Socket,
    binder: &dyn StreamBinder,
) -> Outcome {
    let start = clock_ms();
    let mut strangers = 0;
    loop {
        let waits = |(index, stream): &(usize, &Rebuilt)| {
            stream.socket.is_none() && !connected.iter().any(|(other, _)| other == index)
        };
        let waiting = streams.iter().enumerate().filter(waits);
        let missing = waiting.clone().find(|(_, stream)| !stream.has(OPTIONAL));
        let limit = match (&missing, waiting.count()) {
            (_, 0) => return Ok(()),
            (Some(_), _) => ACCEPT_MS,
            (None, _) => ACCEPT_OPTIONAL_MS,
        };
        let left = limit.saturating_sub(clock_ms() - start);
        let socket = match listener.accept(left as u32) {
            Ok(socket) => socket,
            Err(error) if error == EAGAIN => {
                return match missing {
                    Some((index, _)) => Err(lost(&streams[index], error)),
                    None => Ok(()),
                };
            }
            Err(error) => return Err(error.into()),
        };
        if !take_one(streams, connected, socket, binder)? {
            strangers += 1;
            if strangers > STRANGERS_MAX {
                return Err(Failure::new(FailureCode::Limit).text(format_args!("strangers")));
            }
        }
    }
}

/// Finds the end that a new connection is for, and answers; false for a stranger.
fn take_one(
    streams: &mut [Rebuilt],
    connected: &[(usize, Socket)],
    socket: Socket,
    binder: &dyn StreamBinder,
) -> Outcome<bool> {
    let Ok(hello) = hello::read(&socket, binder) else {
        return Ok(false);
    };
    let wanted = |(index, stream): (usize, &Rebuilt)| {
        let free = stream.socket.is_none() && !connected.iter().any(|(other, _)| *other == index);
        (free && stream.is_other_end(&hello)).then_some(index)
    };
    let Some(index) = streams.iter().enumerate().find_map(wanted) else {
        return Ok(false);
    };
    let stream = &mut streams[index];
    hello::send(&socket, &stream.hello(binder.operation()), binder)
        .map_err(|error| lost(stream, error))?;
    stream.socket = Some((socket, hello));
    Ok(true)
}

/// The failure of a connection whose other end does not come, or says what it cannot say.
fn lost(stream: &Rebuilt, error: Error) -> Failure {
    let TcpPair { near, far } = &stream.record.name;
    let [a, b, c, d] = near.address.to_be_bytes();
    let [e, f, g, h] = far.address.to_be_bytes();
    Failure::new(FailureCode::NodeUnreachable)
        .errno(error)
        .text(format_args!(
            "connection {a}.{b}.{c}.{d}:{} to {e}.{f}.{g}.{h}:{}",
            near.port, far.port
        ))
}
