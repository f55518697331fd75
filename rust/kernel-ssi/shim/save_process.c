// SPDX-License-Identifier: GPL-2.0
/* Saves what the threads of a process share, and refuses by name what cannot be saved. */
#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/ipc_namespace.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include "caps.h"
#include "image.h"
#include "stop.h"

static const char *ssi_namespace_refusal(struct task_struct *task)
{
	const struct nsproxy *ours = init_task.nsproxy, *theirs = task->nsproxy;

	if (!theirs)
		return NULL;
	if (theirs->mnt_ns != init_pid_ns.child_reaper->nsproxy->mnt_ns)
		return "mount namespace";
	if (theirs->net_ns != ours->net_ns)
		return "network namespace";
	if (theirs->pid_ns_for_children != ours->pid_ns_for_children)
		return "PID namespace";
	if (theirs->uts_ns != ours->uts_ns || theirs->ipc_ns != ours->ipc_ns)
		return "UTS or IPC namespace";
	if (theirs->time_ns != ours->time_ns ||
	    theirs->time_ns_for_children != ours->time_ns_for_children)
		return "time namespace";
	if (theirs->cgroup_ns != ours->cgroup_ns)
		return "cgroup namespace";
	if (task_cred_xxx(task, user_ns) != &init_user_ns)
		return "user namespace";
	return NULL;
}

/* ipc/sem.c, which has no header for it. Threads share one, mostly an empty one. */
struct ssi_undo_list {
	refcount_t refcnt;
	spinlock_t lock;
	struct list_head list_proc;
};

static bool ssi_has_undo(struct task_struct *task)
{
	struct ssi_undo_list *undo = (struct ssi_undo_list *)task->sysvsem.undo_list;

	return undo && !list_empty(&undo->list_proc);
}

/* What a thread may hold that no record describes. */
static const char *ssi_thread_refusal(struct task_struct *task)
{
	if (task->ptrace)
		return "a tracer (ptrace)";
	if (task->seccomp.mode)
		return "seccomp filter";
	if (task->io_uring)
		return "io_uring";
	if (ssi_has_undo(task))
		return "System V semaphore undo list";
	if (task->thread.io_bitmap || task->thread.iopl_emul)
		return "I/O port permissions";
	if (task->thread.ptrace_bps[0])
		return "debug registers";
	if (task->perf_event_ctxp)
		return "performance counter";
	if (test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		return "system call user dispatch";
	if (task->policy == SCHED_DEADLINE)
		return "deadline scheduling";
	if (!user_64bit_mode(task_pt_regs(task)))
		return "32-bit code";
	return NULL;
}

static const char *ssi_process_refusal(struct task_struct *task, u32 threads)
{
	struct mm_struct *mm = task->mm;

	if (refcount_read(&task->sighand->count) > threads)
		return "signal handlers shared between processes";
	if (!task->files || !task->fs || task->fs->users > threads)
		return "working directory shared between processes";
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (mm && mm->context.ldt)
		return "local descriptor table";
#endif
	if (mm && rcu_access_pointer(mm->ioctx_table))
		return "asynchronous I/O context";
	return ssi_namespace_refusal(task);
}

/* The thread through which the process is looked at: one that still has everything. */
static struct task_struct *ssi_process_task(struct ssi_process *process)
{
	struct ssi_thread *thread;

	list_for_each_entry(thread, &process->threads, link)
		if (READ_ONCE(thread->state) != SSI_THREAD_GONE)
			return thread->task;
	return NULL;
}

static bool ssi_group_has(struct ssi_group *group, struct task_struct *task)
{
	struct ssi_process *process;

	list_for_each_entry(process, &group->processes, link)
		if (process->pid == task_tgid(task))
			return true;
	return false;
}

/* Whether the leader of a session or group is alive and no part of what is saved. */
static u32 ssi_outside(struct ssi_group *group, struct pid *pid, u32 flag)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID);

	return leader && !ssi_group_has(group, leader) ? flag : 0;
}

static void ssi_process_describe(struct ssi_process *process, struct task_struct *leader,
				 struct ssi_image_process *image)
{
	struct ssi_group *group = process->group;
	struct signal_struct *signal = leader->signal;

	read_lock(&tasklist_lock);
	image->pid = pid_nr(process->pid);
	if (ssi_group_has(group, leader->real_parent))
		image->parent = task_tgid_nr(leader->real_parent);
	image->group = pid_nr(task_pgrp(leader));
	image->session = pid_nr(task_session(leader));
	image->flags = ssi_outside(group, task_session(leader), SSI_PROCESS_SESSION_OUTSIDE) |
		       ssi_outside(group, task_pgrp(leader), SSI_PROCESS_GROUP_OUTSIDE) |
		       (signal->is_child_subreaper ? SSI_PROCESS_SUBREAPER : 0) |
		       (process->zombie ? SSI_PROCESS_ZOMBIE : 0);
	/* Or is about to stop: its threads are on their way there. */
	if (signal->flags & SIGNAL_STOP_STOPPED || signal->group_stop_count) {
		image->flags |= SSI_PROCESS_STOPPED;
		image->stop_signal = signal->group_exit_code & 0x7f;
	}
	image->caps = ssi_caps(leader) & SSI_CAPS_MASK;
	image->threads = process->threads_count;
	image->exit_signal = leader->exit_signal;
	image->exit_code = process->zombie ? leader->exit_code : 0;
	image->oom_score_adj = signal->oom_score_adj;
	if (!process->zombie && leader->vfork_done && leader->mm == leader->real_parent->mm)
		image->flags |= SSI_PROCESS_BORROWED_MEMORY;
	read_unlock(&tasklist_lock);
}

