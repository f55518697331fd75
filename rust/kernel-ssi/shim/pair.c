// SPDX-License-Identifier: GPL-2.0
/* Pairs of UNIX sockets: reading what is in them without consuming it, making them again. */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <net/af_unix.h>
#include <net/sock.h>

#include "pair.h"
#include "sockopt.h"

#define BUFFER_LOCKS (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK)

static struct sock *sock_of(struct file *file)
{
	return sock_from_file(file)->sk;
}

/* What a program has read of a stream's first packet is gone. */
static u32 unread(struct sk_buff *skb)
{
	return skb->len - UNIXCB(skb).consumed;
}

static const char *why_not(struct socket *sock, struct sock *peer)
{
	struct sock *sk = sock->sk;

	if (unix_sk(sk)->addr || (peer && unix_sk(peer)->addr))
		return "UNIX socket with a name";
	if (test_bit(SOCK_PASSCRED, &sock->flags) || test_bit(SOCK_PASSSEC, &sock->flags) ||
	    test_bit(SOCK_PASSPIDFD, &sock->flags))
		return "UNIX socket that asks who sends";
	if (rcu_access_pointer(sk->sk_filter))
		return "UNIX socket with a filter";
	if (READ_ONCE(sk->sk_peek_off) >= 0)
		return "UNIX socket with SO_PEEK_OFF";
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	if (unix_sk(sk)->oob_skb)
		return "UNIX socket with urgent data";
#endif
	return "";
}

static void options_of(struct sock *sk, struct ssi_pair_options *options)
{
	options->send_buffer = READ_ONCE(sk->sk_sndbuf);
	options->receive_buffer = READ_ONCE(sk->sk_rcvbuf);
	options->locks = sk->sk_userlocks & BUFFER_LOCKS;
	options->low_water = READ_ONCE(sk->sk_rcvlowat);
	options->receive_ms = ssi_timeout_ms(READ_ONCE(sk->sk_rcvtimeo));
	options->send_ms = ssi_timeout_ms(READ_ONCE(sk->sk_sndtimeo));
}

static u32 creator_of(struct sock *sk)
{
	u32 pid;

	spin_lock(&sk->sk_peer_lock);
	pid = pid_nr(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	return pid;
}

/* ssi_pair_info - what @file, a connected UNIX socket, is, and what it has not read */
void ssi_pair_info(struct file *file, struct ssi_pair_info *info)
{
	struct socket *sock = sock_from_file(file);
	struct sock *peer, *sk = sock->sk;
	struct sk_buff *skb;

	memset(info, 0, sizeof(*info));
	unix_state_lock(sk);
	peer = unix_peer(sk);
	info->peer_gone = !peer || sock_flag(peer, SOCK_DEAD);
	strscpy(info->refused, why_not(sock, peer), sizeof(info->refused));
	unix_state_unlock(sk);
	info->socket = sk->sk_type;
	info->shutdown = READ_ONCE(sk->sk_shutdown);
	info->error = READ_ONCE(sk->sk_err);
	info->creator = creator_of(sk);
	options_of(sk, &info->options);
	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (UNIXCB(skb).fp)
			strscpy(info->refused, "UNIX socket with descriptors on their way",
				sizeof(info->refused));
		info->packets++;
		info->bytes += unread(skb);
	}
	spin_unlock(&sk->sk_receive_queue.lock);
}

/*
 * ssi_pair_save - copy what a socket whose holders are all stopped has not read
 *
 * Return: 0; -ESTALE where it is not just what ssi_pair_info() said. LOCK: the receive queue's.
 */
int ssi_pair_save(struct file *file, u32 *lens, u32 packets, void *data, u64 bytes)
{
	struct sock *sk = sock_of(file);
	struct sk_buff *skb;
	u32 count = 0;
	u64 done = 0;
	int err = 0;

	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		u32 len = unread(skb);

		if (count == packets || len > bytes - done || UNIXCB(skb).fp) {
			err = -ESTALE;
			break;
		}
		err = skb_copy_bits(skb, UNIXCB(skb).consumed, data + done, len);
		if (err)
			break;
		lens[count++] = len;
		done += len;
	}
	spin_unlock(&sk->sk_receive_queue.lock);
	return !err && (count != packets || done != bytes) ? -ESTALE : err;
}

