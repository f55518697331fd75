// SPDX-License-Identifier: GPL-2.0
/* Saves interval timers and POSIX timers as what is left of them. */
#include <linux/hrtimer.h>
#include <linux/posix-timers.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include <linux/time64.h>
#include "image.h"
#include "stop.h"

/* Most POSIX timers of one process. */
#define SSI_TIMERS_MAX 4096

static void ssi_timer_of(const struct itimerspec64 *from, struct ssi_image_timer *to)
{
	to->value_ns = timespec64_to_ns(&from->it_value);
	to->interval_ns = timespec64_to_ns(&from->it_interval);
}

/* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF. */
static int ssi_interval_timers_save(struct ssi_process *process, struct task_struct *task,
				    struct ssi_image_timer timers[3])
{
	struct signal_struct *signal = task->signal;
	struct itimerspec64 value;

	if (hrtimer_active(&signal->real_timer)) {
		ktime_t rest = hrtimer_get_remaining(&signal->real_timer);

		timers[0].value_ns = max_t(s64, 1, ktime_to_ns(rest));
	}
	timers[0].interval_ns = ktime_to_ns(signal->it_real_incr);
	/* It is armed again when its signal, which waits, is delivered. */
	if (timers[0].interval_ns && !timers[0].value_ns)
		timers[0].value_ns = 1;
	if (same_thread_group(task, current)) {
		do_getitimer(ITIMER_VIRTUAL, &value);
		ssi_timer_of(&value, &timers[1]);
		do_getitimer(ITIMER_PROF, &value);
		ssi_timer_of(&value, &timers[2]);
	} else if (signal->it[0].expires || signal->it[1].expires) {
		return ssi_unsupported(process, "CPU time timer of a stopped process");
	}
	return 0;
}

/* As common_timer_get(), kernel/time/posix-timers.c. LOCK: siglock is held. */
static u64 ssi_posix_timer_rest(struct k_itimer *timer)
{
	struct hrtimer *base = &timer->it.real.timer;
	bool silent = timer->it_sigev_notify == SIGEV_NONE;
	s64 rest = ktime_to_ns(ktime_sub(hrtimer_get_expires(base), hrtimer_cb_get_time(base)));

	/* Its signal waits to be delivered: the new timer sends it. */
	if (timer->sigq && !list_empty(&timer->sigq->list))
		return 1;
	if (!timer->it_active && !(silent && hrtimer_get_expires(base)))
		return 0;
	if (rest > 0)
		return rest;
	if (!silent)
		return 1;
	return timer->it_interval ? timer->it_interval - (-rest) % timer->it_interval : 0;
}

static const char *ssi_posix_timer_save(struct k_itimer *timer,
					struct ssi_image_posix_timer *image)
{
	switch (timer->it_clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		break;
	default:
		return "POSIX timer of a CPU or alarm clock";
	}
	image->id = timer->it_id;
	image->clock = timer->it_clock;
	image->notify = timer->it_sigev_notify;
	image->signal = timer->sigq->info.si_signo;
	image->value = (unsigned long)timer->sigq->info.si_value.sival_ptr;
	if (timer->it_sigev_notify & SIGEV_THREAD_ID)
		image->thread = pid_nr(timer->it_pid);
	image->time.value_ns = ssi_posix_timer_rest(timer);
	image->time.interval_ns = ktime_to_ns(timer->it_interval);
	return NULL;
}

/* How many there are; the first @room of them are in @out. */
static u32 ssi_posix_timers_save(struct task_struct *task, struct ssi_image_posix_timer *out,
				 u32 room, const char **refusal)
{
	struct k_itimer *timer;
	u32 count = 0;

	/* Nobody creates or deletes one: only expiry and the end of the process go on. */
	spin_lock_irq(&task->sighand->siglock);
	hlist_for_each_entry(timer, &task->signal->posix_timers, list) {
		if (count < room)
			*refusal = ssi_posix_timer_save(timer, &out[count]) ?: *refusal;
		count++;
	}
	spin_unlock_irq(&task->sighand->siglock);
	return count;
}

int ssi_timers_save(struct ssi_process *process, struct task_struct *task)
{
	struct ssi_image_timer *image;
	const char *refusal = NULL;
	u32 count = ssi_posix_timers_save(task, NULL, 0, &refusal);
	size_t len = 3 * sizeof(*image) + count * sizeof(struct ssi_image_posix_timer);
	int err;

	if (count > SSI_TIMERS_MAX)
		return ssi_unsupported(process, "more POSIX timers than can be saved");
	image = kvzalloc(len, GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	err = ssi_interval_timers_save(process, task, image);
	ssi_posix_timers_save(task, (void *)(image + 3), count, &refusal);
	if (refusal)
		err = ssi_unsupported(process, refusal);
	if (!err)
		err = ssi_record_add(process, SSI_KIND_TIMER, pid_nr(process->pid), image, len);
	kvfree(image);
	return err;
}
