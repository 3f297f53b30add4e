/* width: cells, not bytes and not characters. */
#include "core/explain/width.h"

#include "tests/unit/unit.h"

TEST(cells_are_counted)
{
    static const struct {
        const char *text;
        size_t cells;
    } cases[] = {
        { "", 0 },
        { "When you see this code", 22 },
        { "이 코드를 보게 되는 경우", 24 },
        { "Khi bạn thấy mã này", 19 },
        { "Khi bạn thấy mã này", 19 }, /* decomposed */
        { "説明", 4 },
        { "ｶﾅ", 2 },
        { "e\xCC\x81", 1 },
        { "\xF0\x9F\x98\x80", 2 },
        { "\xFF\xFE", 2 }, /* what is no UTF-8 counts byte by byte */
        { "\xE2\x82", 2 },
        { "\xF8\x88\x80\x80", 4 },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_width(mw_view_text(cases[i].text)), cases[i].cells);
}

TEST(a_mark_stays_with_its_letter)
{
    struct mw_view rest = mw_view_text("e\xCC\x81x");
    struct mw_glyph glyph;
    assert_true(mw_glyph_next(&rest, &glyph));
    assert_int_equal(glyph.bytes.len, 3);
    assert_int_equal(glyph.first, 'e');
    assert_true(mw_glyph_next(&rest, &glyph));
    assert_int_equal(glyph.first, 'x');
    assert_false(mw_glyph_next(&rest, &glyph));
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(cells_are_counted),
                                        CASE(a_mark_stays_with_its_letter) };
    return RUN(cases);
}
