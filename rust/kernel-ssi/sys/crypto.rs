// SPDX-License-Identifier: GPL-2.0
//! HMAC-SHA256.

use core::ffi::c_void;
use kernel::error::to_result;
use kernel::prelude::*;

extern "C" {
    fn ssi_hmac_sha256(
        key: *const c_void,
        key_len: usize,
        data: *const c_void,
        len: usize,
        out: *mut u8,
    ) -> i32;
}

/// HMAC-SHA256 (RFC 2104) of `data` with `key`.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> Result<[u8; 32]> {
    let mut out = [0; 32];
    // SAFETY: All three buffers are valid for their lengths; `out` holds 32 bytes.
    to_result(unsafe {
        ssi_hmac_sha256(
            key.as_ptr().cast(),
            key.len(),
            data.as_ptr().cast(),
            data.len(),
            out.as_mut_ptr(),
        )
    })?;
    Ok(out)
}
