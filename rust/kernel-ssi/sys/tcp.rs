// SPDX-License-Identifier: GPL-2.0
//! TCP sockets of programs: their state, options and queues.

use super::file::{FileRef, RawFile};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
struct RawSock {
    _opaque: [u8; 0],
}

/// TCP states (include/net/tcp_states.h).
pub mod state {
    #![allow(missing_docs)]
    pub const SYN_SENT: u32 = 2;
    pub const SYN_RECV: u32 = 3;
    pub const CLOSE: u32 = 7;
    pub const LISTEN: u32 = 10;
}

/// A connection as seen from one end; as `struct ssi_tcp_pair`. Host byte order.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Pair {
    /// This end's address.
    pub near_address: u32,
    /// This end's port.
    pub near_port: u32,
    /// The other end's address.
    pub far_address: u32,
    /// The other end's port.
    pub far_port: u32,
}

impl Pair {
    /// The same connection as seen from the other end.
    pub fn reversed(&self) -> Pair {
        Pair {
            near_address: self.far_address,
            near_port: self.far_port,
            far_address: self.near_address,
            far_port: self.near_port,
        }
    }
}

/// What a program sees of a connection; as `struct ssi_tcp_name`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Name {
    /// The pair of ends.
    pub pair: Pair,
    /// The node where the pair was real, for loopback addresses; 0 where it is this one.
    pub node: u32,
    /// Zero.
    pub reserved: u32,
}

/// As `struct ssi_tcp_info`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct TcpInfo {
    /// A number of [`state`].
    pub state: u32,
    /// 1: no more reading, 2: no more writing.
    pub shutdown: u32,
    /// `enum ssi_tcp_refusal`; 0 where it can be saved.
    pub refusal: u32,
    /// Backlog of a listener.
    pub backlog: u32,
    /// Connections in it.
    pub queued: u32,
    /// Pending error, positive.
    pub error: u32,
    /// Not 0 where the far address is one of this node's.
    pub far_is_local: u32,
    /// Not 0 where no process can have a descriptor of it.
    pub unheld: u32,
    /// What the network sees.
    pub real: Pair,
    /// What the program sees.
    pub name: Name,
}

/// As `struct ssi_tcp_options`; the fields are those of `ssi_core::image::socket::TcpOptions`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Options {
    pub sndbuf: u32,
    pub rcvbuf: u32,
    pub locks: u32,
    pub flags: u32,
    pub keep_idle_s: u32,
    pub keep_interval_s: u32,
    pub keep_count: u32,
    pub linger_s: u32,
    pub tos: u32,
    pub ttl: u32,
    pub priority: u32,
    pub mark: u32,
    pub user_timeout_ms: u32,
    pub rcvlowat: u32,
    pub rcvtimeo_ms: u32,
    pub sndtimeo_ms: u32,
    pub defer_accept_s: u32,
    pub syn_count: u32,
    pub congestion: [u8; 16],
}

/// As `struct ssi_tcp_queue`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Queue {
    /// Sending: of the first byte; receiving: after the last one and the FIN.
    pub sequence: u32,
    /// Bytes.
    pub len: u32,
    /// 1 where the FIN is in it.
    pub fin: u32,
    reserved: u32,
}

/// Which queue of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Not acknowledged by the other end.
    Send,
    /// Not read by the program.
    Receive,
}

extern "C" {
    fn ssi_tcp_sock(file: *mut RawFile) -> *mut RawSock;
    fn ssi_tcp_put(sk: *mut RawSock);
    fn ssi_tcp_info(sk: *mut RawSock, info: *mut TcpInfo);
    fn ssi_tcp_settle(sk: *mut RawSock);
    fn ssi_tcp_find(pair: *const Pair) -> *mut RawSock;
    fn ssi_tcp_find_listener(pair: *const Pair) -> *mut RawSock;
    fn ssi_tcp_options(sk: *mut RawSock, options: *mut Options);
    fn ssi_tcp_queued(sk: *mut RawSock, sending: u32) -> u32;
    fn ssi_tcp_save_send(sk: *mut RawSock, data: *mut u8, queue: *mut Queue) -> i32;
    fn ssi_tcp_save_recv(sk: *mut RawSock, data: *mut u8, queue: *mut Queue) -> i32;
    fn ssi_tcp_backlog(
        listener: *mut RawSock,
        out: *mut *mut RawSock,
        max: u32,
        count: *mut u32,
    ) -> i32;
}

