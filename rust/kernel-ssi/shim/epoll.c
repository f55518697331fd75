// SPDX-License-Identifier: GPL-2.0
/* Epoll sets: what they watch, and adding it again under the same numbers. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include <linux/eventpoll.h>
#include <linux/ssi.h>
#include <linux/syscalls.h>
#include <asm/unistd.h>

#include "event.h"
#include "object.h"

struct list {
	struct ssi_epoll_item *out;
	u32 max;
	u32 count;
};

static int list_one(struct file *file, int fd, const struct epoll_event *event, void *data)
{
	struct list *list = data;

	if (list->count < list->max)
		list->out[list->count] = (struct ssi_epoll_item) {
			.file = (unsigned long)file,
			.data = event->data,
			.fd = fd,
			.events = (__force u32)event->events,
		};
	list->count++;
	return 0;
}

/* ssi_epoll_items - all that it watches; -ENOSPC where that is more than @max */
int ssi_epoll_items(struct file *file, struct ssi_epoll_item *out, u32 max, u32 *count)
{
	struct list list = { .out = out, .max = max };
	int err = ssi_epoll_for_each(file, list_one, &list);

	*count = list.count;
	if (err)
		return err;
	return list.count <= max ? 0 : -ENOSPC;
}

/* ssi_epoll_make - as epoll_create1(2) of the calling task, without a descriptor */
int ssi_epoll_make(struct file **out)
{
	const unsigned long args[6] = { O_CLOEXEC };

	return ssi_take_fd(ssi_syscall(__NR_epoll_create1, args), out);
}

static int add(struct file *epoll, const struct ssi_epoll_item *item)
{
	struct epoll_event event = {
		.events = (__force __poll_t)item->events,
		.data = item->data,
	};
	int err, epfd = get_unused_fd_flags(O_CLOEXEC);

	if (epfd < 0)
		return epfd;
	fd_install(epfd, get_file(epoll));
	err = do_epoll_ctl(epfd, EPOLL_CTL_ADD, item->fd, &event, false);
	close_fd(epfd);
	return err;
}

static bool closes_on_exec(u32 fd)
{
	bool closes;

	rcu_read_lock();
	closes = close_on_exec(fd, current->files);
	rcu_read_unlock();
	return closes;
}

/* With @file under the number, and then what has it now. */
static int add_as(struct file *epoll, struct file *file, struct file *before,
		  const struct ssi_epoll_item *item)
{
	bool cloexec = before && closes_on_exec(item->fd);
	int err = ssi_fd_install(item->fd, file, true);

	if (err < 0)
		return err;
	err = add(epoll, item);
	if (before)
		ssi_fd_install(item->fd, before, cloexec);
	else
		close_fd(item->fd);
	return err;
}

/*
 * ssi_epoll_add - watch @file again, under the number that it had
 *
 * The number may mean another file by now, in the program and in the calling task: for the
 * call it means @file, and then what it meant before.
 */
int ssi_epoll_add(struct file *epoll, struct file *file, const struct ssi_epoll_item *item)
{
	struct file *before = fget(item->fd);
	int err = before == file ? add(epoll, item) : add_as(epoll, file, before, item);

	if (before)
		fput(before);
	return err;
}
