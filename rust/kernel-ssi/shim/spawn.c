// SPDX-License-Identifier: GPL-2.0
/* Makes processes and threads with the PIDs that they had; they begin in ssi_born(). */
#include <linux/cred.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/ssi.h>
#include <linux/tty.h>
#include <linux/wait.h>
#include <uapi/linux/wait.h>
#include "spawn.h"

static int ssi_birth(void *birth)
{
	int code = 0;

	/* All of Rust is unwound when this returns. */
	switch (ssi_born(birth, &code)) {
	case SSI_BORN_LIVES:
		return 0;
	case SSI_BORN_EXITS:
		if (thread_group_leader(current))
			do_group_exit(code);
	}
	do_exit(code);
}

/*
 * Makes a son or a thread of current whose PID is @pid. It runs ssi_born(@birth) in kernel
 * mode, in the memory of current, with all signals blocked. -EEXIST: the PID is in use.
 */
int ssi_spawn(enum ssi_spawn_kind kind, u32 pid, int exit_signal, void *birth)
{
	pid_t set_tid = pid;
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_UNTRACED,
		.exit_signal = exit_signal,
		.fn = ssi_birth,
		.fn_arg = birth,
		.set_tid = &set_tid,
		.set_tid_size = 1,
	};
	const struct cred *old;
	struct cred *cred;
	sigset_t all, blocked;
	pid_t made;

	if (kind != SSI_SPAWN_PROCESS) {
		args.flags |= CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
		args.exit_signal = 0;
	}
	if (kind == SSI_SPAWN_THREAD)
		args.flags |= CLONE_FILES;
	/* Only root may choose PIDs; what the new task may do is set by itself, first thing. */
	cred = prepare_kernel_cred(&init_task);
	if (!cred)
		return -ENOMEM;
	old = override_creds(cred);
	sigfillset(&all);
	blocked = current->blocked;
	set_current_blocked(&all);
	made = kernel_clone(&args);
	__set_current_blocked(&blocked);
	revert_creds(old);
	put_cred(cred);
	return made < 0 ? made : 0;
}

/* What a new process has from its helper and must not keep. */
void ssi_birth_reset(void)
{
	struct signal_struct *signal = current->signal;
	struct tty_struct *tty;

	ssi_set_caps(current, 0);
	flush_signal_handlers(current, 1);
	spin_lock_irq(&current->sighand->siglock);
	tty = signal->tty;
	signal->tty = NULL;
	spin_unlock_irq(&current->sighand->siglock);
	tty_kref_put(tty);
}

/* Takes the helper's time namespace for children as its own. */
int ssi_leave_namespaces(void)
{
	return exec_task_namespaces();
}

/* Waits until these sons of current, which are ending, are gone. */
int ssi_wait_for_sons(const u32 *pids, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		int err = kernel_wait4(pids[i], NULL, __WALL, NULL);

		if (err < 0 && err != -ECHILD)
			return err;
	}
	return 0;
}

static bool ssi_is_zombie(u32 pid)
{
	struct task_struct *task;
	bool zombie;

	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	zombie = !task || READ_ONCE(task->exit_state);
	rcu_read_unlock();
	return zombie;
}

/* Waits until a son that is ending is a zombie. */
int ssi_wait_for_zombie(u32 pid)
{
	/* An exit wakes no killable sleep; all signals but SIGKILL are blocked. */
	while (wait_event_interruptible(current->signal->wait_chldexit, ssi_is_zombie(pid))) {
		if (fatal_signal_pending(current))
			return -ERESTARTSYS;
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}
