// SPDX-License-Identifier: GPL-2.0
/* Files that an application writes: made durable behind the pause, without keeping them open. */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/path.h>
#include <linux/slab.h>

#include "object.h"

/* A reference of @file itself would keep its flock(2) when the application closes it. */
struct ssi_flush {
	struct path path;
	const struct cred *cred;
	unsigned int mode;
};

/* ssi_flush_new - remember where @file is, and with whose rights it was opened */
struct ssi_flush *ssi_flush_new(struct file *file)
{
	struct ssi_flush *flush = kmalloc(sizeof(*flush), GFP_KERNEL);

	if (!flush)
		return NULL;
	flush->path = file->f_path;
	path_get(&flush->path);
	flush->cred = get_cred(file->f_cred);
	flush->mode = file->f_flags & O_ACCMODE;
	return flush;
}

/* ssi_flush_run - returns when all that was written to the file is durable */
int ssi_flush_run(struct ssi_flush *flush)
{
	struct file *file = dentry_open(&flush->path, flush->mode | O_LARGEFILE, flush->cred);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = vfs_fsync(file, 0);
	fput(file);
	/* A file system without fsync(2) keeps nothing back, or nothing at all. */
	return err == -EINVAL ? 0 : err;
}

/* ssi_flush_free */
void ssi_flush_free(struct ssi_flush *flush)
{
	path_put(&flush->path);
	put_cred(flush->cred);
	kfree(flush);
}
