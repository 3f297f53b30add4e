/*
 * UTF-8 by RFC 3629, byte by byte with a state of three, so that it does not matter where a text
 * was cut. In the path of every text message and every close reason; ASCII is passed over in words.
 */
#include "core/base/utf8.h"

/*
 * What a first byte promises (RFC 3629 4): how many bytes follow, and in which range the next one
 * must lie. The narrow ranges keep out overlong forms (E0, F0), surrogates (ED) and what is above
 * U+10FFFF (F4). A zero row is ASCII below 0x80 and never a first byte from there on.
 */
/* clang-format off */
static const struct mw_utf8 first_byte[256] = {
    [0xC2 ... 0xDF] = { 1, 0x80, 0xBF },
    [0xE0] = { 2, 0xA0, 0xBF },
    [0xE1 ... 0xEC] = { 2, 0x80, 0xBF },
    [0xED] = { 2, 0x80, 0x9F },
    [0xEE ... 0xEF] = { 2, 0x80, 0xBF },
    [0xF0] = { 3, 0x90, 0xBF },
    [0xF1 ... 0xF3] = { 3, 0x80, 0xBF },
    [0xF4] = { 3, 0x80, 0x8F },
};
/* clang-format on */

#define HIGH_BITS UINT64_C(0x8080808080808080)

typedef uint64_t pair __attribute__((vector_size(16)));

/* Passes over whole blocks, then over whole words of ASCII from `at` on. */
static size_t skip_ascii(const char *bytes, size_t at, size_t len)
{
    pair block[4];
    uint64_t word;
    for (; len - at >= sizeof block; at += sizeof block) {
        memcpy(block, bytes + at, sizeof block);
        pair bits = (block[0] | block[1]) | (block[2] | block[3]);
        if ((bits[0] | bits[1]) & HIGH_BITS)
            break;
    }
    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word & HIGH_BITS)
            break;
    }
    while (at < len && (uint8_t)bytes[at] < 0x80)
        at++;
    return at;
}

/*
 * Passes over whole characters of three bytes, most of what is written in Asia: a byte at a time
 * through `step` they cost twice as much. What is broken or not whole is for `step` to tell.
 */
static size_t skip_triples(const char *text, size_t at, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    for (; len - at >= 3; at += 3) {
        const struct mw_utf8 *first = &first_byte[bytes[at]];
        bool is_right = first->need == 2 && bytes[at + 1] >= first->low &&
                        bytes[at + 1] <= first->high && (bytes[at + 2] & 0xC0) == 0x80;
        if (!is_right)
            break;
    }
    return at;
}

static bool step(struct mw_utf8 *state, uint8_t byte)
{
    if (state->need == 0) {
        *state = first_byte[byte];
        return byte < 0x80 || state->need > 0;
    }
    if (byte < state->low || byte > state->high)
        return false;
    *state = (struct mw_utf8){ (uint8_t)(state->need - 1), 0x80, 0xBF };
    return true;
}

int mw_utf8_feed(struct mw_utf8 *state, const char *bytes, size_t len, size_t *bad_at)
{
    struct mw_utf8 now = *state;
    size_t at = 0;
    while (at < len) {
        if (now.need == 0) {
            at = skip_ascii(bytes, at, len);
            at = skip_triples(bytes, at, len);
        }
        if (at == len)
            break;
        if (!step(&now, (uint8_t)bytes[at])) {
            if (bad_at)
                *bad_at = at;
            return MW_ERR_BAD_UTF8;
        }
        at++;
    }
    *state = now;
    return MW_OK;
}

bool mw_utf8_valid(struct mw_view text)
{
    struct mw_utf8 state = { 0 };
    return mw_utf8_feed(&state, text.data, text.len, NULL) == MW_OK && mw_utf8_is_whole(&state);
}

/* Bytes of a sequence begun but not ended at the end of `text`, which is valid up to there. */
static size_t begun_len(struct mw_view text)
{
    for (size_t back = 1; back <= 3 && back <= text.len; back++) {
        uint8_t byte = (uint8_t)text.data[text.len - back];
        if (first_byte[byte].need > 0)
            return back <= first_byte[byte].need ? back : 0;
    }
    return 0;
}

size_t mw_utf8_valid_len(struct mw_view text, size_t *bad_len)
{
    struct mw_utf8 state = { 0 };
    size_t end = text.len;
    int err = mw_utf8_feed(&state, text.data, text.len, &end);
    size_t begun = begun_len(mw_view(text.data, end));
    /* A byte that breaks a sequence may begin the next one; alone it is what is broken. */
    *bad_len = begun == 0 && err ? 1 : begun;
    return end - begun;
}

struct mw_view mw_utf8_cut(struct mw_view text, size_t max_bytes)
{
    if (text.len <= max_bytes)
        return text;
    while (max_bytes > 0 && ((uint8_t)text.data[max_bytes] & 0xC0) == 0x80)
        max_bytes--;
    return mw_view(text.data, max_bytes);
}
