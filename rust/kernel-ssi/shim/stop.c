// SPDX-License-Identifier: GPL-2.0
/* Stops a group of processes at the user boundary, has them save themselves, lets them go. */
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include "image.h"
#include "stop.h"

#define SSI_SPARE_PROCESSES	16
#define SSI_SPARE_THREADS	64
#define SSI_GROUP_THREADS_MAX	32768

static void ssi_park(struct callback_head *work);

struct ssi_group *ssi_group_new(u32 caller)
{
	struct ssi_group *group = kzalloc(sizeof(*group), GFP_KERNEL);

	if (!group)
		return NULL;
	group->caller = caller;
	kref_init(&group->ref);
	spin_lock_init(&group->lock);
	init_waitqueue_head(&group->arrived);
	INIT_LIST_HEAD(&group->processes);
	INIT_LIST_HEAD(&group->spare_processes);
	INIT_LIST_HEAD(&group->spare_threads);
	hash_init(group->threads);
	return group;
}

static void ssi_thread_free(struct ssi_thread *thread)
{
	if (thread->task)
		put_task_struct(thread->task);
	kfree(thread->fpu);
	kfree(thread);
}

static void ssi_process_free(struct ssi_process *process)
{
	struct ssi_thread *thread, *next;
	struct ssi_record *record, *after;

	list_for_each_entry_safe(thread, next, &process->threads, link)
		ssi_thread_free(thread);
	list_for_each_entry_safe(record, after, &process->records, link)
		kvfree(record);
	put_pid(process->pid);
	kfree(process);
}

static void ssi_group_destroy(struct kref *ref)
{
	struct ssi_group *group = container_of(ref, struct ssi_group, ref);
	struct ssi_process *process, *next;
	struct ssi_thread *thread, *after;

	list_for_each_entry_safe(process, next, &group->processes, link)
		ssi_process_free(process);
	list_for_each_entry_safe(process, next, &group->spare_processes, link)
		ssi_process_free(process);
	list_for_each_entry_safe(thread, after, &group->spare_threads, link)
		ssi_thread_free(thread);
	kfree(group);
}

void ssi_group_put(struct ssi_group *group)
{
	kref_put(&group->ref, ssi_group_destroy);
}

/* Reserve first: nothing can be allocated under tasklist_lock. */
static int ssi_group_reserve(struct ssi_group *group)
{
	while (group->spare_processes_count < SSI_SPARE_PROCESSES) {
		struct ssi_process *process = kzalloc(sizeof(*process), GFP_KERNEL);

		if (!process)
			return -ENOMEM;
		process->group = group;
		INIT_LIST_HEAD(&process->threads);
		INIT_LIST_HEAD(&process->records);
		list_add(&process->link, &group->spare_processes);
		group->spare_processes_count++;
	}
	while (group->spare_threads_count < SSI_SPARE_THREADS) {
		struct ssi_thread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);

		if (!thread)
			return -ENOMEM;
		init_task_work(&thread->work, ssi_park);
		init_waitqueue_head(&thread->door);
		thread->fpu_room = ssi_fpu_size(current);
		thread->fpu = kmalloc(thread->fpu_room, GFP_KERNEL);
		list_add(&thread->link, &group->spare_threads);
		group->spare_threads_count++;
		if (!thread->fpu)
			return -ENOMEM;
	}
	return 0;
}

static void ssi_thread_settle(struct ssi_thread *thread, enum ssi_thread_state state)
{
	struct ssi_group *group = thread->process->group;
	unsigned long flags;

	spin_lock_irqsave(&group->lock, flags);
	if (thread->state == SSI_THREAD_ARMED && !--group->missing)
		wake_up(&group->arrived);
	if (state == SSI_THREAD_GONE && thread->order == SSI_ORDER_SAVE) {
		/* Killed before it could save its process. */
		thread->order = SSI_ORDER_STAY;
		group->save_error = SSI_REFUSED_KILLED;
		group->save_error_pid = pid_nr(thread->process->pid);
		if (!--group->saving)
			wake_up(&group->arrived);
	}
	thread->state = state;
	spin_unlock_irqrestore(&group->lock, flags);
}

/* In the context of the delegate, or of the coordinator where nobody can run. */
static int ssi_process_serve(struct ssi_process *process)
{
	struct ssi_group *group = process->group;
	int err = ssi_process_save(process);

	if (!err && group->save && !process->zombie)
		err = group->save(group->save_data, process->index);
	process->saved = !err;
	return err;
}

