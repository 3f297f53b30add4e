/*
 * XOR with a key of four bytes, at the speed of memory: the key is turned once to where the payload
 * stands and doubled to a word, so the loop body is the same for each word and the compiler makes
 * it as wide as the machine is. Alignment does not matter: memcpy of a word is a plain load.
 */
#include "core/proto/mask.h"

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

void mw_mask(uint8_t *data, size_t len, const uint8_t key[4], uint64_t offset)
{
    uint32_t turned = turn_key(key, (unsigned)(offset & 3));
    uint64_t word_key = (uint64_t)turned << 32 | turned;

    size_t words = len / sizeof word_key;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, data + i * sizeof word, sizeof word);
        word ^= word_key;
        memcpy(data + i * sizeof word, &word, sizeof word);
    }

    uint8_t rest_key[4];
    memcpy(rest_key, &turned, sizeof rest_key);
    for (size_t i = words * sizeof word_key; i < len; i++)
        data[i] ^= rest_key[i & 3];
}
