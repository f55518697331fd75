// SPDX-License-Identifier: GPL-2.0
/* TCP sockets: what they are, and their queues without consuming them. */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/skmsg.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/mptcp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "tcp.h"

/* ssi_tcp_sock - the sock behind @file, with a reference; @file is a TCP socket's */
struct sock *ssi_tcp_sock(struct file *file)
{
	struct sock *sk = sock_from_file(file)->sk;

	sock_hold(sk);
	return sk;
}

/* ssi_tcp_hold - one more reference */
void ssi_tcp_hold(struct sock *sk)
{
	sock_hold(sk);
}

/* ssi_tcp_put - give up a reference */
void ssi_tcp_put(struct sock *sk)
{
	sock_put(sk);
}

static bool has_keys(const struct sock *sk)
{
#ifdef CONFIG_TCP_MD5SIG
	if (rcu_access_pointer(tcp_sk(sk)->md5sig_info))
		return true;
#endif
#ifdef CONFIG_TCP_AO
	if (rcu_access_pointer(tcp_sk(sk)->ao_info))
		return true;
#endif
	return false;
}

static bool has_psock(const struct sock *sk)
{
	bool has;

	rcu_read_lock();
	has = sk_psock(sk);
	rcu_read_unlock();
	return has;
}

static u32 refusal_of(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!net_eq(sock_net(sk), &init_net))
		return SSI_TCP_NETNS;
	if (inet_csk(sk)->icsk_ulp_ops)
		return SSI_TCP_ULP;
	if (sk_is_mptcp(sk))
		return SSI_TCP_MPTCP;
	if (has_psock(sk))
		return SSI_TCP_SOCKMAP;
	if (has_keys(sk))
		return SSI_TCP_SIGNED;
	if (tp->repair)
		return SSI_TCP_REPAIR;
	if (tp->urg_data)
		return SSI_TCP_URGENT;
	if (sk->sk_bound_dev_if)
		return SSI_TCP_BOUND_DEVICE;
	if (rcu_access_pointer(sk->sk_filter))
		return SSI_TCP_FILTER;
	if (!skb_queue_empty(&sk->sk_error_queue))
		return SSI_TCP_ZEROCOPY;
	return SSI_TCP_FINE;
}

/* ssi_tcp_info - state and names; takes the socket's lock */
void ssi_tcp_info(struct sock *sk, struct ssi_tcp_info *info)
{
	struct inet_sock *inet = inet_sk(sk);

	memset(info, 0, sizeof(*info));
	lock_sock(sk);
	info->state = sk->sk_state;
	info->shutdown = sk->sk_shutdown & SHUTDOWN_MASK;
	info->refusal = refusal_of(sk);
	info->error = READ_ONCE(sk->sk_err);
	info->unheld = !sk->sk_socket || sock_flag(sk, SOCK_DEAD);
	if (sk->sk_state == TCP_LISTEN) {
		info->backlog = READ_ONCE(sk->sk_max_ack_backlog);
		info->queued = READ_ONCE(sk->sk_ack_backlog);
	}
	info->real.near_address = ntohl(inet->inet_rcv_saddr ?: inet->inet_saddr);
	info->real.near_port = ntohs(inet->inet_sport);
	info->real.far_address = ntohl(inet->inet_daddr);
	info->real.far_port = ntohs(inet->inet_dport);
	release_sock(sk);
	info->far_is_local = inet_addr_type(sock_net(sk), htonl(info->real.far_address)) ==
			     RTN_LOCAL;
	if (!ssi_tcpname_get(sk, &info->name))
		info->name.pair = info->real;
}

/* ssi_tcp_settle - wait while a handshake is under way, for at most 100 ms */
void ssi_tcp_settle(struct sock *sk)
{
	int tries = 50;

	while (READ_ONCE(sk->sk_state) == TCP_SYN_SENT && tries--)
		msleep(2);
}

/*
 * ssi_tcp_find - the socket on this node whose real names are @pair, with a reference
 *
 * Return: NULL where there is none, or only what TIME_WAIT keeps of one.
 */
struct sock *ssi_tcp_find(const struct ssi_tcp_pair *pair)
{
	struct inet_hashinfo *hashinfo = init_net.ipv4.tcp_death_row.hashinfo;
	struct sock *sk;

	rcu_read_lock();
	sk = __inet_lookup_established(&init_net, hashinfo, htonl(pair->far_address),
				       htons(pair->far_port), htonl(pair->near_address),
				       pair->near_port, 0, 0);
	rcu_read_unlock();
	if (sk && (sk->sk_state == TCP_TIME_WAIT || sk->sk_state == TCP_NEW_SYN_RECV)) {
		sock_gen_put(sk);
		return NULL;
	}
	return sk;
}

