// SPDX-License-Identifier: GPL-2.0
/* Kernel TCP sockets for the transport between nodes: flat calls on an opaque socket. */
#include <linux/in.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "net.h"

static struct sockaddr_in ssi_net_address(u32 address, u16 port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address),
	};
}

/* An image store may lie on a network file system: no reclaim through it from here. */
static void ssi_net_tune(struct socket *sock)
{
	sock->sk->sk_allocation = GFP_NOFS;
	sock->sk->sk_use_task_frag = false;
	tcp_sock_set_nodelay(sock->sk);
	sock_set_keepalive(sock->sk);
}

int ssi_net_listen(u32 address, u16 port, int backlog, struct socket **out)
{
	struct sockaddr_in name = ssi_net_address(address, port);
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	sock_set_reuseaddr(sock->sk);
	err = kernel_bind(sock, (struct sockaddr *)&name, sizeof(name));
	if (!err)
		err = kernel_listen(sock, backlog);
	if (err) {
		sock_release(sock);
		return err;
	}
	*out = sock;
	return 0;
}

int ssi_net_accept(struct socket *listener, struct socket **out)
{
	int err = kernel_accept(listener, out, 0);

	if (err)
		return err;
	ssi_net_tune(*out);
	return 0;
}

int ssi_net_connect(u32 from, u32 address, u16 port, u32 timeout_ms, struct socket **out)
{
	struct sockaddr_in source = ssi_net_address(from, 0);
	struct sockaddr_in name = ssi_net_address(address, port);
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	ssi_net_tune(sock);
	/* sk_sndtimeo bounds connect(); taken back once connected. */
	sock->sk->sk_sndtimeo = msecs_to_jiffies(timeout_ms);
	err = kernel_bind(sock, (struct sockaddr *)&source, sizeof(source));
	if (!err)
		err = kernel_connect(sock, (struct sockaddr *)&name, sizeof(name), 0);
	if (err) {
		sock_release(sock);
		return err;
	}
	sock->sk->sk_sndtimeo = MAX_SCHEDULE_TIMEOUT;
	*out = sock;
	return 0;
}

/* All of @len bytes, or an error; @timeout_ms bounds each wait for room, 0 does not. */
int ssi_net_send(struct socket *sock, const void *data, size_t len, u32 timeout_ms)
{
	sock->sk->sk_sndtimeo = timeout_ms ? msecs_to_jiffies(timeout_ms) : MAX_SCHEDULE_TIMEOUT;
	while (len) {
		struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
		struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
		int sent = kernel_sendmsg(sock, &msg, &vec, 1, len);

		if (sent < 0)
			return sent;
		if (!sent)
			return -EPIPE;
		data += sent;
		len -= sent;
	}
	return 0;
}

/* Exactly @len bytes; -ECONNRESET at the end of the stream. */
int ssi_net_recv(struct socket *sock, void *data, size_t len, u32 timeout_ms)
{
	sock->sk->sk_rcvtimeo = timeout_ms ? msecs_to_jiffies(timeout_ms) : MAX_SCHEDULE_TIMEOUT;
	while (len) {
		struct msghdr msg = {};
		struct kvec vec = { .iov_base = data, .iov_len = len };
		int got = kernel_recvmsg(sock, &msg, &vec, 1, len, MSG_WAITALL);

		if (got < 0)
			return got;
		if (!got)
			return -ECONNRESET;
		data += got;
		len -= got;
	}
	return 0;
}

/* Wakes every thread that sleeps on the socket; the socket stays valid. */
void ssi_net_shutdown(struct socket *sock)
{
	kernel_sock_shutdown(sock, SHUT_RDWR);
}

void ssi_net_release(struct socket *sock)
{
	sock_release(sock);
}
