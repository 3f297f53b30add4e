/*
 * SHA-1 and base64 for the handshake (RFC 6455 4.2.2), a hash for noticing changed files. The only
 * file of this layer that knows mbedTLS. Nothing here is used to keep a secret.
 */
#include "core/base/digest.h"

#include <limits.h>
#include <mbedtls/base64.h>
#include <mbedtls/sha1.h>

#include "core/base/check.h"

int mw_sha1(struct mw_view data, uint8_t out[MW_SHA1_BYTES])
{
    /* The software implementation cannot fail; one in hardware runs out of contexts. */
    int err = mbedtls_sha1((const unsigned char *)data.data, data.len, out);
    return err ? MW_ERR_NOMEM : MW_OK;
}

void mw_base64(struct mw_view data, char *out)
{
    size_t room = MW_BASE64_LEN(data.len) + 1, len = 0;
    (void)MW_ALWAYS(mbedtls_base64_encode((unsigned char *)out, room, &len,
                                          (const unsigned char *)data.data, data.len) == 0);
    out[len] = '\0';
}

/* mbedTLS passes over line ends, and over blanks before them. */
static bool has_gap(struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == ' ' || text.data[i] == '\r' || text.data[i] == '\n')
            return true;
    }
    return false;
}

/*
 * mbedTLS ignores the bits that padding leaves over, so that several texts mean the same bytes.
 * Only the one that encoding gives is accepted (RFC 4648 3.5): the last group must come out again.
 */
static bool is_last_group_canonical(struct mw_view text, const uint8_t *bytes, size_t len)
{
    size_t start = (len - 1) / 3 * 3;
    char group[MW_BASE64_LEN(3) + 1];
    mw_base64(mw_view((const char *)bytes + start, len - start), group);
    return memcmp(group, text.data + text.len - 4, 4) == 0;
}

int mw_base64_decode(struct mw_view text, uint8_t *out, size_t max_bytes)
{
    if (text.len == 0)
        return 0;
    if (text.len % 4 != 0 || text.len > INT_MAX || has_gap(text))
        return MW_ERR_BAD_ARG;
    size_t len = 0;
    const unsigned char *from = (const unsigned char *)text.data;
    int err = mbedtls_base64_decode(out, max_bytes, &len, from, text.len);
    if (err || !is_last_group_canonical(text, out, len))
        return MW_ERR_BAD_ARG;
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
