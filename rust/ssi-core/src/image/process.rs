// SPDX-License-Identifier: GPL-2.0
//! A process in an image: ids, links, limits, interval timers, where it works.
//!
//! Order of the records: `Process`, then what its threads share (`Limits`, `FsContext`,
//! `SignalActions`, `Timer`, shared `PendingSignal`s), then thread by thread `Thread`, `Fpu`,
//! `Credentials` and its own `PendingSignal`s. The subject is the PID, or the TID of a thread.
use crate::codec::{Field, Reader};
use crate::image::part::ImageError;
use crate::node::ClusterPid;
use crate::record;

/// Most threads of one process (`SSI_GROUP_THREADS_MAX` in rust/kernel-ssi/shim/stop.c).
pub const THREADS_MAX: u32 = 32_768;

/// Resource limits of a process (`RLIM_NLIMITS`, include/uapi/asm-generic/resource.h).
pub const LIMITS: usize = 16;

/// Longest path of a working directory, in bytes.
pub const PATH_MAX: usize = 4095;

/// Bits of [`Process::flags`].
pub mod flag {
    /// It has exited and waits for its father.
    pub const ZOMBIE: u32 = 1;
    /// The leader of its session is alive and no part of the application.
    pub const SESSION_OUTSIDE: u32 = 2;
    /// The leader of its group is alive and no part of the application.
    pub const GROUP_OUTSIDE: u32 = 4;
    /// It adopts orphans (PR_SET_CHILD_SUBREAPER, prctl(2)).
    pub const SUBREAPER: u32 = 8;
    /// A signal has stopped it.
    pub const STOPPED: u32 = 16;
    /// It runs in its father's memory, who waits in vfork(2).
    pub const BORROWED_MEMORY: u32 = 32;
    /// All of them.
    pub const ALL: u32 = 63;
}

record! {
    /// One process.
    pub struct Process {
        /// Its PID.
        pub pid: u32,
        /// Its father's, or 0 where the father is no part of this image.
        pub parent: u32,
        /// Its process group.
        pub group: u32,
        /// Its session.
        pub session: u32,
        /// Bits of [`flag`].
        pub flags: u32,
        /// `abi::cap` bits.
        pub caps: u32,
        /// How many threads follow; 0 for a zombie.
        pub threads: u32,
        /// Number of its address space in the image.
        pub memory: u32,
        /// Signal that its father gets at its end.
        pub exit_signal: u32,
        /// Exit status of a zombie, as wait4(2) gives it.
        pub exit_code: u32,
        /// What stopped it; 0 where nothing did, or its father has been told by wait4(2).
        pub stop_signal: u32,
        /// /proc/PID/oom_score_adj, proc(5).
        pub oom_score_adj: i32,
    }
}

impl Process {
    /// Whether `bit` of [`flag`] is set.
    pub const fn has(&self, bit: u32) -> bool {
        self.flags & bit != 0
    }

    /// Checks all that needs no other record.
    pub fn check(&self) -> Result<(), ImageError> {
        let zombie = self.has(flag::ZOMBIE);
        let sane = ClusterPid::new(self.pid).is_some()
            && (self.parent == 0 || ClusterPid::new(self.parent).is_some())
            && self.parent != self.pid
            && pid_possible(self.group)
            && pid_possible(self.session)
            && self.flags & !flag::ALL == 0
            && self.caps & !3 == 0
            && self.threads <= THREADS_MAX
            && (self.threads == 0) == zombie
            && self.exit_signal <= 64
            && self.exit_code <= 0xffff
            && (zombie || self.exit_code == 0)
            && self.stop_signal <= 64
            && (self.has(flag::STOPPED) || self.stop_signal == 0)
            && (-1000..=1000).contains(&self.oom_score_adj);
        if sane {
            Ok(())
        } else {
            Err(ImageError::Value)
        }
    }
}

/// A session or group may be older than the node's cluster PIDs.
fn pid_possible(raw: u32) -> bool {
    raw != 0 && raw < 1 << 30
}

