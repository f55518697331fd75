// SPDX-License-Identifier: GPL-2.0
/* Named steps of a checkpoint at which a test may have the machine lose its power. */
#include <linux/jump_label.h>
#include <linux/moduleparam.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "powercut.h"

/* In the order of enum Step, sys/powercut.rs. */
static const char *const ssi_steps[] = {
	"stopped", "send-saved", "snapped", "released", "opened", "part-made", "pages-written",
	"part-written", "part-durable", "folders-durable", "commit-written", "commit-durable",
	"commit-renamed", "commit-done",
};

static DEFINE_STATIC_KEY_FALSE(ssi_powercut_armed);
static int ssi_powercut_step = -1;

static int ssi_powercut_set(const char *text, const struct kernel_param *param)
{
	int step = *text == '\0' || *text == '\n' ? -1 :
		   sysfs_match_string(ssi_steps, text);

	if (step < 0 && *text != '\0' && *text != '\n')
		return step;
	WRITE_ONCE(ssi_powercut_step, step);
	if (step < 0)
		static_branch_disable(&ssi_powercut_armed);
	else
		static_branch_enable(&ssi_powercut_armed);
	return 0;
}

/* All steps, the one that is set in brackets. */
static int ssi_powercut_get(char *buffer, const struct kernel_param *param)
{
	int step, len = 0;

	for (step = 0; step < ARRAY_SIZE(ssi_steps); step++)
		len += sysfs_emit_at(buffer, len, step == READ_ONCE(ssi_powercut_step) ?
				     "[%s] " : "%s ", ssi_steps[step]);
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops ssi_powercut_ops = {
	.set = ssi_powercut_set,
	.get = ssi_powercut_get,
};
module_param_cb(power_cut, &ssi_powercut_ops, NULL, 0600);
MODULE_PARM_DESC(power_cut, "step of a checkpoint at which the machine restarts at once (tests)");

/* The machine restarts without any goodbye, as after a power cut, where a test asked for it. */
void ssi_powercut_at(u32 step)
{
	if (!static_branch_unlikely(&ssi_powercut_armed) || step != READ_ONCE(ssi_powercut_step))
		return;
	pr_emerg("ssi: power cut at %s\n", ssi_steps[step]);
	emergency_restart();
}
