/* SPDX-License-Identifier: GPL-2.0 */
/* A counting gate on which user processes wait killably. */
#ifndef SSI_SHIM_GATE_H
#define SSI_SHIM_GATE_H

struct completion;

struct completion *ssi_gate_new(void);
void ssi_gate_free(struct completion *gate);
void ssi_gate_open(struct completion *gate);
int ssi_gate_wait(struct completion *gate);

#endif
