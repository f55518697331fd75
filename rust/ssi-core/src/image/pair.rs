// SPDX-License-Identifier: GPL-2.0
//! Pairs of UNIX sockets, as socketpair(2) makes them: either end with what it has not read.
use crate::record;

/// Most packets that one socket has not read.
pub const PACKETS_MAX: u32 = 1 << 20;

/// [`PairEnd::socket`]: bytes without bounds (SOCK_STREAM).
pub const STREAM: u32 = 1;
/// [`PairEnd::socket`]: packets (SOCK_DGRAM).
pub const DATAGRAM: u32 = 2;
/// [`PairEnd::socket`]: packets of a connection (SOCK_SEQPACKET).
pub const SEQPACKET: u32 = 5;

record! {
    /// `PairEnd`; the subject is the object id. So many lengths of packets follow, each a `u32`,
    /// then their bytes, the oldest first.
    pub struct PairEnd {
        /// Flags of open(2).
        pub flags: u32,
        /// [`STREAM`], [`DATAGRAM`] or [`SEQPACKET`].
        pub socket: u32,
        /// Object id of the other end, 0 where that is closed.
        pub peer: u64,
        /// 1: nothing more is received; 2: nothing more is sent.
        pub shutdown: u32,
        /// Pending error, errno.
        pub error: u32,
        /// PID that SO_PEERCRED gives, 0: none.
        pub creator: u32,
        /// Options that were set.
        pub options: PairOptions,
        /// Packets that follow.
        pub packets: u32,
        /// Bytes in all of them.
        pub bytes: u64,
    }
}

record! {
    /// Options of socket(7), as the kernel keeps them.
    pub struct PairOptions {
        /// Bytes that may be sent and not read.
        pub send_buffer: u32,
        /// SO_RCVBUF, which UNIX sockets do not use.
        pub receive_buffer: u32,
        /// 1: the send buffer was set by the program; 2: the receive buffer was.
        pub locks: u32,
        /// Bytes for which a read waits.
        pub low_water: u32,
        /// Milliseconds that a receive waits, 0: for ever.
        pub receive_ms: u32,
        /// Milliseconds that a send waits, 0: for ever.
        pub send_ms: u32,
    }
}
