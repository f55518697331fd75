// SPDX-License-Identifier: GPL-2.0
/* Restored TCP sockets: fresh connections that get old queues, options and states. */
#include <linux/file.h>
#include <linux/in.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "tcp.h"

static struct sockaddr_in address_of(u32 address, u32 port)
{
	return (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(address),
		.sin_port = htons(port),
	};
}

/* As socket(2) of the calling task: its namespace, its memory group, its user. */
static int create(struct socket **out)
{
	return __sock_create(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, out, 0);
}

/* ssi_tcp_listen - a listener of our own; @port 0 for any, and what it became */
int ssi_tcp_listen(u32 address, u32 *port, u32 backlog, struct socket **out)
{
	struct sockaddr_in name = address_of(address, *port);
	struct socket *sock;
	int err = create(&sock);

	if (err)
		return err;
	err = kernel_bind(sock, (struct sockaddr *)&name, sizeof(name));
	if (!err)
		err = kernel_listen(sock, backlog);
	if (!err)
		err = kernel_getsockname(sock, (struct sockaddr *)&name);
	if (err < 0) {
		sock_release(sock);
		return err;
	}
	*port = ntohs(name.sin_port);
	*out = sock;
	return 0;
}

/* ssi_tcp_connect - a connection to @address; -EINPROGRESS after @timeout_ms */
int ssi_tcp_connect(u32 address, u32 port, u32 timeout_ms, struct socket **out)
{
	struct sockaddr_in name = address_of(address, port);
	struct socket *sock;
	int err = create(&sock);

	if (err)
		return err;
	/* connect(2) waits as long as a send would. */
	sock->sk->sk_sndtimeo = msecs_to_jiffies(timeout_ms);
	err = kernel_connect(sock, (struct sockaddr *)&name, sizeof(name), 0);
	if (err) {
		sock_release(sock);
		return err;
	}
	*out = sock;
	return 0;
}

/* ssi_tcp_accept - the next connection; -EAGAIN after @timeout_ms */
int ssi_tcp_accept(struct socket *listener, u32 timeout_ms, struct socket **out)
{
	listener->sk->sk_rcvtimeo = max(msecs_to_jiffies(timeout_ms), 1ul);
	return kernel_accept(listener, out, 0);
}

static int preload_locked(struct sock *sk, const void *data, u32 len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	struct tcp_sock *tp = tcp_sk(sk);
	u32 next = tp->rcv_nxt, left = len;
	struct sk_buff_head aside;
	struct msghdr msg = {};
	int queued = 0;

	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
	__skb_queue_head_init(&aside);
	skb_queue_splice_init(&sk->sk_receive_queue, &aside);
	/* In front of what comes next, so the peer's numbers stay as they are. */
	tp->copied_seq -= len;
	tp->rcv_nxt = tp->copied_seq;
	while (left) {
		queued = tcp_send_rcvq(sk, &msg, left);
		if (queued < 0)
			break;
		left -= queued;
	}
	skb_queue_splice_tail(&aside, &sk->sk_receive_queue);
	tp->rcv_nxt = next;
	tp->rcvq_space.seq = tp->copied_seq;
	return queued < 0 ? queued : 0;
}

/*
 * ssi_tcp_preload - put @data in front of what @sock has received
 *
 * Return: 0; -ENOMEM where the memory of TCP (net.ipv4.tcp_mem) is used up. After an error the
 * socket is of no use.
 */
int ssi_tcp_preload(struct socket *sock, const void *data, u32 len)
{
	struct sock *sk = sock->sk;
	int rcvbuf, err;

	if (!len)
		return 0;
	lock_sock(sk);
	rcvbuf = sk->sk_rcvbuf;
	/* Bytes are charged with what their buffers take: its own limit must not refuse them. */
	WRITE_ONCE(sk->sk_rcvbuf, INT_MAX / 2);
	err = preload_locked(sk, data, len);
	WRITE_ONCE(sk->sk_rcvbuf, rcvbuf);
	release_sock(sk);
	return err;
}

/*
 * ssi_tcp_push - an ordinary send of @data, which never waits for the peer
 *
 * Return: 0; -EAGAIN where the memory of TCP is used up.
 */
int ssi_tcp_push(struct socket *sock, const void *data, u32 len)
{
	struct sock *sk = sock->sk;
	int sndbuf = READ_ONCE(sk->sk_sndbuf);
	int sent = 0;

	WRITE_ONCE(sk->sk_sndbuf, INT_MAX / 2);
	while (len) {
		struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT };
		struct kvec vec = { .iov_base = (void *)data, .iov_len = len };

		sent = kernel_sendmsg(sock, &msg, &vec, 1, len);
		if (sent <= 0)
			break;
		data += sent;
		len -= sent;
	}
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	if (sent < 0)
		return sent;
	return len ? -EAGAIN : 0;
}

