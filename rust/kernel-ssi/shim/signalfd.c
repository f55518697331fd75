// SPDX-License-Identifier: GPL-2.0
/* Signals as descriptors: signalfd(2). */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/ssi.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>

#include "event.h"
#include "spawn.h"

/* ssi_signalfd_read - which signals it gives: bit 0 is signal 1 */
int ssi_signalfd_read(struct file *file, u64 *mask)
{
	unsigned long long shown;
	char info[SSI_FDINFO_BYTES];
	int err = ssi_fdinfo(file, info);

	if (err)
		return err;
	if (sscanf(info, "sigmask: %llx", &shown) != 1)
		return -EPROTO;
	*mask = shown;
	return 0;
}

/* ssi_signalfd_make - as signalfd4(2) of the calling task, without a descriptor */
int ssi_signalfd_make(u64 mask, u32 flags, struct file **out)
{
	unsigned long scratch = ssi_scratch_new();
	const unsigned long args[6] = {
		-1, scratch, sizeof(mask), (flags & O_NONBLOCK) | O_CLOEXEC,
	};
	int err = -EFAULT;

	if (IS_ERR_VALUE(scratch))
		return scratch;
	if (!copy_to_user((void __user *)scratch, &mask, sizeof(mask)))
		err = ssi_take_fd(ssi_syscall(__NR_signalfd4, args), out);
	ssi_scratch_free(scratch);
	return err;
}
