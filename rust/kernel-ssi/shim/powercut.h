/* SPDX-License-Identifier: GPL-2.0 */
/* Named steps of a checkpoint at which a test may have the machine lose its power, or a thread
 * wait.
 */
#ifndef SSI_SHIM_POWERCUT_H
#define SSI_SHIM_POWERCUT_H

#include <linux/types.h>

void ssi_powercut_at(u32 step);

#endif
