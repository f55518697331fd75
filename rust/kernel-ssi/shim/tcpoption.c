// SPDX-License-Identifier: GPL-2.0
/* Options of TCP sockets: what setsockopt(2) has set, and setting it again. */
#include <linux/capability.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "sockopt.h"
#include "tcp.h"

static u32 option_flags(const struct sock *sk)
{
	u32 flags = 0;

	if (sk->sk_reuse)
		flags |= SSI_TCP_OPT_REUSEADDR;
	if (sk->sk_reuseport)
		flags |= SSI_TCP_OPT_REUSEPORT;
	if (sock_flag(sk, SOCK_KEEPOPEN))
		flags |= SSI_TCP_OPT_KEEPALIVE;
	if (sock_flag(sk, SOCK_LINGER))
		flags |= SSI_TCP_OPT_LINGER;
	if (sock_flag(sk, SOCK_URGINLINE))
		flags |= SSI_TCP_OPT_OOBINLINE;
	if (sock_flag(sk, SOCK_BROADCAST))
		flags |= SSI_TCP_OPT_BROADCAST;
	if (sock_flag(sk, SOCK_LOCALROUTE))
		flags |= SSI_TCP_OPT_DONTROUTE;
	if (tcp_sk(sk)->nonagle & TCP_NAGLE_OFF)
		flags |= SSI_TCP_OPT_NODELAY;
	if (tcp_sk(sk)->nonagle & TCP_NAGLE_CORK)
		flags |= SSI_TCP_OPT_CORK;
	return flags;
}

/* ssi_tcp_options - what setsockopt(2) has set */
void ssi_tcp_options(struct sock *sk, struct ssi_tcp_options *options)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	memset(options, 0, sizeof(*options));
	lock_sock(sk);
	options->sndbuf = sk->sk_sndbuf;
	options->rcvbuf = sk->sk_rcvbuf;
	options->locks = sk->sk_userlocks;
	options->flags = option_flags(sk);
	options->keep_idle_s = tp->keepalive_time / HZ;
	options->keep_interval_s = tp->keepalive_intvl / HZ;
	options->keep_count = tp->keepalive_probes;
	options->linger_s = sk->sk_lingertime / HZ;
	options->tos = inet_sk(sk)->tos;
	options->ttl = inet_sk(sk)->uc_ttl < 0 ? 0 : inet_sk(sk)->uc_ttl;
	options->priority = sk->sk_priority;
	options->mark = sk->sk_mark;
	options->user_timeout_ms = icsk->icsk_user_timeout;
	options->rcvlowat = sk->sk_rcvlowat;
	options->rcvtimeo_ms = ssi_timeout_ms(sk->sk_rcvtimeo);
	options->sndtimeo_ms = ssi_timeout_ms(sk->sk_sndtimeo);
	options->syn_count = icsk->icsk_syn_retries;
	/* Retransmissions of a SYN-ACK to seconds, as do_tcp_getsockopt() does. */
	options->defer_accept_s = icsk->icsk_accept_queue.rskq_defer_accept ?
		(1u << min_t(u32, icsk->icsk_accept_queue.rskq_defer_accept, 8)) - 1 : 0;
	if (icsk->icsk_ca_ops)
		strscpy(options->congestion, icsk->icsk_ca_ops->name,
			sizeof(options->congestion));
	release_sock(sk);
}

static void apply_locked(struct sock *sk, const struct ssi_tcp_options *options)
{
	const struct ssi_buffers wanted = { options->sndbuf, options->rcvbuf };
	const struct ssi_buffers tuned_max = {
		.send = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]),
		.receive = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]),
	};

	ssi_set_buffers(sk, wanted, options->locks, tuned_max);
	sk->sk_reuse = options->flags & SSI_TCP_OPT_REUSEADDR ? SK_CAN_REUSE : SK_NO_REUSE;
	sk->sk_reuseport = !!(options->flags & SSI_TCP_OPT_REUSEPORT);
	sock_valbool_flag(sk, SOCK_LINGER, options->flags & SSI_TCP_OPT_LINGER);
	sock_valbool_flag(sk, SOCK_URGINLINE, options->flags & SSI_TCP_OPT_OOBINLINE);
	sock_valbool_flag(sk, SOCK_BROADCAST, options->flags & SSI_TCP_OPT_BROADCAST);
	sock_valbool_flag(sk, SOCK_LOCALROUTE, options->flags & SSI_TCP_OPT_DONTROUTE);
	sk->sk_lingertime = min_t(u32, options->linger_s, INT_MAX / HZ) * HZ;
	WRITE_ONCE(sk->sk_rcvlowat, clamp_t(u32, options->rcvlowat, 1, INT_MAX / 2));
	sk->sk_rcvtimeo = ssi_timeout_of(options->rcvtimeo_ms);
	sk->sk_sndtimeo = ssi_timeout_of(options->sndtimeo_ms);
	inet_csk(sk)->icsk_user_timeout = min_t(u32, options->user_timeout_ms, INT_MAX);
	inet_sk(sk)->tos = options->tos;
	inet_sk(sk)->uc_ttl = options->ttl && options->ttl < 256 ? options->ttl : -1;
}

static int set_int(struct socket *sock, int level, int name, int value)
{
	sockptr_t at = KERNEL_SOCKPTR(&value);

	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, level, name, at, sizeof(value));
	return READ_ONCE(sock->ops)->setsockopt(sock, level, name, at, sizeof(value));
}

/* Those that need more than a field; with the caller's rights. */
static int apply_calls(struct socket *sock, const struct ssi_tcp_options *options)
{
	int err = 0;

	if (options->flags & SSI_TCP_OPT_KEEPALIVE)
		sock_set_keepalive(sock->sk);
	if (options->keep_idle_s)
		err = err ?: tcp_sock_set_keepidle(sock->sk, options->keep_idle_s);
	if (options->keep_interval_s)
		err = err ?: tcp_sock_set_keepintvl(sock->sk, options->keep_interval_s);
	if (options->keep_count)
		err = err ?: tcp_sock_set_keepcnt(sock->sk, options->keep_count);
	if (options->flags & SSI_TCP_OPT_NODELAY)
		tcp_sock_set_nodelay(sock->sk);
	if (options->flags & SSI_TCP_OPT_CORK)
		tcp_sock_set_cork(sock->sk, true);
	if (options->priority != sock->sk->sk_priority)
		err = err ?: set_int(sock, SOL_SOCKET, SO_PRIORITY, options->priority);
	if (options->mark)
		err = err ?: set_int(sock, SOL_SOCKET, SO_MARK, options->mark);
	if (options->syn_count)
		err = err ?: set_int(sock, SOL_TCP, TCP_SYNCNT, options->syn_count);
	if (options->defer_accept_s)
		err = err ?: set_int(sock, SOL_TCP, TCP_DEFER_ACCEPT, options->defer_accept_s);
	return err;
}

/* ssi_tcp_apply - socket options; a congestion control that this kernel lacks is left out */
int ssi_tcp_apply(struct socket *sock, const struct ssi_tcp_options *options)
{
	char congestion[sizeof(options->congestion)];

	lock_sock(sock->sk);
	apply_locked(sock->sk, options);
	release_sock(sock->sk);
	strscpy(congestion, options->congestion, sizeof(congestion));
	if (congestion[0])
		READ_ONCE(sock->ops)->setsockopt(sock, SOL_TCP, TCP_CONGESTION,
						 KERNEL_SOCKPTR(congestion), strlen(congestion));
	return apply_calls(sock, options);
}
