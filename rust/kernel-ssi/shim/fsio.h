/* SPDX-License-Identifier: GPL-2.0 */
/* Files and folders of the store, by absolute path, with given credentials. */
#ifndef SSI_SHIM_FSIO_H
#define SSI_SHIM_FSIO_H

#include <linux/types.h>

struct cred;
struct file;

/* How a file is opened. */
enum ssi_open {
	SSI_OPEN_READ,
	SSI_OPEN_READ_PAGES,
	SSI_OPEN_CREATE,
	SSI_OPEN_CREATE_PAGES,
	SSI_OPEN_FOLDER,
};

/* type: DT_DIR, DT_UNKNOWN, ... */
typedef int (*ssi_name_fn)(void *context, const char *name, u32 len, u32 type);

const struct cred *ssi_cred_current(void);
const struct cred *ssi_cred_of_user(u32 uid, u32 gid);
const struct cred *ssi_cred_clone(const struct cred *cred);
void ssi_cred_put(const struct cred *cred);
const struct cred *ssi_cred_assume(const struct cred *cred);
void ssi_cred_resume(const struct cred *before);

int ssi_file_open(const char *path, enum ssi_open how, const struct cred *cred, struct file **out);
void ssi_file_close(struct file *file);
int ssi_file_write(struct file *file, const void *data, size_t len, u64 pos,
		   const struct cred *cred);
ssize_t ssi_file_read(struct file *file, void *data, size_t len, u64 pos);
int ssi_file_sync(struct file *file);
u64 ssi_file_size(struct file *file);

int ssi_folder_make(const char *path, const struct cred *cred);
int ssi_folder_remove(const char *path, const struct cred *cred);
int ssi_file_remove(const char *path, const struct cred *cred);
int ssi_file_rename(const char *from, const char *to, const struct cred *cred);
int ssi_folder_names(struct file *folder, ssi_name_fn visit, void *context);
const char *ssi_kernel_release(void);
u64 ssi_digest(const void *data, size_t len);
void *ssi_digest_new(void);
void ssi_digest_add(void *state, const void *data, size_t len);
u64 ssi_digest_value(const void *state);
void ssi_digest_free(void *state);

#endif
