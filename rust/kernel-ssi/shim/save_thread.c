// SPDX-License-Identifier: GPL-2.0
/* Saves a thread that is at rest: registers, masks, what is left of its system call. */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/ssi_transfer.h>
#include <linux/timekeeping.h>
#include <asm/fsgsbase.h>
#include <asm/pkru.h>
#include "image.h"
#include "stop.h"

/* kernel/futex/futex.h, which no module can include. */
#define SSI_FLAGS_SIZE_MASK	0x0003
#define SSI_FLAGS_SIZE_32	0x0002
#define SSI_FLAGS_SHARED	0x0010
#define SSI_FLAGS_CLOCKRT	0x0020
#define SSI_FLAGS_HAS_TIMEOUT	0x0040

int ssi_unsupported(struct ssi_process *process, const char *what)
{
	WRITE_ONCE(process->group->unsupported, what);
	return -ENOTSUPP;
}

int ssi_record_add(struct ssi_process *process, u32 kind, u64 subject, const void *data,
		   u32 len)
{
	struct ssi_record *record = kvmalloc(struct_size(record, data, len), GFP_KERNEL);

	if (!record)
		return -ENOMEM;
	record->kind = kind;
	record->subject = subject;
	record->len = len;
	if (data)
		memcpy(record->data, data, len);
	else
		memset(record->data, 0, len);
	list_add_tail(&record->link, &process->records);
	process->records_count++;
	return 0;
}

static void ssi_thread_save_fpu(struct ssi_thread *thread)
{
	thread->fpu_bytes = ssi_fpu_size(thread->task);
	if (thread->fpu_bytes > thread->fpu_room) {
		kfree(thread->fpu);
		thread->fpu_room = thread->fpu_bytes;
		thread->fpu = kmalloc(thread->fpu_room, GFP_KERNEL);
	}
	thread->fpu_error = thread->fpu ?
		ssi_fpu_save(thread->task, thread->fpu, thread->fpu_room) : -ENOMEM;
}

/* What only the CPU knows while the thread runs: saved by the thread itself. */
void ssi_thread_save_registers(struct ssi_thread *thread)
{
	ssi_thread_save_fpu(thread);
	thread->fs_base = x86_fsbase_read_task(current);
	thread->gs_base = x86_gsbase_read_task(current);
	thread->pkru = read_pkru();
}

/* The same of a thread that sleeps where it cannot be woken. */
static int ssi_thread_read_registers(struct ssi_thread *thread)
{
	if (!wait_task_inactive(thread->task, READ_ONCE(thread->task->__state)))
		return -EAGAIN;
	ssi_thread_save_fpu(thread);
	thread->fs_base = x86_fsbase_read_task(thread->task);
	thread->gs_base = x86_gsbase_read_task(thread->task);
	thread->pkru = thread->task->thread.pkru;
	return 0;
}

static u64 ssi_remaining(ktime_t deadline, clockid_t clock)
{
	ktime_t now = clock == CLOCK_BOOTTIME ? ktime_get_boottime() :
		      clock == CLOCK_TAI ? ktime_get_clocktai() : ktime_get();

	return max_t(s64, ktime_to_ns(ktime_sub(deadline, now)), 0);
}

static int ssi_restart_futex(struct ssi_process *process, const struct restart_block *block,
			     struct ssi_image_thread *image)
{
	u32 flags = block->futex.flags;

	if ((flags & SSI_FLAGS_SIZE_MASK) != SSI_FLAGS_SIZE_32 ||
	    (flags & ~(SSI_FLAGS_SIZE_MASK | SSI_FLAGS_SHARED | SSI_FLAGS_CLOCKRT |
		       SSI_FLAGS_HAS_TIMEOUT)))
		return ssi_unsupported(process, "wait on a futex of an unknown kind");
	image->restart_kind = SSI_RESTART_FUTEX;
	image->restart[0] = (unsigned long)block->futex.uaddr;
	image->restart[1] = block->futex.val;
	image->restart[2] = (flags & SSI_FLAGS_SHARED ? SSI_RESTART_FUTEX_SHARED : 0) |
			    (flags & SSI_FLAGS_CLOCKRT ? SSI_RESTART_FUTEX_REALTIME : 0) |
			    (flags & SSI_FLAGS_HAS_TIMEOUT ? SSI_RESTART_FUTEX_TIMEOUT : 0);
	image->restart[3] = block->futex.bitset;
	/* A date on the wall clock stays the date that it is. */
	image->restart[4] = flags & SSI_FLAGS_CLOCKRT ? block->futex.time :
			    ssi_remaining(block->futex.time, CLOCK_MONOTONIC);
	return 0;
}

static int ssi_restart_save(struct ssi_process *process, struct task_struct *task,
			    struct ssi_image_thread *image)
{
	const struct restart_block *block = &task->restart_block;

