/*
 * The matcher on its own. That it does what Lua's does in every case is shown by test_str_match.c
 * and the fuzz target; here is what can be said without Lua.
 */
#include "lua/pattern.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static volatile int stop;

static struct mw_match match;

static enum mw_match_result next(const char *subject, const char *pattern, size_t from)
{
    mw_match_init(&match, mw_view_text(subject), mw_view_text(pattern), &stop);
    return mw_match_next(&match, from, MW_MATCH_ANY_END);
}

TEST(the_first_match_is_found)
{
    static const struct {
        const char *subject, *pattern;
        int start, end; /* -1: none */
    } cases[] = {
        { "", "", 0, 0 },
        { "hello", "l+", 2, 4 },
        { "hello", "l*", 0, 0 },
        { "hello", "l-o", 2, 5 },
        { "hello", "xl?o", -1, -1 },
        { "hello", "(h)(.)%2?", -1, -1 },
        { "hello", "(.)%1", 2, 4 },
        { "hello", "o$", 4, 5 },
        { "hell$", "%$$", 4, 5 },
        { "a$b", "a$b", 0, 3 },
        { "THE (quick) fox", "%((%a+)%)", 4, 11 },
        { "f(a(b)c)d", "%b()", 1, 8 },
        { "f(a(b)c", "%b()", 3, 6 },
        { "THE (quick) fox", "%f[%a]%l+%f[%A]", 5, 10 },
        { "the end", "%f[%z]", 7, 7 },
        { "x]-y", "[]-]+", 1, 3 },
        { "a-z", "[a%-z]+", 0, 3 },
        { "  x", "[^%s]", 2, 3 },
        { "aaa", "^a", -1, -1 }, /* '^' is the caller's affair */
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        bool is_found = next(cases[i].subject, cases[i].pattern, 0) == MW_MATCH_FOUND;
        assert_int_equal(is_found ? (int)match.start : -1, cases[i].start);
        assert_int_equal(is_found ? (int)match.end : -1, cases[i].end);
    }
}

TEST(captures_tell_where_they_are)
{
    assert_int_equal(next("key = value", "(%w+) = ()((v)a)", 0), MW_MATCH_FOUND);
    assert_int_equal(match.capture_count, 4);
    assert_int_equal(match.captures[0].len, 3);
    assert_int_equal(match.captures[1].start, 6);
    assert_int_equal(match.captures[1].len, MW_CAPTURE_POSITION);
    assert_int_equal(match.captures[2].len, 2);
    assert_int_equal(match.captures[3].len, 1);
    assert_int_equal(next("a", "(a", 0), MW_MATCH_FOUND);
    assert_int_equal(match.captures[0].len, MW_CAPTURE_OPEN);
    assert_int_equal(next("aab", "(a)(a)(a)?b", 0), MW_MATCH_NONE);
}

TEST(a_wrong_pattern_is_named_when_the_match_gets_there)
{
    static const struct {
        const char *pattern;
        enum mw_match_result result;
    } cases[] = {
        { "%", MW_MATCH_CUT_ESCAPE },    { "a%", MW_MATCH_CUT_ESCAPE },
        { "b%", MW_MATCH_NONE },         { "[", MW_MATCH_CUT_SET },
        { "[a%]", MW_MATCH_CUT_SET },    { "[]", MW_MATCH_CUT_SET },
        { "%ba", MW_MATCH_CUT_BALANCE }, { "%f", MW_MATCH_CUT_FRONTIER },
        { "%f[", MW_MATCH_CUT_SET },     { "%0", MW_MATCH_BAD_INDEX },
        { "(a%1)", MW_MATCH_BAD_INDEX }, { "a)", MW_MATCH_BAD_CLOSE },
        { "b)", MW_MATCH_NONE },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(next("a", cases[i].pattern, 0), cases[i].result);
    assert_int_equal(next("a", "(a)%7", 0), MW_MATCH_BAD_INDEX);
    assert_int_equal(match.bad_index, 7);
}

static const char *times(const char *item, size_t count)
{
    static char text[4096];
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", item);
    assert_in_range(len, 1, sizeof(text) - 1);
    return text;
}

TEST(captures_and_choices_are_bounded_as_in_lua)
{
    static char subject[301];
    memset(subject, 'a', sizeof(subject) - 1);
    assert_int_equal(next("a", times("()", 32), 0), MW_MATCH_FOUND);
    assert_int_equal(next("a", times("()", 33), 0), MW_MATCH_MANY_CAPTURES);
    assert_int_equal(next(subject, times("a?", 199), 0), MW_MATCH_FOUND);
    assert_int_equal(next(subject, times("a?", 200), 0), MW_MATCH_TOO_COMPLEX);
    assert_int_equal(next("a", times("a?", 1000), 0), MW_MATCH_FOUND); /* one choice is made */
}

TEST(every_match_is_found_once)
{
    static const struct {
        const char *subject, *pattern, *ends;
    } cases[] = {
        { "abc", "", "0 1 2 3 " }, { "abc", "b*", "0 2 3 " }, { "abcab", "ab", "2 5 " },
        { "aXbb", "%l+", "1 4 " }, { "", ".", "" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        char ends[64] = "";
        size_t last = MW_MATCH_ANY_END;
        mw_match_init(&match, mw_view_text(cases[i].subject), mw_view_text(cases[i].pattern),
                      &stop);
        while (mw_match_next(&match, last == MW_MATCH_ANY_END ? 0 : last, last) == MW_MATCH_FOUND) {
            last = match.end;
            snprintf(ends + strlen(ends), sizeof(ends) - strlen(ends), "%zu ", last);
        }
        assert_string_equal(ends, cases[i].ends);
    }
}

TEST(an_anchored_one_matches_where_it_begins)
{
    mw_match_init(&match, mw_view_text("aab"), mw_view_text("b"), &stop);
    match.is_anchored = true;
    assert_int_equal(mw_match_next(&match, 0, MW_MATCH_ANY_END), MW_MATCH_NONE);
    assert_int_equal(mw_match_next(&match, 2, MW_MATCH_ANY_END), MW_MATCH_FOUND);
}

TEST(no_answer_is_given_once_it_is_to_stop)
{
    stop = 1;
    assert_int_equal(next("a", "a", 0), MW_MATCH_STOPPED);
    assert_int_equal(next("a", "b", 0), MW_MATCH_STOPPED);
    assert_int_equal(next("a", "[", 0), MW_MATCH_STOPPED);
    stop = 0;
}

TEST(plain_patterns_have_no_magic_byte)
{
    assert_true(mw_pattern_is_plain(mw_view_text("a]b)c{,}!"), &stop));
    for (const char *magic = "^$*+?.([%-"; *magic; magic++) {
        char pattern[] = { 'a', *magic, 'b' };
        assert_false(mw_pattern_is_plain(mw_view(pattern, sizeof(pattern)), &stop));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_first_match_is_found),
        CASE(captures_tell_where_they_are),
        CASE(a_wrong_pattern_is_named_when_the_match_gets_there),
        CASE(captures_and_choices_are_bounded_as_in_lua),
        CASE(every_match_is_found_once),
        CASE(an_anchored_one_matches_where_it_begins),
        CASE(no_answer_is_given_once_it_is_to_stop),
        CASE(plain_patterns_have_no_magic_byte),
    };
    return RUN(cases);
}
