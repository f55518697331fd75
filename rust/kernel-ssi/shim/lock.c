// SPDX-License-Identifier: GPL-2.0
/* Locks of files: which ones an inode has, and setting them again. */
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/sched.h>

#include "lock.h"

struct list {
	struct ssi_lock *out;
	u32 max;
	u32 count;
};

static void list_one(struct list *list, const struct file_lock_core *core, u32 kind,
		     u64 start, u64 end)
{
	if (list->count < list->max)
		list->out[list->count] = (struct ssi_lock) {
			.owner = (unsigned long)core->flc_owner,
			.start = start,
			.end = end,
			.kind = kind,
			.exclusive = core->flc_type == F_WRLCK,
		};
	list->count++;
}

/*
 * ssi_locks - the locks of the inode behind @file, whoever has them
 *
 * Return: 0; -ENOSPC with their number where there are more than @max.
 */
int ssi_locks(struct file *file, struct ssi_lock *out, u32 max, u32 *count)
{
	struct file_lock_context *context = locks_inode_context(file_inode(file));
	struct list list = { .out = out, .max = max };
	struct file_lock_core *core;

	*count = 0;
	if (!context)
		return 0;
	spin_lock(&context->flc_lock);
	list_for_each_entry(core, &context->flc_posix, flc_list) {
		struct file_lock *lock = container_of(core, struct file_lock, c);
		u32 kind = core->flc_flags & FL_OFDLCK ? SSI_LOCK_OFD : SSI_LOCK_POSIX;

		list_one(&list, core, kind, lock->fl_start, lock->fl_end);
	}
	list_for_each_entry(core, &context->flc_flock, flc_list)
		list_one(&list, core, SSI_LOCK_FLOCK, 0, OFFSET_MAX);
	list_for_each_entry(core, &context->flc_lease, flc_list)
		list_one(&list, core, SSI_LOCK_LEASE, 0, OFFSET_MAX);
	spin_unlock(&context->flc_lock);
	*count = list.count;
	return list.count <= max ? 0 : -ENOSPC;
}

static int set_flock(struct file *file, struct file_lock *lock)
{
	lock->c.flc_flags = FL_FLOCK;
	lock->c.flc_owner = file;
	if (file->f_op->flock)
		return file->f_op->flock(file, F_SETLK, lock);
	return locks_lock_file_wait(file, lock);
}

static int set_range(struct file *file, struct file_lock *lock, bool ofd)
{
	lock->c.flc_flags = FL_POSIX | (ofd ? FL_OFDLCK : 0);
	lock->c.flc_owner = ofd ? (fl_owner_t)file : (fl_owner_t)current->files;
	return vfs_lock_file(file, F_SETLK, lock, NULL);
}

/*
 * ssi_lock_set - take a lock without waiting; a POSIX one for the calling task's table
 *
 * Return: 0; -EAGAIN where somebody else has it; -EINVAL for a range that no lock can have.
 */
int ssi_lock_set(struct file *file, const struct ssi_lock *from)
{
	struct file_lock *lock;
	int err;

	if (from->start > from->end || from->end > OFFSET_MAX)
		return -EINVAL;
	lock = locks_alloc_lock();
	if (!lock)
		return -ENOMEM;
	lock->c.flc_type = from->exclusive ? F_WRLCK : F_RDLCK;
	lock->c.flc_pid = current->tgid;
	lock->c.flc_file = file;
	lock->fl_start = from->start;
	lock->fl_end = from->end;
	if (from->kind == SSI_LOCK_FLOCK)
		err = set_flock(file, lock);
	else
		err = set_range(file, lock, from->kind == SSI_LOCK_OFD);
	locks_free_lock(lock);
	return err;
}
