// SPDX-License-Identifier: GPL-2.0
//! TCP sockets: connections with their queues, listeners, and sockets without a connection.
//!
//! Sequence numbers are those of the connection at the cut, and mean something only together with
//! those of its other end: a sender drops what the other end's `recv_next` shows as received.
use crate::record;
use crate::stream::End;

/// Most connections of one part.
pub const STREAMS_MAX: u32 = 1 << 16;
/// Longest backlog of a listener.
pub const BACKLOG_MAX: u32 = 1 << 16;

/// [`TcpStream::traits`]: no descriptor refers to it; the kernel still had bytes to send.
pub const STREAM_KERNEL_HELD: u32 = 1;
/// [`TcpStream::traits`]: its other end is in nobody's hands any more, and nobody saved it.
pub const STREAM_PEER_GONE: u32 = 2;
/// [`TcpStream::traits`]: nothing was left of this end; it is there for the other one to find.
pub const STREAM_GHOST: u32 = 4;
/// [`TcpStream::traits`]: it waits in a listener for accept(2).
pub const STREAM_QUEUED: u32 = 8;

/// [`TcpStream::shutdown`], [`TcpIdle::shutdown`]: reading was shut down, or the other end closed.
pub const SHUTDOWN_RECEIVE: u32 = 1;
/// As [`SHUTDOWN_RECEIVE`]: writing was shut down.
pub const SHUTDOWN_SEND: u32 = 2;

record! {
    /// Socket options.
    pub struct TcpOptions {
        /// SO_SNDBUF, in the kernel's units.
        pub sndbuf: u32,
        /// SO_RCVBUF, in the kernel's units.
        pub rcvbuf: u32,
        /// 1: sndbuf was set, 2: rcvbuf was set, 4: bound to an address, 8: bound to a port.
        pub locks: u32,
        /// 1 REUSEADDR, 2 REUSEPORT, 4 KEEPALIVE, 8 LINGER, 16 OOBINLINE, 32 TCP_NODELAY,
        /// 64 TCP_CORK, 128 BROADCAST, 256 DONTROUTE.
        pub flags: u32,
        /// TCP_KEEPIDLE, seconds, 0 for the system's.
        pub keep_idle_s: u32,
        /// TCP_KEEPINTVL, seconds, 0 for the system's.
        pub keep_interval_s: u32,
        /// TCP_KEEPCNT, 0 for the system's.
        pub keep_count: u32,
        /// SO_LINGER's seconds.
        pub linger_s: u32,
        /// IP_TOS.
        pub tos: u32,
        /// IP_TTL, 0 for the system's.
        pub ttl: u32,
        /// SO_PRIORITY.
        pub priority: u32,
        /// SO_MARK.
        pub mark: u32,
        /// TCP_USER_TIMEOUT, milliseconds.
        pub user_timeout_ms: u32,
        /// SO_RCVLOWAT.
        pub rcvlowat: u32,
        /// SO_RCVTIMEO, milliseconds, 0 for none.
        pub rcvtimeo_ms: u32,
        /// SO_SNDTIMEO, milliseconds, 0 for none.
        pub sndtimeo_ms: u32,
        /// TCP_DEFER_ACCEPT, seconds.
        pub defer_accept_s: u32,
        /// TCP_SYNCNT, 0 for the system's.
        pub syn_count: u32,
        /// TCP_CONGESTION, padded with zeros.
        pub congestion: [u8; 16],
    }
}

record! {
    /// The names of a connection as one of its ends has them.
    pub struct TcpPair {
        /// This end.
        pub near: End,
        /// The other one.
        pub far: End,
    }
}

record! {
    /// `TcpStream`; the subject is the object id. The bytes to send follow, then those received.
    pub struct TcpStream {
        /// Flags of open(2).
        pub flags: u32,
        /// `STREAM_*` bits.
        pub traits: u32,
        /// `SHUTDOWN_*` bits.
        pub shutdown: u32,
        /// Pending error, positive.
        pub error: u32,
        /// What the program sees.
        pub name: TcpPair,
        /// What the network saw.
        pub real: TcpPair,
        /// Node where the name is, or was, real: part of the stream's id for loopback addresses.
        pub node: u32,
        /// Place in the listener's backlog, from 0.
        pub position: u32,
        /// Object id of the listener whose backlog it is in, or 0.
        pub listener: u64,
        /// Sequence number of the first byte to send.
        pub send_first: u32,
        /// Bytes to send.
        pub send_len: u32,
        /// 1 where a FIN follows them.
        pub send_fin: u32,
        /// Sequence number after what was received, FIN included.
        pub recv_next: u32,
        /// Bytes received and not read.
        pub recv_len: u32,
        /// Zero.
        pub reserved: u32,
        /// Options.
        pub options: TcpOptions,
    }
}

record! {
    /// `TcpListener`; the subject is the object id.
    pub struct TcpListener {
        /// Flags of open(2).
        pub flags: u32,
        /// Length of the backlog that listen(2) asked for.
        pub backlog: u32,
        /// Where it listens.
        pub near: End,
        /// Options.
        pub options: TcpOptions,
    }
}

record! {
    /// `TcpIdle`; the subject is the object id. Not connected, not yet, or no more and with nothing
    /// left to read.
    pub struct TcpIdle {
        /// Flags of open(2).
        pub flags: u32,
        /// `SHUTDOWN_*` bits.
        pub shutdown: u32,
        /// Pending error, positive.
        pub error: u32,
        /// Zero.
        pub reserved: u32,
        /// To where it is bound, if it is.
        pub near: End,
        /// To where it was being connected, or port 0.
        pub far: End,
        /// Options.
        pub options: TcpOptions,
    }
}

/// How many bytes at the head of a send queue the other end has received, so that they are in its
/// image and must not be sent again: the queue begins at sequence number `first` and is `len` long,
/// a FIN included; the other end says that it awaits `next`. `None` where that is not possible.
pub const fn already_received(first: u32, len: u32, next: u32) -> Option<u32> {
    let received = next.wrapping_sub(first);
    if received <= len {
        Some(received)
    } else {
        None
    }
}

/// First field of a [`TcpHello`]: `SSIH` in little-endian.
pub const HELLO_MAGIC: u32 = 0x4849_5353;

record! {
    /// The first bytes of a restored connection, both ways, before the program's own.
    pub struct TcpHello {
        /// [`HELLO_MAGIC`].
        pub magic: u32,
        /// The sender's `STREAM_*` bits.
        pub traits: u32,
        /// The restart, as its nodes number it.
        pub operation: u64,
        /// The connection as the sender's end has it: [`TcpStream::name`], or for a ghost `real`.
        pub name: TcpPair,
        /// The sender's [`TcpStream::node`].
        pub node: u32,
        /// The sender's [`TcpStream::recv_next`].
        pub recv_next: u32,
    }
}
