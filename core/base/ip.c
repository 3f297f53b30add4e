/*
 * Addresses and networks as bytes. Never resolves a name and never looks at an interface. Called
 * where a text or a header names an address: trusted_proxies, the PROXY protocol, Forwarded.
 *
 * An IPv4 address within IPv6 is turned into plain IPv4 on the way in, so that a socket for both
 * kinds, a proxy and a configuration cannot write one address in two ways.
 */
#include "core/base/ip.h"

#include <arpa/inet.h>

#include "core/base/str.h"

#define V4_BYTES 4
#define V6_BYTES 16

_Static_assert(MW_IP_TEXT_LEN == INET6_ADDRSTRLEN, "ip.h names the length");

/* RFC 4291 2.5.5.2 */
static const uint8_t mapped_prefix[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

struct mw_ip mw_ip_of(const uint8_t *bytes, size_t len)
{
    struct mw_ip ip = { 0 };
    if (len == V6_BYTES && memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        bytes += sizeof mapped_prefix;
        len = V4_BYTES;
    }
    if (len == V4_BYTES || len == V6_BYTES) {
        memcpy(ip.bytes, bytes, len);
        ip.len = (uint8_t)len;
    }
    return ip;
}

/* The bytes as they are written, 4 or 16 of them; 0: not an address. */
static size_t read_bytes(struct mw_view text, uint8_t out[V6_BYTES])
{
    char copy[MW_IP_TEXT_LEN];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len))
        return 0;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (strchr(copy, ':'))
        return inet_pton(AF_INET6, copy, out) == 1 ? V6_BYTES : 0;
    return inet_pton(AF_INET, copy, out) == 1 ? V4_BYTES : 0;
}

bool mw_ip_parse(struct mw_view text, struct mw_ip *out)
{
    uint8_t bytes[V6_BYTES];
    size_t len = read_bytes(text, bytes);
    if (len == 0)
        return false;
    *out = mw_ip_of(bytes, len);
    return true;
}

/* As inet_ntop writes it, which goes by way of printf: 1 700 instructions for each connection. */
static void put_v4(const uint8_t bytes[V4_BYTES], char *out)
{
    for (size_t i = 0; i < V4_BYTES; i++) {
        unsigned n = bytes[i];
        if (n >= 100)
            *out++ = (char)('0' + n / 100);
        if (n >= 10)
            *out++ = (char)('0' + n / 10 % 10);
        *out++ = (char)('0' + n % 10);
        *out++ = i + 1 < V4_BYTES ? '.' : '\0';
    }
}

void mw_ip_text(const struct mw_ip *ip, char out[MW_IP_TEXT_LEN])
{
    if (ip->len == V4_BYTES)
        put_v4(ip->bytes, out);
    else if (ip->len == 0 || !inet_ntop(AF_INET6, ip->bytes, out, MW_IP_TEXT_LEN))
        out[0] = '\0';
}

bool mw_ip_equal(const struct mw_ip *a, const struct mw_ip *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* ---- networks ---- */

/* Decimal, without a leading zero: "/08" would be eight to one reader and none to another. */
static bool read_bits(struct mw_view text, unsigned max, unsigned *out)
{
    uint64_t bits;
    bool has_zero_in_front = text.len > 1 && text.data[0] == '0';
    if (has_zero_in_front || !mw_parse_u64(text, 0, max, &bits))
        return false;
    *out = (unsigned)bits;
    return true;
}

/* The bits of byte `i` that stand behind the first `bits` of an address. */
static uint8_t mask_behind(unsigned bits, size_t i)
{
    if (bits >= (i + 1) * 8)
        return 0;
    return (uint8_t)(0xFF >> (bits > i * 8 ? bits - i * 8 : 0));
}

static bool is_zero_behind(const uint8_t *bytes, size_t len, unsigned bits)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] & mask_behind(bits, i))
            return false;
    }
    return true;
}

bool mw_net_parse(struct mw_view text, struct mw_net *out)
{
    uint8_t bytes[V6_BYTES];
    size_t slash = mw_view_find(text, '/', 0);
    size_t len = read_bytes(mw_view(text.data, slash), bytes);
    unsigned bits = (unsigned)len * 8;
    if (len == 0)
        return false;
    if (slash < text.len && !read_bits(mw_view_from(text, slash + 1), bits, &bits))
        return false;
    if (!is_zero_behind(bytes, len, bits))
        return false;
    out->base = mw_ip_of(bytes, len);
    /* With no bit behind, the network of a mapped address has the whole prefix before it. */
    out->bits = (uint8_t)(bits - (len - out->base.len) * 8);
    return true;
}

bool mw_net_holds(const struct mw_net *net, const struct mw_ip *ip)
{
    if (net->base.len != ip->len || ip->len == 0)
        return false;
    for (size_t i = 0; i < ip->len; i++) {
        uint8_t differs = net->base.bytes[i] ^ ip->bytes[i];
        if (differs & (uint8_t)~mask_behind(net->bits, i))
            return false;
    }
    return true;
}
