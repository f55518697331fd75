// SPDX-License-Identifier: GPL-2.0
/* Descriptor tables: one walk over a task's, one search over everybody's, installing into ours. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/magic.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/ssi.h>

#include "object.h"

/*
 * ssi_files_key - what names a task's table as long as it lives; 0 for a task without one
 * @users: how many tasks share it
 */
u64 ssi_files_key(struct task_struct *task, u32 *users)
{
	u64 key;

	task_lock(task);
	key = (unsigned long)task->files;
	*users = task->files ? atomic_read(&task->files->count) : 0;
	task_unlock(task);
	return key;
}

/* ssi_task_tid - its number in the initial PID namespace */
u32 ssi_task_tid(struct task_struct *task)
{
	return task_pid_nr(task);
}

struct walk {
	struct files_struct *files;
	struct ssi_fd *out;
	u32 max;
	u32 count;
};

static int walk_one(const void *data, struct file *file, unsigned int fd)
{
	struct walk *walk = (struct walk *)data;
	u32 index = walk->count++;

	if (index < walk->max) {
		walk->out[index].fd = fd;
		walk->out[index].cloexec = close_on_exec(fd, walk->files);
		walk->out[index].file = get_file(file);
	}
	return 0;
}

/*
 * ssi_files_walk - every descriptor of a task, with a reference of its file
 * @max: room at @out; 0 to ask how many there are
 *
 * Return: 0; -ENOSPC where there are more than fit (and then no reference is taken).
 */
int ssi_files_walk(struct task_struct *task, struct ssi_fd *out, u32 max, u32 *count)
{
	struct walk walk = { .out = out, .max = max };
	u32 i;

	task_lock(task);
	walk.files = task->files;
	iterate_fd(task->files, 0, walk_one, &walk);
	task_unlock(task);
	*count = walk.count;
	if (walk.count <= max)
		return 0;
	for (i = 0; i < max; i++)
		fput(out[i].file);
	return -ENOSPC;
}

struct find {
	const u64 *keys;
	u32 keys_len;
	struct ssi_holder *out;
	u32 max;
	u32 count;
	struct task_struct *process;
};

static u64 stream_key(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	if (sock)
		return (unsigned long)sock->sk;
	if (file_inode(file)->i_sb->s_magic == PIPEFS_MAGIC)
		return (unsigned long)file_inode(file)->i_pipe;
	return 0;
}

static bool is_wanted(const struct find *find, u64 key)
{
	u32 low = 0, high = find->keys_len;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (find->keys[mid] == key)
			return true;
		if (find->keys[mid] < key)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int find_one(const void *data, struct file *file, unsigned int fd)
{
	struct find *find = (struct find *)data;
	u64 key = stream_key(file);

	if (!key || !is_wanted(find, key))
		return 0;
	if (find->count < find->max) {
		find->out[find->count] = (struct ssi_holder) {
			.key = key,
			.pid = task_tgid_nr(find->process),
			.fd = fd,
			.caps = ssi_caps(find->process),
		};
	}
	find->count++;
	return 0;
}

/*
 * ssi_files_find - which processes hold these pipes and sockets, in one pass over all tasks
 * @keys: sorted; as ssi_file_info.stream
 *
 * Return: 0, or -ENOSPC where more were found than fit. LOCK: RCU, task_lock, file_lock.
 */
int ssi_files_find(const u64 *keys, u32 keys_len, struct ssi_holder *out, u32 max, u32 *count)
{
	struct find find = { .keys = keys, .keys_len = keys_len, .out = out, .max = max };
	struct task_struct *process, *thread;

	rcu_read_lock();
	for_each_process_thread(process, thread) {
		if (thread != process && READ_ONCE(thread->files) == READ_ONCE(process->files))
			continue;
		task_lock(thread);
		find.process = process;
		iterate_fd(thread->files, 0, find_one, &find);
		task_unlock(thread);
	}
	rcu_read_unlock();
	*count = find.count;
	return find.count <= max ? 0 : -ENOSPC;
}

static int next_fd(const void *data, struct file *file, unsigned int fd)
{
	return fd + 1;
}

/*
 * ssi_files_clear - close every descriptor of the calling task
 *
 * Return: 0; -EBUSY where the table is shared with another task.
 */
int ssi_files_clear(void)
{
	unsigned int from = 0;
	int found;

	if (atomic_read(&current->files->count) != 1)
		return -EBUSY;
	while ((found = iterate_fd(current->files, from, next_fd, NULL)) > 0) {
		close_fd(found - 1);
		from = found;
	}
	return 0;
}

/*
 * ssi_fd_install - put @file at exactly @fd in the calling task's table
 *
 * The limit of descriptors stands in nobody's way here: the process had the number before.
 */
int ssi_fd_install(u32 fd, struct file *file, u32 cloexec)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];
	unsigned long soft = READ_ONCE(limit->rlim_cur);
	int err;

	if (fd >= SSI_FD_MAX)
		return -EMFILE;
	if (fd >= soft)
		WRITE_ONCE(limit->rlim_cur, (unsigned long)fd + 1);
	err = replace_fd(fd, file, cloexec ? O_CLOEXEC : 0);
	if (fd >= soft)
		WRITE_ONCE(limit->rlim_cur, soft);
	return err < 0 ? err : 0;
}

/* ssi_fd_get - a reference of the file at @fd of the calling task, or NULL */
struct file *ssi_fd_get(u32 fd)
{
	return fget(fd);
}

/* ssi_files_ref - a reference of the calling task's table */
struct files_struct *ssi_files_ref(void)
{
	struct files_struct *files = current->files;

	atomic_inc(&files->count);
	return files;
}

/* ssi_files_share - make the calling task use @files in place of its own table */
int ssi_files_share(struct files_struct *files)
{
	struct files_struct *old;

	atomic_inc(&files->count);
	task_lock(current);
	old = current->files;
	current->files = files;
	task_unlock(current);
	put_files_struct(old);
	return 0;
}

/* ssi_files_put - give up a reference from ssi_files_ref() */
void ssi_files_put(struct files_struct *files)
{
	put_files_struct(files);
}
