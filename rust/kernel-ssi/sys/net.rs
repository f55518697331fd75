// SPDX-License-Identifier: GPL-2.0
//! Kernel TCP sockets for the transport between nodes.

use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
struct RawSocket {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_net_listen(address: u32, port: u16, backlog: i32, out: *mut *mut RawSocket) -> i32;
    fn ssi_net_accept(listener: *mut RawSocket, out: *mut *mut RawSocket) -> i32;
    fn ssi_net_connect(
        from: u32,
        address: u32,
        port: u16,
        timeout_ms: u32,
        out: *mut *mut RawSocket,
    ) -> i32;
    fn ssi_net_send(sock: *mut RawSocket, data: *const u8, len: usize, timeout_ms: u32) -> i32;
    fn ssi_net_recv(sock: *mut RawSocket, data: *mut u8, len: usize, timeout_ms: u32) -> i32;
    fn ssi_net_shutdown(sock: *mut RawSocket);
    fn ssi_net_release(sock: *mut RawSocket);
}

/// A connected or listening TCP socket of the kernel. Addresses and ports in host byte order.
pub struct Socket(NonNull<RawSocket>);

// SAFETY: A struct socket may be used from every thread; it locks itself.
unsafe impl Send for Socket {}
// SAFETY: As above.
unsafe impl Sync for Socket {}

impl Socket {
    fn from_raw(raw: *mut RawSocket) -> Result<Socket> {
        NonNull::new(raw).map(Socket).ok_or(EINVAL)
    }

    /// Listens on `address:port`.
    pub fn listen(address: u32, port: u16, backlog: i32) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: `raw` outlives the call and is written only on success.
        to_result(unsafe { ssi_net_listen(address, port, backlog, &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// The next connection; `EINVAL` after [`Socket::shutdown`].
    pub fn accept(&self) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: The listener lives as long as `self`.
        to_result(unsafe { ssi_net_accept(self.0.as_ptr(), &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// Connects from the local address `from`, in at most `timeout_ms`.
    pub fn connect(from: u32, address: u32, port: u16, timeout_ms: u32) -> Result<Socket> {
        let mut raw = null_mut();
        // SAFETY: `raw` outlives the call and is written only on success.
        to_result(unsafe { ssi_net_connect(from, address, port, timeout_ms, &mut raw) })?;
        Socket::from_raw(raw)
    }

    /// Sends all of `data`; each wait for room lasts at most `timeout_ms` (0: no bound).
    pub fn send(&self, data: &[u8], timeout_ms: u32) -> Result {
        // SAFETY: `data` is valid for reads of its length.
        to_result(unsafe { ssi_net_send(self.0.as_ptr(), data.as_ptr(), data.len(), timeout_ms) })
    }

    /// Fills `data`; each wait for bytes lasts at most `timeout_ms` (0: no bound).
    pub fn recv(&self, data: &mut [u8], timeout_ms: u32) -> Result {
        // SAFETY: `data` is valid for writes of its length.
        to_result(unsafe {
            ssi_net_recv(self.0.as_ptr(), data.as_mut_ptr(), data.len(), timeout_ms)
        })
    }

    /// Wakes whoever sleeps on the socket; later calls on it fail.
    pub fn shutdown(&self) {
        // SAFETY: The socket lives as long as `self`.
        unsafe { ssi_net_shutdown(self.0.as_ptr()) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: `self` is the only owner; nobody sleeps on the socket without a borrow of it.
        unsafe { ssi_net_release(self.0.as_ptr()) }
    }
}
