// SPDX-License-Identifier: GPL-2.0
//! A counting gate on which user processes wait killably.

use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
struct RawGate {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_gate_new() -> *mut RawGate;
    fn ssi_gate_free(gate: *mut RawGate);
    fn ssi_gate_open(gate: *mut RawGate);
    fn ssi_gate_wait(gate: *mut RawGate) -> i32;
}

/// Each opening lets one wait through, earlier openings included.
pub struct Gate(NonNull<RawGate>);

// SAFETY: A completion may be used from every thread.
unsafe impl Send for Gate {}
// SAFETY: As above.
unsafe impl Sync for Gate {}

impl Gate {
    /// A closed gate.
    pub fn new() -> Result<Gate> {
        // SAFETY: Allocates.
        NonNull::new(unsafe { ssi_gate_new() })
            .map(Gate)
            .ok_or(ENOMEM)
    }

    /// Lets one wait through.
    pub fn open(&self) {
        // SAFETY: The gate lives as long as `self`.
        unsafe { ssi_gate_open(self.0.as_ptr()) }
    }

    /// Waits for an opening; `ERESTARTSYS` when the caller is being killed.
    pub fn wait(&self) -> Result {
        // SAFETY: The gate lives as long as `self`.
        to_result(unsafe { ssi_gate_wait(self.0.as_ptr()) })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // SAFETY: Nobody waits or opens without a borrow of `self`.
        unsafe { ssi_gate_free(self.0.as_ptr()) }
    }
}