static void ssi_thread_serve(struct ssi_thread *thread)
{
	struct ssi_group *group = thread->process->group;
	unsigned long flags;
	int err;

	cmpxchg(&thread->order, SSI_ORDER_SAVE, SSI_ORDER_STAY);
	err = ssi_process_serve(thread->process);
	spin_lock_irqsave(&group->lock, flags);
	if (err && !group->save_error) {
		group->save_error = err;
		group->save_error_pid = pid_nr(thread->process->pid);
	}
	if (!--group->saving)
		wake_up(&group->arrived);
	spin_unlock_irqrestore(&group->lock, flags);
}

/* Waits for orders; false where the thread is killed. */
static bool ssi_thread_wait(struct ssi_thread *thread)
{
	for (;;) {
		enum ssi_order order;

		if (wait_event_killable(thread->door,
					READ_ONCE(thread->order) != SSI_ORDER_STAY))
			return false;
		order = READ_ONCE(thread->order);
		if (order == SSI_ORDER_GO)
			return true;
		ssi_thread_serve(thread);
	}
}

/*
 * Runs in the thread on its way to user mode, before system calls are restarted and signals
 * delivered (get_signal(), or exit_task_work() of a thread that exits).
 */
static void ssi_park(struct callback_head *work)
{
	struct ssi_thread *thread = container_of(work, struct ssi_thread, work);
	struct ssi_group *group = thread->process->group;
	struct ssi_unfinished call;
	bool unfinished = false;

	if ((current->flags & PF_EXITING) || fatal_signal_pending(current)) {
		ssi_thread_settle(thread, SSI_THREAD_GONE);
		ssi_group_put(group);
		return;
	}
	/* A task that is just being restored has its registers set by a work of its own. */
	if (ssi_is_newborn() && !thread->deferred) {
		thread->deferred = true;
		if (!task_work_add(current, work, TWA_SIGNAL))
			return;
	}
	ssi_spare_eintr();
	ssi_thread_save_registers(thread);
	ssi_thread_settle(thread, SSI_THREAD_PARKED);
	if (ssi_thread_wait(thread))
		unfinished = ssi_call_unfinished(&call);
	else
		ssi_thread_settle(thread, SSI_THREAD_GONE);
	ssi_group_put(group);
	if (unfinished)
		ssi_call_finish(&call);
}

/* Whether another stop has queued its work for current. */
bool ssi_is_to_park(void)
{
	struct callback_head *work;
	unsigned long flags;

	/* As task_work_cancel_match(): only current runs works, others cancel under the lock. */
	raw_spin_lock_irqsave(&current->pi_lock, flags);
	work = READ_ONCE(current->task_works);
	while (work && work->func != ssi_park)
		work = READ_ONCE(work->next);
	raw_spin_unlock_irqrestore(&current->pi_lock, flags);
	return work;
}

static u32 ssi_group_laggard(struct ssi_group *group)
{
	struct ssi_process *process;
	struct ssi_thread *thread;

	list_for_each_entry(process, &group->processes, link)
		list_for_each_entry(thread, &process->threads, link)
			if (READ_ONCE(thread->state) == SSI_THREAD_ARMED)
				return task_pid_nr(thread->task);
	return 0;
}

static int ssi_group_find(struct ssi_group *group, u32 pid, u32 caller_uid)
{
	int err;

	do {
		err = ssi_group_reserve(group);
		if (!err)
			err = pid ? ssi_group_seed(group, pid, caller_uid) :
				    ssi_group_scan(group, caller_uid);
	} while (err == -EAGAIN && group->threads_count < SSI_GROUP_THREADS_MAX);
	if (err == -EAGAIN)
		return SSI_REFUSED_LIMIT;
	return err == -ENOMEM ? SSI_REFUSED_MEMORY : err;
}

/*
 * Until there is reason to look again; not 0 where the caller is being killed. A look that found
 * more than the one before is reason enough once all of that is at rest.
 */
static long ssi_group_pause(struct ssi_group *group, bool grown)
{
	long err;

	/* An exit that is under way, past its last work, wakes nobody here: look after a tick. */
	if (!READ_ONCE(group->missing)) {
		if (!grown)
			schedule_timeout_killable(1);
		return fatal_signal_pending(current);
	}
	err = wait_event_killable_timeout(group->arrived, !READ_ONCE(group->missing) ||
					  READ_ONCE(group->stirred), 1);
	WRITE_ONCE(group->stirred, false);
	return err < 0;
}

