// SPDX-License-Identifier: GPL-2.0
//! Pipes: their content slot by slot, and the open files on their ends.
use crate::record;

/// Most slots of a pipe: 1 << 16 pages, far above `fs.pipe-max-size`.
pub const SLOTS_MAX: u32 = 1 << 16;

/// [`PipeSlot::flags`]: one packet of a pipe in packet mode.
pub const SLOT_PACKET: u32 = 1;
/// [`PipeSlot::flags`]: a later write may add to it.
pub const SLOT_MERGE: u32 = 2;

record! {
    /// `Pipe`; the subject is the pipe's id, from 1. [`PipeSlot`]s follow, then all their bytes.
    pub struct Pipe {
        /// Slots that hold something.
        pub slots: u32,
        /// Slots in all, a power of two.
        pub ring_size: u32,
        /// Bytes in all slots.
        pub bytes: u64,
    }
}

record! {
    /// A slot: what one read of a pipe in packet mode returns.
    pub struct PipeSlot {
        /// Of the first byte in its page.
        pub offset: u32,
        /// Bytes.
        pub len: u32,
        /// `SLOT_*` bits.
        pub flags: u32,
    }
}

record! {
    /// `PipeEnd`; the subject is the object id.
    pub struct PipeEnd {
        /// Flags of open(2): access mode, O_NONBLOCK, O_DIRECT for packet mode.
        pub flags: u32,
        /// Zero.
        pub reserved: u32,
        /// Id of the pipe.
        pub pipe: u64,
    }
}
