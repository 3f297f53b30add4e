/*
 * Frame headers, read and written. Judges what a single header can show; what depends on the frames
 * before it (fragments, sizes of messages) is message.c's. Keeps no state and never sees a payload.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-------+-+-------------+-------------------------------+
 *     |F|R|R|R| opcode|M| length      |  length again: 16 bits if 126 |
 *     |I|S|S|S|  (4)  |A|    (7)      |  or 64 bits if 127, then the  |
 *     |N|V|V|V|       |S|             |  mask (32 bits) if M is set   |
 *     +-+-+-+-+-------+-+-------------+-------------------------------+
 */
#include "core/proto/frame.h"

#define BIT_FIN      0x80
#define BITS_RSV     0x70
#define BIT_RSV1     0x40
#define BITS_OPCODE  0x0F
#define BIT_CONTROL  0x08
#define BIT_MASK     0x80
#define BITS_LENGTH  0x7F
#define LENGTH_IS_16 126
#define LENGTH_IS_64 127

/* Bit n is set where opcode n is one: 0, 1, 2, 8, 9, A. */
#define OPCODES 0x0707u

/* RFC 7692 6: where RSV1 may stand once it has a meaning. */
static enum mw_rule check_compressed(uint8_t first)
{
    if (first & BIT_CONTROL)
        return MW_RULE_RSV1_CONTROL;
    bool starts = first & BITS_OPCODE;
    return starts ? MW_RULE_NONE : MW_RULE_RSV1_CONTINUATION;
}

/* RFC 6455 5.2, 5.5: what the first byte shows. */
static enum mw_rule check_first(uint8_t first, bool deflate)
{
    if (first & BITS_RSV & ~(deflate ? BIT_RSV1 : 0))
        return MW_RULE_RSV;
    if (!(OPCODES >> (first & BITS_OPCODE) & 1))
        return MW_RULE_OPCODE;
    if ((first & BIT_RSV1) && check_compressed(first))
        return check_compressed(first);
    if ((first & (BIT_FIN | BIT_CONTROL)) == BIT_CONTROL)
        return MW_RULE_CONTROL_FRAGMENTED;
    return MW_RULE_NONE;
}

/* RFC 6455 5.1, 5.5: what the second byte adds. */
static enum mw_rule check_second(uint8_t first, uint8_t second, enum mw_role role)
{
    bool masked = second & BIT_MASK;
    if (masked != (role == MW_ROLE_SERVER))
        return masked ? MW_RULE_MASKED : MW_RULE_UNMASKED;
    if ((first & BIT_CONTROL) && (second & BITS_LENGTH) > MW_CONTROL_MAX)
        return MW_RULE_CONTROL_TOO_LONG;
    return MW_RULE_NONE;
}

static uint64_t read_number(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* RFC 6455 5.2: what the first `len` bytes of a 16-bit length show. */
static enum mw_rule check_length_16(const uint8_t *bytes, size_t len)
{
    bool too_small = len >= 2 && read_number(bytes, 2) < LENGTH_IS_16;
    return too_small ? MW_RULE_LENGTH_NOT_MINIMAL : MW_RULE_NONE;
}

/* The same of a 64-bit length: six zero bytes leave 16 bits, whatever the last two are. */
static enum mw_rule check_length_64(const uint8_t *bytes, size_t len)
{
    if (len >= 1 && bytes[0] & 0x80)
        return MW_RULE_LENGTH_TOP_BIT;
    bool too_small = len >= 6 && read_number(bytes, 6) == 0;
    return too_small ? MW_RULE_LENGTH_NOT_MINIMAL : MW_RULE_NONE;
}

/* Bytes that the length takes behind the first two. */
static size_t length_size(uint8_t second)
{
    uint8_t length = second & BITS_LENGTH;
    return length < LENGTH_IS_16 ? 0 : length == LENGTH_IS_16 ? 2 : 8;
}

static enum mw_rule check(const uint8_t *bytes, size_t len, enum mw_role role, bool deflate)
{
    enum mw_rule rule = check_first(bytes[0], deflate);
    if (rule || len < 2)
        return rule;
    rule = check_second(bytes[0], bytes[1], role);
    if (rule || (bytes[1] & BITS_LENGTH) < LENGTH_IS_16)
        return rule;
    bool is_16 = length_size(bytes[1]) == 2;
    return is_16 ? check_length_16(bytes + 2, len - 2) : check_length_64(bytes + 2, len - 2);
}

int mw_frame_decode(const uint8_t *bytes, size_t len, enum mw_role role, bool deflate,
                    struct mw_frame_head *head, enum mw_rule *rule)
{
    if (len == 0)
        return 0;
    *rule = check(bytes, len, role, deflate);
    if (*rule)
        return MW_ERR_PROTOCOL;
    if (len < 2)
        return 0;

    bool masked = bytes[1] & BIT_MASK;
    size_t more = length_size(bytes[1]);
    size_t size = 2 + more + (masked ? 4 : 0);
    if (len < size)
        return 0;
    head->fin = bytes[0] & BIT_FIN;
    head->opcode = bytes[0] & BITS_OPCODE;
    head->masked = masked;
    head->compressed = bytes[0] & BIT_RSV1;
    head->size = (uint8_t)size;
    head->len = more ? read_number(bytes + 2, more) : bytes[1] & BITS_LENGTH;
    if (masked)
        memcpy(head->mask, bytes + 2 + more, 4);
    return (int)size;
}

static void write_number(uint8_t *out, size_t len, uint64_t number)
{
    for (size_t i = len; i-- > 0; number >>= 8)
        out[i] = (uint8_t)number;
}

size_t mw_frame_encode(uint8_t out[MW_FRAME_HEAD_MAX], enum mw_opcode opcode, bool fin,
                       uint64_t len, const uint8_t mask[4])
{
    size_t more = len < LENGTH_IS_16 ? 0 : len <= UINT16_MAX ? 2 : 8;
    uint8_t short_length = more == 0 ? (uint8_t)len : more == 2 ? LENGTH_IS_16 : LENGTH_IS_64;
    out[0] = (uint8_t)((fin ? BIT_FIN : 0) | (int)opcode);
    out[1] = (uint8_t)((mask ? BIT_MASK : 0) | short_length);
    write_number(out + 2, more, len);
    if (!mask)
        return 2 + more;
    memcpy(out + 2 + more, mask, 4);
    return 2 + more + 4;
}