/* ssi_pair_create - as socketpair(2) of the calling task, without descriptors */
int ssi_pair_create(u32 socket, struct file **out)
{
	struct socket *near, *far;
	int err;

	err = __sock_create(&init_net, AF_UNIX, socket, 0, &near, 0);
	if (err)
		return err;
	err = __sock_create(&init_net, AF_UNIX, socket, 0, &far, 0);
	if (!err) {
		err = near->ops->socketpair(near, far);
		if (err)
			sock_release(far);
	}
	if (err) {
		sock_release(near);
		return err;
	}
	/* Releases its socket where it fails. */
	out[0] = sock_alloc_file(near, 0, NULL);
	if (IS_ERR(out[0])) {
		sock_release(far);
		return PTR_ERR(out[0]);
	}
	out[1] = sock_alloc_file(far, 0, NULL);
	if (IS_ERR(out[1])) {
		fput(out[0]);
		return PTR_ERR(out[1]);
	}
	return 0;
}

static int send_packet(struct socket *sock, const void *data, u32 len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec part = { .iov_base = (void *)data, .iov_len = len };
	int sent;

	/* A stream has no empty packets. */
	if (!len && sock->type == SOCK_STREAM)
		return 0;
	sent = kernel_sendmsg(sock, &msg, &part, 1, len);
	if (sent < 0)
		return sent;
	return sent == len ? 0 : -EMSGSIZE;
}

/*
 * ssi_pair_send - send saved packets from @file, so that the other end has not read them
 *
 * Return: 0; -EINVAL for lengths that do not add up; what a send that may not wait gives.
 */
int ssi_pair_send(struct file *file, const u32 *lens, u32 packets, const void *data, u64 bytes)
{
	struct socket *sock = sock_from_file(file);
	u64 done = 0;
	int err = 0;
	u32 i;

	/* There was room before; what the program asked for is set later. */
	WRITE_ONCE(sock->sk->sk_sndbuf, INT_MAX / 2);
	for (i = 0; !err && i < packets; i++) {
		if (lens[i] > bytes - done)
			return -EINVAL;
		err = send_packet(sock, data + done, lens[i]);
		done += lens[i];
	}
	return !err && done != bytes ? -EINVAL : err;
}

/* ssi_pair_apply - set options and states; after everything has been sent */
int ssi_pair_apply(struct file *file, const struct ssi_pair_options *options, u32 shutdown,
		   u32 error)
{
	struct socket *sock = sock_from_file(file);
	struct sock *sk = sock->sk;
	const struct ssi_buffers wanted = { options->send_buffer, options->receive_buffer };
	int err = 0;

	ssi_set_buffers(sk, wanted, options->locks, (struct ssi_buffers) { 0 });
	WRITE_ONCE(sk->sk_rcvlowat, clamp_t(u32, options->low_water, 1, INT_MAX / 2));
	WRITE_ONCE(sk->sk_rcvtimeo, ssi_timeout_of(options->receive_ms));
	WRITE_ONCE(sk->sk_sndtimeo, ssi_timeout_of(options->send_ms));
	/* SHUT_* is one less than the bits of both directions. */
	if (shutdown & SHUTDOWN_MASK)
		err = kernel_sock_shutdown(sock, (shutdown & SHUTDOWN_MASK) - 1);
	WRITE_ONCE(sk->sk_err, error);
	return err;
}

/* ssi_pair_created_by - what SO_PEERCRED gives: process @pid, or none where that has ended */
void ssi_pair_created_by(struct file *file, u32 pid)
{
	struct sock *sk = sock_of(file);
	struct pid *now = find_get_pid(pid), *old;

	spin_lock(&sk->sk_peer_lock);
	old = sk->sk_peer_pid;
	sk->sk_peer_pid = now;
	spin_unlock(&sk->sk_peer_lock);
	put_pid(old);
}
