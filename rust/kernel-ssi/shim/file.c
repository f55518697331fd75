// SPDX-License-Identifier: GPL-2.0
/* Open files: what kind they are, by what path, and opening them again. */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/major.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/string.h>
#include <net/af_unix.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "object.h"

static void call_it(struct ssi_file_info *info, u32 kind, const char *what)
{
	info->kind = kind;
	strscpy(info->what, what, sizeof(info->what));
}

static bool is_tty(dev_t rdev)
{
	switch (MAJOR(rdev)) {
	case TTY_MAJOR:
		return true;
	case TTYAUX_MAJOR:
		return MINOR(rdev) != 2;	/* not /dev/ptmx */
	case UNIX98_PTY_SLAVE_MAJOR ... UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT - 1:
		return true;
	case 229:	/* /dev/hvc*, Documentation/admin-guide/devices.txt */
		return true;
	default:
		return false;
	}
}

static void char_device(struct ssi_file_info *info, dev_t rdev)
{
	info->rdev = rdev;
	call_it(info, SSI_FILE_OTHER, "character device");
	if (is_tty(rdev)) {
		call_it(info, SSI_FILE_TTY, "terminal");
		return;
	}
	if (MAJOR(rdev) != MEM_MAJOR)
		return;
	switch (MINOR(rdev)) {
	case 3:	/* null */
	case 5:	/* zero */
	case 7:	/* full */
	case 8:	/* random */
	case 9:	/* urandom */
		call_it(info, SSI_FILE_DEVICE, "device");
	}
}

static void socket_file(struct ssi_file_info *info, struct sock *sk)
{
	info->stream = (unsigned long)sk;
	switch (sk->sk_family) {
	case AF_INET:
		if (sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP)
			call_it(info, SSI_FILE_TCP, "TCP socket");
		else if (sk->sk_type == SOCK_DGRAM)
			call_it(info, SSI_FILE_OTHER, "UDP socket");
		else
			call_it(info, SSI_FILE_OTHER, "INET socket");
		return;
	case AF_INET6:
		call_it(info, SSI_FILE_OTHER, "IPv6 socket");
		return;
	case AF_UNIX:
		call_it(info, SSI_FILE_OTHER, "UNIX socket");
		if (sk->sk_state == TCP_ESTABLISHED) {
			info->kind = SSI_FILE_UNIX;
			/* Names it only: nothing is read through it. */
			info->peer = (unsigned long)READ_ONCE(unix_sk(sk)->peer);
		}
		return;
	case AF_NETLINK:
		call_it(info, SSI_FILE_OTHER, "netlink socket");
		return;
	default:
		call_it(info, SSI_FILE_OTHER, "socket");
	}
}

static void anonymous(struct file *file, struct ssi_file_info *info)
{
	const char *name = file->f_path.dentry->d_name.name;

	call_it(info, SSI_FILE_OTHER, name);
	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return;
	/* Only the kernel gives names on this file system. */
	if (!strcmp(name, "[eventpoll]"))
		info->kind = SSI_FILE_EPOLL;
	else if (!strcmp(name, "[eventfd]"))
		info->kind = SSI_FILE_EVENTFD;
	else if (!strcmp(name, "[timerfd]"))
		info->kind = SSI_FILE_TIMERFD;
	else if (!strcmp(name, "[signalfd]"))
		info->kind = SSI_FILE_SIGNALFD;
}

static void regular(struct file *file, struct ssi_file_info *info, u32 kind, const char *what)
{
	struct inode *inode = file_inode(file);

	call_it(info, kind, what);
	info->size = i_size_read(inode);
	/* On a mount of the kernel's own (memfd, pidfd) no name leads to it either. */
	if (d_unlinked(file->f_path.dentry) || !inode->i_nlink ||
	    file->f_path.mnt->mnt_flags & MNT_INTERNAL)
		info->traits |= SSI_FILE_UNLINKED;
	switch (inode->i_sb->s_magic) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		if (kind == SSI_FILE_REGULAR)
			info->traits |= SSI_FILE_SYNTHETIC;
	}
}

