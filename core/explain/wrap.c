/*
 * Rows of a paragraph. Japanese has no blanks between words, so a row may end between two wide
 * characters, but not before what closes nor behind what opens. Called by render_terminal.
 */
#include "core/explain/wrap.h"

#include "core/base/check.h"

static bool is_one_of(uint32_t point, const uint32_t *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (points[i] == point)
            return true;
    }
    return false;
}

/* Stops, closing brackets, middle dot, colon, long-vowel mark, small kana, wave dashes. */
static bool may_begin_row(uint32_t point)
{
    static const uint32_t never[] = {
        0x3001, 0x3002, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF01, 0xFF09,
        0x300D, 0x300F, 0x3011, 0x30FB, 0x30FC, 0x3041, 0x3043, 0x3045, 0x3047,
        0x3049, 0x3063, 0x3083, 0x3085, 0x3087, 0x30A1, 0x30A3, 0x30A5, 0x30A7,
        0x30A9, 0x30C3, 0x30E3, 0x30E5, 0x30E7, 0x301C, 0xFF5E,
    };
    return !is_one_of(point, never, MW_COUNT(never));
}

static bool may_end_row(uint32_t point)
{
    static const uint32_t never[] = { 0xFF08, 0x300C, 0x300E, 0x3010 };
    return !is_one_of(point, never, MW_COUNT(never));
}

/* Wide, and written without blanks between words; Korean has them, and breaks there. */
static bool is_ideographic(const struct mw_glyph *glyph)
{
    return glyph->cells == 2 && !(glyph->first >= 0xAC00 && glyph->first <= 0xD7A3);
}

static bool is_break(const struct mw_glyph *before, const struct mw_glyph *behind)
{
    if (behind->first == ' ' || before->first == ' ')
        return true;
    if (!is_ideographic(before) && !is_ideographic(behind))
        return false;
    bool opens = before->first == '(' || !may_end_row(before->first);
    bool closes = behind->first == ')' || behind->first == ',' || behind->first == '.' ||
                  !may_begin_row(behind->first);
    return !opens && !closes;
}

static void skip_blanks(struct mw_view *text)
{
    while (text->len && *text->data == ' ')
        *text = mw_view(text->data + 1, text->len - 1);
}

bool mw_wrap_next(struct mw_view *rest, size_t cells, struct mw_view *row)
{
    skip_blanks(rest);
    struct mw_view left = *rest;
    struct mw_glyph glyph, last = { .first = ' ' };
    size_t used = 0, good = 0, end = 0; /* bytes up to the last break, and to the last glyph */
    bool is_cut = false;
    while (!is_cut && mw_glyph_next(&left, &glyph)) {
        if (end && is_break(&last, &glyph))
            good = end;
        used += glyph.cells;
        is_cut = used > cells && end > 0 && glyph.first != ' ';
        if (!is_cut)
            end += glyph.bytes.len;
        last = glyph;
    }
    if (!end)
        return false;
    if (is_cut && good)
        end = good;
    *row = mw_view(rest->data, end);
    *rest = mw_view(rest->data + end, rest->len - end);
    while (row->len && row->data[row->len - 1] == ' ')
        row->len--;
    return true;
}
