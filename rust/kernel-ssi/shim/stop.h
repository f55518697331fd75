/* SPDX-License-Identifier: GPL-2.0 */
/* A group of processes that is brought to rest at the user boundary, saved and let go. */
#ifndef SSI_SHIM_STOP_H
#define SSI_SHIM_STOP_H

#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/wait.h>


/* Why a group could not be stopped; sys/task.rs has the same numbers. */
enum ssi_refusal {
	SSI_REFUSED_NONE = 0,
	SSI_REFUSED_NO_PROCESS = 1,
	SSI_REFUSED_NO_CAPABILITY = 2,
	SSI_REFUSED_PERMISSION = 3,
	SSI_REFUSED_BUSY = 4,
	SSI_REFUSED_TRACED = 5,
	SSI_REFUSED_TIMEOUT = 6,
	SSI_REFUSED_MEMORY = 7,
	SSI_REFUSED_LIMIT = 8,
	SSI_REFUSED_INTERRUPTED = 9,
	SSI_REFUSED_KILLED = 10,
	SSI_REFUSED_WORKER = 11,
	SSI_REFUSED_CALLER = 12,
};

enum ssi_thread_state {
	SSI_THREAD_ARMED,	/* its work is queued */
	SSI_THREAD_PARKED,	/* it waits in its work */
	SSI_THREAD_RESTING,	/* it sleeps where only its work can follow: SIGSTOP, vfork */
	SSI_THREAD_GONE,	/* it exited, or was killed */
};

enum ssi_order { SSI_ORDER_STAY, SSI_ORDER_SAVE, SSI_ORDER_GO };

/* One thread of a group. */
struct ssi_thread {
	struct callback_head work;
	struct list_head link;		/* in its process */
	struct hlist_node by_task;	/* in its group */
	struct ssi_process *process;
	struct task_struct *task;	/* referenced */
	enum ssi_thread_state state;	/* under the group's lock */
	enum ssi_order order;		/* written by the coordinator */
	wait_queue_head_t door;
	bool deferred;			/* its work let another one go first */
	u64 fs_base, gs_base;
	u32 pkru;
	int fpu_error;
	u32 fpu_bytes, fpu_room;
	void *fpu;
};

/* One process of a group. */
struct ssi_process {
	struct list_head link;		/* in its group */
	struct hlist_node claimed;	/* in the table of all processes that are in a group */
	struct ssi_group *group;
	struct pid *pid;		/* referenced; of its leader */
	struct list_head threads;
	struct ssi_thread *delegate;	/* saves the process, in its own context */
	struct list_head records;	/* struct ssi_record */
	u32 records_count;
	u32 index;
	u32 threads_count;
	bool zombie;
	bool saved;
};

/* One image record, ready to be written. */
struct ssi_record {
	struct list_head link;
	u32 kind;
	u32 len;
	u64 subject;
	u8 data[];
};

typedef int (*ssi_save_fn)(void *data, u32 index);

struct ssi_group {
	struct kref ref;		/* the owner's, and one for each queued work */
	spinlock_t lock;		/* inside tasklist_lock */
	wait_queue_head_t arrived;	/* the coordinator waits here */
	struct list_head processes;	/* only the coordinator adds */
	u32 processes_count, threads_count;
	u32 missing;			/* threads armed and not at rest */
	u32 saving;			/* processes that still save themselves */
	u32 caller;			/* who waits for all this in a call, or 0 */
	bool lonely;			/* neither fathers nor sons are taken in */
	bool stirred;			/* somebody began to wait in vfork: look again */
	ssi_save_fn save;
	void *save_data;
	int save_error;
	u32 save_error_pid;
	u32 refused_pid;
	const char *unsupported;	/* what a process holds that cannot be saved */
	struct list_head spare_processes, spare_threads;
	u32 spare_processes_count, spare_threads_count;
	DECLARE_HASHTABLE(threads, 8);
};

/* What Rust wants to know of a process. */
struct ssi_process_info {
	u32 pid;
	u32 threads;	/* alive */
	u32 counts;	/* whether it is part of the cut */
	u32 zombie;
};

typedef int (*ssi_record_fn)(void *data, u32 kind, u64 subject, const u8 *bytes, size_t len);

struct ssi_group *ssi_group_new(u32 caller);
void ssi_group_free(struct ssi_group *group);
int ssi_group_stop(struct ssi_group *group, u32 pid, bool lonely, u32 caller_uid,
		   u64 deadline_ns);
int ssi_group_save(struct ssi_group *group, ssi_save_fn save, void *data);
void ssi_group_signal(struct ssi_group *group, u32 signal);
void ssi_group_release(struct ssi_group *group);
void ssi_group_put(struct ssi_group *group);
bool ssi_process_counts(struct ssi_process *process);

/* stop_read.c */
u32 ssi_group_refused_pid(struct ssi_group *group);
const char *ssi_group_unsupported(struct ssi_group *group);
u32 ssi_group_processes(struct ssi_group *group);
bool ssi_group_process(struct ssi_group *group, u32 index, struct ssi_process_info *out);
struct task_struct *ssi_group_thread(struct ssi_group *group, u32 index, u32 thread);
int ssi_group_records(struct ssi_group *group, ssi_record_fn visit, void *data);

/* stop_scan.c */
int ssi_group_seed(struct ssi_group *group, u32 pid, u32 caller_uid);
int ssi_group_scan(struct ssi_group *group, u32 caller_uid);
bool ssi_group_settle(struct ssi_group *group);
void ssi_processes_unclaim(struct ssi_group *group);
void ssi_stop_vfork_wait(void);

/* save_*.c; -ENOTSUPP goes with group->unsupported */
int ssi_unsupported(struct ssi_process *process, const char *what);
int ssi_thread_save(struct ssi_thread *thread);
int ssi_credentials_save(struct ssi_process *process, struct task_struct *task);
int ssi_pending_save(struct ssi_process *process, struct task_struct *task, bool shared);
int ssi_actions_save(struct ssi_process *process, struct task_struct *task);
int ssi_timers_save(struct ssi_process *process, struct task_struct *task);
void ssi_thread_save_registers(struct ssi_thread *thread);
int ssi_process_save(struct ssi_process *process);
int ssi_record_add(struct ssi_process *process, u32 kind, u64 subject, const void *data,
		   u32 len);

bool ssi_is_to_park(void);

/* revive.c */
bool ssi_is_newborn(void);

/* finish.c */
struct ssi_unfinished {
	unsigned int nr;
	unsigned long args[6];
	unsigned long done;
};
void ssi_spare_eintr(void);
bool ssi_call_unfinished(struct ssi_unfinished *call);
void ssi_call_finish(struct ssi_unfinished *call);

#endif
