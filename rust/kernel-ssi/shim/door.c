// SPDX-License-Identifier: GPL-2.0
/* A counter that tasks wait for, killably, and that can be broken for all of them at once. */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "spawn.h"

struct ssi_door {
	wait_queue_head_t queue;
	atomic_t count;
	bool broken;
};

struct ssi_door *ssi_door_new(void)
{
	struct ssi_door *door = kzalloc(sizeof(*door), GFP_KERNEL);

	if (door)
		init_waitqueue_head(&door->queue);
	return door;
}

void ssi_door_free(struct ssi_door *door)
{
	kfree(door);
}

void ssi_door_add(struct ssi_door *door)
{
	atomic_inc(&door->count);
	wake_up_all(&door->queue);
}

void ssi_door_break(struct ssi_door *door)
{
	WRITE_ONCE(door->broken, true);
	wake_up_all(&door->queue);
}

/* -ECANCELED: broken; -ERESTARTSYS: current is being killed. */
int ssi_door_wait(struct ssi_door *door, u32 count)
{
	int err = wait_event_killable(door->queue, READ_ONCE(door->broken) ||
				      (u32)atomic_read(&door->count) >= count);

	if (err)
		return err;
	return READ_ONCE(door->broken) ? -ECANCELED : 0;
}
