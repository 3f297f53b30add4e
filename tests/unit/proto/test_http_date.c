/* http_date: written in one format, read in three, and nothing else is a date. */
#include "core/proto/http_date.h"

#include "tests/unit/unit.h"

#define NOON_1994 784111777000u /* the date of RFC 9110 5.6.7 */
#define NOW_S     1767225600    /* 1 January 2026 */

TEST(dates_are_written_as_the_standard_writes_them)
{
    static const struct {
        mw_ms unix_ms;
        const char *text;
    } dates[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { NOON_1994, "Sun, 06 Nov 1994 08:49:37 GMT" },
        { 951782400999, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 4102444799000, "Thu, 31 Dec 2099 23:59:59 GMT" },
        { 253402300799000, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { UINT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
    };
    for (size_t i = 0; i < MW_COUNT(dates); i++) {
        char text[30];
        mw_http_date(dates[i].unix_ms, text);
        assert_string_equal(text, dates[i].text);
    }
}

TEST(the_three_formats_are_read)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } dates[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
        { "Wed Nov 16 08:49:37 1994", 784975777 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
        { "Mon, 01 Jan 0001 00:00:00 GMT", -62135596800 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
        { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
        { "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
        { "Fri, 01 Mar 2024 00:00:00 GMT", 1709251200 },
        { "Mon, 01 Mar 2100 00:00:00 GMT", 4107542400 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 }, /* a leap second */
        { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },  /* it was a Sunday */
    };
    for (size_t i = 0; i < MW_COUNT(dates); i++) {
        int64_t unix_s = 1;
        assert_true(mw_http_date_parse(mw_view_text(dates[i].text), NOW_S, &unix_s));
        assert_int_equal(unix_s, dates[i].unix_s);
    }
}

TEST(what_is_written_is_read)
{
    for (int64_t at_s = 0; at_s < 16725225600; at_s += 86400 * 11 + 12345) { /* to 2500 */
        char text[30];
        int64_t unix_s;
        mw_http_date((mw_ms)at_s * 1000, text);
        assert_true(mw_http_date_parse(mw_view_text(text), NOW_S, &unix_s));
        assert_int_equal(unix_s, at_s);
    }
}

TEST(two_digits_of_a_year_are_never_more_than_50_years_ahead)
{
    static const struct {
        int64_t now_s;
        const char *text, *same;
    } dates[] = {
        { NOW_S, "Monday, 01-Jan-26 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT" },
        { NOW_S, "Monday, 01-Jan-00 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT" },
        { NOW_S, "Monday, 01-Jan-76 00:00:00 GMT", "Wed, 01 Jan 2076 00:00:00 GMT" },
        { NOW_S, "Monday, 01-Jan-77 00:00:00 GMT", "Sat, 01 Jan 1977 00:00:00 GMT" },
        { NOW_S, "Monday, 01-Jan-99 00:00:00 GMT", "Fri, 01 Jan 1999 00:00:00 GMT" },
        { 784111777, "Monday, 01-Jan-05 00:00:00 GMT", "Sat, 01 Jan 2005 00:00:00 GMT" },
        { 784111777, "Monday, 01-Jan-45 00:00:00 GMT", "Mon, 01 Jan 1945 00:00:00 GMT" },
        { 0, "Monday, 01-Jan-19 00:00:00 GMT", "Wed, 01 Jan 2019 00:00:00 GMT" },
        { 0, "Monday, 01-Jan-21 00:00:00 GMT", "Sat, 01 Jan 1921 00:00:00 GMT" },
    };
    for (size_t i = 0; i < MW_COUNT(dates); i++) {
        int64_t a, b;
        assert_true(mw_http_date_parse(mw_view_text(dates[i].text), dates[i].now_s, &a));
        assert_true(mw_http_date_parse(mw_view_text(dates[i].same), dates[i].now_s, &b));
        assert_int_equal(a, b);
    }
}

TEST(anything_else_is_no_date)
{
    static const char *const texts[] = {
        "",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov  1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Tue, 29 Feb 1900 00:00:00 GMT",
        "Tue, 29 Feb 2023 00:00:00 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 -8:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  06 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        int64_t unix_s = 42;
        if (mw_http_date_parse(mw_view_text(texts[i]), NOW_S, &unix_s))
            fail_msg("\"%s\" was read as a date", texts[i]);
        assert_int_equal(unix_s, 42);
    }
}

TEST(a_date_cut_anywhere_is_no_date)
{
    static const char *const texts[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
                                         "Sunday, 06-Nov-94 08:49:37 GMT",
                                         "Sun Nov  6 08:49:37 1994" };
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            int64_t unix_s;
            assert_false(mw_http_date_parse(mw_view(texts[i], len), NOW_S, &unix_s));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(dates_are_written_as_the_standard_writes_them),
        CASE(the_three_formats_are_read),
        CASE(what_is_written_is_read),
        CASE(two_digits_of_a_year_are_never_more_than_50_years_ahead),
        CASE(anything_else_is_no_date),
        CASE(a_date_cut_anywhere_is_no_date),
    };
    return RUN(tests);
}
