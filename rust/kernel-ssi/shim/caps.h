/* SPDX-License-Identifier: GPL-2.0 */
/* Capabilities of processes, and the list of those that have one. */
#ifndef SSI_SHIM_CAPS_H
#define SSI_SHIM_CAPS_H

#include <linux/types.h>

/* As abi::ProcessStatus, without the application. */
struct ssi_caps_entry {
	u32 pid, ppid, pgid, sid, caps, uid;
	u64 application;
	char comm[16];
};

int ssi_caps_get(u32 pid, u32 *caps);
bool ssi_caps_is_head_root(u32 pid);
int ssi_caps_set(u32 pid, u32 caps);
int ssi_caps_list(struct ssi_caps_entry *entries, int max);

#endif
