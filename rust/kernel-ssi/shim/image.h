/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process records of an image as C sees them: byte for byte what
 * rust/ssi-core/src/image/{process,thread,signal,creds}.rs declare, where every field is
 * explained. Rust checks a record before C gets it.
 */
#ifndef SSI_SHIM_IMAGE_H
#define SSI_SHIM_IMAGE_H

#include <linux/types.h>

/* Numbers of image::frame::Kind. */
#define SSI_KIND_PROCESS	16
#define SSI_KIND_THREAD		17
#define SSI_KIND_FPU		18
#define SSI_KIND_ACTIONS	19
#define SSI_KIND_PENDING	20
#define SSI_KIND_CREDENTIALS	21
#define SSI_KIND_FS		22
#define SSI_KIND_LIMITS		23
#define SSI_KIND_TIMER		24

#define SSI_PROCESS_ZOMBIE		1u
#define SSI_PROCESS_SESSION_OUTSIDE	2u
#define SSI_PROCESS_GROUP_OUTSIDE	4u
#define SSI_PROCESS_SUBREAPER		8u
#define SSI_PROCESS_STOPPED		16u
#define SSI_PROCESS_BORROWED_MEMORY	32u

struct ssi_image_process {
	u32 pid;
	u32 parent;
	u32 group;
	u32 session;
	u32 flags;
	u32 caps;
	u32 threads;
	u32 memory;
	u32 exit_signal;
	u32 exit_code;
	u32 stop_signal;
	s32 oom_score_adj;
} __packed;

#define SSI_THREAD_RESTORE_MASK	1u
#define SSI_THREAD_NO_NEW_PRIVS	2u
#define SSI_THREAD_VFORK_PARENT	4u
#define SSI_THREAD_RESET_ON_FORK	8u
#define SSI_THREAD_AFFINITY	16u

#define SSI_CPU_WORDS	16

/* Numbers of image::thread::restart; ..._FUTEX_* are bits of restart[2]. */
enum ssi_restart {
	SSI_RESTART_NONE = 0,
	SSI_RESTART_NANOSLEEP = 1,	/* clock, kind of rest, rest, remaining */
	SSI_RESTART_FUTEX = 2,		/* word, value, bits, bitset, remaining or deadline */
	SSI_RESTART_POLL = 3,		/* set, entries, has timeout, remaining */
	SSI_RESTART_TIMED = 4,		/* system call, has timeout, remaining */
};

#define SSI_RESTART_FUTEX_SHARED	1u
#define SSI_RESTART_FUTEX_REALTIME	2u
#define SSI_RESTART_FUTEX_TIMEOUT	4u

struct ssi_image_thread {
	u32 tid;
	u32 flags;
	u32 table;
	u32 vfork_child;
	u64 regs[21];
	u64 fs_base;
	u64 gs_base;
	u64 blocked;
	u64 saved_mask;
	u64 altstack;
	u64 altstack_bytes;
	u32 altstack_flags;
	u32 pkru;
	u64 robust_list;
	u64 clear_tid;
	u64 rseq;
	u32 rseq_bytes;
	u32 rseq_signature;
	u32 restart_kind;
	u32 reserved;
	u64 restart[6];
	u64 timer_slack_ns;
	u32 personality;
	u32 parent_death_signal;
	u32 policy;
	u32 priority;
	s32 nice;
	s32 exit_signal;
	u8 comm[16];
	u64 started;
	u64 cpus[SSI_CPU_WORDS];
} __packed;

struct ssi_image_action {
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
} __packed;

struct ssi_image_pending {
	u32 shared;
	u32 signal;
	u8 info[48];
} __packed;

struct ssi_image_credentials {
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	u32 securebits;
	u32 groups;
	u64 inheritable, permitted, effective, bounding, ambient;
} __packed;

struct ssi_image_fs {
	u32 umask;
	u32 root_bytes;
	u32 cwd_bytes;
	u32 reserved;
} __packed;

struct ssi_image_limit {
	u64 soft;
	u64 hard;
} __packed;

struct ssi_image_timer {
	u64 value_ns;
	u64 interval_ns;
} __packed;

/* Follow the three interval timers. */
struct ssi_image_posix_timer {
	u32 id;
	u32 clock;
	u32 notify;
	u32 signal;
	u64 value;
	u32 thread;
	u32 reserved;
	struct ssi_image_timer time;
} __packed;

#endif
