// SPDX-License-Identifier: GPL-2.0
/* A counting gate on which user processes wait killably: each opening lets one wait through. */
#include <linux/completion.h>
#include <linux/slab.h>
#include "gate.h"

struct completion *ssi_gate_new(void)
{
	struct completion *gate = kmalloc(sizeof(*gate), GFP_KERNEL);

	if (gate)
		init_completion(gate);
	return gate;
}

void ssi_gate_free(struct completion *gate)
{
	kfree(gate);
}

void ssi_gate_open(struct completion *gate)
{
	complete(gate);
}

/* 0 when let through, -ERESTARTSYS when the caller is being killed. */
int ssi_gate_wait(struct completion *gate)
{
	return wait_for_completion_killable(gate);
}
