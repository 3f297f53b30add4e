/*
 * Digests, over mbedTLS, and base64. The only file of this layer that sees mbedtls headers.
 */
#ifndef MW_BASE_DIGEST_H
#define MW_BASE_DIGEST_H

#include "moonwire/types.h"

#define MW_SHA1_BYTES 20

/* MW_OK or MW_ERR_NOMEM. */
int mw_sha1(struct mw_view data, uint8_t out[MW_SHA1_BYTES]);

/* Bytes of the padded base64 text of `len` bytes, without the NUL. */
#define MW_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Standard alphabet with padding (RFC 4648 4). `out` holds MW_BASE64_LEN(data.len) + 1 bytes. */
void mw_base64(struct mw_view data, char *out);

/*
 * Strict decoding: right alphabet, padding, no blanks, unused bits zero. Returns the number of
 * bytes, or MW_ERR_BAD_ARG (also where max_bytes is too small).
 */
int mw_base64_decode(struct mw_view text, uint8_t *out, size_t max_bytes);

/* A 64-bit hash for change detection, not against attackers (FNV-1a, chainable: start with 0). */
uint64_t mw_hash64(struct mw_view data, uint64_t seed);

#endif
