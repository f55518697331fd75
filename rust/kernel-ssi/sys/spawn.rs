// SPDX-License-Identifier: GPL-2.0
//! Making processes and threads and putting back what they were: the door to `shim/spawn.c`,
//! `identity.c`, `revive.c` and `door.c`.

use core::ffi::{c_char, c_void};
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;
use ssi_core::codec::Field;
use ssi_core::image::process::{PosixTimer, Timer};
use ssi_core::image::thread::Thread;

#[repr(C)]
struct RawDoor {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawRevival {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawPid {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_spawn(kind: i32, pid: u32, exit_signal: i32, birth: *mut c_void) -> i32;
    fn ssi_birth_reset();
    fn ssi_leave_namespaces() -> i32;
    fn ssi_wait_for_sons(pids: *const u32, count: u32) -> i32;
    fn ssi_wait_for_zombie(pid: u32) -> i32;
    fn ssi_set_identity(image: *const u8, groups: *const u8) -> i32;
    fn ssi_pid_hold(nr: u32, out: *mut *mut RawPid) -> i32;
    fn ssi_pid_drop(pid: *mut RawPid, used: bool);
    fn ssi_pid_is_free(nr: u32) -> i32;
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
    fn ssi_revive_stopped();
    fn ssi_set_caps_of(pid: u32, caps: u32);
    fn ssi_revive(revival: *mut RawRevival) -> i32;
    fn ssi_door_new() -> *mut RawDoor;
    fn ssi_door_free(door: *mut RawDoor);
    fn ssi_door_add(door: *mut RawDoor);
    fn ssi_door_break(door: *mut RawDoor);
    fn ssi_door_wait(door: *mut RawDoor, count: u32) -> i32;
}

/// A counter that tasks wait for, killably, and that can be broken for all of them.
pub struct Door(NonNull<RawDoor>);

// SAFETY: A wait queue and an atomic may be used from every thread.
unsafe impl Send for Door {}
// SAFETY: As above.
unsafe impl Sync for Door {}

impl Door {
    /// A door at 0.
    pub fn new() -> Result<Door> {
        // SAFETY: Allocates.
        NonNull::new(unsafe { ssi_door_new() })
            .map(Door)
            .ok_or(ENOMEM)
    }

    /// Counts one up.
    pub fn add(&self) {
        // SAFETY: The door lives as long as `self`.
        unsafe { ssi_door_add(self.0.as_ptr()) }
    }

    /// Everybody who waits, now or later, is turned away.
    pub fn break_open(&self) {
        // SAFETY: As above.
        unsafe { ssi_door_break(self.0.as_ptr()) }
    }

    /// Waits for `count`.
    ///
    /// # Errors
    ///
    /// `ECANCELED` once broken; `ERESTARTSYS` where the caller is being killed.
    pub fn wait(&self, count: u32) -> Result {
        // SAFETY: As above.
        to_result(unsafe { ssi_door_wait(self.0.as_ptr(), count) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // SAFETY: Nobody waits without a borrow of `self`.
        unsafe { ssi_door_free(self.0.as_ptr()) }
    }
}

/// What is made (`enum ssi_spawn_kind`).
#[derive(Clone, Copy)]
#[repr(i32)]
pub enum Kind {
    /// A son with the signal that its end sends.
    Process(u8) = 0,
    /// A thread that shares the descriptor table of its maker.
    Thread = 1,
    /// A thread with a table of its own.
    Loner = 2,
}

/// How a birth ends.
pub enum Fate {
    /// The task goes on to user mode.
    Lives,
    /// Its process exits with this status, as wait4(2) gives it.
    Exits(i32),
    /// It exits alone, and leaves its process to the other threads.
    Leaves,
}

/// What a new task does before it is anything, in kernel mode.
pub trait Birth: Send + 'static {
    /// Runs in the new task.
    fn born(self) -> Fate;
}

struct Midwife {
    deliver: fn(*mut c_void) -> Fate,
    birth: *mut c_void,
}

fn deliver<B: Birth>(birth: *mut c_void) -> Fate {
    // SAFETY: `spawn` passed exactly this box; it is delivered once.
    let birth = unsafe { KBox::from_raw(birth.cast::<B>()) };
    KBox::into_inner(birth).born()
}

/// Entry from C, in the new task.
#[no_mangle]
extern "C" fn ssi_born(birth: *mut c_void, code: *mut i32) -> i32 {
    // SAFETY: `spawn` passed this box, and nobody else has it.
    let midwife = KBox::into_inner(unsafe { KBox::from_raw(birth.cast::<Midwife>()) });
    match (midwife.deliver)(midwife.birth) {
        Fate::Lives => 0,
        Fate::Exits(status) => {
            // SAFETY: C passes a place for one int.
            unsafe { code.write(status) };
            1
        }
        Fate::Leaves => 2,
    }
}

/// Makes a task with this PID or TID; it runs `birth` first.
///
/// # Errors
///
/// `EEXIST`: the PID is in use. `EAGAIN`, `ENOMEM`.
pub fn spawn<B: Birth>(kind: Kind, pid: u32, birth: B) -> Result {
    let birth = KBox::into_raw(KBox::new(birth, GFP_KERNEL)?).cast::<c_void>();
    let deliver = deliver::<B>;
    let midwife = match KBox::new(Midwife { deliver, birth }, GFP_KERNEL) {
        Ok(midwife) => KBox::into_raw(midwife),
        Err(error) => {
            // SAFETY: Nobody took the box.
            drop(unsafe { KBox::from_raw(birth.cast::<B>()) });
            return Err(error.into());
        }
    };
    let (number, signal) = match kind {
        Kind::Process(signal) => (0, i32::from(signal)),
        Kind::Thread => (1, 0),
        Kind::Loner => (2, 0),
    };
    // SAFETY: Where a task is made it takes the boxes over, and nobody does otherwise.
    let made = to_result(unsafe { ssi_spawn(number, pid, signal, midwife.cast()) });
    if made.is_err() {
        // SAFETY: No task was made, so both boxes are still ours.
        unsafe {
            drop(KBox::from_raw(midwife));
            drop(KBox::from_raw(birth.cast::<B>()));
        }
    }
    made
}

/// Gives up what the current process has from its maker.
pub fn reset_current() -> Result {
    // SAFETY: Acts on current, which is in kernel mode and alone in its process.
    unsafe {
        ssi_birth_reset();
        to_result(ssi_leave_namespaces())
    }
}

/// Waits until these sons, which are ending, are gone.
pub fn wait_for_sons(pids: &[u32]) -> Result {
    // SAFETY: The slice outlives the call.
    to_result(unsafe { ssi_wait_for_sons(pids.as_ptr(), pids.len() as u32) })
}

/// Waits until a son that is ending is a zombie.
pub fn wait_for_zombie(pid: u32) -> Result {
    // SAFETY: Waits.
    to_result(unsafe { ssi_wait_for_zombie(pid) })
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

/// Stops current's process as SIGSTOP does, once it gets to user mode.
pub fn stop_current() {
    // SAFETY: Acts on current.
    unsafe { ssi_revive_stopped() }
}

/// Sets the capabilities of a process that is held.
pub fn set_caps(pid: u32, caps: u32) {
    // SAFETY: C looks the process up.
    unsafe { ssi_set_caps_of(pid, caps) }
}
