/* SPDX-License-Identifier: GPL-2.0 */
/* What kernel objects behind descriptors look like to the Rust side: flat structs, no pointers. */
#ifndef SSI_OBJECT_H
#define SSI_OBJECT_H

#include <linux/types.h>

struct file;
struct task_struct;

/* fdtable.c */

/* Above the highest descriptor that is believed in; the kernel's own limit stands as well. */
#define SSI_FD_MAX (1u << 20)

/* One descriptor; holds a reference of the file. */
struct ssi_fd {
	u32 fd;
	u32 cloexec;
	struct file *file;
};

/* A holder of a file or a pipe that was looked for: its key, where it was found, and by whom. */
struct ssi_holder {
	u64 key;
	u32 pid;
	u32 fd;
	u32 caps;	/* SSI_CAP_* of the process */
	u32 reserved;
};

u64 ssi_files_key(struct task_struct *task, u32 *users);
u32 ssi_task_tid(struct task_struct *task);
int ssi_files_walk(struct task_struct *task, struct ssi_fd *out, u32 max, u32 *count);
int ssi_files_find(const u64 *keys, u32 keys_len, struct ssi_holder *out, u32 max, u32 *count);
int ssi_files_clear(void);
int ssi_fd_install(u32 fd, struct file *file, u32 cloexec);
struct file *ssi_fd_get(u32 fd);
struct files_struct *ssi_files_ref(void);
int ssi_files_share(struct files_struct *files);
void ssi_files_put(struct files_struct *files);

/* file.c */

enum ssi_file_kind {
	SSI_FILE_OTHER = 0,
	SSI_FILE_REGULAR,
	SSI_FILE_DIRECTORY,
	SSI_FILE_DEVICE,
	SSI_FILE_PIPE,
	SSI_FILE_TTY,
	SSI_FILE_TCP,
	SSI_FILE_EVENTFD,
	SSI_FILE_EPOLL,
	SSI_FILE_UNIX,	/* a connected UNIX socket */
	SSI_FILE_TIMERFD,
	SSI_FILE_SIGNALFD,
};

/* Bits of ssi_file_info.traits. */
#define SSI_FILE_READ		1	/* open for reading */
#define SSI_FILE_WRITE		2	/* open for writing */
#define SSI_FILE_UNLINKED	4	/* no name leads to it any more */
#define SSI_FILE_SYNTHETIC	8	/* made up by the kernel as it is read: /proc, /sys */
#define SSI_FILE_LEASED		16	/* somebody holds a lease or a lock of the whole file */

#define SSI_FILE_WHAT 32

struct ssi_file_info {
	u32 kind;	/* enum ssi_file_kind */
	u32 flags;	/* f_flags */
	u32 traits;	/* SSI_FILE_* bits */
	u32 rdev;	/* of a device: major << 20 | minor */
	u64 pos;
	u64 size;
	u64 inode;	/* key: the inode's address */
	u64 stream;	/* key: of the pipe or of the socket, 0 otherwise */
	u64 peer;	/* key: of the other end of a UNIX socket, 0 otherwise */
	u64 count;	/* references, ours among them */
	char what[SSI_FILE_WHAT];	/* the kind in words, for refusals */
};

void ssi_file_info(struct file *file, struct ssi_file_info *info);
int ssi_file_path(struct file *file, char *buf, u32 size);
void ssi_file_get(struct file *file);
void ssi_file_put(struct file *file);
void ssi_file_put_now(struct file *file);
int ssi_file_again(const char *path, u32 flags, struct file **out);
struct ssi_flush;
struct ssi_flush *ssi_flush_new(struct file *file);
int ssi_flush_run(struct ssi_flush *flush);
void ssi_flush_free(struct ssi_flush *flush);
int ssi_file_seek(struct file *file, u64 pos);
int ssi_file_cut(struct file *file, u64 size);
void ssi_file_set_flags(struct file *file, u32 flags);

/* pipe.c */

struct ssi_pipe_info {
	u32 slots;	/* that hold something */
	u32 ring_size;	/* slots in all, a power of two */
	u32 readers;
	u32 writers;
	u32 files;	/* open files on either end */
	u32 refused;	/* a notification pipe */
	u64 bytes;
};

struct ssi_pipe_slot {
	u32 offset;
	u32 len;
	u32 flags;	/* SSI_SLOT_* bits */
};

#define SSI_SLOT_PACKET	1
#define SSI_SLOT_MERGE	2

void ssi_pipe_info(struct file *file, struct ssi_pipe_info *info);
int ssi_pipe_save(struct file *file, struct ssi_pipe_slot *slots, u32 slots_len,
		  void *data, u64 data_len);
int ssi_pipe_create(struct file **out);
int ssi_pipe_reopen(struct file *file, u32 flags, struct file **out);
int ssi_pipe_resize(struct file *file, u32 ring_size);
int ssi_pipe_fill(struct file *file, const struct ssi_pipe_slot *slots, u32 slots_len,
		  const void *data, u64 data_len);

#endif
