/*
 * Cells of characters, by ranges of Unicode: the wide ones of the four languages and of what
 * scripts may say beside them, and marks without a width of their own. Called by the terminal's
 * renderer.
 */
#include "core/explain/width.h"

#include "core/base/check.h"

struct range {
    uint32_t first, last;
};

/* East_Asian_Width W and F, in blocks. */
static const struct range wide[] = {
    { 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2E80, 0x303E },   { 0x3041, 0xA4CF },
    { 0xA960, 0xA97F },   { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },
    { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },   { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF },
    { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
};

/* Marks, joiners, and the vowels and finals of decomposed Hangul. */
static const struct range marks[] = {
    { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD },   { 0x0610, 0x061A },
    { 0x064B, 0x065F }, { 0x0E31, 0x0E31 }, { 0x0E34, 0x0E3A },   { 0x1160, 0x11FF },
    { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F },   { 0x20D0, 0x20FF },
    { 0x302A, 0x302D }, { 0x3099, 0x309A }, { 0xFE00, 0xFE0F },   { 0xFE20, 0xFE2F },
    { 0xFEFF, 0xFEFF }, { 0xD7B0, 0xD7FF }, { 0xE0100, 0xE01EF },
};

static bool is_in(uint32_t point, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

/* Bytes of the code point at the start; 1 and U+FFFD where there is none. */
static size_t decode(struct mw_view text, uint32_t *point)
{
    unsigned char lead = (unsigned char)text.data[0];
    size_t len = lead < 0x80   ? 1
                 : lead < 0xC2 ? 0
                 : lead < 0xE0 ? 2
                 : lead < 0xF0 ? 3
                 : lead < 0xF5 ? 4
                               : 0;
    *point = len < 2 ? lead : lead & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        if (i >= text.len || ((unsigned char)text.data[i] & 0xC0) != 0x80)
            len = 0;
        else
            *point = *point << 6 | ((unsigned char)text.data[i] & 0x3FU);
    }
    if (len)
        return len;
    *point = 0xFFFD;
    return 1;
}

bool mw_glyph_next(struct mw_view *rest, struct mw_glyph *glyph)
{
    if (!rest->len)
        return false;
    size_t len = decode(*rest, &glyph->first);
    glyph->cells = is_in(glyph->first, wide, MW_COUNT(wide))     ? 2
                   : is_in(glyph->first, marks, MW_COUNT(marks)) ? 0
                                                                 : 1;
    while (len < rest->len) {
        uint32_t point;
        size_t more = decode(mw_view(rest->data + len, rest->len - len), &point);
        if (!is_in(point, marks, MW_COUNT(marks)))
            break;
        len += more;
    }
    glyph->bytes = mw_view(rest->data, len);
    *rest = mw_view(rest->data + len, rest->len - len);
    return true;
}

size_t mw_width(struct mw_view text)
{
    struct mw_glyph glyph;
    size_t cells = 0;
    while (mw_glyph_next(&text, &glyph))
        cells += glyph.cells;
    return cells;
}
