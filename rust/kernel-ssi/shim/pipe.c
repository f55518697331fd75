// SPDX-License-Identifier: GPL-2.0
/* Pipes: reading their content without consuming it, refilling them slot by slot. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>

#include "object.h"

static struct pipe_inode_info *pipe_of(struct file *file)
{
	return file_inode(file)->i_pipe;
}

/* ssi_pipe_info - counts of a pipe; @file is an end of an anonymous pipe */
void ssi_pipe_info(struct file *file, struct ssi_pipe_info *info)
{
	struct pipe_inode_info *pipe = pipe_of(file);
	u32 i;

	memset(info, 0, sizeof(*info));
	pipe_lock(pipe);
	info->slots = pipe_occupancy(pipe->head, pipe->tail);
	info->ring_size = pipe->ring_size;
	info->readers = pipe->readers;
	info->writers = pipe->writers;
	info->files = pipe->files;
	info->refused = pipe_has_watch_queue(pipe);
	/* Free-running counters: never compare them with less-than. */
	for (i = pipe->tail; i != pipe->head; i++)
		info->bytes += pipe_buf(pipe, i)->len;
	pipe_unlock(pipe);
}

static u32 slot_flags(const struct pipe_buffer *buf)
{
	return (buf->flags & PIPE_BUF_FLAG_PACKET ? SSI_SLOT_PACKET : 0) |
	       (buf->flags & PIPE_BUF_FLAG_CAN_MERGE ? SSI_SLOT_MERGE : 0);
}

/*
 * ssi_pipe_save - copy the content of a pipe whose holders are all stopped
 *
 * Return: 0; -ESTALE where it does not hold just what ssi_pipe_info() said; an error of a
 * spliced page.
 */
int ssi_pipe_save(struct file *file, struct ssi_pipe_slot *slots, u32 slots_len,
		  void *data, u64 data_len)
{
	struct pipe_inode_info *pipe = pipe_of(file);
	u64 done = 0;
	int err = 0;
	u32 i;

	pipe_lock(pipe);
	if (pipe_occupancy(pipe->head, pipe->tail) != slots_len)
		err = -ESTALE;
	for (i = pipe->tail; !err && i != pipe->head; i++, slots++) {
		struct pipe_buffer *buf = pipe_buf(pipe, i);

		if (buf->len > data_len - done) {
			err = -ESTALE;
			break;
		}
		/* Waits for spliced pages that are still being read from their file. */
		err = pipe_buf_confirm(pipe, buf);
		if (err)
			break;
		slots->offset = buf->offset;
		slots->len = buf->len;
		slots->flags = slot_flags(buf);
		if (buf->offset + buf->len > PAGE_SIZE)
			err = -EOVERFLOW;
		else
			memcpy_from_page(data + done, buf->page, buf->offset, buf->len);
		done += buf->len;
	}
	pipe_unlock(pipe);
	return !err && done != data_len ? -ESTALE : err;
}

/* ssi_pipe_create - a new pipe: its reading end, then its writing end */
int ssi_pipe_create(struct file **out)
{
	return create_pipe_files(out, 0);
}

/* ssi_pipe_reopen - one more open file on the pipe of @file, as through /proc/PID/fd */
int ssi_pipe_reopen(struct file *file, u32 flags, struct file **out)
{
	struct file *other;

	other = dentry_open(&file->f_path, flags & (O_ACCMODE | O_NONBLOCK), current_cred());
	if (IS_ERR(other))
		return PTR_ERR(other);
	*out = other;
	return 0;
}

/* ssi_pipe_resize - as F_SETPIPE_SZ, within the limits of the calling task */
int ssi_pipe_resize(struct file *file, u32 ring_size)
{
	long size = pipe_fcntl(file, F_SETPIPE_SZ, ring_size << PAGE_SHIFT);

	return size < 0 ? size : 0;
}

static const struct pipe_buf_operations refilled_ops = {
	.release = generic_pipe_buf_release,
	.try_steal = generic_pipe_buf_try_steal,
	.get = generic_pipe_buf_get,
};

static int fill_slot(struct pipe_inode_info *pipe, const struct ssi_pipe_slot *slot,
		     const void *data)
{
	struct pipe_buffer buf = {
		.ops = &refilled_ops,
		.offset = slot->offset,
		.len = slot->len,
		.flags = (slot->flags & SSI_SLOT_PACKET ? PIPE_BUF_FLAG_PACKET : 0) |
			 (slot->flags & SSI_SLOT_MERGE ? PIPE_BUF_FLAG_CAN_MERGE : 0),
	};
	ssize_t added;

	buf.page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT | __GFP_ZERO);
	if (!buf.page)
		return -ENOMEM;
	memcpy_to_page(buf.page, buf.offset, data, buf.len);
	/* Releases the page where it fails. */
	added = add_to_pipe(pipe, &buf);
	return added < 0 ? added : 0;
}

/*
 * ssi_pipe_fill - put saved slots into an empty pipe of which both ends are open
 *
 * Return: 0; -EINVAL for slots that no page can hold; -EAGAIN where they do not fit.
 */
int ssi_pipe_fill(struct file *file, const struct ssi_pipe_slot *slots, u32 slots_len,
		  const void *data, u64 data_len)
{
	struct pipe_inode_info *pipe = pipe_of(file);
	int err = 0;
	u32 i;

	pipe_lock(pipe);
	for (i = 0; !err && i < slots_len; i++) {
		const struct ssi_pipe_slot *slot = &slots[i];

		if (slot->len > data_len || slot->len > PAGE_SIZE ||
		    slot->offset > PAGE_SIZE - slot->len) {
			err = -EINVAL;
			break;
		}
		err = fill_slot(pipe, slot, data);
		data += slot->len;
		data_len -= slot->len;
	}
	pipe_unlock(pipe);
	wake_up_interruptible_all(&pipe->rd_wait);
	return err;
}
