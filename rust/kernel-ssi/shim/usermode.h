/* SPDX-License-Identifier: GPL-2.0 */
/* Starts the restart helper. */
#ifndef SSI_SHIM_USERMODE_H
#define SSI_SHIM_USERMODE_H

#include <linux/types.h>

int ssi_usermode_helper(u64 number);

#endif
