// SPDX-License-Identifier: GPL-2.0
/* Makes the timers of a restored process: idle ones while it is held, ticking at its release. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/ssi.h>
#include <linux/time64.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include "spawn.h"

/*
 * One page of current's memory for what system calls take by address; to be given back by
 * ssi_scratch_free() before user mode. An errno in place of the address.
 */
unsigned long ssi_scratch_new(void)
{
	return vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
}

void ssi_scratch_free(unsigned long scratch)
{
	vm_munmap(scratch, PAGE_SIZE);
}

static int ssi_timer_create(const struct ssi_image_posix_timer *timer, unsigned long scratch)
{
	struct sigevent event = {
		.sigev_notify = timer->notify,
		.sigev_signo = timer->signal,
		.sigev_value.sival_ptr = (void __user *)(unsigned long)timer->value,
		._sigev_un._tid = timer->thread,
	};
	timer_t __user *made = (timer_t __user *)scratch;
	timer_t id;
	int err;

	current->signal->next_posix_timer_id = timer->id;
	err = do_timer_create(timer->clock, &event, made);
	if (err)
		return err;
	if (get_user(id, made))
		return -EFAULT;
	return id == timer->id ? 0 : -EEXIST;
}

/* In the context of the process, with all its threads there. @scratch: for ssi_timers_start(). */
int ssi_timers_create(const struct ssi_image_posix_timer *timers, u32 count,
		      unsigned long *scratch)
{
	int err = 0;
	u32 i;

	*scratch = 0;
	if (!count)
		return 0;
	*scratch = ssi_scratch_new();
	if (IS_ERR_VALUE(*scratch))
		return *scratch;
	for (i = 0; i < count && !err; i++)
		err = ssi_timer_create(&timers[i], *scratch);
	return err;
}

static void ssi_timer_start(const struct ssi_image_posix_timer *timer, unsigned long scratch)
{
	const unsigned long args[6] = { timer->id, 0, scratch, 0 };
	struct timespec64 value = ns_to_timespec64(timer->time.value_ns);
	struct timespec64 interval = ns_to_timespec64(timer->time.interval_ns);
	struct __kernel_itimerspec spec = {
		.it_value = { value.tv_sec, value.tv_nsec },
		.it_interval = { interval.tv_sec, interval.tv_nsec },
	};

	if (timer->time.value_ns && !copy_to_user((void __user *)scratch, &spec, sizeof(spec)))
		ssi_syscall(__NR_timer_settime, args);
}

void ssi_timers_start(const struct ssi_image_timer interval[3],
		      const struct ssi_image_posix_timer *timers, u32 count,
		      unsigned long scratch)
{
	int which;
	u32 i;

	for (which = 0; which < 3; which++) {
		struct itimerspec64 value = {
			.it_value = ns_to_timespec64(interval[which].value_ns),
			.it_interval = ns_to_timespec64(interval[which].interval_ns),
		};

		if (interval[which].value_ns)
			do_setitimer(which, &value, NULL);
	}
	for (i = 0; i < count; i++)
		ssi_timer_start(&timers[i], scratch);
	if (scratch)
		ssi_scratch_free(scratch);
}