record! {
    /// One resource limit, getrlimit(2); all ones is no limit.
    pub struct Limit {
        /// What holds.
        pub soft: u64,
        /// How far the process may raise it.
        pub hard: u64,
    }
}

impl Limit {
    const NONE: Limit = Limit { soft: 0, hard: 0 };
}

/// Reads the payload of a `Limits` record.
pub fn parse_limits(payload: &[u8]) -> Result<[Limit; LIMITS], ImageError> {
    let mut reader = Reader::new(payload);
    let mut limits = [Limit::NONE; LIMITS];
    for limit in &mut limits {
        *limit = reader.field()?;
        if limit.soft > limit.hard {
            return Err(ImageError::Value);
        }
    }
    reader.done()?;
    Ok(limits)
}

record! {
    /// One interval timer, getitimer(2).
    pub struct Timer {
        /// Nanoseconds until it fires, 0 where it is not armed.
        pub value_ns: u64,
        /// Nanoseconds between later times, 0 for once.
        pub interval_ns: u64,
    }
}

record! {
    /// One POSIX timer, timer_create(2).
    pub struct PosixTimer {
        /// Its id.
        pub id: u32,
        /// Its clock: CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME or CLOCK_TAI.
        pub clock: u32,
        /// SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD_ID.
        pub notify: u32,
        /// The signal that it sends.
        pub signal: u32,
        /// What the signal carries.
        pub value: u64,
        /// The thread that gets it, with SIGEV_THREAD_ID.
        pub thread: u32,
        /// Zero.
        pub reserved: u32,
        /// What is left of it.
        pub time: Timer,
    }
}

/// Most POSIX timers of one process.
pub const TIMERS_MAX: usize = 4096;

impl Timer {
    fn check(&self) -> Result<(), ImageError> {
        match (
            i64::try_from(self.value_ns),
            i64::try_from(self.interval_ns),
        ) {
            (Ok(_), Ok(_)) => Ok(()),
            (Err(_), _) | (_, Err(_)) => Err(ImageError::Value),
        }
    }
}

impl PosixTimer {
    fn check(&self) -> Result<(), ImageError> {
        let sane = i32::try_from(self.id).is_ok()
            && matches!(self.clock, 0 | 1 | 7 | 11)
            && matches!(self.notify, 0 | 1 | 4)
            && self.signal <= 64
            && (self.notify == 4) == (self.thread != 0)
            && self.reserved == 0;
        if sane {
            self.time.check()
        } else {
            Err(ImageError::Value)
        }
    }
}

/// Checks the payload of a `Timer` record: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF as
/// [`Timer`]s, then a [`PosixTimer`] for each.
pub fn check_timers(payload: &[u8]) -> Result<(), ImageError> {
    let (interval, posix) = payload
        .split_at_checked(Timer::SIZE.saturating_mul(3))
        .ok_or(ImageError::Length)?;
    for bytes in interval.chunks_exact(Timer::SIZE) {
        Timer::take(bytes)?.check()?;
    }
    let timers = posix.chunks_exact(PosixTimer::SIZE);
    if !timers.remainder().is_empty() || timers.len() > TIMERS_MAX {
        return Err(ImageError::Length);
    }
    for bytes in timers {
        PosixTimer::take(bytes)?.check()?;
    }
    Ok(())
}

record! {
    /// Where a process works; the path of its working directory follows.
    pub struct FsContext {
        /// umask(2).
        pub umask: u32,
        /// Zero: a changed root directory is refused when it is saved.
        pub root_bytes: u32,
        /// Bytes of the path.
        pub cwd_bytes: u32,
        /// Zero.
        pub reserved: u32,
    }
}

/// Reads the payload of an `FsContext` record: the record, the absolute path.
pub fn parse_fs(payload: &[u8]) -> Result<(FsContext, &[u8]), ImageError> {
    let mut reader = Reader::new(payload);
    let fs: FsContext = reader.field()?;
    let path = reader.rest();
    if path.len() != fs.cwd_bytes as usize || path.len() > PATH_MAX {
        return Err(ImageError::Length);
    }
    let sane = fs.umask & !0o777 == 0
        && fs.root_bytes == 0
        && fs.reserved == 0
        && path.first() == Some(&b'/')
        && !path.contains(&0);
    if sane {
        Ok((fs, path))
    } else {
        Err(ImageError::Value)
    }
}

