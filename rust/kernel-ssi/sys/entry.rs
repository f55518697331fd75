// SPDX-License-Identifier: GPL-2.0
//! Where the kernel calls in: system calls and process hooks; and who is calling.

use crate::syscall;
use core::ffi::{c_int, c_long, c_void};
use kernel::error::to_result;
use kernel::prelude::*;

extern "C" {
    fn ssi_entry_register() -> c_int;
    fn ssi_entry_set_pid_range(min: c_int, end: c_int, first: c_int) -> c_int;
    fn ssi_entry_is_admin() -> bool;
    fn ssi_entry_caller(uid: *mut u32, gid: *mut u32);
}

fn to_long(result: Result<i64>) -> c_long {
    match result {
        Ok(value) => value,
        Err(error) => error.to_errno().into(),
    }
}

macro_rules! entries {
    ($($entry:ident => $call:path),* $(,)?) => {$(
        #[no_mangle]
        extern "C" fn $entry(args: *mut c_void, size: usize) -> c_long {
            to_long($call(args as usize, size))
        }
    )*};
}
entries! {
    ssi_rs_checkpoint => syscall::checkpoint,
    ssi_rs_restart => syscall::restart,
    ssi_rs_capset => syscall::capset,
    ssi_rs_capget => syscall::capget,
    ssi_rs_ctl => syscall::ctl,
}

#[no_mangle]
extern "C" fn ssi_rs_process_release(tgid: c_int) {
    syscall::process_released(tgid.unsigned_abs());
}

/// Makes the system calls and hooks lead here, for ever.
pub fn register() -> Result {
    // SAFETY: All functions of the table are in this module, which registration pins.
    to_result(unsafe { ssi_entry_register() })
}

/// New processes get PIDs from `min` up to `max`, both inclusive; the next one gets `first`.
pub fn set_pid_range(min: u32, max: u32, first: u32) -> Result {
    let (min, end) = (
        c_int::try_from(min)?,
        c_int::try_from(max)?.saturating_add(1),
    );
    let first = c_int::try_from(first)?;
    // SAFETY: Plain numbers, checked by the callee.
    to_result(unsafe { ssi_entry_set_pid_range(min, end, first) })
}

/// Whether the caller has CAP_SYS_ADMIN.
pub fn caller_is_admin() -> bool {
    // SAFETY: Reads the current task's credentials.
    unsafe { ssi_entry_is_admin() }
}

/// Effective user and group id of the caller.
pub fn caller() -> (u32, u32) {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: Both pointers are valid for writes.
    unsafe { ssi_entry_caller(&mut uid, &mut gid) };
    (uid, gid)
}
