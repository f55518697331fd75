// SPDX-License-Identifier: GPL-2.0
//! Files that an application writes: made durable behind the pause, without keeping them open.

use super::file::{FileRef, RawFile};
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
struct RawFlush {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_flush_new(file: *mut RawFile) -> *mut RawFlush;
    fn ssi_flush_run(flush: *mut RawFlush) -> i32;
    fn ssi_flush_free(flush: *mut RawFlush);
}

/// A file that is to be made durable later.
pub struct Flush(NonNull<RawFlush>);

// SAFETY: References of a path and of credentials may be used and given up by any thread.
unsafe impl Send for Flush {}
// SAFETY: As above.
unsafe impl Sync for Flush {}

impl Flush {
    /// Remembers a regular file; the open file itself may be closed.
    pub fn of(file: &FileRef) -> Result<Flush> {
        // SAFETY: The reference keeps the file open for the call.
        NonNull::new(unsafe { ssi_flush_new(file.as_ptr()) })
            .map(Flush)
            .ok_or(ENOMEM)
    }

    /// Returns when all that was written to the file is durable.
    pub fn run(&self) -> Result {
        // SAFETY: The pointer is ours until the drop.
        to_result(unsafe { ssi_flush_run(self.0.as_ptr()) })
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        // SAFETY: Given back once.
        unsafe { ssi_flush_free(self.0.as_ptr()) }
    }
}
