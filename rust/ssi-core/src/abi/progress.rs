// SPDX-License-Identifier: GPL-2.0
//! How far an operation is.

/// Steps of an operation, in order.
pub mod step {
    /// No operation.
    pub const IDLE: u32 = 0;
    /// Processes are being found and stopped.
    pub const STOP: u32 = 1;
    /// State is being saved in memory.
    pub const SNAPSHOT: u32 = 2;
    /// The application runs again; images are being written.
    pub const WRITE: u32 = 3;
    /// The commit record is being written.
    pub const COMMIT: u32 = 4;
    /// Processes are being created.
    pub const CREATE: u32 = 5;
}

/// How far the newest operation of this node is.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Progress {
    /// A number of [`step`].
    pub step: u32,
    /// Processes found so far on this node.
    pub processes: u32,
    /// Bytes written or read so far on this node.
    pub bytes: u64,
    /// Bytes that this node expects in all, 0 where unknown.
    pub bytes_total: u64,
}
