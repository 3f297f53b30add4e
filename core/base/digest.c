/*
 * SHA-1 and base64 for the handshake (RFC 6455 4.2.2), a hash for noticing changed files. The only
 * file of this layer that knows mbedTLS, for SHA-1. Nothing here is used to keep a secret.
 */
#include "core/base/digest.h"

#include <limits.h>
#include <mbedtls/sha1.h>

int mw_sha1(struct mw_view data, uint8_t out[MW_SHA1_BYTES])
{
    /* The software implementation cannot fail; one in hardware runs out of contexts. */
    int err = mbedtls_sha1((const unsigned char *)data.data, data.len, out);
    return err ? MW_ERR_NOMEM : MW_OK;
}

/* ---- base64 (RFC 4648 4) ----
 *
 * By sums and not by tables: no place in memory tells which letter it was, and a handshake needs
 * 1 100 instructions less than with mbedTLS's, which walks all ranges for each letter twice.
 */

/* Of a number of six bits: each range of letters stands in another distance from its numbers. */
static char letter_of(unsigned bits)
{
    int distance = 'A' + (bits > 25) * 6 - (bits > 51) * 75 - (bits > 61) * 15 + (bits > 62) * 3;
    return (char)((int)bits + distance);
}

static bool is_between(int c, int first, int last)
{
    return (unsigned)(c - first) <= (unsigned)(last - first);
}

/* Negative: none of the 64 letters. */
static int bits_of(char letter)
{
    int c = (unsigned char)letter;
    return -1 + is_between(c, 'A', 'Z') * (c - 'A' + 1) + is_between(c, 'a', 'z') * (c - 'a' + 27) +
           is_between(c, '0', '9') * (c - '0' + 53) + (c == '+') * 63 + (c == '/') * 64;
}

void mw_base64(struct mw_view data, char *out)
{
    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i;
        unsigned group = 0;
        for (size_t n = 0; n < 3; n++)
            group = group << 8 | (n < left ? (uint8_t)data.data[i + n] : 0);
        for (unsigned n = 0; n < 4; n++)
            *out++ = n <= left ? letter_of(group >> (18 - 6 * n) & 63) : '=';
    }
    *out = '\0';
}

/* Letters of a group of four that are no padding, which stands in the last one only. */
static size_t count_letters(struct mw_view text, size_t at)
{
    if (at + 4 < text.len || text.data[at + 3] != '=')
        return 4;
    return text.data[at + 2] != '=' ? 3 : 2;
}

/*
 * The bytes of a group. -1: a letter is none, or bits that padding leaves over are set, so that
 * several texts would mean the same bytes (RFC 4648 3.5).
 */
static int read_group(const char *text, size_t letters, uint8_t out[3])
{
    int group = 0, wrong = 0;
    for (size_t n = 0; n < 4; n++) {
        int bits = n < letters ? bits_of(text[n]) : 0;
        wrong |= bits;
        group = group << 6 | (bits & 63);
    }
    out[0] = (uint8_t)(group >> 16);
    out[1] = (uint8_t)(group >> 8);
    out[2] = (uint8_t)group;
    bool has_rest = (letters < 4 && out[2]) || (letters < 3 && out[1]);
    return wrong < 0 || has_rest ? -1 : (int)letters - 1;
}

int mw_base64_decode(struct mw_view text, uint8_t *out, size_t max_bytes)
{
    size_t len = 0;
    if (text.len % 4 != 0 || text.len > INT_MAX)
        return MW_ERR_BAD_ARG;
    for (size_t at = 0; at < text.len; at += 4) {
        uint8_t bytes[3];
        int count = read_group(text.data + at, count_letters(text, at), bytes);
        if (count < 0 || (size_t)count > max_bytes - len)
            return MW_ERR_BAD_ARG;
        memcpy(out + len, bytes, (size_t)count);
        len += (size_t)count;
    }
    return (int)len;
}

/* FNV-1a, 64 bits: basis and prime are those of its authors. */
uint64_t mw_hash64(struct mw_view data, uint64_t seed)
{
    uint64_t hash = seed ? seed : UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < data.len; i++)
        hash = (hash ^ (uint8_t)data.data[i]) * UINT64_C(0x100000001B3);
    return hash;
}
