/* SPDX-License-Identifier: GPL-2.0 */
/* TCP sockets as the Rust side sees them: flat structs; addresses and ports in host byte order. */
#ifndef SSI_TCP_H
#define SSI_TCP_H

#include <linux/types.h>

struct file;
struct sock;
struct socket;

/* A connection as seen from one end. */
struct ssi_tcp_pair {
	u32 near_address;
	u32 near_port;
	u32 far_address;
	u32 far_port;
};

/* What a restored socket answers to getsockname(2) and getpeername(2). */
struct ssi_tcp_name {
	struct ssi_tcp_pair pair;
	u32 node;	/* on which the pair was real, for loopback addresses; or 0 */
	u32 reserved;
};

enum ssi_tcp_refusal {
	SSI_TCP_FINE = 0,
	SSI_TCP_NETNS,		/* not of the initial network namespace */
	SSI_TCP_ULP,		/* kTLS and its like */
	SSI_TCP_MPTCP,
	SSI_TCP_SOCKMAP,
	SSI_TCP_SIGNED,		/* MD5 or AO keys */
	SSI_TCP_REPAIR,		/* in repair mode */
	SSI_TCP_URGENT,		/* an urgent byte is pending */
	SSI_TCP_BOUND_DEVICE,
	SSI_TCP_FILTER,
	SSI_TCP_ZEROCOPY,	/* notifications in the error queue */
};

struct ssi_tcp_info {
	u32 state;		/* TCP_* of <net/tcp_states.h> */
	u32 shutdown;		/* 1: no more reading, 2: no more writing */
	u32 refusal;		/* enum ssi_tcp_refusal */
	u32 backlog;		/* of a listener */
	u32 queued;		/* connections that wait in it for accept(2) */
	u32 error;		/* pending, positive */
	u32 far_is_local;	/* the far address is one of this node's */
	u32 unheld;		/* no process can have a descriptor of it */
	struct ssi_tcp_pair real;
	struct ssi_tcp_name name;	/* the virtual one where it has one, else the real one */
};

struct ssi_tcp_options {
	u32 sndbuf;
	u32 rcvbuf;
	u32 locks;		/* 1: sndbuf set by the program, 2: rcvbuf, 4: address, 8: port */
	u32 flags;		/* SSI_TCP_OPT_* */
	u32 keep_idle_s;	/* 0: the system's */
	u32 keep_interval_s;
	u32 keep_count;
	u32 linger_s;
	u32 tos;
	u32 ttl;		/* 0: the system's */
	u32 priority;
	u32 mark;
	u32 user_timeout_ms;
	u32 rcvlowat;
	u32 rcvtimeo_ms;	/* 0: none */
	u32 sndtimeo_ms;
	u32 defer_accept_s;
	u32 syn_count;
	u8 congestion[16];
};

#define SSI_TCP_OPT_REUSEADDR	1
#define SSI_TCP_OPT_REUSEPORT	2
#define SSI_TCP_OPT_KEEPALIVE	4
#define SSI_TCP_OPT_LINGER	8
#define SSI_TCP_OPT_OOBINLINE	16
#define SSI_TCP_OPT_NODELAY	32
#define SSI_TCP_OPT_CORK	64
#define SSI_TCP_OPT_BROADCAST	128
#define SSI_TCP_OPT_DONTROUTE	256

/* One direction of a connection. */
struct ssi_tcp_queue {
	u32 sequence;	/* sending: of the first byte; receiving: after the last byte and FIN */
	u32 len;	/* bytes; the room on the way in, the need on the way out */
	u32 fin;	/* the FIN is in the queue too */
	u32 reserved;
};

/* tcp.c */
struct sock *ssi_tcp_sock(struct file *file);
void ssi_tcp_hold(struct sock *sk);
void ssi_tcp_put(struct sock *sk);
void ssi_tcp_info(struct sock *sk, struct ssi_tcp_info *info);
void ssi_tcp_settle(struct sock *sk);
struct sock *ssi_tcp_find(const struct ssi_tcp_pair *pair);
struct sock *ssi_tcp_find_listener(const struct ssi_tcp_pair *pair);
void ssi_tcp_options(struct sock *sk, struct ssi_tcp_options *options);
u32 ssi_tcp_queued(struct sock *sk, u32 sending);
int ssi_tcp_save_send(struct sock *sk, void *data, struct ssi_tcp_queue *queue);
int ssi_tcp_save_recv(struct sock *sk, void *data, struct ssi_tcp_queue *queue);
int ssi_tcp_backlog(struct sock *listener, struct sock **out, u32 max, u32 *count);

/* tcpname.c */
bool ssi_tcpname_get(const struct sock *sk, struct ssi_tcp_name *name);
int ssi_tcpname_set(struct socket *sock, const struct ssi_tcp_name *name);

/* tcpmake.c */
int ssi_tcp_listen(u32 address, u32 *port, u32 backlog, struct socket **out);
int ssi_tcp_connect(u32 address, u32 port, u32 timeout_ms, struct socket **out);
int ssi_tcp_accept(struct socket *listener, u32 timeout_ms, struct socket **out);
int ssi_tcp_preload(struct socket *sock, const void *data, u32 len);
int ssi_tcp_push(struct socket *sock, const void *data, u32 len);
int ssi_tcp_apply(struct socket *sock, const struct ssi_tcp_options *options);
int ssi_tcp_shut(struct socket *sock, u32 how, u32 error);
int ssi_tcp_idle(const struct ssi_tcp_pair *pair, u32 locks, struct socket **out);
int ssi_tcp_begin(struct file *file, u32 address, u32 port);
int ssi_tcp_serve(const struct ssi_tcp_pair *pair, u32 backlog,
		  const struct ssi_tcp_options *options, struct socket **out);
int ssi_tcp_inject(struct socket *listener, struct socket *sock);
int ssi_tcp_file(struct socket *sock, u32 flags, struct file **out);
void ssi_tcp_release(struct socket *sock);

#endif
