// SPDX-License-Identifier: GPL-2.0
//! Pairs of UNIX sockets: reading what is in them without consuming it, making them again.

use super::file::{pair, FileRef, RawFile};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use kernel::error::to_result;
use kernel::prelude::*;

/// Options of a socket; as `struct ssi_pair_options`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Options {
    /// SO_SNDBUF, as the kernel keeps it.
    pub send_buffer: u32,
    /// SO_RCVBUF, likewise.
    pub receive_buffer: u32,
    /// 1: the first was set by the program; 2: the second was.
    pub locks: u32,
    /// SO_RCVLOWAT.
    pub low_water: u32,
    /// SO_RCVTIMEO in milliseconds, 0: none.
    pub receive_ms: u32,
    /// SO_SNDTIMEO, likewise.
    pub send_ms: u32,
}

/// What an end of a pair is; as `struct ssi_pair_info`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PairInfo {
    /// SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
    pub socket: u32,
    /// 1: nothing more is received; 2: nothing more is sent.
    pub shutdown: u32,
    /// Pending error, errno.
    pub error: u32,
    /// PID that SO_PEERCRED gives, 0: none.
    pub creator: u32,
    /// Whether the other end is closed.
    pub peer_gone: u32,
    /// Packets that were not read.
    pub packets: u32,
    /// Bytes in all of them.
    pub bytes: u64,
    /// Its options.
    pub options: Options,
    refused: [u8; 48],
}

impl PairInfo {
    /// Why it cannot be saved, in words.
    pub fn refused(&self) -> Option<&str> {
        let len = self.refused.iter().position(|&byte| byte == 0);
        let why = &self.refused[..len.unwrap_or(self.refused.len())];
        match why.is_empty() {
            true => None,
            false => Some(core::str::from_utf8(why).unwrap_or("UNIX socket")),
        }
    }
}

extern "C" {
    fn ssi_pair_info(file: *mut RawFile, info: *mut PairInfo);
    fn ssi_pair_save(
        file: *mut RawFile,
        lens: *mut u32,
        packets: u32,
        data: *mut u8,
        bytes: u64,
    ) -> i32;
    fn ssi_pair_create(socket: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_pair_send(
        file: *mut RawFile,
        lens: *const u32,
        packets: u32,
        data: *const u8,
        bytes: u64,
    ) -> i32;
    fn ssi_pair_apply(
        file: *mut RawFile,
        options: *const Options,
        shutdown: u32,
        error: u32,
    ) -> i32;
    fn ssi_pair_created_by(file: *mut RawFile, pid: u32);
}

/// What `end`, a connected UNIX socket, is. Callers have checked the file's kind.
pub fn info(end: &FileRef) -> PairInfo {
    let mut info = MaybeUninit::uninit();
    // SAFETY: The shim fills the whole struct.
    unsafe {
        ssi_pair_info(end.as_ptr(), info.as_mut_ptr());
        info.assume_init()
    }
}

/// Copies what `end`, whose holders are stopped, has not read: lengths and bytes of the packets.
pub fn save(end: &FileRef, info: &PairInfo) -> Result<(KVVec<u32>, KVVec<u8>)> {
    let (packets, bytes) = (info.packets as usize, info.bytes as usize);
    let mut lens: KVVec<u32> = KVVec::with_capacity(packets, GFP_KERNEL)?;
    let mut data: KVVec<u8> = KVVec::with_capacity(bytes, GFP_KERNEL)?;
    // SAFETY: Both buffers have the room that is named.
    to_result(unsafe {
        ssi_pair_save(
            end.as_ptr(),
            lens.as_mut_ptr(),
            info.packets,
            data.as_mut_ptr(),
            info.bytes,
        )
    })?;
    // SAFETY: The shim succeeds only where just that was there, and wrote all of it.
    unsafe {
        lens.set_len(packets);
        data.set_len(bytes);
    }
    Ok((lens, data))
}

/// A new pair.
pub fn create(socket: u32) -> Result<(FileRef, FileRef)> {
    let mut raw = [null_mut(); 2];
    // SAFETY: `raw` has room for two files.
    to_result(unsafe { ssi_pair_create(socket, raw.as_mut_ptr()) })?;
    pair(raw)
}

/// Sends packets from `end`: the other one has not read them.
pub fn send(end: &FileRef, lens: &[u32], data: &[u8]) -> Result {
    let (packets, bytes) = (lens.len() as u32, data.len() as u64);
    // SAFETY: Both slices are valid for their lengths; the shim adds up the packets.
    to_result(unsafe { ssi_pair_send(end.as_ptr(), lens.as_ptr(), packets, data.as_ptr(), bytes) })
}

/// Sets options and states, when everything has been sent.
pub fn apply(end: &FileRef, options: &Options, shutdown: u32, error: u32) -> Result {
    // SAFETY: `options` is valid for reads; the shim bounds every value.
    to_result(unsafe { ssi_pair_apply(end.as_ptr(), options, shutdown, error) })
}

/// Has SO_PEERCRED give the process `pid`.
pub fn created_by(end: &FileRef, pid: u32) {
    // SAFETY: The reference keeps the socket alive.
    unsafe { ssi_pair_created_by(end.as_ptr(), pid) }
}
