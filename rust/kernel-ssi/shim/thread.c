// SPDX-License-Identifier: GPL-2.0
/* Kernel threads that run one Rust value, clocks, and random bytes. */
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>
#include "thread.h"

/* Starts fn(data) in a thread of its own; the thread is held until ssi_thread_join(). */
struct task_struct *ssi_thread_start(int (*fn)(void *), void *data, const char *name)
{
	struct task_struct *task = kthread_create(fn, data, "%s", name);

	if (IS_ERR(task))
		return NULL;
	get_task_struct(task);
	wake_up_process(task);
	return task;
}

/* Waits for the end of a thread that has been told to end by other means. */
void ssi_thread_join(struct task_struct *task)
{
	kthread_stop(task);
	put_task_struct(task);
}

/* Lets go of a thread that nobody waits for. */
void ssi_thread_detach(struct task_struct *task)
{
	put_task_struct(task);
}

u64 ssi_clock_ms(void)
{
	return ktime_get_ns() / NSEC_PER_MSEC;
}

u64 ssi_clock_ns(void)
{
	return ktime_get_ns();
}

u64 ssi_wall_ms(void)
{
	return ktime_get_real_ns() / NSEC_PER_MSEC;
}

void ssi_random(void *data, size_t len)
{
	get_random_bytes(data, len);
}
