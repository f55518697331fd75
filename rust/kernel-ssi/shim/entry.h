/* SPDX-License-Identifier: GPL-2.0 */
/* The table of operations that the module registers, and who is calling. */
#ifndef SSI_SHIM_ENTRY_H
#define SSI_SHIM_ENTRY_H

#include <linux/types.h>

/* In Rust (sys/entry.rs). */
long ssi_rs_checkpoint(void __user *args, size_t size);
long ssi_rs_restart(void __user *args, size_t size);
long ssi_rs_capset(void __user *args, size_t size);
long ssi_rs_capget(void __user *args, size_t size);
long ssi_rs_ctl(void __user *args, size_t size);
void ssi_rs_process_release(pid_t tgid);

int ssi_entry_register(void);
int ssi_entry_set_pid_range(int min, int end, int first);
bool ssi_entry_is_admin(void);
void ssi_entry_caller(u32 *uid, u32 *gid);

#endif