/* ssi_tcp_find_listener - the listener to which a connection @pair belongs, with a reference */
struct sock *ssi_tcp_find_listener(const struct ssi_tcp_pair *pair)
{
	struct inet_hashinfo *hashinfo = init_net.ipv4.tcp_death_row.hashinfo;
	struct sock *sk;

	rcu_read_lock();
	sk = inet_lookup_listener(&init_net, hashinfo, NULL, 0, htonl(pair->far_address),
				  htons(pair->far_port), htonl(pair->near_address),
				  htons(pair->near_port), 0, 0);
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	return sk;
}

/* ssi_tcp_queued - bytes in a queue; without the lock, so only to know how much room to get */
u32 ssi_tcp_queued(struct sock *sk, u32 sending)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == TCP_LISTEN)
		return 0;
	return sending ? READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_una) :
			 READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);
}

struct copy {
	void *data;
	u32 room;
	u32 len;	/* goes on past the room, to say how much was needed */
	int err;
};

/* FIN takes a sequence number but is no byte: skb->len counts, end_seq does not. */
static void copy_skb(struct copy *copy, const struct sk_buff *skb, u32 from)
{
	u32 skip = from - TCP_SKB_CB(skb)->seq;
	u32 len;

	/* The first one may begin before what is still of interest. */
	if ((s32)skip < 0)
		skip = 0;
	if (skip >= skb->len)
		return;
	len = skb->len - skip;
	if (!copy->err && len <= copy->room - min(copy->room, copy->len))
		copy->err = skb_copy_bits(skb, skip, copy->data + copy->len, len);
	copy->len += len;
}

/* What stands between two sequence numbers must be the bytes copied, and perhaps a FIN. */
static int finish(struct copy *copy, u32 sequences, struct ssi_tcp_queue *queue)
{
	queue->len = copy->len;
	queue->fin = sequences - copy->len;
	if (copy->err)
		return copy->err;
	if (queue->fin > 1)
		return -EUCLEAN;
	return copy->len > copy->room ? -ENOSPC : 0;
}

/*
 * ssi_tcp_save_send - copy what was sent and not acknowledged, and what was not sent
 * @queue: len is the room at @data on the way in
 *
 * Return: 0; -ENOSPC with the room needed; -EUCLEAN where the numbers do not add up.
 */
int ssi_tcp_save_send(struct sock *sk, void *data, struct ssi_tcp_queue *queue)
{
	struct copy copy = { .data = data, .room = queue->len };
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	int err;

	lock_sock(sk);
	if (sk->sk_state != TCP_CLOSE) {
		skb_rbtree_walk(skb, &sk->tcp_rtx_queue)
			copy_skb(&copy, skb, tp->snd_una);
		skb_queue_walk(&sk->sk_write_queue, skb)
			copy_skb(&copy, skb, tp->snd_una);
		err = finish(&copy, tp->write_seq - tp->snd_una, queue);
	} else {
		/* Whatever a dead connection had left to send is lost already. */
		err = finish(&copy, 0, queue);
	}
	queue->sequence = tp->snd_una;
	release_sock(sk);
	return err;
}

/*
 * ssi_tcp_save_recv - copy what was received and not read; as ssi_tcp_save_send()
 *
 * What is in the backlog or out of order was not acknowledged: the sender has it.
 */
int ssi_tcp_save_recv(struct sock *sk, void *data, struct ssi_tcp_queue *queue)
{
	struct copy copy = { .data = data, .room = queue->len };
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	u32 sequences;
	int err;

	lock_sock(sk);
	skb_queue_walk(&sk->sk_receive_queue, skb)
		copy_skb(&copy, skb, tp->copied_seq);
	sequences = tp->rcv_nxt - tp->copied_seq;
	/* An orphan's bytes were thrown away when it was closed. */
	if (!sk->sk_socket && skb_queue_empty(&sk->sk_receive_queue))
		sequences = 0;
	err = finish(&copy, sequences, queue);
	queue->sequence = tp->rcv_nxt;
	release_sock(sk);
	return err;
}

/*
 * ssi_tcp_backlog - the established connections that wait in @listener, oldest first
 * @out: each with a reference
 *
 * Return: 0; -ENOSPC where there are more than @max (and then no reference is taken).
 */
int ssi_tcp_backlog(struct sock *listener, struct sock **out, u32 max, u32 *count)
{
	struct request_sock_queue *queue = &inet_csk(listener)->icsk_accept_queue;
	struct request_sock *req;
	u32 found = 0, i;

	lock_sock(listener);
	spin_lock_bh(&queue->rskq_lock);
	for (req = READ_ONCE(queue->rskq_accept_head); req; req = req->dl_next) {
		if (found < max) {
			sock_hold(req->sk);
			out[found] = req->sk;
		}
		found++;
	}
	spin_unlock_bh(&queue->rskq_lock);
	release_sock(listener);
	*count = found;
	if (found <= max)
		return 0;
	for (i = 0; i < max; i++)
		sock_put(out[i]);
	return -ENOSPC;
}
