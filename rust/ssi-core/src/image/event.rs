// SPDX-License-Identifier: GPL-2.0
//! Events: eventfd counters, timers and signals as descriptors, epoll sets.
use crate::record;

/// Most files that one epoll watches.
pub const EPOLL_ITEMS_MAX: u32 = 1 << 16;

record! {
    /// `EventFd`; the subject is the object id.
    pub struct EventFd {
        /// Flags of open(2).
        pub flags: u32,
        /// 1 for EFD_SEMAPHORE.
        pub semaphore: u32,
        /// The counter.
        pub count: u64,
    }
}

/// [`TimerFd::settime`]: `value_ns` is a time of day (TFD_TIMER_ABSTIME).
pub const TIMER_ABSOLUTE: u32 = 1;
/// [`TimerFd::settime`]: setting the clock cancels it (TFD_TIMER_CANCEL_ON_SET).
pub const TIMER_CANCEL: u32 = 2;
/// Nanoseconds that no time of a timer reaches: what the kernel's `ktime_t` holds.
pub const TIMER_NS_END: u64 = i64::MAX as u64;

record! {
    /// `TimerFd`; the subject is the object id.
    pub struct TimerFd {
        /// Flags of open(2).
        pub flags: u32,
        /// CLOCK_REALTIME (0), CLOCK_MONOTONIC (1) or CLOCK_BOOTTIME (7).
        pub clock: u32,
        /// [`TIMER_ABSOLUTE`], [`TIMER_CANCEL`].
        pub settime: u32,
        /// 0.
        pub reserved: u32,
        /// How often it has expired unread.
        pub ticks: u64,
        /// Nanoseconds until the next time, or since 1970; 0: it is not set.
        pub value_ns: u64,
        /// Nanoseconds between the times after that, 0: it expires once.
        pub interval_ns: u64,
    }
}

record! {
    /// `SignalFd`; the subject is the object id.
    pub struct SignalFd {
        /// Flags of open(2).
        pub flags: u32,
        /// 0.
        pub reserved: u32,
        /// Signals that it gives: bit 0 is signal 1.
        pub mask: u64,
    }
}

record! {
    /// `Epoll`; the subject is the object id. [`EpollItem`]s follow.
    pub struct Epoll {
        /// Flags of open(2).
        pub flags: u32,
        /// Items that follow.
        pub count: u32,
    }
}

record! {
    /// A file that an epoll watches.
    pub struct EpollItem {
        /// The number by which it was added; the program may use it for another file by now.
        pub fd: u32,
        /// `EPOLL*` bits; a spent EPOLLONESHOT has only those that say how, not for what.
        pub events: u32,
        /// The program's own.
        pub data: u64,
        /// Object id of the file.
        pub object: u64,
    }
}
