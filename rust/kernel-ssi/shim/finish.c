// SPDX-License-Identifier: GPL-2.0
/*
 * Finishes a call that only our stop cut short: a blocking write to a terminal that had taken
 * some of the bytes. The program must see the full count.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uio.h>
#include <asm/syscall.h>
#include "stop.h"

#define SSI_FAST_IOV 8

/*
 * The stop itself makes some calls return -EINTR though no signal came. Such a call has done
 * nothing yet and is issued again. Calls with a timeout are better off with the patched
 * kernel's restart blocks; this is the net beneath.
 */
void ssi_spare_eintr(void)
{
	struct pt_regs *regs = task_pt_regs(current);

	if ((long)regs->orig_ax >= 0 && (long)regs->ax == -EINTR && !task_sigpending(current))
		regs->ax = -ERESTARTNOINTR;
}

/* Looks at the registers of current, at the user boundary. */
bool ssi_call_unfinished(struct ssi_unfinished *call)
{
	struct pt_regs *regs = task_pt_regs(current);

	if ((long)regs->orig_ax < 0 || (long)regs->ax <= 0 || task_sigpending(current))
		return false;
	call->nr = regs->orig_ax;
	call->done = regs->ax;
	syscall_get_arguments(current, regs, call->args);
	return call->nr == __NR_write || call->nr == __NR_writev;
}

/* The bytes that the call named, all of them. @iov is to be freed. */
static ssize_t ssi_call_import(const struct ssi_unfinished *call, struct iovec **iov,
			       struct iov_iter *iter)
{
	void __user *from = (void __user *)call->args[1];

	if (call->nr == __NR_writev)
		return import_iovec(ITER_SOURCE, from, call->args[2], SSI_FAST_IOV, iov, iter);
	*iov = NULL;
	return import_ubuf(ITER_SOURCE, from, call->args[2], iter);
}

/* A terminal that takes its time; pipes and streams go on by themselves. */
static bool ssi_file_blocks(struct file *file)
{
	return !(file->f_flags & O_NONBLOCK) && S_ISCHR(file_inode(file)->i_mode);
}

/*
 * The works that are run now leave TIF_NOTIFY_SIGNAL set where one came on top of the other, and
 * nothing could wait. Those that do not interrupt may wait until the call is done.
 */
static void ssi_forget_notification(void)
{
	clear_thread_flag(TIF_NOTIFY_SIGNAL);
	/* As task_work_add(): first the list, then the flag. */
	smp_mb__after_atomic();
	if (ssi_is_to_park())
		set_thread_flag(TIF_NOTIFY_SIGNAL);
}

/* The result of the call so far; true where it is to be tried again. */
static bool ssi_call_went_on(struct ssi_unfinished *call, ssize_t len)
{
	if (len > 0) {
		call->done += len;
		task_pt_regs(current)->ax = call->done;
	}
	/* What stops it leaves a short count: a signal, the next checkpoint, an error. */
	return (len > 0 || len == -ERESTARTSYS || len == -EINTR) && !task_sigpending(current) &&
	       !ssi_is_to_park();
}

/* Goes on where the call was cut, in the context of its thread. */
void ssi_call_finish(struct ssi_unfinished *call)
{
	struct iovec fast[SSI_FAST_IOV], *iov = fast;
	struct file *file = fget(call->args[0]);
	struct iov_iter iter;
	loff_t pos = 0;
	ssize_t len;

	if (!file)
		return;
	if (!ssi_file_blocks(file))
		goto out;
	do {
		ssi_forget_notification();
		iov = fast;
		len = ssi_call_import(call, &iov, &iter);
		if (len < 0 || call->done >= iov_iter_count(&iter)) {
			kfree(iov);
			break;
		}
		iov_iter_advance(&iter, call->done);
		len = vfs_iter_write(file, &iter, &pos, 0);
		kfree(iov);
	} while (ssi_call_went_on(call, len));
out:
	fput(file);
}