/* ssi_file_info - classify @file; reads, locks nothing, sleeps not */
void ssi_file_info(struct file *file, struct ssi_file_info *info)
{
	struct inode *inode = file_inode(file);
	struct socket *sock = sock_from_file(file);

	memset(info, 0, sizeof(*info));
	info->flags = file->f_flags;
	info->traits = (file->f_mode & FMODE_READ ? SSI_FILE_READ : 0) |
		       (file->f_mode & FMODE_WRITE ? SSI_FILE_WRITE : 0);
	info->pos = file->f_pos;
	info->inode = (unsigned long)inode;
	info->count = file_count(file);

	if (file->f_mode & FMODE_PATH) {
		call_it(info, SSI_FILE_OTHER, "O_PATH descriptor");
		return;
	}
	if (sock) {
		socket_file(info, sock->sk);
		return;
	}
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		regular(file, info, SSI_FILE_REGULAR, "file");
		return;
	case S_IFDIR:
		regular(file, info, SSI_FILE_DIRECTORY, "directory");
		return;
	case S_IFCHR:
		char_device(info, inode->i_rdev);
		return;
	case S_IFBLK:
		call_it(info, SSI_FILE_OTHER, "block device");
		return;
	case S_IFIFO:
		if (inode->i_sb->s_magic != PIPEFS_MAGIC) {
			call_it(info, SSI_FILE_OTHER, "FIFO");
			return;
		}
		info->stream = (unsigned long)inode->i_pipe;
		call_it(info, SSI_FILE_PIPE, "pipe");
		return;
	default:
		anonymous(file, info);
	}
}

/*
 * ssi_file_path - the path of @file as the calling task would write it, without a NUL
 *
 * Return: its length; -ENAMETOOLONG.
 */
int ssi_file_path(struct file *file, char *buf, u32 size)
{
	char *path = d_path(&file->f_path, buf, size);
	size_t len;

	if (IS_ERR(path))
		return PTR_ERR(path);
	len = strlen(path);
	memmove(buf, path, len);
	return len;
}

/* ssi_file_get - one more reference */
void ssi_file_get(struct file *file)
{
	get_file(file);
}

/* ssi_file_put - give up a reference */
void ssi_file_put(struct file *file)
{
	fput(file);
}

/*
 * ssi_file_put_now - give up a reference; what was the last one is closed on return
 *
 * fput() leaves closing to the return to user mode, and a restart's helper is long in the kernel.
 * CONTEXT: a process that holds no locks.
 */
void ssi_file_put_now(struct file *file)
{
	__fput_sync(file);
}

/*
 * ssi_file_again - open @path with the calling task's root and credentials
 * @flags: as open(2); what would create, empty or take a terminal is left out
 */
int ssi_file_again(const char *path, u32 flags, struct file **out)
{
	const u32 kept = O_ACCMODE | O_APPEND | O_DSYNC | __O_SYNC | O_DIRECT | O_DIRECTORY |
			 O_NOATIME;
	struct file *file;

	/* Without waiting, should the path lead to a FIFO by now. */
	file = filp_open(path, (flags & kept) | O_NONBLOCK | O_NOCTTY | O_LARGEFILE, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ssi_file_set_flags(file, flags);
	*out = file;
	return 0;
}

/* ssi_file_seek - set the offset */
int ssi_file_seek(struct file *file, u64 pos)
{
	loff_t at;

	if (pos > LLONG_MAX)
		return -EINVAL;
	at = vfs_llseek(file, pos, SEEK_SET);
	return at < 0 ? at : 0;
}

/* ssi_file_cut - make the file @size bytes long, with the calling task's rights */
int ssi_file_cut(struct file *file, u64 size)
{
	if (size > LLONG_MAX)
		return -EINVAL;
	return vfs_truncate(&file->f_path, size);
}

/* ssi_file_set_flags - the flags that F_SETFL sets and that need no act of the file system */
void ssi_file_set_flags(struct file *file, u32 flags)
{
	const u32 mask = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~mask) | (flags & mask);
	spin_unlock(&file->f_lock);
}
