// SPDX-License-Identifier: GPL-2.0
//! The frame around every image record: kind, version, length and digest of what follows.
//!
//! A part is a sequence of frames, each followed by `len` payload bytes (a fixed record and, for
//! some kinds, a tail of variable length), padded with zeros to a multiple of eight. The host
//! computes the digest (XXH64 with seed 0 of the payload); the core only compares.
use crate::record;

/// Starts every frame: `SSI1` in little-endian.
pub const FRAME_MAGIC: u32 = 0x3149_5353;

/// Most payload bytes of one record: what a reader must be ready to hold.
pub const PAYLOAD_BYTES_MAX: u32 = 16 << 20;

/// Set where a reader that does not know the kind must refuse the image.
pub const FLAG_REQUIRED: u16 = 1;

record! {
    /// The 32 bytes before every payload.
    pub struct Frame {
        /// [`FRAME_MAGIC`].
        pub magic: u32,
        /// What the payload is: a number of [`Kind`].
        pub kind: u16,
        /// [`FLAG_REQUIRED`] or 0.
        pub flags: u16,
        /// Layout version of this kind, from 1.
        pub version: u16,
        /// Zero.
        pub reserved: u16,
        /// Payload bytes, without the padding.
        pub len: u32,
        /// XXH64 (seed 0) of the payload.
        pub digest: u64,
        /// What the record is about (an object id, a PID, …), or 0.
        pub subject: u64,
    }
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident = $number:literal),* $(,)?) => {
        /// What a payload is. Numbers are never reused.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        pub enum Kind { $($(#[$meta])* $name = $number),* }

        impl Kind {
            /// The kind with this number, if this build knows it.
            pub const fn new(number: u16) -> Option<Kind> {
                match number {
                    $($number => Some(Kind::$name),)*
                    _ => None,
                }
            }

            /// The name that tools print.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$name => stringify!($name)),*
                }
            }
        }
    };
}

kinds! {
    /// First record of a part: who wrote it, from what kernel.
    PartHead = 1,
    /// Last record of a part: counts and the digest over all frames before it.
    PartTail = 2,
    /// The record whose existence makes a version exist.
    Commit = 3,
    /// A process: ids, links, session.
    Process = 16,
    /// A thread: registers, TLS, masks.
    Thread = 17,
    /// Extended registers of a thread, in the standard XSAVE layout.
    Fpu = 18,
    /// Signal actions of a process.
    SignalActions = 19,
    /// One pending signal with its data.
    PendingSignal = 20,
    /// Credentials of a thread.
    Credentials = 21,
    /// Working directory, root, umask.
    FsContext = 22,
    /// Resource limits of a process.
    Limits = 23,
    /// Interval and POSIX timers of a process.
    Timer = 24,
    /// Fixed numbers of an address space.
    AddressSpace = 32,
    /// One mapping of an address space.
    Mapping = 33,
    /// Which pages of an address space follow, and where in its page file.
    PageRuns = 34,
    /// Shared anonymous memory.
    SharedMemory = 35,
    /// A table of descriptors.
    DescriptorTable = 48,
    /// An open regular file or directory, by path.
    RegularFile = 49,
    /// A character device by name: null, zero, full, random, urandom.
    Device = 50,
    /// A pipe and its content.
    Pipe = 51,
    /// An open end of a pipe.
    PipeEnd = 52,
    /// A TCP connection's end: queues, options, names.
    TcpStream = 53,
    /// A listening TCP socket.
    TcpListener = 54,
    /// An eventfd counter.
    EventFd = 55,
    /// An epoll set with its items.
    Epoll = 56,
    /// A terminal or pipe to outside, given anew at restart.
    External = 57,
    /// An unconnected or dead TCP socket.
    TcpIdle = 58,
    /// A lock of a file.
    FileLock = 59,
    /// An end of a pair of UNIX sockets, with what it has not read.
    PairEnd = 60,
    /// A timer as a descriptor.
    TimerFd = 61,
    /// Signals as a descriptor.
    SignalFd = 62,
}
