/* SPDX-License-Identifier: GPL-2.0 */
/* Locks of files as the Rust side sees them. */
#ifndef SSI_LOCK_H
#define SSI_LOCK_H

#include <linux/types.h>

struct file;

enum ssi_lock_kind {
	SSI_LOCK_POSIX = 1,	/* fcntl(F_SETLK): of a descriptor table */
	SSI_LOCK_OFD,		/* fcntl(F_OFD_SETLK): of an open file */
	SSI_LOCK_FLOCK,		/* flock(2): of an open file */
	SSI_LOCK_LEASE,		/* cannot be saved */
};

struct ssi_lock {
	u64 owner;	/* address of the table or of the open file */
	u64 start;
	u64 end;	/* inclusive */
	u32 kind;	/* enum ssi_lock_kind */
	u32 exclusive;
};

int ssi_locks(struct file *file, struct ssi_lock *out, u32 max, u32 *count);
int ssi_lock_set(struct file *file, const struct ssi_lock *lock);

#endif