/* ssi_tcp_shut - shut down (1: reading, 2: writing) and leave @error pending */
int ssi_tcp_shut(struct socket *sock, u32 how, u32 error)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (how & SEND_SHUTDOWN && sk->sk_state != TCP_CLOSE)
		err = kernel_sock_shutdown(sock, SHUT_WR);
	lock_sock(sk);
	/* Both for a socket without a connection, of which the peer hears nothing. */
	sk->sk_shutdown |= how & RCV_SHUTDOWN;
	if (sk->sk_state == TCP_CLOSE)
		sk->sk_shutdown |= how & SHUTDOWN_MASK;
	if (error)
		WRITE_ONCE(sk->sk_err, error);
	release_sock(sk);
	return err;
}

/* Bind to an address that may be no longer, or not yet, one of this node's. */
static int bind_old(struct socket *sock, const struct ssi_tcp_pair *pair)
{
	struct sockaddr_in name = address_of(pair->near_address, pair->near_port);
	bool had = inet_test_bit(FREEBIND, sock->sk);
	int err;

	inet_set_bit(FREEBIND, sock->sk);
	err = kernel_bind(sock, (struct sockaddr *)&name, sizeof(name));
	inet_assign_bit(FREEBIND, sock->sk, had);
	return err;
}

/* ssi_tcp_idle - a socket without a connection; bound where @locks say so */
int ssi_tcp_idle(const struct ssi_tcp_pair *pair, u32 locks, struct socket **out)
{
	struct socket *sock;
	int err = create(&sock);

	if (err)
		return err;
	sock->sk->sk_reuse = SK_CAN_REUSE;
	if (locks & (SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK))
		err = bind_old(sock, pair);
	if (err) {
		sock_release(sock);
		return err;
	}
	*out = sock;
	return 0;
}

/* ssi_tcp_begin - connect without waiting for the answer */
int ssi_tcp_begin(struct file *file, u32 address, u32 port)
{
	struct sockaddr_in name = address_of(address, port);
	struct socket *sock = sock_from_file(file);
	int err;

	if (!sock)
		return -ENOTSOCK;
	err = kernel_connect(sock, (struct sockaddr *)&name, sizeof(name), O_NONBLOCK);
	return err == -EINPROGRESS ? 0 : err;
}

/* Whether somebody has the port where @pair's near end is to listen. */
static bool is_taken(const struct ssi_tcp_pair *pair, bool may_share)
{
	const struct sock *other;
	bool taken;

	rcu_read_lock();
	other = __inet_lookup_listener(&init_net, init_net.ipv4.tcp_death_row.hashinfo, NULL, 0,
				       0, 0, htonl(pair->near_address), pair->near_port, 0, 0);
	/* As in bind(2): who shares a port does so with those who share it, too. */
	taken = other && !(may_share && other->sk_reuseport);
	rcu_read_unlock();
	return taken;
}

/* ssi_tcp_serve - a listening socket at its old address; -EADDRINUSE */
int ssi_tcp_serve(const struct ssi_tcp_pair *pair, u32 backlog,
		  const struct ssi_tcp_options *options, struct socket **out)
{
	struct socket *sock;
	bool may_share = options->flags & SSI_TCP_OPT_REUSEPORT;
	int err = is_taken(pair, may_share) ? -EADDRINUSE : create(&sock);

	if (err)
		return err;
	/* Connections of the application's earlier life may be in TIME_WAIT on the port. */
	sock->sk->sk_reuse = SK_FORCE_REUSE;
	sock->sk->sk_reuseport = may_share;
	err = bind_old(sock, pair);
	err = err ?: kernel_listen(sock, backlog);
	err = err ?: ssi_tcp_apply(sock, options);
	if (err) {
		sock_release(sock);
		return err;
	}
	*out = sock;
	return 0;
}

/*
 * ssi_tcp_inject - put the connection @sock into @listener's backlog; @sock is consumed
 *
 * Return: 0; -ENOMEM, and then @sock is closed as well.
 */
int ssi_tcp_inject(struct socket *listener, struct socket *sock)
{
	struct sock *lsk = listener->sk, *sk = sock->sk;
	struct request_sock *req;

	req = inet_reqsk_alloc(&tcp_request_sock_ops, lsk, false);
	if (!req) {
		sock_release(sock);
		return -ENOMEM;
	}
	refcount_set(&req->rsk_refcnt, 1);
	tcp_rsk(req)->tfo_listener = false;
	/* The struct socket goes, the sock stays: it belongs to the queue from now on. */
	write_lock_bh(&sk->sk_callback_lock);
	sk_set_socket(sk, NULL);
	RCU_INIT_POINTER(sk->sk_wq, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	sock->sk = NULL;
	sock_release(sock);
	local_bh_disable();
	inet_csk_reqsk_queue_add(lsk, req, sk);
	local_bh_enable();
	lsk->sk_data_ready(lsk);
	return 0;
}

/* ssi_tcp_file - the open file of @sock, which is consumed whatever happens */
int ssi_tcp_file(struct socket *sock, u32 flags, struct file **out)
{
	struct file *file = sock_alloc_file(sock, O_RDWR | (flags & O_NONBLOCK), NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	*out = file;
	return 0;
}

/* ssi_tcp_release - close a socket that has no file */
void ssi_tcp_release(struct socket *sock)
{
	sock_release(sock);
}
