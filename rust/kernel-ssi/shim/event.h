/* SPDX-License-Identifier: GPL-2.0 */
/* Counters, timers, signals and sets of events as the Rust side sees them. */
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

/* A timer of timerfd_create(2). */
struct ssi_timerfd {
	u32 clock;
	u32 settime;		/* TFD_TIMER_*: the next time is a time of day */
	u64 ticks;		/* how often it has expired unread */
	u64 value_ns;		/* until the next time, or when that is; 0: it is not set */
	u64 interval_ns;
};

#define SSI_FDINFO_BYTES 256

/* anon.c */
int ssi_fdinfo(struct file *file, char *info);
int ssi_take_fd(long fd, struct file **out);

/* timerfd.c */
int ssi_timerfd_read(struct file *file, struct ssi_timerfd *timer);
int ssi_timerfd_make(u32 clock, u32 flags, struct file **out);
int ssi_timerfd_start(struct file *file, const struct ssi_timerfd *timer);

/* signalfd.c */
int ssi_signalfd_read(struct file *file, u64 *mask);
int ssi_signalfd_make(u64 mask, u32 flags, struct file **out);

/* eventfd.c */
int ssi_eventfd_read(struct file *file, u64 *count, u32 *semaphore);
int ssi_eventfd_make(u64 count, u32 semaphore, u32 flags, struct file **out);

/* epoll.c */
int ssi_epoll_items(struct file *file, struct ssi_epoll_item *out, u32 max, u32 *count);
int ssi_epoll_make(struct file **out);
int ssi_epoll_add(struct file *epoll, struct file *file, const struct ssi_epoll_item *item);

#endif
