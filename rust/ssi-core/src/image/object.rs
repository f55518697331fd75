// SPDX-License-Identifier: GPL-2.0
//! Descriptor tables: which number of which table means which open file.
//!
//! Open files have object ids, unique in their part, from 1: the subject of their records. Files
//! that several descriptors or tables share have one record, and so share offset and flags again.
use crate::record;

/// Most descriptors of one table.
pub const DESCRIPTORS_MAX: u32 = 1 << 16;
/// Most descriptor tables of one part.
pub const TABLES_MAX: u32 = 1 << 14;
/// Most open files of one part.
pub const OBJECTS_MAX: u32 = 1 << 18;
/// Descriptor numbers are below this, whatever limit the process has.
pub const DESCRIPTOR_END: u32 = 1 << 20;

/// [`Descriptor::flags`]: closed by exec.
pub const DESCRIPTOR_CLOEXEC: u32 = 1;

record! {
    /// `DescriptorTable`; the subject is the table's id, from 1. [`Descriptor`]s follow, by number.
    pub struct DescriptorTable {
        /// Descriptors that follow.
        pub count: u32,
        /// Zero.
        pub reserved: u32,
    }
}

record! {
    /// One descriptor of a table.
    pub struct Descriptor {
        /// The number.
        pub fd: u32,
        /// `DESCRIPTOR_*` bits.
        pub flags: u32,
        /// Object id of the open file.
        pub object: u64,
    }
}
