// SPDX-License-Identifier: GPL-2.0
//! A thread in an image: registers, masks, and what is left of the system call it was in.
use crate::codec::Field;
use crate::image::memory::ADDRESS_END;
use crate::image::part::ImageError;
use crate::node::ClusterPid;
use crate::record;

/// Most bytes of an XSAVE image: AMX tiles included, with room for what comes.
pub const FPU_BYTES_MAX: usize = 16_384;

/// Bits of [`Thread::flags`].
pub mod flag {
    /// `saved_mask` is to be put back when the call ends (sigsuspend(2), ppoll(2)).
    pub const RESTORE_MASK: u32 = 1;
    /// PR_SET_NO_NEW_PRIVS, prctl(2).
    pub const NO_NEW_PRIVS: u32 = 2;
    /// It waits in vfork(2) for `vfork_child`.
    pub const VFORK_PARENT: u32 = 4;
    /// SCHED_RESET_ON_FORK, sched(7).
    pub const RESET_ON_FORK: u32 = 8;
    /// sched_setaffinity(2) was called for it, or for who made it.
    pub const AFFINITY: u32 = 16;
    /// All of them.
    pub const ALL: u32 = 31;
}

/// Words of a CPU mask: CPUs 0 to 1023.
pub const CPU_WORDS: usize = 16;

/// Numbers of [`Thread::restart_kind`]: how a call whose `ax` is -516 goes on.
pub mod restart {
    /// Nothing of the kind: from the registers alone.
    pub const NONE: u32 = 0;
    /// nanosleep(2): clock, kind of the rest, address of the rest, nanoseconds left.
    pub const NANOSLEEP: u32 = 1;
    /// futex(2) wait: word, value, bits, bitset, nanoseconds left or the deadline.
    pub const FUTEX: u32 = 2;
    /// poll(2): set, entries, whether it has a timeout, nanoseconds left.
    pub const POLL: u32 = 3;
    /// Any other timed wait: number of the call, whether it has a timeout, nanoseconds left,
    /// bytes that it has moved.
    pub const TIMED: u32 = 4;
    /// The largest number.
    pub const LAST: u32 = TIMED;
}

/// `-ERESTART_RESTARTBLOCK` (include/linux/errno.h) as `ax` holds it.
const RESTARTBLOCK: u64 = (-516_i64) as u64;

record! {
    /// The general registers in the order of `struct pt_regs` (arch/x86/include/asm/ptrace.h).
    pub struct Registers {
        /// r15, r14, r13, r12, bp, bx, r11, r10, r9, r8.
        pub upper: [u64; 10],
        /// ax: the result of the call in `orig_ax`, before the kernel restarts it.
        pub ax: u64,
        /// cx, dx, si, di.
        pub arguments: [u64; 4],
        /// Number of the system call, or all ones outside one.
        pub orig_ax: u64,
        /// Instruction pointer.
        pub ip: u64,
        /// Code segment; always user mode's when restored.
        pub cs: u64,
        /// Flags; only those that a user may change are restored.
        pub flags: u64,
        /// Stack pointer.
        pub sp: u64,
        /// Stack segment; always user mode's when restored.
        pub ss: u64,
    }
}

record! {
    /// One thread.
    pub struct Thread {
        /// Its TID.
        pub tid: u32,
        /// Bits of [`flag`].
        pub flags: u32,
        /// Number of its descriptor table in the image.
        pub table: u32,
        /// The son that it waits for in vfork(2), or 0.
        pub vfork_child: u32,
        /// General registers.
        pub registers: Registers,
        /// Base of FS: thread-local storage.
        pub fs_base: u64,
        /// Base of GS in user mode.
        pub gs_base: u64,
        /// Blocked signals; bit 0 is signal 1.
        pub blocked: u64,
        /// The mask under the one that the call set for its duration.
        pub saved_mask: u64,
        /// Alternate signal stack, sigaltstack(2).
        pub altstack: u64,
        /// Its bytes.
        pub altstack_bytes: u64,
        /// SS_DISABLE, SS_AUTODISARM.
        pub altstack_flags: u32,
        /// Protection keys register, pkeys(7).
        pub pkru: u32,
        /// set_robust_list(2).
        pub robust_list: u64,
        /// set_tid_address(2).
        pub clear_tid: u64,
        /// Restartable sequence area, rseq(2).
        pub rseq: u64,
        /// Its bytes.
        pub rseq_bytes: u32,
        /// Its signature.
        pub rseq_signature: u32,
        /// A number of [`restart`].
        pub restart_kind: u32,
        /// Zero.
        pub reserved: u32,
        /// What [`restart`] says; zero past that.
        pub restart: [u64; 6],
        /// PR_SET_TIMERSLACK, prctl(2).
        pub timer_slack_ns: u64,
        /// personality(2).
        pub personality: u32,
        /// PR_SET_PDEATHSIG, prctl(2).
        pub parent_death_signal: u32,
        /// Scheduling policy, sched(7).
        pub policy: u32,
        /// Its real-time priority.
        pub priority: u32,
        /// nice(2) value.
        pub nice: i32,
        /// Signal at its end; -1 for all but leaders.
        pub exit_signal: i32,
        /// Name, padded with zeros.
        pub comm: [u8; 16],
        /// When it began, nanoseconds since 1970; 0 where that was before.
        pub started: u64,
        /// The CPUs that it was bound to; zero without [`flag::AFFINITY`].
        pub cpus: [u64; CPU_WORDS],
    }
}

