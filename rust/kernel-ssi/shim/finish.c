// SPDX-License-Identifier: GPL-2.0
/*
 * Finishes a call that only our stop cut short: a blocking write or send on a stream that had
 * taken some of the bytes, a MSG_WAITALL receive. The program must see the full count.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/sock.h>
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

static bool ssi_call_sends(unsigned int nr)
{
	return nr == __NR_write || nr == __NR_writev || nr == __NR_sendto || nr == __NR_sendmsg;
}

static bool ssi_call_waits_all(unsigned int nr, const unsigned long args[6])
{
	return (nr == __NR_recvfrom && (args[3] & MSG_WAITALL) && !(args[3] & MSG_PEEK)) ||
	       (nr == __NR_recvmsg && (args[2] & MSG_WAITALL) && !(args[2] & MSG_PEEK));
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
	return ssi_call_sends(call->nr) || ssi_call_waits_all(call->nr, call->args);
}

static unsigned int ssi_call_msg_flags(const struct ssi_unfinished *call)
{
	switch (call->nr) {
	case __NR_sendto:
	case __NR_recvfrom:
		return call->args[3];
	case __NR_sendmsg:
	case __NR_recvmsg:
		return call->args[2];
	}
	return 0;
}

/* The bytes that the call named, all of them. @iov is to be freed where it is not NULL. */
static ssize_t ssi_call_import(const struct ssi_unfinished *call, struct iovec **iov,
			       struct iov_iter *iter)
{
	int direction = ssi_call_sends(call->nr) ? ITER_SOURCE : ITER_DEST;
	const struct iovec __user *vec = (void __user *)call->args[1];
	unsigned long count = call->args[2];
	struct user_msghdr msg;

	if (call->nr == __NR_sendmsg || call->nr == __NR_recvmsg) {
		if (copy_from_user(&msg, (void __user *)call->args[1], sizeof(msg))) {
			*iov = NULL;
			return -EFAULT;
		}
		vec = msg.msg_iov;
		count = msg.msg_iovlen;
	} else if (call->nr != __NR_writev) {
		*iov = NULL;
		return import_ubuf(direction, (void __user *)call->args[1], count, iter);
	}
	return import_iovec(direction, vec, count, SSI_FAST_IOV, iov, iter);
}

/* A stream whose calls return short counts for no other reason than an interruption. */
static bool ssi_stream_blocks(struct file *file, const struct ssi_unfinished *call)
{
	struct socket *sock = sock_from_file(file);

	if (file->f_flags & O_NONBLOCK)
		return false;
	if (!sock)
		return S_ISFIFO(file_inode(file)->i_mode) || S_ISCHR(file_inode(file)->i_mode);
	if (sock->type != SOCK_STREAM || (ssi_call_msg_flags(call) & MSG_DONTWAIT))
		return false;
	return (ssi_call_sends(call->nr) ? sock->sk->sk_sndtimeo : sock->sk->sk_rcvtimeo) ==
	       MAX_SCHEDULE_TIMEOUT;
}

static ssize_t ssi_stream_go_on(struct file *file, const struct ssi_unfinished *call,
				struct iov_iter *iter)
{
	struct socket *sock = sock_from_file(file);
	struct msghdr msg = {
		.msg_iter = *iter,
		.msg_flags = ssi_call_msg_flags(call) & ~MSG_OOB,
	};
	loff_t pos = 0;

	if (!sock)
		return vfs_iter_write(file, iter, &pos, 0);
	if (!ssi_call_sends(call->nr))
		return sock_recvmsg(sock, &msg, msg.msg_flags);
	return sock_sendmsg(sock, &msg);
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
	ssize_t len;

	if (!file)
		return;
	if (!ssi_stream_blocks(file, call))
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
		len = ssi_stream_go_on(file, call, &iter);
		kfree(iov);
	} while (ssi_call_went_on(call, len));
out:
	fput(file);
}
