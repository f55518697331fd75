// SPDX-License-Identifier: GPL-2.0
//! A version to another store: what `ssi_ctl` takes and answers.

/// Every node's store at the other place is its own: each part goes to two of them.
pub const FLUSH_COPIES: u32 = 1;
/// Every flag of a flush.
pub const FLUSH_FLAGS: u32 = 1;

/// Arguments of FLUSH; their size is in `CtlArgs`, and bytes past what the kernel knows are zero.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FlushArgs {
    /// Application id.
    pub application: u64,
    /// Version of it.
    pub version: u32,
    /// `FLUSH_*` bits.
    pub flags: u32,
    /// Absolute path of the store that has it, on every node.
    pub from: u64,
    /// Absolute path of the store that it goes to, on every node.
    pub to: u64,
    /// Bytes at `from`.
    pub from_len: u32,
    /// Bytes at `to`.
    pub to_len: u32,
    /// Where a [`FlushReport`] is written when the call succeeds; may be 0.
    pub report: u64,
}

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FlushReport {
    /// Bytes of all parts, as often as they were written.
    pub bytes: u64,
    /// Nanoseconds from the call to the end.
    pub total_ns: u64,
    /// Nodes that were asked to write; 0 where the store has this version already.
    pub nodes: u32,
    /// Zero.
    pub reserved: u32,
}
