/* Masking, which is its own inverse (RFC 6455 5.3). */
#ifndef MW_PROTO_MASK_H
#define MW_PROTO_MASK_H

#include "moonwire/types.h"

/* XORs in place; `offset` is the index of data[0] within the payload. */
void mw_mask(uint8_t *data, size_t len, const uint8_t key[4], uint64_t offset);

/*
 * The same, and looks at what it writes: so many of the first bytes are ASCII. There may be more,
 * for it looks no further than to the block with the first that is not.
 */
size_t mw_mask_ascii(uint8_t *data, size_t len, const uint8_t key[4], uint64_t offset);

#endif
