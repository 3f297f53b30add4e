/* Two 32-bit halves, 27 rounds; the key schedule is made of the same round. */
#include "core/base/speck.h"

static uint32_t rotate_right(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static void mix(uint32_t *x, uint32_t *y, uint32_t key)
{
    *x = (rotate_right(*x, 8) + *y) ^ key;
    *y = rotate_right(*y, 29) ^ *x;
}

void mw_speck_init(struct mw_speck *speck, const uint32_t key[4])
{
    uint32_t low = key[0], rest[3] = { key[1], key[2], key[3] };
    for (uint32_t i = 0; i < MW_SPECK_ROUNDS; i++) {
        speck->keys[i] = low;
        mix(&rest[i % 3], &low, i);
    }
}

uint64_t mw_speck_apply(const struct mw_speck *speck, uint64_t block)
{
    uint32_t x = (uint32_t)(block >> 32), y = (uint32_t)block;
    for (int i = 0; i < MW_SPECK_ROUNDS; i++)
        mix(&x, &y, speck->keys[i]);
    return (uint64_t)x << 32 | y;
}
