// SPDX-License-Identifier: GPL-2.0
/* HMAC-SHA256 by the kernel's crypto API. */
#include <crypto/hash.h>
#include "crypto.h"

/* One call, one key: setkey is not safe against concurrent digests of the same tfm. */
int ssi_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, u8 out[32])
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);
	int err;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	err = crypto_shash_setkey(tfm, key, key_len);
	if (!err)
		err = crypto_shash_tfm_digest(tfm, data, len, out);
	crypto_free_shash(tfm);
	return err;
}
