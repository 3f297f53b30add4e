/*
 * PROXY headers, the text of version 1 and the binary of version 2. Reads a view and keeps no
 * state: who waits for more bytes calls again with all of them. Called before TLS and HTTP, and
 * only for peers that may speak for others.
 */
#include "core/proto/proxy.h"

#include "core/base/check.h"
#include "core/base/str.h"

/* What both versions read from: `at` moves forward only. */
struct cursor {
    struct mw_view bytes;
    size_t at;
    const char *why;
};

static int broken(struct cursor *in, const char *why)
{
    in->why = why;
    return MW_ERR_PROTOCOL;
}

/* ---- version 1: a line of text ---- */

static const char no_header[] = "the connection does not begin with a PROXY header";
static const char bad_family[] = "PROXY v1: the family is TCP4, TCP6 or UNKNOWN";
static const char bad_address[] = "PROXY v1: an address is not one of its family";
static const char bad_port[] = "PROXY v1: a port is not a decimal number up to 65535";
static const char bad_end[] = "PROXY v1: the line does not end in CR LF behind its last field";
static const char long_line[] = "PROXY v1: the line is longer than 107 bytes";

static const struct mw_view v1_begin = MW_VIEW("PROXY ");

/* The next byte, not taken yet. A line ends within its limit; version 2 asks for its first bytes.
 */
static int peek(struct cursor *in, char *byte)
{
    if (in->at == MW_PROXY_V1_MAX)
        return broken(in, long_line);
    if (in->at == in->bytes.len)
        return MW_ERR_AGAIN;
    *byte = in->bytes.data[in->at];
    return MW_OK;
}

/* The bytes of `text` come next: MW_OK, MW_ERR_AGAIN, or MW_ERR_PROTOCOL with `why`. */
static int skip_exactly(struct cursor *in, struct mw_view text, const char *why)
{
    char byte;
    for (size_t i = 0; i < text.len; i++, in->at++) {
        int err = peek(in, &byte);
        if (err)
            return err;
        if (byte != text.data[i])
            return broken(in, why);
    }
    return MW_OK;
}

/* A field is made of these bytes, is not longer than any of its kind, and a blank ends it. */
struct field_kind {
    const char *bytes;
    size_t max_len;
};

static const struct field_kind v4_address = { "0123456789.", 15 },
                               v6_address = { "0123456789abcdefABCDEF:.", MW_IP_TEXT_LEN - 1 };

static int read_address(struct cursor *in, const struct field_kind *kind, struct mw_ip *out)
{
    size_t start = in->at;
    char byte;
    for (;; in->at++) {
        int err = peek(in, &byte);
        if (err)
            return err;
        if (byte == ' ')
            break;
        if (!byte || !strchr(kind->bytes, byte) || in->at - start == kind->max_len)
            return broken(in, bad_address);
    }
    struct mw_view text = mw_view(in->bytes.data + start, in->at - start);
    bool has_colon = mw_view_find(text, ':', 0) < text.len;
    if (has_colon != (kind == &v6_address) || !mw_ip_parse(text, out))
        return broken(in, bad_address);
    in->at++;
    return MW_OK;
}

/* Up to `end`, which is taken: decimal, no leading zero, 65535 at most. */
static int read_port(struct cursor *in, char end, const char *no_end, uint16_t *out)
{
    unsigned port = 0;
    char byte;
    for (size_t digits = 0;; digits++, in->at++) {
        int err = peek(in, &byte);
        if (err)
            return err;
        if (byte == end && digits > 0)
            break;
        if (byte < '0' || byte > '9')
            return broken(in, digits > 0 ? no_end : bad_port);
        bool has_zero_in_front = digits > 0 && port == 0;
        port = port * 10 + (unsigned)(byte - '0');
        if (has_zero_in_front || port > 65535)
            return broken(in, bad_port);
    }
    in->at++;
    *out = (uint16_t)port;
    return MW_OK;
}

static int read_v1_addresses(struct cursor *in, const struct field_kind *kind,
                             struct mw_proxy_head *head)
{
    int err = skip_exactly(in, mw_view(" ", 1), bad_family);
    if (!err)
        err = read_address(in, kind, &head->from);
    if (!err)
        err = read_address(in, kind, &head->to);
    if (!err)
        err = read_port(in, ' ', bad_port, &head->from_port);
    if (!err)
        err = read_port(in, '\r', bad_end, &head->to_port);
    return err ? err : skip_exactly(in, mw_view("\n", 1), bad_end);
}

