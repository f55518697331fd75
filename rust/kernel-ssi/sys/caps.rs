// SPDX-License-Identifier: GPL-2.0
//! Capabilities of processes, and the list of those that have one.

use kernel::error::to_result;
use kernel::prelude::*;
use ssi_core::abi::ProcessStatus;

extern "C" {
    fn ssi_caps_get(pid: u32, caps: *mut u32) -> i32;
    fn ssi_caps_set(pid: u32, caps: u32) -> i32;
    fn ssi_caps_application(pid: u32) -> u32;
    fn ssi_caps_set_application(pid: u32, application: u32);
    fn ssi_caps_is_head_root(pid: u32) -> bool;
    fn ssi_caps_list(entries: *mut ProcessStatus, max: i32) -> i32;
}

/// PID (in the initial namespace) and capabilities of process `pid`, 0 for the caller.
///
/// # Errors
///
/// `ESRCH`.
pub fn get(pid: u32) -> Result<(u32, u32)> {
    let mut caps = 0;
    // SAFETY: `caps` is valid for writes.
    let found = unsafe { ssi_caps_get(pid, &mut caps) };
    to_result(found)?;
    Ok((found.unsigned_abs(), caps))
}

/// Sets the capabilities of process `pid`, 0 for the caller.
///
/// # Errors
///
/// `ESRCH`; `EPERM` for kernel threads and other users' processes.
pub fn set(pid: u32, caps: u32) -> Result {
    // SAFETY: Plain numbers.
    to_result(unsafe { ssi_caps_set(pid, caps) })
}

/// Ids of applications are below this: what the kernel keeps for each process.
pub const APPLICATION_END: u64 = 1 << 30;

/// The application of process `pid`; 0 before its first checkpoint.
pub fn application(pid: u32) -> u64 {
    // SAFETY: A plain number.
    u64::from(unsafe { ssi_caps_application(pid) })
}

/// Notes that process `pid` belongs to an application, below [`APPLICATION_END`].
pub fn set_application(pid: u32, application: u64) {
    if let Some(id) = u32::try_from(application)
        .ok()
        .filter(|_| application < APPLICATION_END)
    {
        // SAFETY: Plain numbers.
        unsafe { ssi_caps_set_application(pid, id) }
    }
}

/// Whether process `pid` is CHECKPOINTABLE and its father is not.
pub fn is_head_root(pid: u32) -> bool {
    // SAFETY: A plain number.
    unsafe { ssi_caps_is_head_root(pid) }
}

const EMPTY: ProcessStatus = ProcessStatus {
    pid: 0,
    ppid: 0,
    pgid: 0,
    sid: 0,
    caps: 0,
    uid: 0,
    application: 0,
    comm: [0; 16],
};

/// The CHECKPOINTABLE processes of this node, at most `max`, and how many there are in all.
pub fn list(max: usize) -> Result<(KVec<ProcessStatus>, u32)> {
    let mut entries = KVec::from_elem(EMPTY, max, GFP_KERNEL)?;
    // SAFETY: `ProcessStatus` has the layout of `struct ssi_caps_entry`; there is room for `max`.
    let count = unsafe { ssi_caps_list(entries.as_mut_ptr(), i32::try_from(max)?) };
    let all = u32::try_from(count)?;
    // SAFETY: Shrinks; the entries are plain integers.
    unsafe { entries.set_len(max.min(all as usize)) };
    Ok((entries, all))
}

/// How many CHECKPOINTABLE processes this node has.
pub fn count() -> u32 {
    // SAFETY: With room for none, nothing is written.
    unsafe { ssi_caps_list(core::ptr::null_mut(), 0) }.unsigned_abs()
}
