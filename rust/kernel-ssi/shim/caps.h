/* SPDX-License-Identifier: GPL-2.0 */
/* Capabilities of processes, and the list of those that have one. */
#ifndef SSI_SHIM_CAPS_H
#define SSI_SHIM_CAPS_H

#include <linux/types.h>

/*
 * The kernel keeps 32 bits for each process and looks at the two of the capability. The others
 * are its application: an id below 2^30, or 0. A child does not inherit them.
 */
#define SSI_CAPS_MASK 3u
#define SSI_CAPS_APPLICATION_SHIFT 2

/* As abi::ProcessStatus. */
struct ssi_caps_entry {
	u32 pid, ppid, pgid, sid, caps, uid;
	u64 application;
	char comm[16];
};

u32 ssi_caps_application(u32 pid);
void ssi_caps_set_application(u32 pid, u32 application);
int ssi_caps_get(u32 pid, u32 *caps);
bool ssi_caps_is_head_root(u32 pid);
int ssi_caps_set(u32 pid, u32 caps);
int ssi_caps_list(struct ssi_caps_entry *entries, int max);

#endif