/// A reference of a sock: of a program's socket, of an orphan, of one that waits in a listener.
pub struct SockRef(NonNull<RawSock>);

// SAFETY: A struct sock may be used from every thread; it locks itself.
unsafe impl Send for SockRef {}
// SAFETY: As above.
unsafe impl Sync for SockRef {}

impl Drop for SockRef {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and is given up here.
        unsafe { ssi_tcp_put(self.0.as_ptr()) }
    }
}

impl SockRef {
    /// The sock of a file that is a TCP socket's; callers have checked the file's kind.
    pub fn of(file: &FileRef) -> Result<SockRef> {
        // SAFETY: The file is a socket's and keeps it alive; the shim takes a reference.
        NonNull::new(unsafe { ssi_tcp_sock(file.as_ptr()) })
            .map(SockRef)
            .ok_or(EINVAL)
    }

    /// The connection of this node whose real ends are `pair`.
    pub fn find(pair: &Pair) -> Option<SockRef> {
        // SAFETY: The shim returns a reference or NULL.
        NonNull::new(unsafe { ssi_tcp_find(pair) }).map(SockRef)
    }

    /// The listener that a connection with the real ends `pair` would have come to.
    pub fn find_listener(pair: &Pair) -> Option<SockRef> {
        // SAFETY: The shim returns a reference or NULL.
        NonNull::new(unsafe { ssi_tcp_find_listener(pair) }).map(SockRef)
    }

    /// Names the sock while a reference is held; as `FileInfo::stream`.
    pub fn key(&self) -> u64 {
        self.0.as_ptr() as u64
    }

    /// State and names.
    pub fn info(&self) -> TcpInfo {
        let mut info = MaybeUninit::uninit();
        // SAFETY: The shim fills the whole struct.
        unsafe {
            ssi_tcp_info(self.0.as_ptr(), info.as_mut_ptr());
            info.assume_init()
        }
    }

    /// Waits, not for long, while the connection is being made.
    pub fn settle(&self) {
        // SAFETY: The reference keeps the sock alive.
        unsafe { ssi_tcp_settle(self.0.as_ptr()) }
    }

    /// Socket options.
    pub fn options(&self) -> Options {
        let mut options = Options::default();
        // SAFETY: The struct is valid for writes.
        unsafe { ssi_tcp_options(self.0.as_ptr(), &mut options) };
        options
    }

    /// Bytes in a queue, more or less.
    pub fn queued(&self, direction: Direction) -> usize {
        let sending = direction == Direction::Send;
        // SAFETY: The reference keeps the sock alive.
        unsafe { ssi_tcp_queued(self.0.as_ptr(), sending.into()) as usize }
    }

    /// Copies a queue into `data`, which is empty and has room; `ENOSPC` where it has too little.
    pub fn save(&self, direction: Direction, data: &mut KVVec<u8>) -> Result<Queue> {
        let room = data.capacity().min(i32::MAX as usize) as u32;
        let mut queue = Queue {
            len: room,
            ..Queue::default()
        };
        let (sk, at) = (self.0.as_ptr(), data.as_mut_ptr());
        // SAFETY: `data` is valid for writes of `room` bytes.
        to_result(unsafe {
            match direction {
                Direction::Send => ssi_tcp_save_send(sk, at, &mut queue),
                Direction::Receive => ssi_tcp_save_recv(sk, at, &mut queue),
            }
        })?;
        // SAFETY: On success the shim wrote `queue.len`, at most `room`, bytes.
        unsafe { data.set_len(queue.len as usize) };
        Ok(queue)
    }

    /// The connections that wait in a listener, oldest first.
    pub fn backlog(&self, max: u32) -> Result<KVVec<SockRef>> {
        let mut raw: KVVec<*mut RawSock> = KVVec::with_capacity(max as usize, GFP_KERNEL)?;
        let mut socks = KVVec::with_capacity(max as usize, GFP_KERNEL)?;
        let mut count = 0;
        // SAFETY: `raw` has room for `max` entries.
        to_result(unsafe { ssi_tcp_backlog(self.0.as_ptr(), raw.as_mut_ptr(), max, &mut count) })?;
        // SAFETY: The first `count`, at most `max`, entries were written.
        unsafe { raw.set_len(count as usize) };
        for sk in raw.iter() {
            if let Some(sk) = NonNull::new(*sk) {
                socks.push(SockRef(sk), GFP_KERNEL)?;
            }
        }
        Ok(socks)
    }
}
