// SPDX-License-Identifier: GPL-2.0
//! Open files by reference: regular files, directories, harmless devices, standard streams.
use crate::record;

/// Longest path, in bytes, without a NUL.
pub const PATH_BYTES_MAX: u32 = 4095;

/// [`RegularFile::traits`]: a directory.
pub const FILE_DIRECTORY: u32 = 1;
/// [`RegularFile::traits`]: open for writing, so its length is restored.
pub const FILE_WRITABLE: u32 = 2;

record! {
    /// `RegularFile`; the subject is the object id. The path follows, without a NUL.
    pub struct RegularFile {
        /// Flags of open(2), as F_GETFL gives them.
        pub flags: u32,
        /// `FILE_*` bits.
        pub traits: u32,
        /// Offset.
        pub pos: u64,
        /// Length at the cut.
        pub size: u64,
    }
}

record! {
    /// `Device`; the subject is the object id. The path follows, without a NUL.
    pub struct Device {
        /// Flags of open(2).
        pub flags: u32,
        /// Device number: major << 20 | minor; the path must lead to it again.
        pub rdev: u32,
    }
}

/// Most locks of one file.
pub const LOCKS_MAX: u32 = 1 << 16;
/// [`FileLock::kind`]: fcntl(F_SETLK), of a descriptor table.
pub const LOCK_POSIX: u32 = 1;
/// [`FileLock::kind`]: fcntl(F_OFD_SETLK), of an open file.
pub const LOCK_OFD: u32 = 2;
/// [`FileLock::kind`]: flock(2), of an open file.
pub const LOCK_FLOCK: u32 = 3;

record! {
    /// `FileLock`; the subject is the object id of the open file.
    pub struct FileLock {
        /// Object id of the open file: its owner, or one by which its owner reaches the inode.
        pub object: u64,
        /// Id of the descriptor table that owns a POSIX lock, 0 for others.
        pub table: u64,
        /// First byte.
        pub start: u64,
        /// Last byte.
        pub end: u64,
        /// `LOCK_*`.
        pub kind: u32,
        /// 1 for a writer's, 0 for a reader's.
        pub exclusive: u32,
    }
}

/// [`External::what`]: a terminal.
pub const EXTERNAL_TERMINAL: u32 = 1;
/// [`External::what`]: a pipe or UNIX stream to a process outside.
pub const EXTERNAL_PIPE: u32 = 2;

record! {
    /// `External`; the subject is the object id.
    pub struct External {
        /// Flags of open(2).
        pub flags: u32,
        /// Which standard stream it stands for: 0, 1 or 2.
        pub role: u32,
        /// `EXTERNAL_*`.
        pub what: u32,
        /// Zero.
        pub reserved: u32,
    }
}
