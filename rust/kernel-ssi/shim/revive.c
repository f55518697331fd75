// SPDX-License-Identifier: GPL-2.0
/* Puts a thread back to where it was saved: registers, masks, its system call, its signals. */
#include <linux/hrtimer.h>
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include <linux/ssi_transfer.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <uapi/linux/sched/types.h>
#include <asm/pkru.h>
#include <asm/prctl.h>
#include <asm/proto.h>
#include <asm/unistd.h>
#include "spawn.h"
#include "stop.h"

/* kernel/futex/futex.h, which no module can include. */
#define SSI_FLAGS_SIZE_32	0x0002
#define SSI_FLAGS_SHARED	0x0010
#define SSI_FLAGS_CLOCKRT	0x0020
#define SSI_FLAGS_HAS_TIMEOUT	0x0040

/* The flags that POPF may set in user mode. */
#define SSI_USER_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | \
			X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_ID)

static void ssi_revive_regs(const struct ssi_image_thread *image)
{
	struct pt_regs *regs = task_pt_regs(current);
	struct pt_regs saved;

	memcpy(&saved, image->regs, sizeof(saved));
	saved.csx = __USER_CS;
	saved.ssx = __USER_DS;
	saved.flags = (saved.flags & SSI_USER_FLAGS) | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	/* No address that IRET would fault on. */
	if (saved.ip >= TASK_SIZE_MAX)
		saved.ip = 0;
	*regs = saved;
}

/* Whether current's registers are still those of its birth (copy_thread()). */
bool ssi_is_newborn(void)
{
	const struct pt_regs *regs = task_pt_regs(current);

	return !regs->ip && !regs->sp;
}

/* As wait_for_vfork_done(), kernel/fork.c. */
static void ssi_revive_wait_vfork(struct ssi_revival *revival)
{
	WRITE_ONCE(current->ssi_vfork_pid, revival->image.vfork_child);
	ssi_stop_vfork_wait();
	/* Killed or not: ssi_revival_free() takes the completion back. */
	wait_for_completion_state(&revival->vfork, TASK_KILLABLE | TASK_FREEZABLE);
	WRITE_ONCE(current->ssi_vfork_pid, 0);
}

/*
 * Runs in get_signal(), where the registers were taken: ret_from_fork() has done its own
 * changes to them by now, and the kernel restarts the system call right after.
 */
static void ssi_revive_work(struct callback_head *work)
{
	struct ssi_revival *revival = container_of(work, struct ssi_revival, work);
	struct ssi_unfinished call;

	if ((current->flags & PF_EXITING) || fatal_signal_pending(current)) {
		ssi_revival_free(revival);
		return;
	}
	ssi_revive_regs(&revival->image);
	if (revival->son) {
		task_pt_regs(current)->ax = revival->image.vfork_child;
		ssi_revive_wait_vfork(revival);
	}
	ssi_revival_free(revival);
	if (ssi_call_unfinished(&call))
		ssi_call_finish(&call);
}

struct ssi_revival *ssi_revival_new(const struct ssi_image_thread *image)
{
	struct ssi_revival *revival = kzalloc(sizeof(*revival), GFP_KERNEL);

	if (!revival)
		return NULL;
	init_task_work(&revival->work, ssi_revive_work);
	init_completion(&revival->vfork);
	revival->image = *image;
	return revival;
}

void ssi_revival_free(struct ssi_revival *revival)
{
	if (revival->son) {
		task_lock(revival->son);
		if (revival->son->vfork_done == &revival->vfork)
			revival->son->vfork_done = NULL;
		task_unlock(revival->son);
		put_task_struct(revival->son);
	}
	kfree(revival);
}

/* The son that borrows this thread's memory exists and is held: its end of the memory counts. */
int ssi_revive_vfork(struct ssi_revival *revival)
{
	struct task_struct *son = NULL;

	rcu_read_lock();
	son = find_task_by_pid_ns(revival->image.vfork_child, &init_pid_ns);
	if (son)
		get_task_struct(son);
	rcu_read_unlock();
	if (!son)
		return -ESRCH;
	task_lock(son);
	son->vfork_done = &revival->vfork;
	task_unlock(son);
	revival->son = son;
	return 0;
}

static int ssi_revive_fpu(const void *fpu, u32 fpu_bytes)
{
	u32 size = ssi_fpu_size(current);
	void *buf = kzalloc(size, GFP_KERNEL);
	int err;

	if (!buf)
		return -ENOMEM;
	memcpy(buf, fpu, min(size, fpu_bytes));
	err = ssi_fpu_load_current(buf, size);
	kfree(buf);
	return err;
}

