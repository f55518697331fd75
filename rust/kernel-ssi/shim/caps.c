// SPDX-License-Identifier: GPL-2.0
/* Capabilities of processes, and the list of those that have one. */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/ssi.h>
#include <linux/string.h>
#include "caps.h"

static struct task_struct *ssi_caps_find(u32 pid)
{
	struct task_struct *task;

	if (!pid) {
		get_task_struct(current);
		return current;
	}
	rcu_read_lock();
	task = find_task_by_vpid(pid);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

/* The caller may act on its own user's processes, an administrator on all. */
static bool ssi_caps_permitted(struct task_struct *task)
{
	kuid_t uid = task_uid(task);

	return uid_eq(current_euid(), uid) || capable(CAP_SYS_ADMIN);
}

/* PID of the process in the initial namespace, or -ESRCH, -EPERM. */
int ssi_caps_get(u32 pid, u32 *caps)
{
	struct task_struct *task = ssi_caps_find(pid);
	int tgid;

	if (!task)
		return -ESRCH;
	*caps = ssi_caps(task) & SSI_CAPS_MASK;
	tgid = task_tgid_nr(task);
	put_task_struct(task);
	return tgid;
}

int ssi_caps_set(u32 pid, u32 caps)
{
	struct task_struct *task = ssi_caps_find(pid);
	int err = 0;

	if (!task)
		return -ESRCH;
	if (task->flags & PF_KTHREAD || !ssi_caps_permitted(task))
		err = -EPERM;
	else
		ssi_set_caps(task, (ssi_caps(task) & ~SSI_CAPS_MASK) | caps);
	put_task_struct(task);
	return err;
}

/* The application of a process of the initial PID namespace; 0: none yet, or no such process. */
u32 ssi_caps_application(u32 pid)
{
	struct task_struct *task;
	u32 application = 0;

	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	if (task)
		application = ssi_caps(task) >> SSI_CAPS_APPLICATION_SHIFT;
	rcu_read_unlock();
	return application;
}

void ssi_caps_set_application(u32 pid, u32 application)
{
	struct task_struct *task;

	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	if (task)
		ssi_set_caps(task, (ssi_caps(task) & SSI_CAPS_MASK) |
				   application << SSI_CAPS_APPLICATION_SHIFT);
	rcu_read_unlock();
}

/* Has the process the capability, and its father not? */
bool ssi_caps_is_head_root(u32 pid)
{
	struct task_struct *task;
	bool head = false;

	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	if (task && ssi_caps(task) & SSI_CAP_EFFECTIVE)
		head = !(ssi_caps(rcu_dereference(task->real_parent)) & SSI_CAP_EFFECTIVE);
	rcu_read_unlock();
	return head;
}

static void ssi_caps_fill(struct ssi_caps_entry *entry, struct task_struct *task)
{
	entry->pid = task_tgid_nr(task);
	entry->ppid = task_tgid_nr(rcu_dereference(task->real_parent));
	entry->pgid = pid_nr(task_pgrp(task));
	entry->sid = pid_nr(task_session(task));
	entry->caps = ssi_caps(task) & SSI_CAPS_MASK;
	entry->application = ssi_caps(task) >> SSI_CAPS_APPLICATION_SHIFT;
	entry->uid = from_kuid(&init_user_ns, task_uid(task));
	strscpy_pad(entry->comm, task->comm);
}

/* Fills up to @max entries; returns how many there are. */
int ssi_caps_list(struct ssi_caps_entry *entries, int max)
{
	struct task_struct *task;
	int count = 0;

	rcu_read_lock();
	for_each_process(task) {
		if (!(ssi_caps(task) & SSI_CAP_EFFECTIVE))
			continue;
		if (count < max)
			ssi_caps_fill(&entries[count], task);
		count++;
	}
	rcu_read_unlock();
	return count;
}
