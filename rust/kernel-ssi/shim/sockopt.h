/* SPDX-License-Identifier: GPL-2.0 */
/* Options that sockets of every family have, between the kernel's fields and an image. */
#ifndef SSI_SOCKOPT_H
#define SSI_SOCKOPT_H

#include <linux/types.h>

struct sock;

/* As the kernel keeps them, of sending and of receiving. */
struct ssi_buffers {
	u32 send;
	u32 receive;
};

u32 ssi_timeout_ms(long timeout);
long ssi_timeout_of(u32 ms);
void ssi_set_buffers(struct sock *sk, struct ssi_buffers wanted, u32 locks,
		     struct ssi_buffers tuned_max);

#endif