static void ssi_revive_restart(const struct ssi_image_thread *image)
{
	struct restart_block *block = &current->restart_block;

	block->fn = do_no_restart_syscall;
	switch (image->restart_kind) {
	case SSI_RESTART_NANOSLEEP:
		block->fn = hrtimer_nanosleep_restart;
		block->nanosleep.clockid = image->restart[0];
		block->nanosleep.type = image->restart[1];
		block->nanosleep.rmtp = (void __user *)(unsigned long)image->restart[2];
		break;
	case SSI_RESTART_FUTEX:
		block->fn = futex_wait_restart;
		block->futex.uaddr = (void __user *)(unsigned long)image->restart[0];
		block->futex.val = image->restart[1];
		block->futex.flags = SSI_FLAGS_SIZE_32 |
			(image->restart[2] & SSI_RESTART_FUTEX_SHARED ? SSI_FLAGS_SHARED : 0) |
			(image->restart[2] & SSI_RESTART_FUTEX_REALTIME ? SSI_FLAGS_CLOCKRT : 0) |
			(image->restart[2] & SSI_RESTART_FUTEX_TIMEOUT ? SSI_FLAGS_HAS_TIMEOUT : 0);
		block->futex.bitset = image->restart[3];
		block->futex.time = image->restart[4];
		break;
	case SSI_RESTART_POLL:
		block->fn = do_restart_poll;
		block->poll.ufds = (void __user *)(unsigned long)image->restart[0];
		block->poll.nfds = image->restart[1];
		block->poll.has_timeout = image->restart[2];
		break;
	case SSI_RESTART_TIMED:
		block->fn = ssi_restart_timed;
		block->ssi.nr = image->restart[0];
		*ssi_done(block) = image->restart[3];
		block->ssi.deadline = KTIME_MAX;
		break;
	}
}

/* What is left of a timeout becomes a deadline again, at the moment of the release. */
static void ssi_revive_deadline(const struct ssi_image_thread *image)
{
	struct restart_block *block = &current->restart_block;
	ktime_t now = ktime_get();
	struct timespec64 until;

	switch (image->restart_kind) {
	case SSI_RESTART_NANOSLEEP:
		if (block->nanosleep.clockid == CLOCK_BOOTTIME)
			now = ktime_get_boottime();
		if (block->nanosleep.clockid == CLOCK_TAI)
			now = ktime_get_clocktai();
		block->nanosleep.expires = ktime_add_safe(now, image->restart[3]);
		break;
	case SSI_RESTART_FUTEX:
		if (!(image->restart[2] & SSI_RESTART_FUTEX_REALTIME))
			block->futex.time = ktime_add_safe(now, image->restart[4]);
		break;
	case SSI_RESTART_POLL:
		until = ktime_to_timespec64(ktime_add_safe(now, image->restart[3]));
		block->poll.tv_sec = until.tv_sec;
		block->poll.tv_nsec = until.tv_nsec;
		break;
	case SSI_RESTART_TIMED:
		if (image->restart[1])
			block->ssi.deadline = ktime_add_safe(now, image->restart[2]);
		break;
	}
}

static int ssi_revive_scheduling(const struct ssi_image_thread *image)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = image->policy,
		.sched_nice = image->nice,
		.sched_priority = image->priority,
		.sched_flags = image->flags & SSI_THREAD_RESET_ON_FORK ?
			       SCHED_FLAG_RESET_ON_FORK : 0,
	};

	return sched_setattr_nocheck(current, &attr);
}

/* The same CPUs where this node has any of them. */
static int ssi_revive_affinity(const struct ssi_image_thread *image)
{
	unsigned long scratch, args[6] = { 0, sizeof(image->cpus) };
	int err = -EFAULT;

	if (!(image->flags & SSI_THREAD_AFFINITY))
		return 0;
	scratch = ssi_scratch_new();
	if (IS_ERR_VALUE(scratch))
		return scratch;
	args[2] = scratch;
	if (!copy_to_user((void __user *)scratch, image->cpus, sizeof(image->cpus)))
		err = ssi_syscall(__NR_sched_setaffinity, args);
	ssi_scratch_free(scratch);
	return err == -EINVAL ? 0 : err;
}

