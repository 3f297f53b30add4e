/* Characters that are not shown as they are, in all that is written for people and in JSON. */
#include "core/base/hidden.h"

bool mw_hidden_point(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static uint32_t byte_at(struct mw_view text, size_t at)
{
    return at < text.len ? (unsigned char)text.data[at] : 0;
}

/* The low bits of a continuation byte; none: a number that makes no hidden character. */
static uint32_t low_bits(uint32_t byte)
{
    return (byte & 0xc0) == 0x80 ? byte & 0x3f : 0x3f;
}

size_t mw_hidden_at(struct mw_view text, size_t at, uint32_t *point)
{
    uint32_t lead = byte_at(text, at), found = lead;
    size_t len = 1;
    if (lead >= 0x80 && lead != 0xc2 && lead != 0xe2)
        return 0;
    if (lead >= 0x80) {
        len = lead == 0xc2 ? 2 : 3;
        found = lead == 0xc2 ? 2 : 2 << 6 | low_bits(byte_at(text, at + 1));
        found = found << 6 | low_bits(byte_at(text, at + len - 1));
    }
    if (!mw_hidden_point(found))
        return 0;
    if (point)
        *point = found;
    return len;
}
