// SPDX-License-Identifier: GPL-2.0
/* The table of operations that the module registers, and who is calling. */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/ssi.h>
#include "entry.h"
#include "stop.h"

static const struct ssi_ops ssi_entry_ops = {
	.owner = THIS_MODULE,
	.checkpoint = ssi_rs_checkpoint,
	.restart = ssi_rs_restart,
	.capset = ssi_rs_capset,
	.capget = ssi_rs_capget,
	.ctl = ssi_rs_ctl,
	.process_release = ssi_rs_process_release,
	.vfork_wait = ssi_stop_vfork_wait,
};

/* Once and for ever: the module is pinned from here on. */
int ssi_entry_register(void)
{
	return ssi_register(&ssi_entry_ops);
}

int ssi_entry_set_pid_range(int min, int end, int first)
{
	return ssi_set_pid_range(min, end, first);
}

bool ssi_entry_is_admin(void)
{
	return capable(CAP_SYS_ADMIN);
}

void ssi_entry_caller(u32 *uid, u32 *gid)
{
	*uid = from_kuid(&init_user_ns, current_euid());
	*gid = from_kgid(&init_user_ns, current_egid());
}
