// SPDX-License-Identifier: GPL-2.0
/* Files and folders of the store, by absolute path, with given credentials. */
#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/dirent.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include <linux/utsname.h>
#include <linux/xxhash.h>

#include "fsio.h"

/* Images hold all secrets of a process: they are for their owner alone. */
#define FOLDER_MODE 0700
#define FILE_MODE 0600

const struct cred *ssi_cred_current(void)
{
	return get_current_cred();
}

/*
 * A user of another node, acting here: its file system rights, and nothing else. NULL: no
 * memory, or no such user or group id.
 */
const struct cred *ssi_cred_of_user(u32 uid, u32 gid)
{
	kuid_t kuid = make_kuid(&init_user_ns, uid);
	kgid_t kgid = make_kgid(&init_user_ns, gid);
	struct cred *cred;

	if (!uid_valid(kuid) || !gid_valid(kgid))
		return NULL;
	cred = prepare_kernel_cred(&init_task);
	if (!cred || !uid)
		return cred;
	cred->uid = cred->euid = cred->suid = cred->fsuid = kuid;
	cred->gid = cred->egid = cred->sgid = cred->fsgid = kgid;
	cap_clear(cred->cap_effective);
	cap_clear(cred->cap_permitted);
	cap_clear(cred->cap_inheritable);
	cap_clear(cred->cap_ambient);
	return cred;
}

const struct cred *ssi_cred_clone(const struct cred *cred)
{
	return get_cred(cred);
}

void ssi_cred_put(const struct cred *cred)
{
	put_cred(cred);
}

/* The calling task acts with these from now on; gives what ssi_cred_resume() takes back. */
const struct cred *ssi_cred_assume(const struct cred *cred)
{
	return override_creds(cred);
}

void ssi_cred_resume(const struct cred *before)
{
	revert_creds(before);
}

static int open_flags(enum ssi_open how)
{
	switch (how) {
	case SSI_OPEN_READ:
	case SSI_OPEN_READ_PAGES:
		return O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	case SSI_OPEN_FOLDER:
		return O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	case SSI_OPEN_CREATE:
	case SSI_OPEN_CREATE_PAGES:
		return O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	}
	return O_RDONLY;
}

/* True where pages can go to the disk as they are, without passing the page cache. */
static bool takes_pages(struct file *file)
{
	return (file->f_mode & FMODE_CAN_ODIRECT) && file_inode(file)->i_sb->s_bdev;
}

/**
 * ssi_file_open - open a file of the store
 * @path: absolute; resolved from the current task's root
 *
 * What is created must not exist. Files of pages go past the page cache where that can be.
 */
int ssi_file_open(const char *path, enum ssi_open how, const struct cred *cred, struct file **out)
{
	const struct cred *old = override_creds(cred);
	struct file *file = filp_open(path, open_flags(how) | O_LARGEFILE, FILE_MODE);

	revert_creds(old);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (how != SSI_OPEN_FOLDER && !S_ISREG(file_inode(file)->i_mode)) {
		fput(file);
		return -EINVAL;
	}
	if ((how == SSI_OPEN_CREATE_PAGES || how == SSI_OPEN_READ_PAGES) && takes_pages(file)) {
		spin_lock(&file->f_lock);
		file->f_flags |= O_DIRECT;
		file->f_iocb_flags = iocb_flags(file);
		spin_unlock(&file->f_lock);
	}
	*out = file;
	return 0;
}

void ssi_file_close(struct file *file)
{
	filp_close(file, NULL);
}

/* Writes all of it, or says why not. */
int ssi_file_write(struct file *file, const void *data, size_t len, u64 pos,
		   const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	loff_t at = pos;
	ssize_t done = 0;

	while (len) {
		done = kernel_write(file, data, len, &at);
		if (done <= 0)
			break;
		data += done;
		len -= done;
	}
	revert_creds(old);
	if (!len)
		return 0;
	return done < 0 ? done : -ENOSPC;
}

