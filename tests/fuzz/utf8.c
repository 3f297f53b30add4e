/*
 * core/base/utf8 against a decoder that is written as RFC 3629 is read: whole, and cut in two ways.
 * The input is the text.
 */
#include "core/base/utf8.h"

#include "tests/fuzz/fuzz.h"

/* The size of the code point at the start of `text`; 0: there is none. */
static size_t code_point(struct mw_view text)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)text.data[0];
    size_t size = first < 0x80       ? 1
                  : first >> 5 == 6  ? 2
                  : first >> 4 == 14 ? 3
                  : first >> 3 == 30 ? 4
                                     : 0;
    if (size == 0 || size > text.len)
        return 0;
    uint32_t value = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        uint8_t next = (uint8_t)text.data[i];
        if (next >> 6 != 2)
            return 0;
        value = value << 6 | (next & 0x3F);
    }
    bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
    return value < least[size] || value > 0x10FFFF || is_surrogate ? 0 : size;
}

static size_t valid_len(struct mw_view text)
{
    size_t len = 0, size = 1;
    while (size > 0 && len < text.len) {
        size = code_point(mw_view_from(text, len));
        len += size;
    }
    return len;
}

/* Bytes that were taken before one could not be right; text.len: all, *whole says how it ends. */
static size_t feed_cut(struct mw_view text, enum cut cut, bool *whole)
{
    struct cutter pieces = cutter(cut, text.len);
    struct mw_utf8 state = { 0 };
    struct mw_view rest = text;
    size_t taken = 0;
    while (rest.len > 0) {
        struct mw_view piece = take_piece(&pieces, &rest);
        struct mw_utf8 before = state;
        size_t bad_at = SIZE_MAX;
        if (mw_utf8_feed(&state, piece.data, piece.len, &bad_at) == MW_OK) {
            taken += piece.len;
            continue;
        }
        CHECK(bad_at < piece.len);
        CHECK(memcmp(&before, &state, sizeof state) == 0);
        *whole = false;
        return taken + bad_at;
    }
    *whole = mw_utf8_is_whole(&state);
    return taken;
}

/* What a reader makes of it that replaces broken sequences. */
static void check_replacing(struct mw_view text)
{
    while (text.len > 0) {
        size_t bad_len, len = mw_utf8_valid_len(text, &bad_len);
        CHECK(len == valid_len(text));
        CHECK(len + bad_len <= text.len && len + bad_len > 0);
        CHECK((bad_len == 0) == (len == text.len));
        text = mw_view_from(text, len + bad_len);
    }
}

static void check_cutting(struct mw_view text)
{
    for (size_t max = 0; max <= text.len && max < 200; max++) {
        struct mw_view cut = mw_utf8_cut(text, max);
        CHECK(cut.len <= max && max - cut.len < 4);
        CHECK(valid_len(cut) == cut.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(mw_view((const char *)data, size));
    struct mw_view text = mw_view(copy, size);
    size_t len = valid_len(text);
    CHECK(mw_utf8_valid(text) == (len == size));
    size_t ends[CUT_WAYS];
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++) {
        bool whole;
        ends[cut] = feed_cut(text, cut, &whole);
        CHECK(whole == (len == size));
        CHECK(ends[cut] == ends[CUT_NOWHERE] && ends[cut] >= len);
    }
    check_replacing(text);
    if (len == size)
        check_cutting(text);
    free(copy);
    return 0;
}
