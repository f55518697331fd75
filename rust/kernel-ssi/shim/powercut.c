// SPDX-License-Identifier: GPL-2.0
/* Named steps of a checkpoint at which a test may have the machine lose its power, or a thread
 * wait.
 */
#include <linux/jump_label.h>
#include <linux/moduleparam.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/wait.h>
#include "powercut.h"

/* In the order of enum Step, sys/powercut.rs. */
static const char *const ssi_steps[] = {
	"stopped", "send-saved", "snapped", "released", "opened", "part-made", "pages-written",
	"part-written", "part-durable", "folders-durable", "commit-written", "commit-durable",
	"commit-renamed", "commit-done",
};

static DEFINE_STATIC_KEY_FALSE(ssi_steps_armed);
static DECLARE_WAIT_QUEUE_HEAD(ssi_steps_changed);
static int ssi_cut_step = -1;
static int ssi_hold_step = -1;

static int ssi_step_set(const char *text, const struct kernel_param *param)
{
	int *chosen = param->arg;
	int step = *text == '\0' || *text == '\n' ? -1 :
		   sysfs_match_string(ssi_steps, text);

	if (step < 0 && *text != '\0' && *text != '\n')
		return step;
	WRITE_ONCE(*chosen, step);
	wake_up_all(&ssi_steps_changed);
	if (ssi_cut_step < 0 && ssi_hold_step < 0)
		static_branch_disable(&ssi_steps_armed);
	else
		static_branch_enable(&ssi_steps_armed);
	return 0;
}

/* All steps, the one that is set in brackets. */
static int ssi_step_get(char *buffer, const struct kernel_param *param)
{
	int *chosen = param->arg;
	int step, len = 0;

	for (step = 0; step < ARRAY_SIZE(ssi_steps); step++)
		len += sysfs_emit_at(buffer, len, step == READ_ONCE(*chosen) ? "[%s] " : "%s ",
				     ssi_steps[step]);
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops ssi_step_ops = {
	.set = ssi_step_set,
	.get = ssi_step_get,
};
module_param_cb(power_cut, &ssi_step_ops, &ssi_cut_step, 0600);
MODULE_PARM_DESC(power_cut, "step of a checkpoint at which the machine restarts at once (tests)");
module_param_cb(hold, &ssi_step_ops, &ssi_hold_step, 0600);
MODULE_PARM_DESC(hold, "step of a checkpoint that does not end until this is cleared (tests)");

/* Where a test asked for it, the machine restarts without any goodbye, as after a power cut, or
 * the thread waits.
 */
void ssi_powercut_at(u32 step)
{
	if (!static_branch_unlikely(&ssi_steps_armed))
		return;
	if (step == READ_ONCE(ssi_cut_step)) {
		pr_emerg("ssi: power cut at %s\n", ssi_steps[step]);
		emergency_restart();
	}
	wait_event_idle(ssi_steps_changed, step != READ_ONCE(ssi_hold_step));
}
