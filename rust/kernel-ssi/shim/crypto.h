/* SPDX-License-Identifier: GPL-2.0 */
/* HMAC-SHA256 and comparison in constant time. */
#ifndef SSI_SHIM_CRYPTO_H
#define SSI_SHIM_CRYPTO_H

#include <linux/types.h>

int ssi_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, u8 out[32]);
bool ssi_same_bytes(const void *a, const void *b, size_t len);

#endif
