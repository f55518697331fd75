// SPDX-License-Identifier: GPL-2.0
//! Pipes: reading their content without consuming it, refilling them slot by slot.

use super::file::{pair, FileRef, RawFile};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use kernel::error::to_result;
use kernel::prelude::*;

/// Counts of a pipe; as `struct ssi_pipe_info`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PipeInfo {
    /// Slots that hold something.
    pub slots: u32,
    /// Slots in all.
    pub ring_size: u32,
    /// Readers.
    pub readers: u32,
    /// Writers.
    pub writers: u32,
    /// Open files on either end.
    pub files: u32,
    /// A notification pipe.
    pub refused: u32,
    /// Bytes in all slots.
    pub bytes: u64,
}

/// One slot; as `struct ssi_pipe_slot`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Slot {
    /// Of the first byte in its page.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
    /// `SSI_SLOT_*` bits: 1 packet, 2 open for merging.
    pub flags: u32,
}

extern "C" {
    fn ssi_pipe_info(file: *mut RawFile, info: *mut PipeInfo);
    fn ssi_pipe_save(
        file: *mut RawFile,
        slots: *mut Slot,
        slots_max: u32,
        data: *mut u8,
        data_max: u64,
    ) -> i32;
    fn ssi_pipe_create(out: *mut *mut RawFile) -> i32;
    fn ssi_pipe_reopen(file: *mut RawFile, flags: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_pipe_resize(file: *mut RawFile, ring_size: u32) -> i32;
    fn ssi_pipe_fill(
        file: *mut RawFile,
        slots: *const Slot,
        slots_len: u32,
        data: *const u8,
        data_len: u64,
    ) -> i32;
}

/// Counts of the pipe of which `end` is an end. Callers have checked the file's kind.
pub fn info(end: &FileRef) -> PipeInfo {
    let mut info = MaybeUninit::uninit();
    // SAFETY: The shim fills the whole struct.
    unsafe {
        ssi_pipe_info(end.as_ptr(), info.as_mut_ptr());
        info.assume_init()
    }
}

/// Copies the content of a pipe whose holders are stopped.
pub fn save(end: &FileRef, info: &PipeInfo) -> Result<(KVVec<Slot>, KVVec<u8>)> {
    let (slots_len, bytes) = (info.slots as usize, info.bytes as usize);
    let mut slots = KVVec::with_capacity(slots_len, GFP_KERNEL)?;
    let mut data: KVVec<u8> = KVVec::with_capacity(bytes, GFP_KERNEL)?;
    // SAFETY: Both buffers have the room that is named.
    to_result(unsafe {
        ssi_pipe_save(
            end.as_ptr(),
            slots.as_mut_ptr(),
            info.slots,
            data.as_mut_ptr(),
            info.bytes,
        )
    })?;
    // SAFETY: The shim succeeds only where the pipe held just that, and wrote all of it.
    unsafe {
        slots.set_len(slots_len);
        data.set_len(bytes);
    }
    Ok((slots, data))
}

/// A new pipe: its reading end and its writing end.
pub fn create() -> Result<(FileRef, FileRef)> {
    let mut raw = [null_mut(); 2];
    // SAFETY: `raw` has room for two files.
    to_result(unsafe { ssi_pipe_create(raw.as_mut_ptr()) })?;
    pair(raw)
}

/// One more open file on the same pipe.
pub fn reopen(end: &FileRef, flags: u32) -> Result<FileRef> {
    let mut raw = null_mut();
    // SAFETY: `raw` is written on success only.
    to_result(unsafe { ssi_pipe_reopen(end.as_ptr(), flags, &mut raw) })?;
    FileRef::from_raw(raw)
}

/// Gives the pipe `ring_size` slots.
pub fn resize(end: &FileRef, ring_size: u32) -> Result {
    // SAFETY: The reference keeps the pipe alive.
    to_result(unsafe { ssi_pipe_resize(end.as_ptr(), ring_size) })
}

/// Puts `slots` with their bytes into an empty pipe whose two ends are open.
pub fn fill(end: &FileRef, slots: &[Slot], data: &[u8]) -> Result {
    let (len, bytes) = (slots.len() as u32, data.len() as u64);
    // SAFETY: Both slices are valid for their lengths; the shim checks every slot.
    to_result(unsafe { ssi_pipe_fill(end.as_ptr(), slots.as_ptr(), len, data.as_ptr(), bytes) })
}
