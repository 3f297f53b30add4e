/*
 * XOR with a key of four bytes, at the speed of memory: the key is laid out once from where the
 * payload stands, so the loop body is the same for each word and the compiler makes it as wide as
 * the machine is. Alignment does not matter: words are moved by memcpy, which is a plain load.
 */
#include "core/proto/mask.h"

void mw_mask(uint8_t *data, size_t len, const uint8_t key[4], uint64_t offset)
{
    uint8_t turned[8];
    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = key[(offset + i) & 3];
    uint64_t word_key;
    memcpy(&word_key, turned, sizeof word_key);

    size_t words = len / sizeof word_key;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, data + i * sizeof word, sizeof word);
        word ^= word_key;
        memcpy(data + i * sizeof word, &word, sizeof word);
    }
    for (size_t i = words * sizeof word_key; i < len; i++)
        data[i] ^= turned[i & 7];
}
