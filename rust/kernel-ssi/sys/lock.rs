// SPDX-License-Identifier: GPL-2.0
//! Locks of files.

use super::file::{FileRef, RawFile};
use core::ptr::null_mut;
use kernel::error::to_result;
use kernel::prelude::*;

/// Kinds of `ssi_lock.kind` (shim/lock.h).
pub mod kind {
    #![allow(missing_docs)]
    pub const POSIX: u32 = 1;
    pub const OFD: u32 = 2;
    pub const FLOCK: u32 = 3;
}

/// A lock; as `struct ssi_lock`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Lock {
    /// Key of the descriptor table (POSIX) or of the open file.
    pub owner: u64,
    /// First byte.
    pub start: u64,
    /// Last byte.
    pub end: u64,
    /// A number of [`kind`], or another that cannot be set.
    pub kind: u32,
    /// 1 for a lock of a writer.
    pub exclusive: u32,
}

extern "C" {
    fn ssi_locks(file: *mut RawFile, out: *mut Lock, max: u32, count: *mut u32) -> i32;
    fn ssi_lock_set(file: *mut RawFile, lock: *const Lock) -> i32;
}

/// The locks of the inode behind `file`, whoever has them; at most `max`.
pub fn of_inode(file: &FileRef, max: u32) -> Result<KVVec<Lock>> {
    let mut count = 0;
    // SAFETY: Nothing is written with a `max` of 0.
    match to_result(unsafe { ssi_locks(file.as_ptr(), null_mut(), 0, &mut count) }) {
        Ok(()) => return Ok(KVVec::new()),
        Err(error) if error == ENOSPC && count <= max => {}
        Err(error) => return Err(error),
    }
    // Others may take locks meanwhile.
    let room = (count + 16).min(max);
    let mut locks = KVVec::with_capacity(room as usize, GFP_KERNEL)?;
    // SAFETY: `locks` has room for `room` entries.
    to_result(unsafe { ssi_locks(file.as_ptr(), locks.as_mut_ptr(), room, &mut count) })?;
    // SAFETY: The first `count`, at most `room`, entries were written.
    unsafe { locks.set_len(count as usize) };
    Ok(locks)
}

/// Takes a lock without waiting; a POSIX one for the calling task's table.
pub fn set(file: &FileRef, lock: &Lock) -> Result {
    // SAFETY: The struct is valid for reads; the reference keeps the file alive.
    to_result(unsafe { ssi_lock_set(file.as_ptr(), lock) })
}
