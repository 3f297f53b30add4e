#include "core/base/utf8.h"

#include "core/base/rng.h"
#include "tests/unit/unit.h"

/*
 * The oracle: every code point of RFC 3629 is encoded by shifting, and all beginnings of the
 * encodings are noted. A byte is right where what it makes of the pending bytes is such a
 * beginning.
 */
static uint8_t begins[3][1 << 24 >> 3]; /* bit sets of beginnings of 1, 2 and 3 bytes */
static uint8_t whole[3][1 << 24 >> 3];  /* and of whole encodings of as many */

struct pending {
    uint32_t bytes;
    unsigned count;
};

static void note(uint8_t *set, uint32_t bytes)
{
    set[bytes >> 3] |= (uint8_t)(1 << (bytes & 7));
}

static bool is_noted(const uint8_t *set, uint32_t bytes)
{
    return set[bytes >> 3] >> (bytes & 7) & 1;
}

static unsigned encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out[0] = (uint8_t)((0xFF00 >> (more + 1) & 0xFF) | code >> (6 * more));
    for (unsigned i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (code >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

static int make_oracle(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        uint8_t bytes[4];
        unsigned count = encode(code, bytes);
        uint32_t packed = 0;
        for (unsigned i = 0; i < count && i < 3; i++) {
            packed = packed << 8 | bytes[i];
            note(begins[i], packed);
        }
        if (count <= 3)
            note(whole[count - 1], packed);
    }
    return 0;
}

/* The fourth byte is six free bits: behind a right beginning any continuation byte is right. */
static bool oracle_step(struct pending *pending, uint8_t byte)
{
    if (pending->count == 3) {
        *pending = (struct pending){ 0 };
        return byte >= 0x80 && byte <= 0xBF;
    }
    uint32_t packed = pending->bytes << 8 | byte;
    if (!is_noted(begins[pending->count], packed))
        return false;
    bool ends = is_noted(whole[pending->count], packed);
    *pending = ends ? (struct pending){ 0 } : (struct pending){ packed, pending->count + 1 };
    return true;
}

/* The index of the first wrong byte, or len; *is_whole where none is. */
static size_t oracle(const char *bytes, size_t len, bool *is_whole)
{
    struct pending pending = { 0 };
    for (size_t i = 0; i < len; i++) {
        if (!oracle_step(&pending, (uint8_t)bytes[i])) {
            *is_whole = false;
            return i;
        }
    }
    *is_whole = pending.count == 0;
    return len;
}

/* ---- exhaustive ---- */

static void check_sequence(const char *bytes, size_t len)
{
    bool is_whole;
    size_t good = oracle(bytes, len, &is_whole), bad_at = len;
    struct mw_utf8 state = { 0 };
    int err = mw_utf8_feed(&state, bytes, len, &bad_at);
    bool agrees = err == (good < len ? MW_ERR_BAD_UTF8 : MW_OK) && bad_at == good &&
                  mw_utf8_valid(mw_view(bytes, len)) == is_whole;
    if (err == MW_OK && mw_utf8_is_whole(&state) != is_whole)
        agrees = false;
    if (!agrees) { /* not assert_true for each: there are 20 million of them */
        print_message("%02x %02x %02x %02x, first %zu: err %d bad_at %zu, oracle %zu\n",
                      (uint8_t)bytes[0], (uint8_t)bytes[1], (uint8_t)bytes[2], (uint8_t)bytes[3],
                      len, err, bad_at, good);
        fail();
    }
}

TEST(every_sequence_of_one_to_three_bytes_is_judged_right)
{
    for (uint32_t packed = 0; packed < 1 << 24; packed++) {
        char bytes[4] = { (char)(packed >> 16), (char)(packed >> 8), (char)packed, 0 };
        check_sequence(bytes, 3);
        if ((packed & 0xFF) == 0)
            check_sequence(bytes, 2);
        if ((packed & 0xFFFF) == 0)
            check_sequence(bytes, 1);
    }
}

/*
 * Three bytes that are judged wrong, or that end a code point, are covered above: a fourth byte
 * then starts anew. What is left is every pending beginning of three bytes with every fourth byte.
 */
TEST(every_sequence_of_four_bytes_is_judged_right)
{
    unsigned beginnings = 0;
    for (uint32_t packed = 0; packed < 1 << 24; packed++) {
        if (!is_noted(begins[2], packed) || is_noted(whole[2], packed))
            continue;
        beginnings++;
        for (unsigned last = 0; last < 256; last++) {
            char bytes[4] = { (char)(packed >> 16), (char)(packed >> 8), (char)packed, (char)last };
            check_sequence(bytes, 4);
        }
    }
    assert_int_equal(beginnings, (0x110000 - 0x10000) / 64);
}

/* ---- splits ---- */

static size_t make_text(struct mw_rng *rng, char *text, size_t max)
{
    size_t len = 0;
    while (len + 24 < max && mw_rng_below(rng, 30) > 0) {
        for (uint64_t ascii = mw_rng_below(rng, 3) ? 0 : mw_rng_below(rng, 20); ascii > 0; ascii--)
            text[len++] = (char)mw_rng_below(rng, 128);
        uint32_t code = (uint32_t)mw_rng_below(rng, UINT64_C(1) << (7 + mw_rng_below(rng, 14)));
        if (code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF))
            len += encode(code, (uint8_t *)text + len);
    }
    if (len > 0 && mw_rng_below(rng, 2))
        text[mw_rng_below(rng, len)] = (char)mw_rng_next(rng);
    return len - (len > 0 ? mw_rng_below(rng, 2) : 0);
}

