/* SPDX-License-Identifier: GPL-2.0 */
/* HMAC-SHA256. */
#ifndef SSI_SHIM_CRYPTO_H
#define SSI_SHIM_CRYPTO_H

#include <linux/types.h>

int ssi_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, u8 out[32]);

#endif