static int ssi_fs_save(struct ssi_process *process, struct task_struct *task)
{
	struct ssi_image_fs *image = kzalloc(PAGE_SIZE, GFP_KERNEL);
	struct path cwd, root;
	char *name;
	int err;

	if (!image)
		return -ENOMEM;
	get_fs_pwd(task->fs, &cwd);
	get_fs_root(task->fs, &root);
	image->umask = task->fs->umask;
	name = d_path(&cwd, (char *)(image + 1), PAGE_SIZE - sizeof(*image));
	if (!path_equal(&root, &init_pid_ns.child_reaper->fs->root)) {
		err = ssi_unsupported(process, "changed root directory");
	} else if (IS_ERR(name)) {
		err = PTR_ERR(name);
	} else if (d_unlinked(cwd.dentry) || name[0] != '/') {
		err = ssi_unsupported(process, "working directory that was deleted");
	} else {
		image->cwd_bytes = strlen(name);
		memmove(image + 1, name, image->cwd_bytes);
		err = ssi_record_add(process, SSI_KIND_FS, pid_nr(process->pid), image,
				     sizeof(*image) + image->cwd_bytes);
	}
	path_put(&cwd);
	path_put(&root);
	kfree(image);
	return err;
}

static int ssi_limits_save(struct ssi_process *process, struct task_struct *task)
{
	struct ssi_image_limit limits[RLIM_NLIMITS];
	int i;

	task_lock(task->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		limits[i].soft = task->signal->rlim[i].rlim_cur;
		limits[i].hard = task->signal->rlim[i].rlim_max;
	}
	task_unlock(task->group_leader);
	return ssi_record_add(process, SSI_KIND_LIMITS, pid_nr(process->pid), limits,
			      sizeof(limits));
}

int ssi_credentials_save(struct ssi_process *process, struct task_struct *task)
{
	const struct cred *cred = get_task_cred(task);
	struct group_info *groups = cred->group_info;
	size_t len = sizeof(struct ssi_image_credentials) + groups->ngroups * sizeof(u32);
	struct ssi_image_credentials *image = kvzalloc(len, GFP_KERNEL);
	u32 *list = (u32 *)(image + 1);
	int i, err = -ENOMEM;

	if (!image)
		goto out;
	image->uid = cred->uid.val;
	image->euid = cred->euid.val;
	image->suid = cred->suid.val;
	image->fsuid = cred->fsuid.val;
	image->gid = cred->gid.val;
	image->egid = cred->egid.val;
	image->sgid = cred->sgid.val;
	image->fsgid = cred->fsgid.val;
	image->securebits = cred->securebits;
	image->inheritable = cred->cap_inheritable.val;
	image->permitted = cred->cap_permitted.val;
	image->effective = cred->cap_effective.val;
	image->bounding = cred->cap_bset.val;
	image->ambient = cred->cap_ambient.val;
	image->groups = groups->ngroups;
	for (i = 0; i < groups->ngroups; i++)
		list[i] = groups->gid[i].val;
	err = ssi_record_add(process, SSI_KIND_CREDENTIALS, task_pid_nr(task), image, len);
	kvfree(image);
out:
	put_cred(cred);
	return err;
}

static int ssi_process_check(struct ssi_process *process, struct task_struct *task)
{
	struct ssi_thread *thread;
	const char *what;

	what = ssi_process_refusal(task, process->threads_count);
	list_for_each_entry(thread, &process->threads, link) {
		if (what || thread->state == SSI_THREAD_GONE)
			continue;
		what = ssi_thread_refusal(thread->task);
		if (thread->task->fs != task->fs)
			what = "working directory of a single thread";
	}
	return what ? ssi_unsupported(process, what) : 0;
}

static int ssi_zombie_save(struct ssi_process *process)
{
	struct task_struct *leader = get_pid_task(process->pid, PIDTYPE_TGID);
	struct ssi_image_process image = {};

	/* A father outside may have reaped it, or will: it is no part of the cut. */
	if (!leader)
		return 0;
	ssi_process_describe(process, leader, &image);
	put_task_struct(leader);
	if (!image.parent)
		return 0;
	return ssi_record_add(process, SSI_KIND_PROCESS, image.pid, &image, sizeof(image));
}

/* In the context of one of its threads, or of the coordinator where none can run. */
int ssi_process_save(struct ssi_process *process)
{
	struct task_struct *task = ssi_process_task(process);
	struct ssi_image_process image = {};
	struct ssi_thread *thread;
	int err;

	if (process->zombie)
		return ssi_zombie_save(process);
	if (!task || !task->mm)
		return SSI_REFUSED_KILLED;
	err = ssi_process_check(process, task);
	if (err)
		return err;
	ssi_process_describe(process, task->group_leader, &image);
	err = ssi_record_add(process, SSI_KIND_PROCESS, image.pid, &image, sizeof(image));
	err = err ?: ssi_limits_save(process, task);
	err = err ?: ssi_fs_save(process, task);
	err = err ?: ssi_actions_save(process, task);
	err = err ?: ssi_timers_save(process, task);
	err = err ?: ssi_pending_save(process, task, true);
	list_for_each_entry(thread, &process->threads, link)
		if (!err && thread->state != SSI_THREAD_GONE)
			err = ssi_thread_save(thread);
	return err;
}