/* Reads until @len or the end of the file; returns how much. */
ssize_t ssi_file_read(struct file *file, void *data, size_t len, u64 pos)
{
	loff_t at = pos;
	size_t total = 0;
	ssize_t done;

	while (total < len) {
		done = kernel_read(file, data + total, len - total, &at);
		if (done < 0)
			return done;
		if (!done)
			break;
		total += done;
	}
	return total;
}

int ssi_file_sync(struct file *file)
{
	return vfs_fsync(file, 0);
}

u64 ssi_file_size(struct file *file)
{
	return i_size_read(file_inode(file));
}

/* Calls @act on the name of @path, which it consumes. */
static int with_name(const char *path, const struct cred *cred, int (*act)(struct filename *name))
{
	struct filename *name = getname_kernel(path);
	const struct cred *old;
	int ret;

	if (IS_ERR(name))
		return PTR_ERR(name);
	old = override_creds(cred);
	ret = act(name);
	revert_creds(old);
	return ret;
}

static int make_folder(struct filename *name)
{
	return do_mkdirat(AT_FDCWD, name, FOLDER_MODE);
}

static int remove_folder(struct filename *name)
{
	return do_rmdir(AT_FDCWD, name);
}

static int remove_file(struct filename *name)
{
	return do_unlinkat(AT_FDCWD, name);
}

int ssi_folder_make(const char *path, const struct cred *cred)
{
	return with_name(path, cred, make_folder);
}

int ssi_folder_remove(const char *path, const struct cred *cred)
{
	return with_name(path, cred, remove_folder);
}

int ssi_file_remove(const char *path, const struct cred *cred)
{
	return with_name(path, cred, remove_file);
}

/* ssi_file_rename - give a file its name; what had the name before is gone */
int ssi_file_rename(const char *from, const char *to, const struct cred *cred)
{
	struct filename *old_name = getname_kernel(from);
	struct filename *new_name = getname_kernel(to);
	const struct cred *old;
	int ret;

	if (IS_ERR(old_name) || IS_ERR(new_name)) {
		ret = IS_ERR(old_name) ? PTR_ERR(old_name) : PTR_ERR(new_name);
		if (!IS_ERR(old_name))
			putname(old_name);
		if (!IS_ERR(new_name))
			putname(new_name);
		return ret;
	}
	old = override_creds(cred);
	ret = do_renameat2(AT_FDCWD, old_name, AT_FDCWD, new_name, 0);
	revert_creds(old);
	return ret;
}

struct names {
	struct dir_context ctx;
	ssi_name_fn visit;
	void *context;
	int ret;
};

static bool name_found(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		       unsigned int type)
{
	struct names *names = container_of(ctx, struct names, ctx);

	names->ret = names->visit(names->context, name, len, type);
	return names->ret == 0;
}

/* ssi_folder_names - visit every name in a folder until @visit returns other than 0 */
int ssi_folder_names(struct file *folder, ssi_name_fn visit, void *context)
{
	struct names names = {
		.ctx.actor = name_found,
		.visit = visit,
		.context = context,
	};
	loff_t before;
	int ret;

	do {
		before = folder->f_pos;
		names.ctx.pos = before;
		ret = iterate_dir(folder, &names.ctx);
	} while (!ret && !names.ret && folder->f_pos != before);
	return ret ? ret : names.ret;
}

const char *ssi_kernel_release(void)
{
	return init_uts_ns.name.release;
}

/* ssi_digest - XXH64 with seed 0 */
u64 ssi_digest(const void *data, size_t len)
{
	return xxh64(data, len, 0);
}

void *ssi_digest_new(void)
{
	struct xxh64_state *state = kmalloc(sizeof(*state), GFP_KERNEL);

	if (state)
		xxh64_reset(state, 0);
	return state;
}

void ssi_digest_add(void *state, const void *data, size_t len)
{
	xxh64_update(state, data, len);
}

u64 ssi_digest_value(const void *state)
{
	return xxh64_digest(state);
}

void ssi_digest_free(void *state)
{
	kfree(state);
}
