// SPDX-License-Identifier: GPL-2.0
/* Starts the restart helper: a process whose context restored processes begin in. */
#include <linux/kernel.h>
#include <linux/umh.h>
#include "usermode.h"

#define SSI_HELPER_PATH "/usr/bin/ssi-restart-helper"

/* 0 when the program has ended well; the errno of its exec, or -EIO, otherwise. */
int ssi_usermode_helper(u64 number)
{
	static char *envp[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char argument[24];
	char *argv[] = { SSI_HELPER_PATH, argument, NULL };
	int ended;

	snprintf(argument, sizeof(argument), "%llu", number);
	ended = call_usermodehelper(SSI_HELPER_PATH, argv, envp, UMH_WAIT_PROC | UMH_KILLABLE);
	return ended > 0 ? -EIO : ended;
}