/// Reads and checks the payload of a `Process` record.
pub fn parse(payload: &[u8]) -> Result<Process, ImageError> {
    let process = Process::take(payload)?;
    process.check()?;
    Ok(process)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A head root without sons.
    pub(crate) fn sample(pid: u32) -> Process {
        Process {
            pid,
            parent: 0,
            group: pid,
            session: pid,
            flags: 0,
            caps: 3,
            threads: 1,
            memory: 0,
            exit_signal: 17,
            exit_code: 0,
            stop_signal: 0,
            oom_score_adj: 0,
        }
    }

    fn refused(change: impl FnOnce(&mut Process)) {
        let mut process = sample(4_194_700);
        change(&mut process);
        assert_eq!(process.check(), Err(ImageError::Value), "{process:?}");
    }

    #[test]
    fn hostile_processes() {
        assert_eq!(sample(4_194_700).check(), Ok(()));
        refused(|p| p.pid = 1);
        refused(|p| p.parent = 2);
        refused(|p| p.parent = p.pid);
        refused(|p| p.session = 0);
        refused(|p| p.group = 1 << 30);
        refused(|p| p.flags = 64);
        refused(|p| p.caps = 4);
        refused(|p| p.threads = 0);
        refused(|p| p.threads = THREADS_MAX + 1);
        refused(|p| p.exit_signal = 65);
        refused(|p| p.exit_code = 1);
        refused(|p| p.stop_signal = 19);
        refused(|p| p.oom_score_adj = 1001);
        refused(|p| p.flags = flag::ZOMBIE);
    }

    #[test]
    fn a_stop_that_the_father_knows_of() {
        let mut process = sample(4_194_700);
        process.flags = flag::STOPPED;
        assert_eq!(process.check(), Ok(()));
        process.stop_signal = 19;
        assert_eq!(process.check(), Ok(()));
    }

    #[test]
    fn paths_are_absolute_and_whole() {
        let mut payload = [0u8; FsContext::SIZE + 4];
        let fs = FsContext {
            umask: 0o22,
            root_bytes: 0,
            cwd_bytes: 4,
            reserved: 0,
        };
        fs.put(&mut payload[..FsContext::SIZE]).unwrap();
        payload[FsContext::SIZE..].copy_from_slice(b"/tmp");
        assert_eq!(parse_fs(&payload), Ok((fs, &b"/tmp"[..])));
        assert_eq!(parse_fs(&payload[..19]), Err(ImageError::Length));
        payload[FsContext::SIZE] = b'x';
        assert_eq!(parse_fs(&payload), Err(ImageError::Value));
    }

    #[test]
    fn timers_that_the_kernel_could_not_make() {
        let mut payload = [0u8; 3 * Timer::SIZE + PosixTimer::SIZE];
        assert_eq!(check_timers(&payload), Ok(()));
        assert_eq!(check_timers(&payload[..48]), Ok(()));
        assert_eq!(check_timers(&payload[..47]), Err(ImageError::Length));
        assert_eq!(check_timers(&payload[..90]), Err(ImageError::Length));
        payload[7] = 0x80;
        assert_eq!(check_timers(&payload), Err(ImageError::Value));
        payload[7] = 0;
        payload[3 * Timer::SIZE + 4] = 2;
        assert_eq!(check_timers(&payload), Err(ImageError::Value));
    }

    #[test]
    fn a_soft_limit_is_not_above_its_hard_one() {
        let mut payload = [0u8; LIMITS * 16];
        assert!(parse_limits(&payload).is_ok());
        payload[0] = 1;
        assert_eq!(parse_limits(&payload), Err(ImageError::Value));
        assert_eq!(parse_limits(&payload[1..]), Err(ImageError::Length));
    }
}
