/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel threads that run one Rust value, clocks, and random bytes. */
#ifndef SSI_SHIM_THREAD_H
#define SSI_SHIM_THREAD_H

#include <linux/types.h>

struct task_struct;

struct task_struct *ssi_thread_start(int (*fn)(void *), void *data, const char *name);
void ssi_thread_join(struct task_struct *task);
void ssi_thread_detach(struct task_struct *task);
u64 ssi_clock_ms(void);
u64 ssi_clock_ns(void);
u64 ssi_wall_ms(void);
void ssi_random(void *data, size_t len);

#endif