/*
 * Takes in the application of @pid and returns when every thread of it is at rest: 0, or a
 * number of enum ssi_refusal with group->refused_pid. May be called again with another PID.
 * TIMEOUT: @deadline_ns, of ktime_get_ns().
 */
int ssi_group_stop(struct ssi_group *group, u32 pid, bool lonely, u32 caller_uid,
		   u64 deadline_ns)
{
	int err;

	group->lonely = lonely;
	err = ssi_group_find(group, pid, caller_uid);

	group->refused_pid = err == SSI_REFUSED_NO_PROCESS ? pid : group->refused_pid;
	while (!err) {
		u32 before = group->threads_count + group->processes_count;
		bool grown;

		err = ssi_group_find(group, 0, caller_uid);
		if (err)
			break;
		grown = before != group->threads_count + group->processes_count;
		if (!grown && ssi_group_settle(group))
			return 0;
		if (ssi_group_pause(group, grown))
			return SSI_REFUSED_INTERRUPTED;
		if (ktime_get_ns() > deadline_ns) {
			group->refused_pid = ssi_group_laggard(group);
			return SSI_REFUSED_TIMEOUT;
		}
	}
	return err;
}

/* One that exited and was reaped while the others were stopped is no part of the cut. */
bool ssi_process_counts(struct ssi_process *process)
{
	return process->zombie || process->threads_count;
}

static bool ssi_process_delegate(struct ssi_process *process)
{
	struct ssi_thread *thread;

	list_for_each_entry(thread, &process->threads, link) {
		if (thread->state != SSI_THREAD_PARKED)
			continue;
		process->delegate = thread;
		thread->order = SSI_ORDER_SAVE;
		process->group->saving++;
		return true;
	}
	return false;
}

/*
 * Every process saves itself and then calls @save, all at once. Returns when all have: 0, an
 * errno, or a number of enum ssi_refusal; of the first that failed, group->refused_pid.
 */
int ssi_group_save(struct ssi_group *group, ssi_save_fn save, void *data)
{
	struct ssi_process *process;
	unsigned long flags;
	int err = 0;

	group->save = save;
	group->save_data = data;
	spin_lock_irqsave(&group->lock, flags);
	group->save_error = 0;
	list_for_each_entry(process, &group->processes, link) {
		process->delegate = NULL;
		if (ssi_process_delegate(process))
			wake_up(&process->delegate->door);
	}
	spin_unlock_irqrestore(&group->lock, flags);
	list_for_each_entry(process, &group->processes, link) {
		if (err || process->delegate || !ssi_process_counts(process))
			continue;
		err = ssi_process_serve(process);
		group->refused_pid = pid_nr(process->pid);
	}
	/* TIMEOUT: every delegate ends or is killed; @data must outlive them all. */
	wait_event(group->arrived, !READ_ONCE(group->saving));
	spin_lock_irqsave(&group->lock, flags);
	if (!err && group->save_error) {
		err = group->save_error;
		group->refused_pid = group->save_error_pid;
	}
	spin_unlock_irqrestore(&group->lock, flags);
	return err;
}

/* Each process of the cut gets @signal, and heeds it when it goes on. */
void ssi_group_signal(struct ssi_group *group, u32 signal)
{
	struct ssi_process *process;

	/* What has ended meanwhile needs none. */
	list_for_each_entry(process, &group->processes, link)
		if (ssi_process_counts(process))
			kill_pid(process->pid, signal, 1);
}

/* Everybody goes on where it was. What was saved stays until ssi_group_free(). */
void ssi_group_release(struct ssi_group *group)
{
	struct ssi_process *process;
	struct ssi_thread *thread;

	ssi_processes_unclaim(group);
	list_for_each_entry(process, &group->processes, link) {
		list_for_each_entry(thread, &process->threads, link) {
			if (thread->order == SSI_ORDER_GO)
				continue;
			WRITE_ONCE(thread->order, SSI_ORDER_GO);
			wake_up(&thread->door);
			if (task_work_cancel(thread->task, &thread->work))
				ssi_group_put(group);
		}
	}
}

void ssi_group_free(struct ssi_group *group)
{
	ssi_group_release(group);
	ssi_group_put(group);
}
