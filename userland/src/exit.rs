// SPDX-License-Identifier: GPL-2.0
//! The exit codes of all tools: one per kind of failure, never reused.
use ssi_core::abi::FailureCode;

macro_rules! exits {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal),* $(,)?) => {
        /// Why a tool ended.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Exit { $($(#[doc = $doc])* $name = $number),* }

        impl Exit {
            /// Every exit code with its meaning, as the manual pages list them.
            pub const ALL: &'static [(Exit, &'static str)] =
                &[$((Exit::$name, concat!($($doc),*).trim_ascii())),*];
        }
    };
}

exits! {
    /// Success.
    Success = 0,
    /// An error of the system that has no code of its own; the message names it.
    System = 1,
    /// Wrong arguments.
    Usage = 2,
    /// The kernel module ssi is not loaded.
    NoModule = 3,
    /// Nothing was chosen in the list.
    Cancelled = 4,
    /// The configuration is missing or wrong.
    Config = 5,
    /// The two images differ (ssi-image).
    Differs = 6,
    /// The application runs, but on other nodes (restart --foreground).
    Elsewhere = 7,
    /// This node has not joined a cluster.
    NotJoined = 11,
    /// No process has this PID.
    NoSuchProcess = 12,
    /// The process has no CHECKPOINTABLE capability.
    NotCheckpointable = 13,
    /// The process or the version is somebody else's, or only root may do this.
    NotPermitted = 14,
    /// The application holds something that cannot be saved.
    Unsupported = 15,
    /// A stream leads to a process outside the application.
    OutsideEnd = 16,
    /// A node of the application cannot be reached.
    NodeUnreachable = 17,
    /// A node died during the operation.
    NodeDied = 18,
    /// A process did not come to rest in time.
    StopTimeout = 19,
    /// The media failed.
    Media = 20,
    /// Another operation runs on this application.
    Busy = 21,
    /// Not enough memory.
    NoMemory = 22,
    /// The application or version does not exist.
    NoSuchVersion = 23,
    /// The version is damaged.
    Damaged = 24,
    /// A PID of the application is in use.
    PidInUse = 25,
    /// A file that the application had open is missing or has changed.
    FileGone = 26,
    /// The image needs what a node lacks, or the kernel module is older than the tool.
    Incompatible = 27,
    /// A bound of the implementation was reached.
    Limit = 28,
    /// The kernel refused the arguments.
    BadArgument = 29,
    /// An internal error; the kernel log has more.
    Internal = 30,
    /// The media is full.
    MediaFull = 31,
    /// The job was stopped on request and can be resumed (reliable_run).
    Preempted = 32,
    /// The job was given up (reliable_run).
    GivenUp = 33,
    /// No node that is up and may be used has a part of the version.
    PartUnreachable = 34,
    /// The command exists but cannot be run (ssi-run).
    NotExecutable = 126,
    /// The command was not found (ssi-run).
    NotFound = 127,
}

impl Exit {
    /// The exit code of a failure whose underlying errno is `errno`.
    pub fn of(code: FailureCode, errno: i32) -> Exit {
        match code {
            FailureCode::NotJoined => Exit::NotJoined,
            FailureCode::NoSuchProcess => Exit::NoSuchProcess,
            FailureCode::NotCheckpointable => Exit::NotCheckpointable,
            FailureCode::NotPermitted => Exit::NotPermitted,
            FailureCode::Unsupported => Exit::Unsupported,
            FailureCode::OutsideEnd => Exit::OutsideEnd,
            FailureCode::NodeUnreachable => Exit::NodeUnreachable,
            FailureCode::PartUnreachable => Exit::PartUnreachable,
            FailureCode::NodeDied => Exit::NodeDied,
            FailureCode::StopTimeout => Exit::StopTimeout,
            FailureCode::Media if is_full(errno) => Exit::MediaFull,
            FailureCode::Media => Exit::Media,
            FailureCode::Busy => Exit::Busy,
            FailureCode::NoMemory => Exit::NoMemory,
            FailureCode::NoSuchVersion => Exit::NoSuchVersion,
            FailureCode::Damaged => Exit::Damaged,
            FailureCode::PidInUse => Exit::PidInUse,
            FailureCode::FileGone => Exit::FileGone,
            FailureCode::Incompatible => Exit::Incompatible,
            FailureCode::Limit => Exit::Limit,
            FailureCode::BadArgument => Exit::BadArgument,
            FailureCode::Internal => Exit::Internal,
        }
    }
}

/// Whether `errno` says that there is no room left.
pub fn is_full(errno: i32) -> bool {
    errno == libc::ENOSPC || errno == libc::EDQUOT
}

/// Why a tool cannot do what it was asked: what to say, and with which code to end.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code to end with.
    pub exit: Exit,
    /// What happened and what to do, without the tool's name.
    pub text: String,
}

impl Fault {
    /// A fault that ends with `exit` and says `text`.
    pub fn new(exit: Exit, text: impl Into<String>) -> Fault {
        Fault {
            exit,
            text: text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_failure_has_its_own_code() {
        let codes = (1..=21).filter_map(FailureCode::new);
        let exits: BTreeSet<u8> = codes.map(|code| Exit::of(code, 0) as u8).collect();
        assert_eq!(exits.len(), 21);
        assert_eq!(
            FailureCode::new(22),
            None,
            "a new failure needs an exit code"
        );
    }

    #[test]
    fn a_full_media_is_not_a_broken_one() {
        assert_eq!(Exit::of(FailureCode::Media, libc::ENOSPC), Exit::MediaFull);
        assert_eq!(Exit::of(FailureCode::Media, libc::EIO), Exit::Media);
    }
}
