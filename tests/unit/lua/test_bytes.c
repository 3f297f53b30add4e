/* Plain searches. */
#include "lua/bytes.h"

#include "core/base/rng.h"
#include "tests/unit/unit.h"

static volatile int stop;

static size_t find(const char *in, const char *what, size_t from)
{
    return mw_bytes_find(mw_view_text(in), mw_view_text(what), from, &stop);
}

TEST(the_first_place_is_found)
{
    static const struct {
        const char *in, *what;
        size_t from, at;
    } cases[] = {
        { "", "", 0, 0 },
        { "abc", "", 3, 3 },
        { "", "a", 0, MW_BYTES_NONE },
        { "abc", "abcd", 0, MW_BYTES_NONE },
        { "abc", "abc", 0, 0 },
        { "abc", "abc", 1, MW_BYTES_NONE },
        { "abcabc", "abc", 1, 3 },
        { "ababac", "abac", 0, 2 },
        { "aaab", "b", 0, 3 },
        { "xxlonger than a wordxx", "longer than a word", 0, 2 },
        { "xxlonger than a worexx", "longer than a word", 0, MW_BYTES_NONE },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(find(cases[i].in, cases[i].what, cases[i].from), cases[i].at);
    assert_int_equal(mw_bytes_seek(mw_view_text("abcb"), 'b', 2, &stop), 3);
    assert_int_equal(mw_bytes_seek(mw_view_text("abcb"), 'x', 0, &stop), MW_BYTES_NONE);
    assert_int_equal(mw_bytes_common("abcdefghijkl", "abcdefghijxl", 12, &stop), 10);
}

/* Letter by letter: what the answer is. */
static size_t find_slowly(struct mw_view in, struct mw_view what)
{
    for (size_t at = 0; at + what.len <= in.len; at++) {
        if (memcmp(in.data + at, what.data, what.len) == 0)
            return at;
    }
    return MW_BYTES_NONE;
}

/* Texts of two letters that repeat themselves now and then, long enough for the two-way search. */
static size_t fill(struct mw_rng *rng, char *out, size_t max)
{
    size_t len = mw_rng_below(rng, max), period = 1 + mw_rng_below(rng, 40);
    for (size_t i = 0; i < len; i++) {
        bool is_copy = i >= period && mw_rng_below(rng, 400) > 0;
        out[i] = is_copy ? out[i - period] : (char)('a' + mw_rng_below(rng, 2));
    }
    return len;
}

TEST(repetitive_texts_are_searched_rightly)
{
    static char in[20000], what[600];
    struct mw_rng rng;
    size_t hits = 0;
    mw_rng_seed(&rng, 7);
    for (int i = 0; i < 3000; i++) {
        struct mw_view text = mw_view(in, fill(&rng, in, sizeof(in)));
        struct mw_view word = mw_view(what, 1 + fill(&rng, what, sizeof(what) - 1));
        if (i % 3 && text.len > word.len) { /* a part of the text, or nearly */
            memcpy(what, in + mw_rng_below(&rng, text.len - word.len), word.len);
            what[mw_rng_below(&rng, word.len)] ^= (char)(i % 3 - 1);
        }
        size_t want = find_slowly(text, word);
        hits += want != MW_BYTES_NONE;
        assert_int_equal(mw_bytes_find(text, word, 0, &stop), want);
    }
    assert_in_range(hits, 500, 2500);
}

/* It would take a day to do this byte by byte. */
TEST(the_worst_texts_take_no_longer_than_others)
{
    const size_t len = (size_t)16 << 20;
    char *in = test_malloc(len), *what = test_malloc(len / 2);
    memset(in, 'a', len);
    memset(what, 'a', len / 2);
    what[len / 4] = 'b';
    assert_int_equal(mw_bytes_find(mw_view(in, len), mw_view(what, len / 2), 0, &stop),
                     MW_BYTES_NONE);
    in[len - len / 4] = 'b';
    assert_int_equal(mw_bytes_find(mw_view(in, len), mw_view(what, len / 2), 0, &stop), len / 2);
    test_free(what);
    test_free(in);
}

TEST(a_stop_ends_every_search)
{
    static char text[100000];
    struct mw_view in = mw_view(text, sizeof(text)), what = mw_view(text, sizeof(text) / 2);
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = 'b';
    stop = 1;
    (void)mw_bytes_find(in, what, 0, &stop);
    assert_int_equal(mw_bytes_seek(in, 'b', 0, &stop), MW_BYTES_NONE);
    assert_int_equal(mw_bytes_common(text, text, sizeof(text), &stop), 0);
    stop = 0;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_first_place_is_found),
        CASE(repetitive_texts_are_searched_rightly),
        CASE(the_worst_texts_take_no_longer_than_others),
        CASE(a_stop_ends_every_search),
    };
    return RUN(cases);
}
