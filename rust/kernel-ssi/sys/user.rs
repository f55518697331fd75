// SPDX-License-Identifier: GPL-2.0
//! Arguments from user space and answers to it: versioned, sized structs as in clone3(2).

use core::mem::{size_of, MaybeUninit};
use kernel::prelude::*;
use kernel::uaccess::UserSlice;
use ssi_core::abi;

/// A struct of the call interface: every bit pattern is a value, and it has no padding.
///
/// # Safety
///
/// Only for `repr(C)` structs of integers and arrays of them, without padding.
pub unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($name:ty),*) => {$(
        // SAFETY: `repr(C)`, integers only; the const checks below exclude padding at the end.
        unsafe impl Plain for $name {}
    )*};
}
plain!(
    abi::CapArgs,
    abi::CheckpointArgs,
    abi::CheckpointReport,
    abi::CtlArgs,
    abi::Failure,
    abi::FlushArgs,
    abi::FlushReport,
    abi::JoinArgs,
    abi::NodeAddress,
    abi::NodeStatus,
    abi::ProcessStatus,
    abi::Progress,
    abi::RestartArgs,
    abi::RestartReport
);

/// Reads the arguments of a call whose caller's struct has `size` bytes.
///
/// # Errors
///
/// `EFAULT`; `EINVAL` below the first version's size; `E2BIG` where unknown bytes are not zero.
pub fn read_args<T: Plain>(address: usize, size: usize) -> Result<T> {
    let known = size_of::<T>();
    if size < known {
        return Err(EINVAL);
    }
    if size > kernel::page::PAGE_SIZE {
        return Err(E2BIG);
    }
    let mut reader = UserSlice::new(address, size).reader();
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: `MaybeUninit` bytes may be written in any way.
    let bytes = unsafe {
        core::slice::from_raw_parts_mut(value.as_mut_ptr().cast::<MaybeUninit<u8>>(), known)
    };
    reader.read_raw(bytes)?;
    let mut extra = [0u8; 64];
    while !reader.is_empty() {
        let len = reader.len().min(extra.len());
        reader.read_slice(&mut extra[..len])?;
        if extra[..len].iter().any(|&byte| byte != 0) {
            return Err(E2BIG);
        }
    }
    // SAFETY: All bytes were read, and `T: Plain` takes every pattern.
    Ok(unsafe { value.assume_init() })
}

/// Reads one entry at `address`.
pub fn read<T: Plain>(address: u64) -> Result<T> {
    read_args(address as usize, size_of::<T>())
}

/// Writes `value` to `address`; does nothing where that is 0.
pub fn write<T: Plain>(address: u64, value: &T) -> Result {
    if address == 0 {
        return Ok(());
    }
    // SAFETY: `T: Plain` has no padding, so all its bytes are initialised.
    let bytes =
        unsafe { core::slice::from_raw_parts((value as *const T).cast::<u8>(), size_of::<T>()) };
    UserSlice::new(address as usize, bytes.len())
        .writer()
        .write_slice(bytes)
}

/// Reads `len` bytes of text, at most `max`.
///
/// # Errors
///
/// `EFAULT`, `ENOMEM`; `E2BIG` above `max`.
pub fn read_bytes(address: u64, len: u32, max: usize) -> Result<KVec<u8>> {
    let len = len as usize;
    if len > max {
        return Err(E2BIG);
    }
    let mut bytes = KVec::new();
    UserSlice::new(address as usize, len).read_all(&mut bytes, GFP_KERNEL)?;
    Ok(bytes)
}
