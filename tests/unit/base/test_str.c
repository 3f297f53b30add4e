#include "core/base/str.h"

#include "tests/unit/unit.h"

static struct mw_view v(const char *text)
{
    return mw_view_text(text);
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

TEST(views_compare_by_bytes_and_length)
{
    static const struct {
        const char *a, *b;
        int order;
        bool nocase;
    } rows[] = {
        { "", "", 0, true },           { "a", "a", 0, true },
        { "a", "A", 1, true },         { "ab", "a", 1, false },
        { "a", "ab", -1, false },      { "abc", "abd", -1, false },
        { "\xC3\xA4", "z", 1, false }, { "@", "`", -1, false },
        { "[", "{", -1, false },       { "WebSocket", "websocket", -1, true },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_view a = v(rows[i].a), b = v(rows[i].b);
        assert_int_equal(sign(mw_view_compare(a, b)), rows[i].order);
        assert_int_equal(sign(mw_view_compare(b, a)), -rows[i].order);
        assert_int_equal(mw_view_equal(a, b), rows[i].order == 0);
        assert_int_equal(mw_view_is(a, rows[i].b), rows[i].order == 0);
        assert_int_equal(mw_view_equal_nocase(a, b), rows[i].nocase);
        assert_int_equal(mw_view_is_nocase(a, rows[i].b), rows[i].nocase);
    }
}

TEST(an_empty_view_may_have_no_data)
{
    struct mw_view none = mw_view(NULL, 0);
    assert_true(mw_view_equal(none, v("")));
    assert_true(mw_view_is(none, ""));
    assert_int_equal(mw_view_compare(none, v("")), 0);
    assert_true(mw_view_starts_with(none, ""));
    assert_true(mw_view_ends_with(none, ""));
    assert_int_equal(mw_view_trim(none).len, 0);
    assert_int_equal(mw_view_find(none, 'x', 0), 0);
    assert_int_equal(mw_view_from(none, 3).len, 0);
    assert_false(mw_is_token(none));
}

TEST(beginnings_and_ends_are_recognised)
{
    assert_true(mw_view_starts_with(v("/chat/x"), "/chat"));
    assert_false(mw_view_starts_with(v("/ch"), "/chat"));
    assert_true(mw_view_ends_with(v("room.lua"), ".lua"));
    assert_false(mw_view_ends_with(v("lua"), ".lua"));
    assert_false(mw_view_ends_with(v("room.luac"), ".lua"));
}

TEST(trimming_takes_blanks_and_tabs_at_both_ends_only)
{
    assert_view(mw_view_trim(v(" \t a b\t ")), "a b");
    assert_view(mw_view_trim(v(" \t ")), "");
    assert_view(mw_view_trim(v("\na\r")), "\na\r");
    assert_view(mw_view_from(v("abc"), 1), "bc");
    assert_view(mw_view_from(v("abc"), 3), "");
    assert_view(mw_view_from(v("abc"), 99), "");
    assert_int_equal(mw_view_find(v("a=b=c"), '=', 0), 1);
    assert_int_equal(mw_view_find(v("a=b=c"), '=', 2), 3);
    assert_int_equal(mw_view_find(v("a=b=c"), '=', 4), 5);
    assert_int_equal(mw_view_find(v("a"), '=', 9), 1);
}

TEST(splitting_gives_each_part_also_the_empty_one_at_the_end)
{
    static const struct {
        const char *text;
        const char *parts[5];
    } rows[] = {
        { "", { NULL } },
        { "a", { "a", NULL } },
        { "a,b", { "a", "b", NULL } },
        { "a,b,", { "a", "b", "", NULL } },
        { ",", { "", "", NULL } },
        { ",,a", { "", "", "a", NULL } },
        { ",,", { "", "", "", NULL } },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_view rest = v(rows[i].text), part;
        size_t count = 0;
        while (mw_view_split(&rest, ',', &part)) {
            assert_non_null(rows[i].parts[count]);
            assert_view(part, rows[i].parts[count++]);
        }
        assert_null(rows[i].parts[count]);
        assert_false(mw_view_split(&rest, ',', &part));
    }
}

TEST(a_token_is_found_in_a_list_in_any_case_and_never_by_its_part)
{
    static const struct {
        const char *list;
        bool found;
    } rows[] = {
        { "Upgrade", true },   { "keep-alive, Upgrade", true },
        { "upgrade,", true },  { " ,, \tUPGRADE\t,x", true },
        { "", false },         { "upgrades", false },
        { "up grade", false }, { "xupgrade", false },
        { ",", false },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++)
        assert_int_equal(mw_list_has_token(v(rows[i].list), "upgrade"), rows[i].found);
    assert_false(mw_list_has_token(v(",a,"), ""));
}

TEST(a_token_is_made_of_tchar_alone)
{
    const char *separators = "\"(),/:;<=>?@[\\]{}";
    for (int byte = 0; byte < 256; byte++) {
        char text[1] = { (char)byte };
        bool expected = byte > 0x20 && byte < 0x7F && !strchr(separators, byte);
        assert_int_equal(mw_is_token(mw_view(text, 1)), expected);
    }
    assert_false(mw_is_token(v("a b")));
    assert_true(mw_is_token(v("sec-websocket-key")));
}

TEST(numbers_keep_to_digits_and_bounds)
{
    static const struct {
        const char *text;
        uint64_t min, max;
        bool ok;
        uint64_t number;
    } rows[] = {
        { "0", 0, 10, true, 0 },
        { "10", 0, 10, true, 10 },
        { "11", 0, 10, false, 0 },
        { "4", 5, 10, false, 0 },
        { "007", 0, 10, true, 7 },
        { "", 0, 10, false, 0 },
        { "+1", 0, 10, false, 0 },
        { "-1", 0, 10, false, 0 },
        { " 1", 0, 10, false, 0 },
        { "1 ", 0, 10, false, 0 },
        { "0x1", 0, 10, false, 0 },
        { "1.0", 0, 10, false, 0 },
        { "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", 0, UINT64_MAX, false, 0 },
        { "99999999999999999999", 0, UINT64_MAX, false, 0 },
        { "184467440737095516150", 0, UINT64_MAX, false, 0 },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        uint64_t number = 4711;
        bool ok = mw_parse_u64(v(rows[i].text), rows[i].min, rows[i].max, &number);
        assert_int_equal(ok, rows[i].ok);
        assert_true(number == (rows[i].ok ? rows[i].number : 4711));
    }
}

TEST(the_nearest_name_is_one_that_was_meant)
{
    static const char *const names[] = {
        "listen", "max_message_bytes", "idle_timeout", "on", NULL,
    };
    static const struct {
        const char *wrong, *name;
    } rows[] = {
        { "lisen", "listen" },
        { "lsiten", "listen" },
        { "LISTEN", "listen" },
        { "listenn", "listen" },
        { "max_msg_bytes", "max_message_bytes" },
        { "idle_timout", "idle_timeout" },
        { "no", "on" },
        { "xy", NULL },
        { "on", "on" },
        { "", NULL },
        { "q", NULL },
        { "certificate", NULL },
        { "a_name_that_is_so_long_that_nobody_can_have_meant_any_option_by_it_at_all", NULL },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        const char *name = mw_nearest_name(v(rows[i].wrong), names);
        if (rows[i].name)
            assert_string_equal(name ? name : "(none)", rows[i].name);
        else
            assert_null(name);
    }
    static const char *const nothing[] = { NULL };
    assert_null(mw_nearest_name(v("a"), nothing));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(views_compare_by_bytes_and_length),
        CASE(an_empty_view_may_have_no_data),
        CASE(beginnings_and_ends_are_recognised),
        CASE(trimming_takes_blanks_and_tabs_at_both_ends_only),
        CASE(splitting_gives_each_part_also_the_empty_one_at_the_end),
        CASE(a_token_is_found_in_a_list_in_any_case_and_never_by_its_part),
        CASE(a_token_is_made_of_tchar_alone),
        CASE(numbers_keep_to_digits_and_bounds),
        CASE(the_nearest_name_is_one_that_was_meant),
    };
    return RUN(cases);
}
