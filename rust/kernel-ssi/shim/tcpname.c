// SPDX-License-Identifier: GPL-2.0
/*
 * Names of restored connections: the real pair of ends is new, the program goes on seeing the
 * old one. A copy of inet_stream_ops answers getname from a table keyed by the sock.
 */
#include <linux/hashtable.h>
#include <linux/in.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <net/inet_common.h>
#include <net/sock.h>

#include "tcp.h"

struct entry {
	struct hlist_node node;
	const struct sock *sk;
	struct ssi_tcp_name name;
};

static DEFINE_HASHTABLE(names, 10);
static DEFINE_SPINLOCK(names_lock);
static DEFINE_MUTEX(ops_mutex);
static struct proto_ops named_ops;

static struct entry *find(const struct sock *sk)
{
	struct entry *entry;

	hash_for_each_possible(names, entry, node, (unsigned long)sk)
		if (entry->sk == sk)
			return entry;
	return NULL;
}

static void forget(const struct sock *sk)
{
	struct entry *entry;

	spin_lock_bh(&names_lock);
	entry = find(sk);
	if (entry)
		hash_del(&entry->node);
	spin_unlock_bh(&names_lock);
	kfree(entry);
}

/* ssi_tcpname_get - the name that was given to @sk, if one was */
bool ssi_tcpname_get(const struct sock *sk, struct ssi_tcp_name *name)
{
	struct entry *entry;

	spin_lock_bh(&names_lock);
	entry = find(sk);
	if (entry)
		*name = entry->name;
	spin_unlock_bh(&names_lock);
	return entry;
}

/* The real one first: it knows when there is no name to give. */
static int named_getname(struct socket *sock, struct sockaddr *address, int peer)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	int len = inet_getname(sock, address, peer);
	struct ssi_tcp_name name;

	if (len < 0 || !ssi_tcpname_get(sock->sk, &name))
		return len;
	in->sin_addr.s_addr = htonl(peer ? name.pair.far_address : name.pair.near_address);
	in->sin_port = htons(peer ? name.pair.far_port : name.pair.near_port);
	return len;
}

/*
 * A sock may outlive its struct socket, or have none: the name ends with the sock. A connection
 * that a named listener accepts inherits the destructor, and has no name.
 */
static void named_destruct(struct sock *sk)
{
	forget(sk);
	inet_sock_destruct(sk);
}

/* A socket that is connected anew has real names from then on. */
static int named_connect(struct socket *sock, struct sockaddr *address, int len, int flags)
{
	int err = inet_stream_connect(sock, address, len, flags);

	if (!err || err == -EINPROGRESS)
		forget(sock->sk);
	return err;
}

static void make_ops(void)
{
	mutex_lock(&ops_mutex);
	if (!named_ops.owner) {
		named_ops = inet_stream_ops;
		named_ops.getname = named_getname;
		named_ops.connect = named_connect;
		named_ops.owner = THIS_MODULE;
	}
	mutex_unlock(&ops_mutex);
}

/*
 * ssi_tcpname_set - make @sock answer @name from now on
 *
 * @sock has no descriptor yet. It may outlive its descriptors as an orphan: only a module that is
 * pinned may call this. -EINVAL: not a plain TCP socket, or it has a name.
 */
int ssi_tcpname_set(struct socket *sock, const struct ssi_tcp_name *name)
{
	struct entry *entry;

	if (sock->ops != &inet_stream_ops || sock->sk->sk_destruct != inet_sock_destruct)
		return -EINVAL;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!entry)
		return -ENOMEM;
	make_ops();
	entry->sk = sock->sk;
	entry->name = *name;
	spin_lock_bh(&names_lock);
	hash_add(names, &entry->node, (unsigned long)entry->sk);
	spin_unlock_bh(&names_lock);
	sock->sk->sk_destruct = named_destruct;
	__module_get(THIS_MODULE);
	WRITE_ONCE(sock->ops, &named_ops);
	return 0;
}
