// SPDX-License-Identifier: GPL-2.0
/* Timers as descriptors: timerfd_create(2). */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/ssi.h>
#include <linux/syscalls.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/timerfd.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>

#include "event.h"
#include "spawn.h"

static int read_timer(struct file *file, struct ssi_timerfd *timer)
{
	unsigned long long ticks, value_s, value_ns, interval_s, interval_ns;
	unsigned int clock, flags;
	char info[SSI_FDINFO_BYTES];
	int err = ssi_fdinfo(file, info);

	if (err)
		return err;
	if (sscanf(info,
		   "clockid: %u ticks: %llu settime flags: 0%o "
		   "it_value: (%llu, %llu) it_interval: (%llu, %llu)",
		   &clock, &ticks, &flags, &value_s, &value_ns, &interval_s, &interval_ns) != 7)
		return -EPROTO;
	*timer = (struct ssi_timerfd) {
		.clock = clock,
		.settime = flags,
		.ticks = ticks,
		.value_ns = value_s * NSEC_PER_SEC + value_ns,
		.interval_ns = interval_s * NSEC_PER_SEC + interval_ns,
	};
	return 0;
}

/*
 * ssi_timerfd_read - what a timer is set to, which its holders, all stopped, do not change
 *
 * One whose time has come and whose interrupt has not looks as if it were not set: what is left
 * is 0, and so are the ticks. Only its hrtimer tells; struct timerfd_ctx begins with that for
 * other clocks than those of alarms (fs/timerfd.c). Where that is idle the interrupt is over, and
 * has left a tick if there was one.
 *
 * Return: 0; -EOPNOTSUPP for the clock of an alarm.
 */
int ssi_timerfd_read(struct file *file, struct ssi_timerfd *timer)
{
	int err = read_timer(file, timer);

	if (err)
		return err;
	if (timer->clock == CLOCK_REALTIME_ALARM || timer->clock == CLOCK_BOOTTIME_ALARM)
		return -EOPNOTSUPP;
	if (!timer->ticks && !timer->value_ns) {
		if (hrtimer_active(file->private_data))
			timer->value_ns = 1;
		else
			err = read_timer(file, timer);
	}
	timer->settime &= TFD_SETTIME_FLAGS;
	/* A time of day stays what it is; of other clocks only what is left means something. */
	if (timer->clock != CLOCK_REALTIME || !timer->value_ns)
		timer->settime = 0;
	/* Nobody knows how long ago it expired: the next time comes after a whole interval. */
	if (timer->ticks && !timer->value_ns)
		timer->value_ns = timer->interval_ns;
	if (timer->settime & TFD_TIMER_ABSTIME)
		timer->value_ns += ktime_get_real_ns();
	return err;
}

/* ssi_timerfd_make - as timerfd_create(2) of the calling task, without a descriptor */
int ssi_timerfd_make(u32 clock, u32 flags, struct file **out)
{
	const unsigned long args[6] = { clock, (flags & O_NONBLOCK) | O_CLOEXEC };

	return ssi_take_fd(ssi_syscall(__NR_timerfd_create, args), out);
}

static int set(int fd, unsigned long scratch, const struct ssi_timerfd *timer)
{
	const unsigned long time[6] = { fd, timer->settime, scratch, 0 };
	const unsigned long ticks[6] = { fd, TFD_IOC_SET_TICKS, scratch };
	struct timespec64 value = ns_to_timespec64(timer->value_ns);
	struct timespec64 interval = ns_to_timespec64(timer->interval_ns);
	struct __kernel_itimerspec spec = {
		.it_value = { value.tv_sec, value.tv_nsec },
		.it_interval = { interval.tv_sec, interval.tv_nsec },
	};
	int err;

	if (copy_to_user((void __user *)scratch, &spec, sizeof(spec)))
		return -EFAULT;
	err = ssi_syscall(__NR_timerfd_settime, time);
	if (err || !timer->ticks)
		return err;
	if (copy_to_user((void __user *)scratch, &timer->ticks, sizeof(timer->ticks)))
		return -EFAULT;
	return ssi_syscall(__NR_ioctl, ticks);
}

/* ssi_timerfd_start - set a timer, and say how often it has expired unread */
int ssi_timerfd_start(struct file *file, const struct ssi_timerfd *timer)
{
	unsigned long scratch = ssi_scratch_new();
	int fd, err;

	if (IS_ERR_VALUE(scratch))
		return scratch;
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd;
	if (fd >= 0) {
		fd_install(fd, get_file(file));
		err = set(fd, scratch, timer);
		close_fd(fd);
	}
	ssi_scratch_free(scratch);
	return err;
}
