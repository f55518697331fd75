// SPDX-License-Identifier: GPL-2.0
/* Who belongs to a group, and who of it is at rest: all that looks at the task list. */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/ssi.h>
#include <linux/uidgid.h>
#include "stop.h"

/* Every process that is in some group. LOCK: inside tasklist_lock. */
static DEFINE_HASHTABLE(ssi_claimed, 8);
static DEFINE_SPINLOCK(ssi_claimed_lock);

static int ssi_refuse(struct ssi_group *group, struct pid *pid, enum ssi_refusal why)
{
	group->refused_pid = pid_nr(pid);
	return why;
}

static bool ssi_may_stop(struct task_struct *task, u32 caller_uid)
{
	kuid_t caller = KUIDT_INIT(caller_uid);
	const struct cred *cred;
	bool may;

	if (!caller_uid)
		return true;
	rcu_read_lock();
	cred = __task_cred(task);
	may = uid_eq(cred->uid, caller) && uid_eq(cred->euid, caller) &&
	      uid_eq(cred->suid, caller);
	rcu_read_unlock();
	return may;
}

static struct ssi_process *ssi_claim_find(struct pid *pid)
{
	struct ssi_process *process;

	hash_for_each_possible(ssi_claimed, process, claimed, (unsigned long)pid)
		if (process->pid == pid)
			return process;
	return NULL;
}

static int ssi_claim(struct ssi_group *group, struct pid *pid)
{
	struct ssi_process *process;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&ssi_claimed_lock, flags);
	process = ssi_claim_find(pid);
	if (process) {
		if (process->group != group)
			err = ssi_refuse(group, pid, SSI_REFUSED_BUSY);
	} else if (!group->spare_processes_count) {
		err = -EAGAIN;
	} else {
		process = list_first_entry(&group->spare_processes, struct ssi_process, link);
		group->spare_processes_count--;
		process->pid = get_pid(pid);
		process->index = group->processes_count++;
		list_move_tail(&process->link, &group->processes);
		hash_add(ssi_claimed, &process->claimed, (unsigned long)pid);
	}
	spin_unlock_irqrestore(&ssi_claimed_lock, flags);
	return err;
}

void ssi_processes_unclaim(struct ssi_group *group)
{
	struct ssi_process *process;
	unsigned long flags;

	spin_lock_irqsave(&ssi_claimed_lock, flags);
	list_for_each_entry(process, &group->processes, link)
		hash_del(&process->claimed);
	spin_unlock_irqrestore(&ssi_claimed_lock, flags);
}

static int ssi_take(struct ssi_group *group, struct task_struct *leader, u32 caller_uid)
{
	if (!(ssi_caps(leader) & SSI_CAP_EFFECTIVE))
		return ssi_refuse(group, task_tgid(leader), SSI_REFUSED_NO_CAPABILITY);
	if (!ssi_may_stop(leader, caller_uid))
		return ssi_refuse(group, task_tgid(leader), SSI_REFUSED_PERMISSION);
	return ssi_claim(group, task_tgid(leader));
}

/* The head root above @leader. */
static struct task_struct *ssi_head_root(struct task_struct *leader)
{
	for (;;) {
		struct task_struct *father = leader->real_parent->group_leader;

		if (!(ssi_caps(father) & SSI_CAP_EFFECTIVE))
			return leader;
		leader = father;
	}
}

int ssi_group_seed(struct ssi_group *group, u32 pid, u32 caller_uid)
{
	struct task_struct *task;
	int err = SSI_REFUSED_NO_PROCESS;

	read_lock(&tasklist_lock);
	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	rcu_read_unlock();
	if (task && !task->group_leader->exit_state) {
		task = task->group_leader;
		/* The one that was named first: its faults are the caller's. */
		err = ssi_take(group, task, caller_uid);
		if (!err && !group->lonely)
			err = ssi_take(group, ssi_head_root(task), caller_uid);
	}
	read_unlock(&tasklist_lock);
	return err;
}

static struct ssi_thread *ssi_thread_of(struct ssi_group *group, struct task_struct *task)
{
	struct ssi_thread *thread;

	hash_for_each_possible(group->threads, thread, by_task, (unsigned long)task)
		if (thread->task == task)
			return thread;
	return NULL;
}

static int ssi_thread_check(struct ssi_group *group, struct task_struct *task)
{
	if (group->caller && task_tgid_nr(task) == group->caller)
		return ssi_refuse(group, task_pid(task), SSI_REFUSED_CALLER);
	if (task->ptrace)
		return ssi_refuse(group, task_pid(task), SSI_REFUSED_TRACED);
	if (task->flags & PF_USER_WORKER)
		return ssi_refuse(group, task_tgid(task), SSI_REFUSED_WORKER);
	return group->spare_threads_count ? 0 : -EAGAIN;
}

