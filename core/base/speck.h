/*
 * Speck64/128 (Beaulieu and others, "The Simon and Speck families of lightweight block ciphers",
 * 2013): a keyed permutation of 64-bit numbers, for numbers that must not be worked back to what
 * they stand for. Not for data on a wire.
 */
#ifndef MW_BASE_SPECK_H
#define MW_BASE_SPECK_H

#include <stdint.h>

#define MW_SPECK_ROUNDS 27

struct mw_speck {
    uint32_t keys[MW_SPECK_ROUNDS];
};

/* `key` is the least significant word first. */
void mw_speck_init(struct mw_speck *speck, const uint32_t key[4]);

uint64_t mw_speck_apply(const struct mw_speck *speck, uint64_t block);

#endif
