// SPDX-License-Identifier: GPL-2.0
//! Events: eventfd counters and epoll sets.
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
