// SPDX-License-Identifier: GPL-2.0
//! eventfd counters, timers and signals as descriptors, epoll sets.

use super::file::{FileRef, RawFile};
use core::ptr::null_mut;
use kernel::error::to_result;
use kernel::prelude::*;

/// One file that an epoll watches; as `struct ssi_epoll_item`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Item {
    /// As [`FileRef::key`].
    pub file: u64,
    /// The program's own.
    pub data: u64,
    /// The number by which it was added.
    pub fd: u32,
    /// `EPOLL*` bits.
    pub events: u32,
}

/// A timer; as `struct ssi_timerfd`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Timer {
    /// `CLOCK_*`.
    pub clock: u32,
    /// `TFD_TIMER_*`: the next time is a time of day.
    pub settime: u32,
    /// How often it has expired unread.
    pub ticks: u64,
    /// Until the next time, or when that is; 0: it is not set.
    pub value_ns: u64,
    /// Between the times after that, 0: it expires once.
    pub interval_ns: u64,
}

extern "C" {
    fn ssi_timerfd_read(file: *mut RawFile, timer: *mut Timer) -> i32;
    fn ssi_timerfd_make(clock: u32, flags: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_timerfd_start(file: *mut RawFile, timer: *const Timer) -> i32;
    fn ssi_signalfd_read(file: *mut RawFile, mask: *mut u64) -> i32;
    fn ssi_signalfd_make(mask: u64, flags: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_eventfd_read(file: *mut RawFile, count: *mut u64, semaphore: *mut u32) -> i32;
    fn ssi_eventfd_make(count: u64, semaphore: u32, flags: u32, out: *mut *mut RawFile) -> i32;
    fn ssi_epoll_items(file: *mut RawFile, out: *mut Item, max: u32, count: *mut u32) -> i32;
    fn ssi_epoll_make(out: *mut *mut RawFile) -> i32;
    fn ssi_epoll_add(epoll: *mut RawFile, file: *mut RawFile, item: *const Item) -> i32;
}

/// What `make` writes, which it does on success only.
fn made(make: impl FnOnce(*mut *mut RawFile) -> i32) -> Result<FileRef> {
    let mut raw = null_mut();
    to_result(make(&mut raw))?;
    FileRef::from_raw(raw)
}

/// The counter of an eventfd, and whether it is a semaphore.
pub fn read_counter(file: &FileRef) -> Result<(u64, bool)> {
    let (mut count, mut semaphore) = (0, 0);
    // SAFETY: Both are valid for writes.
    to_result(unsafe { ssi_eventfd_read(file.as_ptr(), &mut count, &mut semaphore) })?;
    Ok((count, semaphore != 0))
}

/// A new eventfd.
pub fn make_counter(count: u64, semaphore: bool, flags: u32) -> Result<FileRef> {
    // SAFETY: `raw` is valid for writes.
    made(|raw| unsafe { ssi_eventfd_make(count, semaphore.into(), flags, raw) })
}

/// What a timer is set to.
///
/// # Errors
///
/// `EOPNOTSUPP` for the clock of an alarm.
pub fn read_timer(file: &FileRef) -> Result<Timer> {
    let mut timer = Timer::default();
    // SAFETY: `timer` is valid for writes.
    to_result(unsafe { ssi_timerfd_read(file.as_ptr(), &mut timer) })?;
    Ok(timer)
}

/// A new timer that is not set.
pub fn make_timer(clock: u32, flags: u32) -> Result<FileRef> {
    // SAFETY: `raw` is valid for writes.
    made(|raw| unsafe { ssi_timerfd_make(clock, flags, raw) })
}

/// Sets a timer.
pub fn start_timer(file: &FileRef, timer: &Timer) -> Result {
    // SAFETY: The file lives as long as its reference.
    to_result(unsafe { ssi_timerfd_start(file.as_ptr(), timer) })
}

/// Which signals a signalfd gives: bit 0 is signal 1.
pub fn read_signals(file: &FileRef) -> Result<u64> {
    let mut mask = 0;
    // SAFETY: `mask` is valid for writes.
    to_result(unsafe { ssi_signalfd_read(file.as_ptr(), &mut mask) })?;
    Ok(mask)
}

/// A new signalfd.
pub fn make_signals(mask: u64, flags: u32) -> Result<FileRef> {
    // SAFETY: `raw` is valid for writes.
    made(|raw| unsafe { ssi_signalfd_make(mask, flags, raw) })
}

/// What an epoll watches, at most `max` files.
pub fn items(epoll: &FileRef, max: u32) -> Result<KVVec<Item>> {
    let mut count = 0;
    // SAFETY: Nothing is written with a `max` of 0.
    match to_result(unsafe { ssi_epoll_items(epoll.as_ptr(), null_mut(), 0, &mut count) }) {
        Ok(()) => return Ok(KVVec::new()),
        Err(error) if error == ENOSPC && count <= max => {}
        Err(error) => return Err(error),
    }
    let mut items = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
    let room = count;
    // SAFETY: `items` has room for `room` entries.
    to_result(unsafe { ssi_epoll_items(epoll.as_ptr(), items.as_mut_ptr(), room, &mut count) })?;
    // SAFETY: The first `count`, at most `room`, entries were written.
    unsafe { items.set_len(count as usize) };
    Ok(items)
}

/// A new epoll.
pub fn make_epoll() -> Result<FileRef> {
    // SAFETY: `raw` is valid for writes.
    made(|raw| unsafe { ssi_epoll_make(raw) })
}

/// Makes `epoll` watch `file` as `item` says.
pub fn watch(epoll: &FileRef, file: &FileRef, item: &Item) -> Result {
    // SAFETY: Both files live as long as their references.
    to_result(unsafe { ssi_epoll_add(epoll.as_ptr(), file.as_ptr(), item) })
}