/* Queues the work that will stop @task. One that is beyond its last work needs none. */
static int ssi_arm(struct ssi_process *process, struct task_struct *task)
{
	struct ssi_group *group = process->group;
	struct ssi_thread *thread;
	unsigned long flags;
	int err = ssi_thread_check(group, task);

	if (err)
		return err;
	thread = list_first_entry(&group->spare_threads, struct ssi_thread, link);
	thread->task = get_task_struct(task);
	thread->process = process;
	group->spare_threads_count--;
	group->threads_count++;
	spin_lock_irqsave(&group->lock, flags);
	list_move_tail(&thread->link, &process->threads);
	hash_add(group->threads, &thread->by_task, (unsigned long)task);
	thread->state = SSI_THREAD_ARMED;
	group->missing++;
	spin_unlock_irqrestore(&group->lock, flags);
	kref_get(&group->ref);
	if (task_work_add(task, &thread->work, TWA_SIGNAL)) {
		spin_lock_irqsave(&group->lock, flags);
		thread->state = SSI_THREAD_GONE;
		group->missing--;
		spin_unlock_irqrestore(&group->lock, flags);
		/* The owner still has one. */
		ssi_group_put(group);
	}
	return 0;
}

static int ssi_scan_sons(struct ssi_group *group, struct task_struct *task, u32 caller_uid)
{
	struct task_struct *son;
	int err = 0;

	list_for_each_entry(son, &task->children, sibling) {
		/* A son without the capability is a boundary. */
		if (son->exit_state == EXIT_DEAD || !(ssi_caps(son) & SSI_CAP_EFFECTIVE))
			continue;
		err = ssi_take(group, son, caller_uid);
		if (err)
			break;
	}
	return err;
}

static int ssi_scan_process(struct ssi_process *process, u32 caller_uid)
{
	struct task_struct *leader = pid_task(process->pid, PIDTYPE_TGID);
	struct task_struct *task;
	int err = 0;

	if (!leader)
		return 0;
	for_each_thread(leader, task) {
		if (!task->exit_state && !ssi_thread_of(process->group, task))
			err = ssi_arm(process, task);
		if (!err && !process->group->lonely)
			err = ssi_scan_sons(process->group, task, caller_uid);
		if (err)
			break;
	}
	return err;
}

/* One look at everything: new threads, new sons. -EAGAIN: no spares left. */
int ssi_group_scan(struct ssi_group *group, u32 caller_uid)
{
	struct ssi_process *process;
	int err = 0;

	read_lock(&tasklist_lock);
	/* What is appended on the way is visited too. */
	list_for_each_entry(process, &group->processes, link) {
		err = ssi_scan_process(process, caller_uid);
		if (err)
			break;
	}
	read_unlock(&tasklist_lock);
	return err;
}

/* Asleep in vfork until a son of the group runs a program or exits: only its work can follow. */
static bool ssi_waits_for_son(struct ssi_group *group, struct task_struct *task)
{
	pid_t pid = READ_ONCE(task->ssi_vfork_pid);
	struct task_struct *son = NULL;

	if (pid) {
		rcu_read_lock();
		son = find_task_by_pid_ns(pid, &init_pid_ns);
		rcu_read_unlock();
	}
	/* LOCK: under tasklist_lock the son stays. */
	return son && READ_ONCE(son->vfork_done) && ssi_thread_of(group, son);
}

/* From the hook in vfork: a stop that is under way must look again. Must not sleep. */
void ssi_stop_vfork_wait(void)
{
	struct ssi_process *process;
	unsigned long flags;

	spin_lock_irqsave(&ssi_claimed_lock, flags);
	process = ssi_claim_find(task_tgid(current));
	if (process) {
		WRITE_ONCE(process->group->stirred, true);
		wake_up(&process->group->arrived);
	}
	spin_unlock_irqrestore(&ssi_claimed_lock, flags);
}

static void ssi_thread_look(struct ssi_group *group, struct ssi_thread *thread)
{
	bool rests;

	if (thread->state != SSI_THREAD_ARMED && thread->state != SSI_THREAD_RESTING)
		return;
	rests = task_is_stopped(thread->task) || ssi_waits_for_son(group, thread->task);
	if (rests && thread->state == SSI_THREAD_ARMED) {
		thread->state = SSI_THREAD_RESTING;
		group->missing--;
	} else if (!rests && thread->state == SSI_THREAD_RESTING) {
		thread->state = SSI_THREAD_ARMED;
		group->missing++;
	}
}

/* Whether the process is in a state that lasts: alive and at rest, a zombie, or reaped. */
static bool ssi_process_look(struct ssi_process *process)
{
	struct task_struct *leader = pid_task(process->pid, PIDTYPE_TGID);
	struct ssi_thread *thread;
	u32 alive = 0;

	list_for_each_entry(thread, &process->threads, link) {
		ssi_thread_look(process->group, thread);
		alive += thread->state != SSI_THREAD_GONE;
	}
	process->threads_count = alive;
	process->zombie = leader && !alive && leader->exit_state == EXIT_ZOMBIE;
	return alive || process->zombie || !leader;
}

bool ssi_group_settle(struct ssi_group *group)
{
	struct ssi_process *process;
	unsigned long flags;
	bool settled = true;

	read_lock(&tasklist_lock);
	spin_lock_irqsave(&group->lock, flags);
	list_for_each_entry(process, &group->processes, link)
		if (!ssi_process_look(process))
			settled = false;
	if (group->missing)
		settled = false;
	spin_unlock_irqrestore(&group->lock, flags);
	read_unlock(&tasklist_lock);
	return settled;
}
