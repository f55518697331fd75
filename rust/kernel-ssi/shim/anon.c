// SPDX-License-Identifier: GPL-2.0
/* What descriptors that only system calls make have in common. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/syscalls.h>

#include "event.h"

/*
 * ssi_fdinfo - what /proc/PID/fdinfo shows of such a file below the lines that all have: proc(5)
 * @info: SSI_FDINFO_BYTES, to be filled with a string
 */
int ssi_fdinfo(struct file *file, char *info)
{
	struct seq_file seq = { .buf = info, .size = SSI_FDINFO_BYTES - 1 };

	if (!file->f_op->show_fdinfo)
		return -EOPNOTSUPP;
	file->f_op->show_fdinfo(&seq, file);
	if (seq_has_overflowed(&seq))
		return -ENOSPC;
	info[seq.count] = 0;
	return 0;
}

/* ssi_take_fd - the file of descriptor @fd of the calling task, which is closed; or its error */
int ssi_take_fd(long fd, struct file **out)
{
	if (fd < 0)
		return fd;
	*out = fget(fd);
	close_fd(fd);
	return *out ? 0 : -EBADF;
}
