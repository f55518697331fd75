// SPDX-License-Identifier: GPL-2.0
//! Kernel threads that run one value, clocks, random bytes.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;
use kernel::prelude::*;

#[repr(C)]
struct RawTask {
    _opaque: [u8; 0],
}

extern "C" {
    fn ssi_thread_start(
        run: extern "C" fn(*mut c_void) -> i32,
        data: *mut c_void,
        name: *const c_char,
    ) -> *mut RawTask;
    fn ssi_thread_join(task: *mut RawTask);
    fn ssi_thread_detach(task: *mut RawTask);
    fn ssi_clock_ms() -> u64;
    fn ssi_clock_ns() -> u64;
    fn ssi_wall_ms() -> u64;
    fn ssi_random(data: *mut u8, len: usize);
}

/// What a thread does.
pub trait Run: Send + 'static {
    /// The whole life of the thread.
    fn run(self);
}

extern "C" fn trampoline<T: Run>(data: *mut c_void) -> i32 {
    // SAFETY: `Thread::start` passed exactly this box, once.
    let value = unsafe { KBox::from_raw(data.cast::<T>()) };
    KBox::into_inner(value).run();
    0
}

/// A running kernel thread. It must end by itself; dropping it lets it run on unwatched.
pub struct Thread(NonNull<RawTask>);

// SAFETY: A task reference may be used from every thread.
unsafe impl Send for Thread {}
// SAFETY: As above.
unsafe impl Sync for Thread {}

impl Thread {
    /// Starts a thread that runs `value`.
    pub fn start<T: Run>(name: &'static CStr, value: T) -> Result<Thread> {
        let data = KBox::into_raw(KBox::new(value, GFP_KERNEL)?).cast::<c_void>();
        // SAFETY: The trampoline takes the box over; the name is NUL-terminated and static.
        let task = unsafe { ssi_thread_start(trampoline::<T>, data, name.as_char_ptr().cast()) };
        match NonNull::new(task) {
            Some(task) => Ok(Thread(task)),
            None => {
                // SAFETY: No thread was made, so the box is still ours.
                drop(unsafe { KBox::from_raw(data.cast::<T>()) });
                Err(ENOMEM)
            }
        }
    }

    /// Waits until the thread has ended. The caller has told it to, by other means.
    pub fn join(self) {
        let task = self.0;
        core::mem::forget(self);
        // SAFETY: The reference taken at the start is given up here.
        unsafe { ssi_thread_join(task.as_ptr()) }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: The reference taken at the start is given up here.
        unsafe { ssi_thread_detach(self.0.as_ptr()) }
    }
}

/// Milliseconds of the monotonic clock.
pub fn clock_ms() -> u64 {
    // SAFETY: Reads a clock.
    unsafe { ssi_clock_ms() }
}

/// Nanoseconds of the monotonic clock.
pub fn clock_ns() -> u64 {
    // SAFETY: Reads a clock.
    unsafe { ssi_clock_ns() }
}

/// Milliseconds since 1970.
pub fn wall_ms() -> u64 {
    // SAFETY: Reads a clock.
    unsafe { ssi_wall_ms() }
}

/// Fills `data` with random bytes fit for keys.
pub fn random(data: &mut [u8]) {
    // SAFETY: `data` is valid for writes of its length.
    unsafe { ssi_random(data.as_mut_ptr(), data.len()) }
}
