/*
 * The Range field: one range of bytes. Called by server/file_answer.
 *
 * Several ranges in one request are answered with the whole, as RFC 9110 14.2 allows: players,
 * readers of PDF and downloads that go on ask for one, and an answer in parts can be made far
 * larger than the file it is about (many small ranges, or overlapping ones).
 */
#include "core/proto/range.h"

#include "core/base/str.h"

/* A run of digits of any length; above uint64_t it is its largest value, which no file reaches. */
static bool read_position(struct mw_view digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned char)digits.data[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
    }
    return digits.len > 0;
}

/* The only element of the list; false where there is none or another one. */
static bool only_element(struct mw_view list, struct mw_view *only)
{
    struct mw_view part;
    *only = mw_view("", 0);
    while (mw_view_split(&list, ',', &part)) {
        part = mw_view_trim(part);
        if (part.len && only->len)
            return false;
        if (part.len)
            *only = part;
    }
    return only->len > 0;
}

/* "-500": the last ones. An empty file has no last byte, and is sent whole (as nothing). */
static enum mw_range_kind read_suffix(struct mw_view digits, uint64_t size, struct mw_range *out)
{
    uint64_t len;
    if (!read_position(digits, &len))
        return MW_RANGE_WHOLE;
    if (len == 0)
        return MW_RANGE_OUTSIDE;
    if (size == 0)
        return MW_RANGE_WHOLE;
    if (len > size)
        len = size;
    *out = (struct mw_range){ size - len, len };
    return MW_RANGE_PART;
}

/* "0-499" or "500-". */
static enum mw_range_kind read_span(struct mw_view first, struct mw_view last, uint64_t size,
                                    struct mw_range *out)
{
    uint64_t from, to = UINT64_MAX;
    if (!read_position(first, &from) || (last.len && !read_position(last, &to)) || to < from)
        return MW_RANGE_WHOLE;
    if (from >= size)
        return MW_RANGE_OUTSIDE;
    if (to >= size)
        to = size - 1;
    *out = (struct mw_range){ from, to - from + 1 };
    return MW_RANGE_PART;
}

enum mw_range_kind mw_range_read(struct mw_view field, uint64_t size, struct mw_range *out)
{
    struct mw_view only;
    size_t equals = mw_view_find(field, '=', 0);
    *out = (struct mw_range){ 0, size };
    if (!mw_view_is_nocase(mw_view(field.data, equals), "bytes") ||
        !only_element(mw_view_from(field, equals + 1), &only))
        return MW_RANGE_WHOLE;
    size_t dash = mw_view_find(only, '-', 0);
    if (dash == only.len)
        return MW_RANGE_WHOLE;
    struct mw_view last = mw_view_from(only, dash + 1);
    return dash == 0 ? read_suffix(last, size, out)
                     : read_span(mw_view(only.data, dash), last, size, out);
}
