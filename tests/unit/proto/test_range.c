/* range: one range of bytes, clamped to what is there; everything else is the whole. */
#include "core/proto/range.h"

#include "tests/unit/unit.h"

#define HUGE_DIGITS "340282366920938463463374607431768211456" /* 2 to the 128th */

static const struct {
    const char *field;
    uint64_t size;
    enum mw_range_kind kind;
    uint64_t start, len;
} cases[] = {
    /* a span */
    { "bytes=0-499", 1000, MW_RANGE_PART, 0, 500 },
    { "bytes=500-999", 1000, MW_RANGE_PART, 500, 500 },
    { "bytes=0-0", 1000, MW_RANGE_PART, 0, 1 },
    { "bytes=999-999", 1000, MW_RANGE_PART, 999, 1 },
    { "bytes=0-999", 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=900-5000", 1000, MW_RANGE_PART, 900, 100 },
    { "bytes=007-08", 1000, MW_RANGE_PART, 7, 2 },
    { "bytes=0-18446744073709551615", 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=0-18446744073709551616", 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=0-" HUGE_DIGITS, 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=18446744073709551613-", UINT64_MAX, MW_RANGE_PART, UINT64_MAX - 2, 2 },
    { "bytes=0-", UINT64_MAX, MW_RANGE_PART, 0, UINT64_MAX },
    { "BYTES=0-0", 1000, MW_RANGE_PART, 0, 1 },
    { "Bytes=0-0", 1, MW_RANGE_PART, 0, 1 },
    /* to the end */
    { "bytes=0-", 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=999-", 1000, MW_RANGE_PART, 999, 1 },
    /* the last ones */
    { "bytes=-1", 1000, MW_RANGE_PART, 999, 1 },
    { "bytes=-1000", 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=-1001", 1000, MW_RANGE_PART, 0, 1000 },
    { "bytes=-" HUGE_DIGITS, 1000, MW_RANGE_PART, 0, 1000 },
    /* a list of one, and its empty elements (RFC 9110 5.6.1.2) */
    { "bytes=0-1,", 1000, MW_RANGE_PART, 0, 2 },
    { "bytes=, ,0-1 ,", 1000, MW_RANGE_PART, 0, 2 },
    { "bytes= 0-1", 1000, MW_RANGE_PART, 0, 2 },
    /* there is no such byte */
    { "bytes=1000-", 1000, MW_RANGE_OUTSIDE, 0, 1000 },
    { "bytes=1000-1000", 1000, MW_RANGE_OUTSIDE, 0, 1000 },
    { "bytes=" HUGE_DIGITS "-", 1000, MW_RANGE_OUTSIDE, 0, 1000 },
    { "bytes=" HUGE_DIGITS "-" HUGE_DIGITS, 1000, MW_RANGE_OUTSIDE, 0, 1000 },
    { "bytes=-0", 1000, MW_RANGE_OUTSIDE, 0, 1000 },
    { "bytes=-000", 1000, MW_RANGE_OUTSIDE, 0, 1000 },
    /* an empty file */
    { "bytes=0-", 0, MW_RANGE_OUTSIDE, 0, 0 },
    { "bytes=0-0", 0, MW_RANGE_OUTSIDE, 0, 0 },
    { "bytes=-0", 0, MW_RANGE_OUTSIDE, 0, 0 },
    { "bytes=-1", 0, MW_RANGE_WHOLE, 0, 0 },
    /* several: the whole, whatever they are */
    { "bytes=0-1,2-3", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0-1, -1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=2000-,3000-", 1000, MW_RANGE_WHOLE, 0, 1000 },
    /* no syntax */
    { "", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=,", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=-", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=5", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=5-4", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=2000-1999", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=a-b", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0-b", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0x0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=+0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0 -1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0- 1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0--1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=--1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=-1-2", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0-1-2", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes 0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes =0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes:0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytes=0-1;q=1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    /* other units */
    { "items=0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "byte=0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "bytesx=0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
    { "=0-1", 1000, MW_RANGE_WHOLE, 0, 1000 },
};

TEST(each_field_is_a_part_or_the_whole_or_outside)
{
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_range range = { 77, 77 };
        struct mw_view field = mw_view_text(cases[i].field);
        enum mw_range_kind kind = mw_range_read(field, cases[i].size, &range);
        if (kind != cases[i].kind || range.start != cases[i].start || range.len != cases[i].len)
            fail_msg("\"%s\" of %llu: kind %d, %llu bytes from %llu", cases[i].field,
                     (unsigned long long)cases[i].size, (int)kind, (unsigned long long)range.len,
                     (unsigned long long)range.start);
    }
}

/* Whatever comes: a part is never empty and never outside, and nothing behind the view is read. */
TEST(a_part_always_lies_within)
{
    static const char letters[] = "0129-,= bytes";
    char text[12];
    uint64_t seed = 1;
    for (int round = 0; round < 200000; round++) {
        size_t len = (size_t)(seed >> 60) % sizeof text;
        memcpy(text, "bytes=", 6);
        for (size_t i = round % 2 ? 6 : 0; i < len; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = letters[(seed >> 33) % (sizeof letters - 1)];
        }
        uint64_t size = (seed >> 40) % 200;
        struct mw_range range;
        enum mw_range_kind kind = mw_range_read(mw_view(text, len), size, &range);
        bool is_part = kind == MW_RANGE_PART;
        assert_true(is_part ? range.len > 0 && range.start < size && range.len <= size - range.start
                            : range.start == 0 && range.len == size);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_field_is_a_part_or_the_whole_or_outside),
        CASE(a_part_always_lies_within),
    };
    return RUN(tests);
}
