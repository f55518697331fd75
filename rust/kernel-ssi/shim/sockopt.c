// SPDX-License-Identifier: GPL-2.0
/* Options that sockets of every family have, between the kernel's fields and an image. */
#include <linux/capability.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <net/sock.h>

#include "sockopt.h"

/* ssi_timeout_ms - 0 for ever; one that is set is not 0, however short */
u32 ssi_timeout_ms(long timeout)
{
	return timeout == MAX_SCHEDULE_TIMEOUT ? 0 : max(jiffies_to_msecs(timeout), 1u);
}

/* ssi_timeout_of - the other way */
long ssi_timeout_of(u32 ms)
{
	return ms ? msecs_to_jiffies(ms) : MAX_SCHEDULE_TIMEOUT;
}

/*
 * ssi_set_buffers - set both buffers, and which of them the program had set itself
 * @tuned_max: what the kernel's own tuning of such a socket may come to, 0: it has none
 *
 * No more than that or setsockopt(2) would give the calling task.
 */
void ssi_set_buffers(struct sock *sk, struct ssi_buffers wanted, u32 locks,
		     struct ssi_buffers tuned_max)
{
	const u32 known = SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK;
	u32 send_max = max(READ_ONCE(sysctl_wmem_max) * 2, tuned_max.send);
	u32 recv_max = max(READ_ONCE(sysctl_rmem_max) * 2, tuned_max.receive);

	if (capable(CAP_NET_ADMIN))
		send_max = recv_max = INT_MAX / 2;
	WRITE_ONCE(sk->sk_sndbuf, clamp_t(u32, wanted.send, SOCK_MIN_SNDBUF, send_max));
	WRITE_ONCE(sk->sk_rcvbuf, clamp_t(u32, wanted.receive, SOCK_MIN_RCVBUF, recv_max));
	sk->sk_userlocks = (sk->sk_userlocks & ~known) | (locks & known);
}