	/* Elsewhere the block is what an earlier call left in it. */
	if ((long)task_pt_regs(task)->ax != -ERESTART_RESTARTBLOCK)
		return 0;
	if (block->fn == futex_wait_restart)
		return ssi_restart_futex(process, block, image);
	if (block->fn == hrtimer_nanosleep_restart) {
		image->restart_kind = SSI_RESTART_NANOSLEEP;
		image->restart[0] = block->nanosleep.clockid;
		image->restart[1] = block->nanosleep.type;
		image->restart[2] = (unsigned long)block->nanosleep.rmtp;
		image->restart[3] = ssi_remaining(block->nanosleep.expires,
						  block->nanosleep.clockid);
		return 0;
	}
	if (block->fn == do_restart_poll) {
		image->restart_kind = SSI_RESTART_POLL;
		image->restart[0] = (unsigned long)block->poll.ufds;
		image->restart[1] = block->poll.nfds;
		image->restart[2] = block->poll.has_timeout;
		if (block->poll.has_timeout)
			image->restart[3] = ssi_remaining(ktime_set(block->poll.tv_sec,
								    block->poll.tv_nsec),
							  CLOCK_MONOTONIC);
		return 0;
	}
	if (block->fn == ssi_restart_timed) {
		image->restart_kind = SSI_RESTART_TIMED;
		image->restart[0] = block->ssi.nr;
		image->restart[1] = block->ssi.deadline != KTIME_MAX;
		if (image->restart[1])
			image->restart[2] = ssi_remaining(block->ssi.deadline, CLOCK_MONOTONIC);
		image->restart[3] = *ssi_done(&task->restart_block);
		return 0;
	}
	return ssi_unsupported(process, "system call that waits in an unknown way");
}

/* Only where it was asked for: all CPUs of this node are others than all of another. */
static int ssi_affinity_save(struct ssi_process *process, struct task_struct *task,
			     struct ssi_image_thread *image)
{
	const unsigned int bits = min(nr_cpumask_bits, 64u * SSI_CPU_WORDS);
	bool beyond = false;

	BUILD_BUG_ON(sizeof(image->cpus) % sizeof(unsigned long));
	raw_spin_lock_irq(&task->pi_lock);
	if (task->user_cpus_ptr) {
		const unsigned long *mask = cpumask_bits(task->user_cpus_ptr);

		memcpy(image->cpus, mask, BITS_TO_LONGS(bits) * sizeof(*mask));
		beyond = find_next_bit(mask, nr_cpumask_bits, bits) < nr_cpumask_bits;
		image->flags |= SSI_THREAD_AFFINITY;
	}
	raw_spin_unlock_irq(&task->pi_lock);
	return beyond ? ssi_unsupported(process, "affinity to a CPU beyond 1023") : 0;
}

/* By the wall clock, which all nodes share; but exactly the same as long as that is not set. */
static u64 ssi_started(const struct task_struct *task)
{
	ktime_t boot_to_real = ktime_sub(ktime_mono_to_any(0, TK_OFFS_REAL),
					 ktime_mono_to_any(0, TK_OFFS_BOOT));

	return max_t(s64, ktime_to_ns(boot_to_real) + task->start_boottime, 0);
}

static void ssi_thread_describe(struct task_struct *task, struct ssi_image_thread *image)
{
	image->tid = task_pid_nr(task);
	image->flags = (test_tsk_restore_sigmask(task) ? SSI_THREAD_RESTORE_MASK : 0) |
		       (task_no_new_privs(task) ? SSI_THREAD_NO_NEW_PRIVS : 0) |
		       (task->sched_reset_on_fork ? SSI_THREAD_RESET_ON_FORK : 0);
	memcpy(image->regs, task_pt_regs(task), sizeof(image->regs));
	image->blocked = task->blocked.sig[0];
	image->saved_mask = task->saved_sigmask.sig[0];
	image->altstack = task->sas_ss_sp;
	image->altstack_bytes = task->sas_ss_size;
	image->altstack_flags = task->sas_ss_flags;
	image->robust_list = (unsigned long)task->robust_list;
	image->clear_tid = (unsigned long)task->clear_child_tid;
	image->rseq = (unsigned long)task->rseq;
	image->rseq_bytes = task->rseq_len;
	image->rseq_signature = task->rseq_sig;
	image->timer_slack_ns = task->timer_slack_ns;
	image->personality = task->personality;
	image->parent_death_signal = task->pdeath_signal;
	image->policy = task->policy;
	image->priority = task->rt_priority;
	image->nice = task_nice(task);
	image->exit_signal = task->exit_signal;
	image->started = ssi_started(task);
	get_task_comm(image->comm, task);
}

int ssi_thread_save(struct ssi_thread *thread)
{
	struct ssi_process *process = thread->process;
	struct task_struct *task = thread->task;
	struct ssi_image_thread image = {};
	int err = 0;

	BUILD_BUG_ON(sizeof(image.regs) != sizeof(struct pt_regs));
	BUILD_BUG_ON(sizeof(image.comm) != TASK_COMM_LEN);
	if (READ_ONCE(thread->state) == SSI_THREAD_RESTING)
		err = ssi_thread_read_registers(thread);
	if (!err)
		err = thread->fpu_error;
	if (err)
		return err;
	ssi_thread_describe(task, &image);
	err = ssi_affinity_save(process, task, &image);
	if (err)
		return err;
	image.fs_base = thread->fs_base;
	image.gs_base = thread->gs_base;
	image.pkru = thread->pkru;
	image.vfork_child = READ_ONCE(task->ssi_vfork_pid);
	if (image.vfork_child)
		image.flags |= SSI_THREAD_VFORK_PARENT;
	else
		err = ssi_restart_save(process, task, &image);
	if (!err)
		err = ssi_record_add(process, SSI_KIND_THREAD, image.tid, &image, sizeof(image));
	if (!err)
		err = ssi_record_add(process, SSI_KIND_FPU, image.tid, thread->fpu,
				     thread->fpu_bytes);
	if (!err)
		err = ssi_credentials_save(process, task);
	return err ?: ssi_pending_save(process, task, false);
}
