/*
 * XOR with a key of four bytes, at the speed of memory: the key is turned once to where the payload
 * stands and repeated to a block, so the loop body is the same for each block and as wide as the
 * machine's registers are. Alignment does not matter: memcpy of a block is plain loads.
 *
 * Text is judged in the same pass: a second one over 1 MiB is a twelfth of what a bare echo of it
 * costs.
 */
#include "core/proto/mask.h"

typedef uint64_t pair __attribute__((vector_size(16)));

#define BLOCK 64

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The key as it lies in memory from its byte `start` on. */
static uint32_t turn_key(const uint8_t key[4], unsigned start)
{
    uint32_t word;
    memcpy(&word, key, sizeof word);
    unsigned bits = start * 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return word >> bits | word << (-bits & 31);
#else
    return word << bits | word >> (-bits & 31);
#endif
}

/*
 * A block, and gives the bits that are set in any word of it. Written out in registers that every
 * x86-64 and ARM has: left to the compiler the bits were gathered a word at a time, for twice the
 * time.
 */
static inline uint64_t mask_block(uint8_t *data, pair key)
{
    pair bytes[BLOCK / sizeof key];
    memcpy(bytes, data, sizeof bytes);
    bytes[0] ^= key;
    bytes[1] ^= key;
    bytes[2] ^= key;
    bytes[3] ^= key;
    memcpy(data, bytes, sizeof bytes);
    pair bits = (bytes[0] | bytes[1]) | (bytes[2] | bytes[3]);
    return bits[0] | bits[1];
}

/* Less than a block. */
static uint64_t mask_rest(uint8_t *data, size_t len, uint64_t key)
{
    uint64_t word, bits = 0;
    for (; len >= sizeof word; len -= sizeof word, data += sizeof word) {
        memcpy(&word, data, sizeof word);
        word ^= key;
        bits |= word;
        memcpy(data, &word, sizeof word);
    }
    if (len > 0) {
        word = 0;
        for (size_t i = 0; i < len; i++)
            word |= (uint64_t)(data[i] ^= ((const uint8_t *)&key)[i]) << 8 * i;
        bits |= word;
    }
    return bits;
}

size_t mw_mask_ascii(uint8_t *data, size_t len, const uint8_t key[4], uint64_t offset)
{
    uint32_t turned = turn_key(key, (unsigned)(offset & 3));
    uint64_t word_key = (uint64_t)turned << 32 | turned;
    pair pair_key = { word_key, word_key };
    size_t at = 0;
    for (; len - at >= BLOCK; at += BLOCK) {
        if (mask_block(data + at, pair_key) & HIGH_BITS) {
            mw_mask(data + at + BLOCK, len - at - BLOCK, key, offset + at);
            return at;
        }
    }
    return mask_rest(data + at, len - at, word_key) & HIGH_BITS ? at : len;
}

void mw_mask(uint8_t *data, size_t len, const uint8_t key[4], uint64_t offset)
{
    uint32_t turned = turn_key(key, (unsigned)(offset & 3));
    uint64_t word_key = (uint64_t)turned << 32 | turned;
    pair pair_key = { word_key, word_key };
    size_t at = 0;
    for (; len - at >= BLOCK; at += BLOCK)
        (void)mask_block(data + at, pair_key);
    (void)mask_rest(data + at, len - at, word_key);
}
