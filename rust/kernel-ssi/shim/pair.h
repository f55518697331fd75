/* SPDX-License-Identifier: GPL-2.0 */
/* Pairs of UNIX sockets as the Rust side sees them: flat structs. */
#ifndef SSI_PAIR_H
#define SSI_PAIR_H

#include <linux/types.h>

struct file;

struct ssi_pair_options {
	u32 send_buffer;
	u32 receive_buffer;
	u32 locks;	/* SOCK_SNDBUF_LOCK, SOCK_RCVBUF_LOCK */
	u32 low_water;
	u32 receive_ms;	/* 0: for ever */
	u32 send_ms;
};

#define SSI_PAIR_REFUSED 48

struct ssi_pair_info {
	u32 socket;	/* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	u32 shutdown;	/* RCV_SHUTDOWN, SEND_SHUTDOWN */
	u32 error;
	u32 creator;	/* as SO_PEERCRED says, 0: none */
	u32 peer_gone;	/* the other end is closed */
	u32 packets;	/* not read */
	u64 bytes;	/* in all of them */
	struct ssi_pair_options options;
	char refused[SSI_PAIR_REFUSED];	/* why it cannot be saved, or empty */
};

void ssi_pair_info(struct file *file, struct ssi_pair_info *info);
int ssi_pair_save(struct file *file, u32 *lens, u32 packets, void *data, u64 bytes);
int ssi_pair_create(u32 socket, struct file **out);
int ssi_pair_send(struct file *file, const u32 *lens, u32 packets, const void *data, u64 bytes);
int ssi_pair_apply(struct file *file, const struct ssi_pair_options *options, u32 shutdown,
		   u32 error);
void ssi_pair_created_by(struct file *file, u32 pid);

#endif
