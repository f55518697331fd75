// SPDX-License-Identifier: GPL-2.0
//! Putting back what processes and threads were: the door to `shim/identity.c`, `revive.c` and
//! `timers.c`. All acts on the current task, which is in kernel mode, unless said otherwise.

use core::ffi::c_char;
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;
use ssi_core::codec::Field;
use ssi_core::image::process::{PosixTimer, Timer};
use ssi_core::image::thread::Thread;

#[repr(C)]
struct RawRevival {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawPid {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_set_identity(image: *const u8, groups: *const u8) -> i32;
    fn ssi_pid_hold(nr: u32, out: *mut *mut RawPid) -> i32;
    fn ssi_pid_drop(pid: *mut RawPid, used: bool);
    fn ssi_pid_is_free(nr: u32) -> i32;
    fn ssi_pid_is_alive(nr: u32) -> bool;
    fn ssi_join(nr: u32, session: bool) -> i32;
    fn ssi_set_limits(limits: *const u8, privileged: bool) -> i32;
    fn ssi_set_directory(path: *const c_char, umask: u32) -> i32;
    fn ssi_set_process(image: *const u8);
    fn ssi_set_actions(actions: *const u8);
    fn ssi_revival_new(image: *const u8) -> *mut RawRevival;
    fn ssi_revival_free(revival: *mut RawRevival);
    fn ssi_revive_registers(revival: *mut RawRevival, fpu: *const u8, fpu_bytes: u32) -> i32;
    fn ssi_revive_vfork(revival: *mut RawRevival) -> i32;
    fn ssi_revive_flush();
    fn ssi_revive_signals(pending: *const u8, count: u32);
    fn ssi_timers_create(timers: *const u8, count: u32, scratch: *mut usize) -> i32;
    fn ssi_timers_start(interval: *const u8, timers: *const u8, count: u32, scratch: usize);
    fn ssi_revive_stopped(signal: u32);
    fn ssi_set_caps_of(pid: u32, caps: u32);
    fn ssi_revive(revival: *mut RawRevival) -> i32;
}

/// Makes current who a checked `Credentials` payload says.
pub fn set_identity(creds: &[u8]) -> Result {
    let (fixed, groups) = creds
        .split_at_checked(ssi_core::image::creds::Credentials::SIZE)
        .ok_or(EINVAL)?;
    // SAFETY: The fixed part has its size; its count of groups was checked against the rest.
    to_result(unsafe { ssi_set_identity(fixed.as_ptr(), groups.as_ptr()) })
}

/// The PID of a dead leader, kept free for its session or group.
pub struct HeldPid {
    raw: NonNull<RawPid>,
    nr: u32,
    used: bool,
}

// SAFETY: A reference of a struct pid may be used from every thread.
unsafe impl Send for HeldPid {}

impl HeldPid {
    /// Takes the PID. `EEXIST`: in use.
    pub fn new(nr: u32) -> Result<HeldPid> {
        let mut raw = null_mut();
        // SAFETY: `raw` is written on success.
        to_result(unsafe { ssi_pid_hold(nr, &mut raw) })?;
        let raw = NonNull::new(raw).ok_or(EINVAL)?;
        let used = false;
        Ok(HeldPid { raw, nr, used })
    }

    /// Its number.
    pub fn nr(&self) -> u32 {
        self.nr
    }