/* A node that was booted later than that began says so as far as it can. */
static void ssi_revive_start(const struct ssi_image_thread *image)
{
	ktime_t boot = ktime_mono_to_any(0, TK_OFFS_BOOT);
	ktime_t boot_to_real = ktime_sub(ktime_mono_to_any(0, TK_OFFS_REAL), boot);
	s64 started = (s64)image->started - ktime_to_ns(boot_to_real);

	current->start_boottime = max_t(s64, started, 0);
	current->start_time = max_t(s64, started - ktime_to_ns(boot), 0);
}

/* All of the thread that does not show before user mode. -EINVAL: this CPU cannot hold it. */
int ssi_revive_registers(struct ssi_revival *revival, const void *fpu, u32 fpu_bytes)
{
	const struct ssi_image_thread *image = &revival->image;
	int err;

	err = ssi_revive_fpu(fpu, fpu_bytes);
	err = err ?: do_arch_prctl_64(current, ARCH_SET_FS, image->fs_base);
	err = err ?: do_arch_prctl_64(current, ARCH_SET_GS, image->gs_base);
	err = err ?: ssi_revive_scheduling(image);
	err = err ?: ssi_revive_affinity(image);
	if (err)
		return err;
	ssi_revive_start(image);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE)) {
		current->thread.pkru = image->pkru;
		write_pkru(image->pkru);
	}
	current->sas_ss_sp = image->altstack;
	current->sas_ss_size = image->altstack_bytes;
	current->sas_ss_flags = image->altstack_flags;
	current->robust_list = (void __user *)(unsigned long)image->robust_list;
	current->clear_child_tid = (void __user *)(unsigned long)image->clear_tid;
	current->timer_slack_ns = image->timer_slack_ns;
	current->personality = image->personality;
	current->pdeath_signal = image->parent_death_signal;
	if (image->flags & SSI_THREAD_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	set_task_comm(current, (const char *)image->comm);
	ssi_revive_restart(image);
	return 0;
}

/* What came while the task was held was meant for nobody; but for a kill. */
void ssi_revive_flush(void)
{
	spin_lock_irq(&current->sighand->siglock);
	if (!__fatal_signal_pending(current)) {
		flush_sigqueue(&current->pending);
		if (thread_group_leader(current))
			flush_sigqueue(&current->signal->shared_pending);
		recalc_sigpending();
	}
	spin_unlock_irq(&current->sighand->siglock);
}

/* Signals that wait for current, or for its process, in the order in which they came. */
void ssi_revive_signals(const struct ssi_image_pending *pending, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		struct kernel_siginfo info;

		memcpy(&info, pending[i].info, sizeof(info));
		spin_lock_irq(&current->sighand->siglock);
		send_signal_locked(pending[i].signal, &info, current,
				   pending[i].shared ? PIDTYPE_TGID : PIDTYPE_PID);
		spin_unlock_irq(&current->sighand->siglock);
	}
}

/*
 * The process was stopped by a signal: current stops again before it does anything, and so does
 * every other thread. As do_signal_stop(), kernel/signal.c, leaves it; but the father has had his
 * SIGCHLD. @signal: what wait4(2) will tell him, or 0.
 */
void ssi_revive_stopped(u32 signal)
{
	spin_lock_irq(&current->sighand->siglock);
	if (!(current->signal->flags & SIGNAL_GROUP_EXIT) && !__fatal_signal_pending(current)) {
		signal_set_stop_flags(current->signal, SIGNAL_STOP_STOPPED);
		current->signal->group_exit_code = signal;
		current->jobctl |= JOBCTL_STOP_PENDING | SIGSTOP;
		recalc_sigpending();
	}
	spin_unlock_irq(&current->sighand->siglock);
}

/* Takes @revival over. From here the thread goes to user mode as if it had never stopped. */
int ssi_revive(struct ssi_revival *revival)
{
	const struct ssi_image_thread *image = &revival->image;
	sigset_t blocked = { .sig = { image->blocked } };
	int err;

	ssi_revive_deadline(image);
	if (image->rseq) {
		current->rseq = (void __user *)(unsigned long)image->rseq;
		current->rseq_len = image->rseq_bytes;
		current->rseq_sig = image->rseq_signature;
		/* A critical section that was interrupted is to be aborted. */
		preempt_disable();
		rseq_preempt(current);
		preempt_enable();
	}
	set_current_blocked(&blocked);
	current->saved_sigmask.sig[0] = image->saved_mask;
	if (image->flags & SSI_THREAD_RESTORE_MASK)
		set_restore_sigmask();
	err = task_work_add(current, &revival->work, TWA_SIGNAL);
	if (err)
		ssi_revival_free(revival);
	return err;
}
