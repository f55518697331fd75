/* SPDX-License-Identifier: GPL-2.0 */
/* Counters and sets of events as the Rust side sees them. */
#ifndef SSI_EVENT_H
#define SSI_EVENT_H

#include <linux/types.h>

struct file;

/* One file that an epoll watches. */
struct ssi_epoll_item {
	u64 file;	/* its address, which names it while it is open */
	u64 data;
	u32 fd;		/* the number by which it was added */
	u32 events;	/* EPOLL*; a spent EPOLLONESHOT has none but the private bits */
};

/* eventfd.c */
int ssi_eventfd_read(struct file *file, u64 *count, u32 *semaphore);
int ssi_eventfd_make(u64 count, u32 semaphore, u32 flags, struct file **out);

/* epoll.c */
int ssi_epoll_items(struct file *file, struct ssi_epoll_item *out, u32 max, u32 *count);
int ssi_epoll_make(struct file **out);
int ssi_epoll_add(struct file *epoll, struct file *file, const struct ssi_epoll_item *item);

#endif