/* "a receiver must ignore anything presented before the CRLF": sentence of 2.1. */
static int skip_unknown(struct cursor *in)
{
    char byte, before = '\0';
    int err = peek(in, &byte);
    if (!err && byte != ' ' && byte != '\r')
        return broken(in, bad_family);
    for (; !err; in->at++, before = byte, err = peek(in, &byte)) {
        if (before == '\r' && byte == '\n') {
            in->at++;
            return MW_OK;
        }
    }
    return err;
}

static int read_v1(struct cursor *in, struct mw_proxy_head *head)
{
    char byte;
    int err = skip_exactly(in, v1_begin, no_header);
    if (!err)
        err = peek(in, &byte);
    if (err)
        return err;
    if (byte == 'U') {
        err = skip_exactly(in, mw_view_text("UNKNOWN"), bad_family);
        return err ? err : skip_unknown(in);
    }
    err = skip_exactly(in, mw_view_text("TCP"), bad_family);
    if (!err)
        err = peek(in, &byte);
    if (err)
        return err;
    in->at++;
    if (byte == '4')
        return read_v1_addresses(in, &v4_address, head);
    if (byte == '6')
        return read_v1_addresses(in, &v6_address, head);
    return broken(in, bad_family);
}

/* ---- version 2: 16 bytes, addresses, TLVs ---- */

#define V2_HEAD    16
#define V2_LOCAL   0x20
#define V2_PROXY   0x21
#define TLV_HEAD   3
#define TLV_CRC32C 0x03 /* PP2_TYPE_CRC32C */
#define CRC32C_REFLECTED \
    0x82F63B78u /* Castagnoli's polynomial (RFC 3720 12.1), lowest bit first \
                 */

static const struct mw_view v2_begin = MW_VIEW("\r\n\r\n\0\r\nQUIT\n");

/* Family and transport of PROXY as one byte, and how long two such addresses with ports are. */
static const struct v2_kind {
    uint8_t kind, ip_len;
    uint16_t len;
} v2_kinds[] = {
    { 0x00, 0, 0 },                    /* unspecified: what follows is not looked at */
    { 0x11, 4, 12 },  { 0x12, 0, 12 }, /* TCP and UDP over IPv4 */
    { 0x21, 16, 36 }, { 0x22, 0, 36 }, /* over IPv6 */
    { 0x31, 0, 216 }, { 0x32, 0, 216 } /* UNIX stream and datagram */
};

static const struct v2_kind *find_kind(uint8_t kind)
{
    for (size_t i = 0; i < MW_COUNT(v2_kinds); i++) {
        if (v2_kinds[i].kind == kind)
            return &v2_kinds[i];
    }
    return NULL;
}

static uint8_t byte_at(const struct cursor *in, size_t at)
{
    return (uint8_t)in->bytes.data[at];
}

static uint16_t u16_at(const struct cursor *in, size_t at)
{
    return (uint16_t)(byte_at(in, at) << 8 | byte_at(in, at + 1));
}

static uint32_t u32_at(const struct cursor *in, size_t at)
{
    return (uint32_t)u16_at(in, at) << 16 | u16_at(in, at + 2);
}

static uint32_t crc32c_byte(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? CRC32C_REFLECTED : 0);
    return crc;
}

/* Of in->bytes[0..end); the sum's own four bytes count as zeros. */
static bool sum_is_right(const struct cursor *in, size_t end, size_t sum_at)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < end; i++) {
        bool is_of_sum = i >= sum_at && i < sum_at + 4;
        crc = crc32c_byte(crc, is_of_sum ? 0 : byte_at(in, i));
    }
    return ~crc == u32_at(in, sum_at);
}

/* Moves past one TLV; where it is the checksum, *sum_at is where that stands. */
static int skip_tlv(struct cursor *in, size_t end, size_t *sum_at)
{
    static const char bad_tlv[] = "PROXY v2: a TLV is longer than the header";
    if (end - in->at < TLV_HEAD)
        return broken(in, bad_tlv);
    if (in->bytes.len - in->at < TLV_HEAD)
        return MW_ERR_AGAIN;
    size_t len = u16_at(in, in->at + 1);
    if (len > end - in->at - TLV_HEAD)
        return broken(in, bad_tlv);
    if (byte_at(in, in->at) == TLV_CRC32C) {
        if (len != 4 || *sum_at)
            return broken(in, "PROXY v2: a checksum is given once and has four bytes");
        *sum_at = in->at + TLV_HEAD;
    }
    if (in->bytes.len - in->at - TLV_HEAD < len)
        return MW_ERR_AGAIN;
    in->at += TLV_HEAD + len;
    return MW_OK;
}

