// SPDX-License-Identifier: GPL-2.0
//! Making processes and threads that are held in kernel mode: the door to `shim/spawn.c` and
//! `door.c`.

use core::ffi::c_void;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

#[repr(C)]
struct RawDoor {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_spawn(kind: i32, pid: u32, exit_signal: i32, birth: *mut c_void) -> i32;
    fn ssi_birth_reset();
    fn ssi_leave_namespaces() -> i32;
    fn ssi_wait_for_sons(pids: *const u32, count: u32) -> i32;
    fn ssi_wait_for_zombie(pid: u32) -> i32;
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
