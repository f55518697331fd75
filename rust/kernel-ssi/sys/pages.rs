// SPDX-License-Identifier: GPL-2.0
//! Batches of page references, and copies of shared memory.

use core::ptr::NonNull;
use kernel::error::{from_err_ptr, to_result};
use kernel::prelude::*;

use super::fsio::{Creds, File, RawCred, RawFile};
use super::mm::{Mm, RawMm};

/// Most pages of a batch; SSI_BATCH_PAGES of shim/pages.h.
pub const BATCH_PAGES: u32 = 1024;

const _: () = assert!(BATCH_PAGES == ssi_core::image::memory::RUN_PAGES_MAX);

#[repr(C)]
struct RawBatch {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawShared {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_batch_new() -> *mut RawBatch;
    fn ssi_batch_free(batch: *mut RawBatch);
    fn ssi_batch_clear(batch: *mut RawBatch);
    fn ssi_batch_len(batch: *const RawBatch) -> u32;
    fn ssi_batch_address(batch: *const RawBatch, index: u32) -> u64;
    fn ssi_batch_digest(batch: *const RawBatch, first: u32, count: u32) -> u64;
    fn ssi_batch_collect(batch: *mut RawBatch, mm: *mut RawMm, at: *mut u64, end: u64) -> i32;
    fn ssi_batch_collect_shared(batch: *mut RawBatch, shared: *mut RawShared, at: *mut u64) -> i32;
    fn ssi_batch_pin(batch: *mut RawBatch, address: u64, count: u32) -> i32;
    fn ssi_batch_take_file(
        batch: *mut RawBatch,
        file: *mut RawFile,
        offset: u64,
        count: u32,
    ) -> i32;
    fn ssi_batch_write(
        batch: *mut RawBatch,
        file: *mut RawFile,
        pos: u64,
        cred: *const RawCred,
    ) -> i32;
    fn ssi_batch_read(batch: *mut RawBatch, file: *mut RawFile, pos: u64) -> i32;
    fn ssi_shared_copy(mm: *mut RawMm, address: u64, key: u64) -> *mut RawShared;
    fn ssi_shared_size(shared: *const RawShared) -> u64;
    fn ssi_shared_free(shared: *mut RawShared);
    fn ssi_shared_create(size: u64) -> *mut RawFile;
}

/// Whether there is more where a batch came from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// The range is done.
    No,
    /// The batch is full.
    Yes,
}

/// References to at most [`BATCH_PAGES`] pages, with their addresses.
pub struct Batch(NonNull<RawBatch>);

// SAFETY: Plain memory of its own; page references belong to no task.
unsafe impl Send for Batch {}

impl Batch {
    /// An empty batch.
    pub fn new() -> Result<Batch> {
        // SAFETY: No arguments.
        NonNull::new(unsafe { ssi_batch_new() })
            .map(Batch)
            .ok_or(ENOMEM)
    }

    /// Lets all pages go.
    pub fn clear(&mut self) {
        // SAFETY: The batch is ours.
        unsafe { ssi_batch_clear(self.0.as_ptr()) }
    }

    /// How many pages.
    pub fn len(&self) -> u32 {
        // SAFETY: The batch is ours.
        unsafe { ssi_batch_len(self.0.as_ptr()) }
    }

    /// Where a page belongs.
    pub fn address(&self, index: u32) -> u64 {
        // SAFETY: The batch is ours; the index is checked by the callee.
        unsafe { ssi_batch_address(self.0.as_ptr(), index) }
    }

    /// XXH64 of `count` pages from `first` on.
    pub fn digest(&self, first: u32, count: u32) -> u64 {
        // SAFETY: The batch is ours; the callee stays inside it.
        unsafe { ssi_batch_digest(self.0.as_ptr(), first, count) }
    }

    /// Adds the private pages of a clone from `at`, which moves on, up to `end`.
    pub fn collect(&mut self, mm: &Mm, at: &mut u64, end: u64) -> Result<More> {
        // SAFETY: All three outlive the call.
        more(unsafe { ssi_batch_collect(self.0.as_ptr(), mm.raw(), at, end) })
    }

    /// Moves copies from offset `at`, which moves on, into the batch.
    pub fn collect_shared(&mut self, shared: &mut Shared, at: &mut u64) -> Result<More> {
        // SAFETY: All three outlive the call.
        more(unsafe { ssi_batch_collect_shared(self.0.as_ptr(), shared.0.as_ptr(), at) })
    }

    /// Adds pages of the current process, made private, to be filled.
    pub fn pin(&mut self, address: u64, count: u32) -> Result {
        // SAFETY: The batch is ours; the address is looked up in the current mm, not followed.
        to_result(unsafe { ssi_batch_pin(self.0.as_ptr(), address, count) })
    }

    /// Adds pages of shared memory, to be filled.
    pub fn take_file(&mut self, file: &File, offset: u64, count: u32) -> Result {
        // SAFETY: Both outlive the call.
        to_result(unsafe { ssi_batch_take_file(self.0.as_ptr(), file.raw(), offset, count) })
    }

    /// Writes all pages at `pos`.
    pub fn write(&mut self, file: &File, pos: u64, creds: &Creds) -> Result {
        // SAFETY: All outlive the call.
        to_result(unsafe { ssi_batch_write(self.0.as_ptr(), file.raw(), pos, creds.raw()) })
    }

    /// Fills all pages from `pos`; `ENODATA` where the file ends before.
    pub fn read(&mut self, file: &File, pos: u64) -> Result {
        // SAFETY: Both outlive the call.
        to_result(unsafe { ssi_batch_read(self.0.as_ptr(), file.raw(), pos) })
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: The batch is ours and not used again.
        unsafe { ssi_batch_free(self.0.as_ptr()) }
    }
}

fn more(ret: i32) -> Result<More> {
    match ret {
        0 => Ok(More::No),
        1 => Ok(More::Yes),
        error => Err(Error::from_errno(error)),
    }
}

/// Copies of the pages of a shared memory.
pub struct Shared(NonNull<RawShared>);

// SAFETY: Plain memory of its own.
unsafe impl Send for Shared {}

impl Shared {
    /// Copies what `mm` maps at `address`, if it still is the memory with this key.
    pub fn copy(mm: &Mm, address: u64, key: u64) -> Result<Shared> {
        // SAFETY: `mm` is alive; address and key are looked up, not followed.
        let raw = from_err_ptr(unsafe { ssi_shared_copy(mm.raw(), address, key) })?;
        NonNull::new(raw).map(Shared).ok_or(EINVAL)
    }

    /// Bytes of the memory.
    pub fn size(&self) -> u64 {
        // SAFETY: The copies are ours.
        unsafe { ssi_shared_size(self.0.as_ptr()) }
    }

    /// New shared memory of `size` bytes, as a file to be mapped.
    pub fn create(size: u64) -> Result<File> {
        // SAFETY: No pointers.
        File::from_raw(from_err_ptr(unsafe { ssi_shared_create(size) })?)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: The copies are ours and not used again.
        unsafe { ssi_shared_free(self.0.as_ptr()) }
    }
}