    /// A process has it now as session or group.
    pub fn set_used(&mut self) {
        self.used = true;
    }
}

impl Drop for HeldPid {
    fn drop(&mut self) {
        // SAFETY: The reference is ours, and whether it was used is known.
        unsafe { ssi_pid_drop(self.raw.as_ptr(), self.used) }
    }
}

/// Whether no task, group or session has this PID at the moment.
pub fn is_free(nr: u32) -> bool {
    // SAFETY: Looks.
    unsafe { ssi_pid_is_free(nr) != 0 }
}

/// Whether a process or thread with this PID has not ended.
pub fn is_alive(nr: u32) -> bool {
    // SAFETY: Looks.
    unsafe { ssi_pid_is_alive(nr) }
}

/// Takes current's process into a group.
pub fn join_group(nr: u32) -> Result {
    // SAFETY: Acts on current.
    to_result(unsafe { ssi_join(nr, false) })
}

/// Takes current's process into a session.
pub fn join_session(nr: u32) -> Result {
    // SAFETY: Acts on current.
    to_result(unsafe { ssi_join(nr, true) })
}

/// Sets the limits of current's process from a checked `Limits` payload.
pub fn set_limits(limits: &[u8; 256], privileged: bool) -> Result {
    // SAFETY: The payload has the size of all limits.
    to_result(unsafe { ssi_set_limits(limits.as_ptr(), privileged) })
}

/// Sets working directory and umask of current.
pub fn set_directory(path: &CStr, umask: u32) -> Result {
    // SAFETY: NUL-terminated.
    to_result(unsafe { ssi_set_directory(path.as_char_ptr().cast(), umask) })
}

/// Sets the few numbers of current's process that need nothing else.
pub fn set_process(process: &ssi_core::image::process::Process) -> Result {
    let mut bytes = [0; ssi_core::image::process::Process::SIZE];
    process.put(&mut bytes).map_err(|_| EINVAL)?;
    // SAFETY: The bytes are a whole record.
    unsafe { ssi_set_process(bytes.as_ptr()) };
    Ok(())
}

/// Sets what current's process does with signals, from a checked `SignalActions` payload.
pub fn set_actions(actions: &[u8]) -> Result {
    if actions.len() != 64 * ssi_core::image::signal::Action::SIZE {
        return Err(EINVAL);
    }
    // SAFETY: 64 actions.
    unsafe { ssi_set_actions(actions.as_ptr()) };
    Ok(())
}

/// A thread on its last steps to user mode.
pub struct Revival(NonNull<RawRevival>);

impl Revival {
    /// Prepares the thread that is current.
    pub fn new(thread: &Thread) -> Result<Revival> {
        let mut bytes = [0; Thread::SIZE];
        thread.put(&mut bytes).map_err(|_| EINVAL)?;
        // SAFETY: The bytes are a whole record, which C copies.
        let raw = unsafe { ssi_revival_new(bytes.as_ptr()) };
        NonNull::new(raw).map(Revival).ok_or(ENOMEM)
    }

    /// Sets all that does not show before user mode. `EINVAL`: this CPU cannot hold it.
    pub fn registers(&mut self, fpu: &[u8]) -> Result {
        // SAFETY: Acts on current, which is in kernel mode.
        to_result(unsafe { ssi_revive_registers(self.0.as_ptr(), fpu.as_ptr(), fpu.len() as u32) })
    }

    /// The son that borrows current's memory has been made.
    pub fn vfork(&mut self) -> Result {
        // SAFETY: Acts on a son of current.
        to_result(unsafe { ssi_revive_vfork(self.0.as_ptr()) })
    }

    /// Current goes to user mode when its birth returns.
    pub fn revive(self) -> Result {
        let raw = self.0;
        core::mem::forget(self);
        // SAFETY: C takes it over.
        to_result(unsafe { ssi_revive(raw.as_ptr()) })
    }
}

impl Drop for Revival {
    fn drop(&mut self) {
        // SAFETY: Not given away.
        unsafe { ssi_revival_free(self.0.as_ptr()) }
    }
}

/// Forgets signals that came while current was held.
pub fn flush_signals() {
    // SAFETY: Acts on current.
    unsafe { ssi_revive_flush() }
}

/// Makes the signals of checked `PendingSignal` payloads, one after the other, wait again.
pub fn send_signals(pending: &[u8]) {
    let count = pending.len() / ssi_core::image::signal::Pending::SIZE;
    // SAFETY: `count` whole records.
    unsafe { ssi_revive_signals(pending.as_ptr(), count as u32) }
}

/// The timers of current's process: made, and not yet started.
pub struct Timers<'a> {
    interval: &'a [u8],
    posix: &'a [u8],
    scratch: usize,
}

impl<'a> Timers<'a> {
    /// Makes the timers of a checked `Timer` payload.
    pub fn new(payload: &'a [u8]) -> Result<Timers<'a>> {
        let (interval, posix) = payload.split_at_checked(3 * Timer::SIZE).ok_or(EINVAL)?;
        let count = posix.len() / PosixTimer::SIZE;
        let mut scratch = 0;
        // SAFETY: `count` whole records; acts on current's process.
        to_result(unsafe { ssi_timers_create(posix.as_ptr(), count as u32, &mut scratch) })?;
        Ok(Timers {
            interval,
            posix,
            scratch,
        })
    }

    /// Starts them all.
    pub fn start(self) {
        let count = (self.posix.len() / PosixTimer::SIZE) as u32;
        // SAFETY: As for `new`; three interval timers before the others.
        unsafe {
            ssi_timers_start(
                self.interval.as_ptr(),
                self.posix.as_ptr(),
                count,
                self.scratch,
            );
        }
    }
}

/// Stops current as a signal does, once it gets to user mode; wait4(2) tells the father of
/// `signal`, unless that is 0.
pub fn stop_current(signal: u32) {
    // SAFETY: Acts on current.
    unsafe { ssi_revive_stopped(signal) }
}

/// Sets the capabilities of a process that is held.
pub fn set_caps(pid: u32, caps: u32) {
    // SAFETY: C looks the process up.
    unsafe { ssi_set_caps_of(pid, caps) }
}
