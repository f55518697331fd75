// SPDX-License-Identifier: GPL-2.0
//! Fresh TCP sockets that get old queues, options and names.

use super::file::{FileRef, RawFile};
use super::tcp::{Name, Options, Pair};
use core::mem::ManuallyDrop;
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
struct RawSocket {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_tcpname_set(sock: *mut RawSocket, name: *const Name) -> i32;
    fn ssi_tcp_listen(address: u32, port: *mut u32, backlog: u32, out: *mut *mut RawSocket) -> i32;
    fn ssi_tcp_connect(address: u32, port: u32, timeout_ms: u32, out: *mut *mut RawSocket) -> i32;
    fn ssi_tcp_accept(listener: *mut RawSocket, timeout_ms: u32, out: *mut *mut RawSocket) -> i32;
    fn ssi_net_send(sock: *mut RawSocket, data: *const u8, len: usize, timeout_ms: u32) -> i32;
    fn ssi_net_recv(sock: *mut RawSocket, data: *mut u8, len: usize, timeout_ms: u32) -> i32;
    fn ssi_tcp_preload(sock: *mut RawSocket, data: *const u8, len: u32) -> i32;
    fn ssi_tcp_push(sock: *mut RawSocket, data: *const u8, len: u32) -> i32;
    fn ssi_tcp_apply(sock: *mut RawSocket, options: *const Options) -> i32;
    fn ssi_tcp_shut(sock: *mut RawSocket, how: u32, error: u32) -> i32;
    fn ssi_tcp_idle(pair: *const Pair, locks: u32, out: *mut *mut RawSocket) -> i32;
    fn ssi_tcp_begin(file: *mut RawFile, address: u32, port: u32) -> i32;
    fn ssi_tcp_serve(
        pair: *const Pair,
        backlog: u32,
        options: *const Options,
        out: *mut *mut RawSocket,
    ) -> i32;
    fn ssi_tcp_inject(listener: *mut RawSocket, sock: *mut RawSocket) -> i32;
    fn ssi_tcp_file(sock: *mut RawSocket, flags: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_tcp_release(sock: *mut RawSocket);
}

/// A socket without a descriptor yet; closed when it is dropped.
pub struct Socket(NonNull<RawSocket>);

// SAFETY: A struct socket may be used from every thread; it locks itself.
unsafe impl Send for Socket {}
// SAFETY: As above.
unsafe impl Sync for Socket {}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: The socket is ours and is given up here.
        unsafe { ssi_tcp_release(self.0.as_ptr()) }
    }
}

impl Socket {
    fn from_raw(raw: *mut RawSocket) -> Result<Socket> {
        NonNull::new(raw).map(Socket).ok_or(EINVAL)
    }

    /// Listens on any port of `address`; the port.
    pub fn listen(address: u32, backlog: u32) -> Result<(Socket, u32)> {
        let (mut raw, mut port) = (null_mut(), 0);
        // SAFETY: `raw` is written on success only.
        to_result(unsafe { ssi_tcp_listen(address, &mut port, backlog, &mut raw) })?;
        Ok((Socket::from_raw(raw)?, port))
    }

    /// Connects.
    pub fn connect(address: u32, port: u32, timeout_ms: u32) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: As above.
        to_result(unsafe { ssi_tcp_connect(address, port, timeout_ms, &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// The next connection of a listener; `EAGAIN` where none comes in time.
    pub fn accept(&self, timeout_ms: u32) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: As above.
        to_result(unsafe { ssi_tcp_accept(self.0.as_ptr(), timeout_ms, &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// A socket without a connection, bound as `locks` say.
    pub fn idle(near: &Pair, locks: u32) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: As above.
        to_result(unsafe { ssi_tcp_idle(near, locks, &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// A listener of a program.
    pub fn serve(near: &Pair, backlog: u32, options: &Options) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: As above.
        to_result(unsafe { ssi_tcp_serve(near, backlog, options, &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// Sends a short message.
    pub fn send(&self, data: &[u8], timeout_ms: u32) -> Result {
        // SAFETY: `data` is valid for reads of its length.
        to_result(unsafe { ssi_net_send(self.0.as_ptr(), data.as_ptr(), data.len(), timeout_ms) })
    }

    /// Fills `data`.
    pub fn recv(&self, data: &mut [u8], timeout_ms: u32) -> Result {
        // SAFETY: `data` is valid for writes of its length.
        to_result(unsafe {
            ssi_net_recv(self.0.as_ptr(), data.as_mut_ptr(), data.len(), timeout_ms)
        })
    }

    /// Puts `data` in front of what was received.
    pub fn preload(&self, data: &[u8]) -> Result {
        // SAFETY: `data` is valid for reads of its length.
        to_result(unsafe { ssi_tcp_preload(self.0.as_ptr(), data.as_ptr(), data.len() as u32) })
    }

    /// Sends `data` without ever waiting for the other end.
    pub fn push(&self, data: &[u8]) -> Result {
        // SAFETY: As above.
        to_result(unsafe { ssi_tcp_push(self.0.as_ptr(), data.as_ptr(), data.len() as u32) })
    }

    /// Sets all options.
    pub fn apply(&self, options: &Options) -> Result {
        // SAFETY: The struct is valid for reads.
        to_result(unsafe { ssi_tcp_apply(self.0.as_ptr(), options) })
    }

    /// Shuts down (1: reading, 2: writing), and leaves `error` pending.
    pub fn shut(&self, how: u32, error: u32) -> Result {
        // SAFETY: The socket is alive.
        to_result(unsafe { ssi_tcp_shut(self.0.as_ptr(), how, error) })
    }

    /// Makes it answer `name` to getsockname(2) and getpeername(2).
    pub fn set_name(&self, name: &Name) -> Result {
        // SAFETY: The struct is valid for reads.
        to_result(unsafe { ssi_tcpname_set(self.0.as_ptr(), name) })
    }

    /// Puts the connection into the backlog of `listener`.
    pub fn queue_in(self, listener: &Socket) -> Result {
        let socket = ManuallyDrop::new(self);
        // SAFETY: The shim consumes the socket, which is not used again.
        to_result(unsafe { ssi_tcp_inject(listener.0.as_ptr(), socket.0.as_ptr()) })
    }

    /// Its open file.
    pub fn into_file(self, flags: u32) -> Result<FileRef> {
        let socket = ManuallyDrop::new(self);
        let mut raw = null_mut();
        // SAFETY: The shim consumes the socket, which is not used again.
        to_result(unsafe { ssi_tcp_file(socket.0.as_ptr(), flags, &mut raw) })?;
        FileRef::from_raw(raw)
    }
}

/// Begins to connect the TCP socket `file`, and does not wait.
pub fn begin_connect(file: &FileRef, address: u32, port: u32) -> Result {
    // SAFETY: The reference keeps the socket alive; the shim checks that it is one.
    to_result(unsafe { ssi_tcp_begin(file.as_ptr(), address, port) })
}
