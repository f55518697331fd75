// SPDX-License-Identifier: GPL-2.0
/* eventfd counters. */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/ssi.h>
#include <asm/unistd.h>

#include "event.h"

/* ssi_eventfd_read - the counter, which stays as it is */
int ssi_eventfd_read(struct file *file, u64 *count, u32 *semaphore)
{
	unsigned int flags;
	int err = ssi_eventfd_get(file, count, &flags);

	*semaphore = !err && flags & EFD_SEMAPHORE;
	return err;
}

/* ssi_eventfd_make - as eventfd2(2) of the calling task, without a descriptor */
int ssi_eventfd_make(u64 count, u32 semaphore, u32 flags, struct file **out)
{
	const unsigned long args[6] = {
		0, (semaphore ? EFD_SEMAPHORE : 0) | (flags & O_NONBLOCK) | O_CLOEXEC,
	};
	int err = ssi_take_fd(ssi_syscall(__NR_eventfd2, args), out);

	if (err)
		return err;
	err = ssi_eventfd_set(*out, count);
	if (err)
		fput(*out);
	return err;
}