static int skip_tlvs(struct cursor *in, size_t end)
{
    size_t sum_at = 0;
    int err = MW_OK;
    while (!err && in->at < end)
        err = skip_tlv(in, end, &sum_at);
    if (!err && sum_at && !sum_is_right(in, end, sum_at))
        return broken(in, "PROXY v2: the checksum is wrong");
    return err;
}

static int skip_to(struct cursor *in, size_t end)
{
    in->at = in->bytes.len < end ? in->bytes.len : end;
    return in->at < end ? MW_ERR_AGAIN : MW_OK;
}

static void read_v2_addresses(const struct cursor *in, size_t ip_len, struct mw_proxy_head *head)
{
    const uint8_t *at = (const uint8_t *)in->bytes.data + V2_HEAD;
    head->from = mw_ip_of(at, ip_len);
    head->to = mw_ip_of(at + ip_len, ip_len);
    head->from_port = u16_at(in, V2_HEAD + 2 * ip_len);
    head->to_port = u16_at(in, V2_HEAD + 2 * ip_len + 2);
}

/* What follows the 16 bytes: `len` of them, of a kind that only PROXY gives a meaning. */
static int read_v2_rest(struct cursor *in, const struct v2_kind *kind, size_t len,
                        struct mw_proxy_head *head)
{
    if (kind->len == 0)
        return skip_to(in, V2_HEAD + len);
    int err = skip_to(in, V2_HEAD + kind->len);
    if (!err && kind->ip_len)
        read_v2_addresses(in, kind->ip_len, head);
    return err ? err : skip_tlvs(in, V2_HEAD + len);
}

/* 2.2: a receiver ignores the family, and all that follows, of what is LOCAL. */
static int read_v2(struct cursor *in, struct mw_proxy_head *head)
{
    int err = skip_exactly(in, v2_begin, no_header);
    if (err)
        return err;
    size_t have = in->bytes.len;
    if (have > 12 && byte_at(in, 12) != V2_LOCAL && byte_at(in, 12) != V2_PROXY)
        return broken(in, "PROXY v2: the version is not 2, or the command not LOCAL or PROXY");
    if (have < 14)
        return MW_ERR_AGAIN;
    bool is_local = byte_at(in, 12) == V2_LOCAL;
    const struct v2_kind *kind = is_local ? &v2_kinds[0] : find_kind(byte_at(in, 13));
    if (!kind)
        return broken(in, "PROXY v2: there is no such family and transport");
    if (have < V2_HEAD)
        return MW_ERR_AGAIN;
    size_t len = u16_at(in, 14);
    if (len > MW_PROXY_V2_MAX - V2_HEAD)
        return broken(in, "PROXY v2: the header is longer than 536 bytes");
    if (len < kind->len)
        return broken(in, "PROXY v2: the header is shorter than its addresses");
    return read_v2_rest(in, kind, len, head);
}

_Static_assert(MW_PROXY_V1_MAX == 107 && MW_PROXY_V2_MAX == 536, "sentences name the limits");

/* ---- both ---- */

long mw_proxy_read(struct mw_view bytes, struct mw_proxy_head *out, const char **why)
{
    struct cursor in = { bytes, 0, NULL };
    struct mw_proxy_head head = { 0 };
    if (bytes.len == 0)
        return MW_ERR_AGAIN;
    int err = bytes.data[0] == v2_begin.data[0] ? read_v2(&in, &head) : read_v1(&in, &head);
    if (err == MW_ERR_PROTOCOL)
        *why = in.why;
    if (err)
        return err;
    *out = head;
    return (long)in.at;
}

static bool begins_alike(struct mw_view bytes, struct mw_view header)
{
    size_t len = bytes.len < header.len ? bytes.len : header.len;
    return mw_view_equal(mw_view(bytes.data, len), mw_view(header.data, len));
}

bool mw_proxy_may_begin(struct mw_view bytes)
{
    return bytes.len > 0 && (begins_alike(bytes, v1_begin) || begins_alike(bytes, v2_begin));
}