static void check_split(struct mw_rng *rng, const char *text, size_t len, size_t max_piece)
{
    bool is_whole;
    size_t good = oracle(text, len, &is_whole), at = 0;
    struct mw_utf8 state = { 0 };
    while (at < len) {
        size_t piece = 1 + mw_rng_below(rng, max_piece), bad_at = SIZE_MAX;
        if (piece > len - at)
            piece = len - at;
        struct mw_utf8 before = state;
        if (mw_utf8_feed(&state, text + at, piece, &bad_at)) {
            assert_int_equal(at + bad_at, good);
            assert_memory_equal(&state, &before, sizeof(state));
            return;
        }
        at += piece;
    }
    assert_int_equal(good, len);
    assert_int_equal(mw_utf8_is_whole(&state), is_whole);
}

TEST(the_verdict_does_not_depend_on_how_a_text_was_cut)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 20);
    static char text[600];
    unsigned valid = 0, rounds = 20000;
    for (unsigned i = 0; i < rounds; i++) {
        size_t len = make_text(&rng, text, sizeof(text));
        bool is_whole;
        oracle(text, len, &is_whole);
        valid += is_whole;
        assert_int_equal(mw_utf8_valid(mw_view(text, len)), is_whole);
        check_split(&rng, text, len, 1);
        check_split(&rng, text, len, 40);
        check_split(&rng, text, len, sizeof(text));
    }
    assert_true(valid > rounds / 10 && valid < rounds - rounds / 10);
}

TEST(every_split_into_two_gives_the_same_verdict)
{
    static const char text[] =
        "0123456789abcdef\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 a long tail of ASCII alone";
    size_t len = sizeof(text) - 1;
    for (size_t cut = 0; cut <= len; cut++) {
        struct mw_utf8 state = { 0 };
        assert_int_equal(mw_utf8_feed(&state, text, cut, NULL), MW_OK);
        assert_int_equal(mw_utf8_feed(&state, text + cut, len - cut, NULL), MW_OK);
        assert_true(mw_utf8_is_whole(&state));
        assert_int_equal(mw_utf8_valid(mw_view(text, cut)), ((uint8_t)text[cut] & 0xC0) != 0x80);
    }
}

