// SPDX-License-Identifier: GPL-2.0
//! Where the search for an application starts, what was asked for, and what was found.

use crate::abi;
use crate::codec::{CodecError, Field, Reader, Writer};
use crate::image::signal::SIGNALS;
use crate::node::ClusterPid;
use crate::record;
use crate::stream::End;
use crate::text::Path;

record! {
    /// What the caller of a checkpoint asked for.
    pub struct Options {
        /// `CHECKPOINT_*` bits of the system call.
        pub flags: u32,
        /// The caller's user id.
        pub uid: u32,
        /// The caller's group id.
        pub gid: u32,
        /// Signal for the processes, 0 for none.
        pub signal: u32,
        /// Absolute path of the store on every node.
        pub store: Path,
    }
}

impl Options {
    /// Whether these can be asked for together: a signal where one is sent, and only there.
    pub const fn possible(&self) -> bool {
        let signals = self.only_signals() || self.holds();
        self.flags & !abi::CHECKPOINT_FLAGS == 0
            && !(self.only_signals() && (self.holds() || self.copies()))
            && (!self.continues() || self.only_signals())
            && self.signal <= SIGNALS
            && (self.signal != 0 || self.continues()) == signals
    }

    /// Nothing is saved: the processes are stopped, get the signal and go on.
    pub const fn only_signals(&self) -> bool {
        self.flags & abi::CHECKPOINT_SIGNAL_ONLY != 0
    }

    /// The processes are held until the commit, and get the signal then.
    pub const fn holds(&self) -> bool {
        self.flags & abi::CHECKPOINT_HOLD != 0
    }

    /// A second copy of every part goes to another node.
    pub const fn copies(&self) -> bool {
        self.flags & abi::CHECKPOINT_COPIES != 0
    }

    /// The processes get SIGCONT, too.
    pub const fn continues(&self) -> bool {
        self.flags & abi::CHECKPOINT_CONTINUE != 0
    }
}

/// Where to go on looking for processes of the application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// The process that the caller named: it must exist, have the capability and be the caller's.
    Target(ClusterPid),
    /// The father of a process that was found. Without the capability it is outside.
    Father(ClusterPid),
    /// A son of a process that was found. Without the capability it is outside.
    Son(ClusterPid),
    /// The end `near` of a connection whose end `far` was found.
    Stream {
        /// Address and port at the node that gets the seed.
        near: End,
        /// Address and port at the node that sends it.
        far: End,
    },
}

impl Seed {
    /// Whether both name one connection, each another end of it.
    pub fn is_other_end(&self, other: &Seed) -> bool {
        match (self, other) {
            (Seed::Stream { near, far }, Seed::Stream { near: n, far: f }) => near == f && far == n,
            (
                Seed::Target(_) | Seed::Father(_) | Seed::Son(_) | Seed::Stream { .. },
                Seed::Target(_) | Seed::Father(_) | Seed::Son(_) | Seed::Stream { .. },
            ) => false,
        }
    }
}

impl Field for Seed {
    const SIZE: usize = 8 + 2 * End::SIZE;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        let mut writer = Writer::new(out);
        let (kind, pid, near, far) = match self {
            Seed::Target(pid) => (1u32, pid.raw(), End::NONE, End::NONE),
            Seed::Father(pid) => (2, pid.raw(), End::NONE, End::NONE),
            Seed::Son(pid) => (3, pid.raw(), End::NONE, End::NONE),
            Seed::Stream { near, far } => (4, 0, *near, *far),
        };
        writer.field(&kind)?;
        writer.field(&pid)?;
        writer.field(&near)?;
        writer.field(&far)?;
        writer.done()
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let kind: u32 = reader.field()?;
        let raw: u32 = reader.field()?;
        let near: End = reader.field()?;
        let far: End = reader.field()?;
        reader.done()?;
        let bare = near == End::NONE && far == End::NONE;
        match (kind, ClusterPid::new(raw)) {
            (1, Some(pid)) if bare => Ok(Seed::Target(pid)),
            (2, Some(pid)) if bare => Ok(Seed::Father(pid)),
            (3, Some(pid)) if bare => Ok(Seed::Son(pid)),
            (4, None) if raw == 0 => Ok(Seed::Stream { near, far }),
            (_, Some(_) | None) => Err(CodecError::Value),
        }
    }
}

record! {
    /// By what the processes that were found can be named as one application.
    pub struct Found {
        /// Smallest application id that a process carries from an earlier checkpoint, 0: none.
        pub application: u64,
        /// Smallest PID of a head root, 0: none.
        pub head_root: u32,
    }
}

impl Found {
    /// Nothing was found.
    pub const NOTHING: Found = Found {
        application: 0,
        head_root: 0,
    };

    /// What both found.
    #[must_use]
    pub fn and(&self, other: &Found) -> Found {
        Found {
            application: least(self.application, other.application),
            head_root: least(self.head_root, other.head_root),
        }
    }
}

/// The smaller of two numbers, where 0 means that there is none.
fn least<T: Copy + Ord + Default>(a: T, b: T) -> T {
    if a == T::default() {
        b
    } else if b == T::default() {
        a
    } else {
        a.min(b)
    }
}