impl Thread {
    /// Whether `bit` of [`flag`] is set.
    pub const fn has(&self, bit: u32) -> bool {
        self.flags & bit != 0
    }

    /// Checks all that needs no other record.
    pub fn check(&self) -> Result<(), ImageError> {
        let sane = ClusterPid::new(self.tid).is_some()
            && self.flags & !flag::ALL == 0
            && self.has(flag::VFORK_PARENT) == (self.vfork_child != 0)
            && self.fs_base < ADDRESS_END
            && self.gs_base < ADDRESS_END
            && self.altstack_flags & !0x8000_0003 == 0
            && self.rseq_sane()
            && self.reserved == 0
            && self.parent_death_signal <= 64
            && self.policy <= 5
            && self.priority <= 99
            && (-20..=19).contains(&self.nice)
            && self.comm.last() == Some(&0)
            && i64::try_from(self.started).is_ok()
            && self.has(flag::AFFINITY) == self.cpus.iter().any(|word| *word != 0)
            && self.restart_sane();
        if sane {
            Ok(())
        } else {
            Err(ImageError::Value)
        }
    }

    /// The kernel checks what is registered, and believes it afterwards (kernel/rseq.c).
    fn rseq_sane(&self) -> bool {
        let end = self.rseq.saturating_add(u64::from(self.rseq_bytes));
        self.rseq == 0
            || (self.rseq.is_multiple_of(32) && self.rseq_bytes >= 32 && end <= ADDRESS_END)
    }

    fn restart_sane(&self) -> bool {
        let [first, second, third, fourth, fifth, _] = self.restart;
        let block = self.registers.ax == RESTARTBLOCK;
        match self.restart_kind {
            restart::NONE => true,
            // CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI; enum timespec_type.
            restart::NANOSLEEP => {
                block && matches!(first, 1 | 7 | 11) && second <= 1 && time(fourth)
            }
            restart::FUTEX => {
                block
                    && u32::try_from(second).is_ok()
                    && third <= 7
                    && u32::try_from(fourth).is_ok()
                    && time(fifth)
            }
            restart::POLL => block && u32::try_from(second).is_ok() && third <= 1 && time(fourth),
            restart::TIMED => block && first < 1024 && second <= 1 && time(third),
            _ => false,
        }
    }
}

/// Nanoseconds that a kernel clock can hold.
fn time(ns: u64) -> bool {
    i64::try_from(ns).is_ok()
}

/// Reads and checks the payload of a `Thread` record.
pub fn parse(payload: &[u8]) -> Result<Thread, ImageError> {
    let thread = Thread::take(payload)?;
    thread.check()?;
    Ok(thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Thread {
        let bytes = [0; Thread::SIZE];
        let mut thread = Thread::take(&bytes).unwrap();
        thread.tid = 4_194_701;
        thread.exit_signal = -1;
        thread
    }

    fn refused(change: impl FnOnce(&mut Thread)) {
        let mut thread = sample();
        change(&mut thread);
        assert_eq!(thread.check(), Err(ImageError::Value), "{thread:?}");
    }

    #[test]
    fn as_long_as_the_kernel_side_says() {
        // sizeof(struct ssi_image_thread), rust/kernel-ssi/shim/image.h.
        assert_eq!(Registers::SIZE, 21 * 8);
        assert_eq!(Thread::SIZE, 512);
    }

    #[test]
    fn hostile_threads() {
        assert_eq!(sample().check(), Ok(()));
        refused(|t| t.tid = 7);
        refused(|t| t.flags = 32);
        refused(|t| t.flags = flag::AFFINITY);
        refused(|t| t.cpus[15] = 1);
        refused(|t| t.started = u64::MAX);
        refused(|t| t.flags = flag::VFORK_PARENT);
        refused(|t| t.fs_base = 0xffff_8000_0000_0000);
        refused(|t| t.gs_base = ADDRESS_END);
        refused(|t| {
            t.rseq = ADDRESS_END - 32;
            t.rseq_bytes = 33;
        });
        refused(|t| t.rseq = 64);
        refused(|t| t.policy = 6);
        refused(|t| t.nice = 20);
        refused(|t| t.comm = [b'x'; 16]);
        refused(|t| t.restart_kind = restart::LAST + 1);
        refused(|t| t.restart_kind = restart::POLL);
        refused(|t| {
            t.registers.ax = RESTARTBLOCK;
            t.restart_kind = restart::NANOSLEEP;
            t.restart = [2, 0, 0, 0, 0, 0];
        });
    }
}