TEST(a_high_byte_is_found_at_every_place_of_a_word)
{
    char text[64];
    for (size_t len = 1; len <= sizeof(text); len++) {
        for (size_t at = 0; at < len; at++) {
            memset(text, 'x', sizeof(text));
            text[at] = (char)0x80;
            struct mw_utf8 state = { 0 };
            size_t bad_at = SIZE_MAX;
            assert_int_equal(mw_utf8_feed(&state, text, len, &bad_at), MW_ERR_BAD_UTF8);
            assert_int_equal(bad_at, at);
        }
    }
}

/* ---- prefixes ---- */

TEST(the_valid_prefix_and_the_broken_sequence_behind_it_are_measured)
{
    static const struct {
        const char *text;
        size_t valid_len, bad_len;
    } rows[] = {
        { "", 0, 0 },
        { "abc", 3, 0 },
        { "a\xC3\xA4", 3, 0 },
        { "a\x80z", 1, 1 },
        { "a\xFFz", 1, 1 },
        { "a\xC3z", 1, 1 },
        { "a\xC3", 1, 1 },
        { "a\xE2\x82z", 1, 2 },
        { "a\xE2\x82", 1, 2 },
        { "a\xE2\x82\xE2\x82\xAC", 1, 2 },
        { "a\xF0\x9F\x98", 1, 3 },
        { "a\xF0\x9F\x98z", 1, 3 },
        { "a\xF0\x80\x80", 1, 1 }, /* the second byte cannot be right: the first is alone */
        { "a\xED\xA0\x80", 1, 1 },
        { "\xC3\xA4\x80", 2, 1 },
        { "\xE2\x82\xAC\xE2", 3, 1 },
        { "\xF0\x9F\x98\x80\x80", 4, 1 },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        size_t bad_len = 99, valid_len = mw_utf8_valid_len(mw_view_text(rows[i].text), &bad_len);
        assert_int_equal(valid_len, rows[i].valid_len);
        assert_int_equal(bad_len, rows[i].bad_len);
    }
}

TEST(measuring_goes_through_any_bytes_and_ends)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 3);
    static char text[600];
    for (unsigned i = 0; i < 5000; i++) {
        size_t len = make_text(&rng, text, sizeof(text));
        struct mw_view rest = mw_view(text, len);
        while (rest.len > 0) {
            size_t bad_len, valid_len = mw_utf8_valid_len(rest, &bad_len);
            assert_true(mw_utf8_valid(mw_view(rest.data, valid_len)));
            assert_true(valid_len + bad_len > 0 && valid_len + bad_len <= rest.len && bad_len <= 3);
            assert_int_equal(bad_len == 0, mw_utf8_valid(rest));
            rest = mw_view(rest.data + valid_len + bad_len, rest.len - valid_len - bad_len);
        }
    }
}

TEST(cutting_never_splits_a_code_point)
{
    struct mw_view text = mw_view_text("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };
    for (size_t max = 0; max < MW_COUNT(want); max++)
        assert_int_equal(mw_utf8_cut(text, max).len, want[max]);
    assert_int_equal(mw_utf8_cut(mw_view(NULL, 0), 0).len, 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(every_sequence_of_one_to_three_bytes_is_judged_right),
        CASE(every_sequence_of_four_bytes_is_judged_right),
        CASE(the_verdict_does_not_depend_on_how_a_text_was_cut),
        CASE(every_split_into_two_gives_the_same_verdict),
        CASE(a_high_byte_is_found_at_every_place_of_a_word),
        CASE(the_valid_prefix_and_the_broken_sequence_behind_it_are_measured),
        CASE(measuring_goes_through_any_bytes_and_ends),
        CASE(cutting_never_splits_a_code_point),
    };
    return cmocka_run_group_tests(cases, make_oracle, NULL);
}
