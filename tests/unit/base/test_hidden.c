/* hidden: which characters, and never a part of another one. */
#include "core/base/hidden.h"

#include "tests/unit/unit.h"

TEST(what_moves_cursors_or_turns_text_is_hidden)
{
    static const struct {
        const char *text;
        size_t len;
        uint32_t point;
    } rows[] = {
        { "\x1b[2J", 1, 0x1B },
        { "\n", 1, '\n' },
        { "\x7F", 1, 0x7F },
        { "\xC2\x80", 2, 0x80 },
        { "\xC2\x9F", 2, 0x9F },
        { "\xE2\x80\xA8", 3, 0x2028 },
        { "\xE2\x80\xAE", 3, 0x202E },
        { "\xE2\x81\xA6", 3, 0x2066 },
        { "\xE2\x81\xA9 behind", 3, 0x2069 },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        uint32_t point = 0;
        assert_int_equal(mw_hidden_at(mw_view_text(rows[i].text), 0, &point), rows[i].len);
        assert_int_equal(point, rows[i].point);
        assert_true(mw_hidden_point(point));
    }
}

TEST(all_else_is_shown)
{
    static const char *const rows[] = {
        " ",
        "~",
        "\xC2\xA0",
        "\xC3\xA4",
        "\xE2\x80\xA7",
        "\xE2\x80\xAF",
        "\xE2\x81\xA5",
        "\xE2\x81\xAA",
        "\xE2\x80\x94",
        "\xE3\x80\xAE",
        "\xF0\x9F\x98\x80",
        /* broken */
        "\xC2",
        "\xC2z",
        "\xE2\x80",
        "\xE2\x80z",
        "\xE2\xFF\xAE",
        "\x9B",
        "\xFF",
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++)
        assert_int_equal(mw_hidden_at(mw_view_text(rows[i]), 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_moves_cursors_or_turns_text_is_hidden),
        CASE(all_else_is_shown),
    };
    return RUN(cases);
}
