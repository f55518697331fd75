/* SPDX-License-Identifier: GPL-2.0 */
/* Processes and threads that are made as an image says, and held before user mode. */
#ifndef SSI_SHIM_SPAWN_H
#define SSI_SHIM_SPAWN_H

#include <linux/completion.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include "image.h"

enum ssi_spawn_kind {
	SSI_SPAWN_PROCESS = 0,	/* in memory that it will leave, or in its father's */
	SSI_SPAWN_THREAD = 1,
	SSI_SPAWN_LONER = 2,	/* a thread with a descriptor table of its own */
};

/* What a thread needs on its last steps to user mode; freed by itself. */
struct ssi_revival {
	struct callback_head work;
	struct ssi_image_thread image;
	struct completion vfork;
	struct task_struct *son;	/* referenced: whom it waits for in vfork */
};

/* spawn.c */
int ssi_spawn(enum ssi_spawn_kind kind, u32 pid, int exit_signal, void *birth);
void ssi_birth_reset(void);
int ssi_wait_for_sons(const u32 *pids, u32 count);
int ssi_wait_for_zombie(u32 pid);
int ssi_leave_namespaces(void);

/* identity.c */
int ssi_set_identity(const struct ssi_image_credentials *image, const u32 *groups);
int ssi_pid_hold(u32 nr, struct pid **out);
void ssi_pid_drop(struct pid *pid, bool used);
int ssi_pid_is_free(u32 nr);
bool ssi_pid_is_alive(u32 nr);
int ssi_join(u32 nr, bool session);
int ssi_set_limits(const struct ssi_image_limit *limits, bool privileged);
int ssi_set_directory(const char *path, u32 umask);
void ssi_set_caps_of(u32 pid, u32 caps);
void ssi_set_process(const struct ssi_image_process *image);
void ssi_set_actions(const struct ssi_image_action *actions);

/* revive.c */
struct ssi_revival *ssi_revival_new(const struct ssi_image_thread *image);
void ssi_revival_free(struct ssi_revival *revival);
int ssi_revive_registers(struct ssi_revival *revival, const void *fpu, u32 fpu_bytes);
int ssi_revive_vfork(struct ssi_revival *revival);
void ssi_revive_flush(void);
void ssi_revive_signals(const struct ssi_image_pending *pending, u32 count);
void ssi_revive_stopped(u32 signal);
int ssi_revive(struct ssi_revival *revival);

/* timers.c */
unsigned long ssi_scratch_new(void);
void ssi_scratch_free(unsigned long scratch);
int ssi_timers_create(const struct ssi_image_posix_timer *timers, u32 count,
		      unsigned long *scratch);
void ssi_timers_start(const struct ssi_image_timer interval[3],
		      const struct ssi_image_posix_timer *timers, u32 count,
		      unsigned long scratch);

/* door.c: a counter that tasks wait for, killably; -ECANCELED once it is broken. */
struct ssi_door;
struct ssi_door *ssi_door_new(void);
void ssi_door_free(struct ssi_door *door);
void ssi_door_add(struct ssi_door *door);
void ssi_door_break(struct ssi_door *door);
int ssi_door_wait(struct ssi_door *door, u32 count);

/* How a birth ends; sys/spawn.rs has the same numbers. */
enum ssi_born {
	SSI_BORN_LIVES = 0,	/* the task goes to user mode */
	SSI_BORN_EXITS = 1,	/* its process exits with @code; a thread just itself */
	SSI_BORN_LEAVES = 2,	/* it exits alone, though it leads a process */
};

/* sys/spawn.rs; consumes @birth. */
int ssi_born(void *birth, int *code);

#endif
