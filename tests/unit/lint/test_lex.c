#include "lua/lint/lex.h"

#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

/* All tokens, one word each: kind and place, and what a plain string says. */
static void expect(const char *text, const char *want)
{
    struct mw_lexer lexer;
    struct mw_token token;
    char got[1024] = "";
    mw_lex_init(&lexer, mw_view_text(text));
    while ((token = mw_lex_next(&lexer)).kind != MW_TOKEN_END_OF_FILE) {
        size_t len = strlen(got);
        snprintf(got + len, sizeof(got) - len, "%s%s@%u+%u", len ? " " : "",
                 token.kind == MW_TOKEN_BAD ? lexer.problem : mw_token_name(token.kind), token.at,
                 token.len);
    }
    assert_string_equal(got, want);
    assert_int_equal(mw_lex_next(&lexer).kind, MW_TOKEN_END_OF_FILE);
}

TEST(the_longest_symbol_is_taken)
{
    expect("a..b", "a name@0+1 '..'@1+2 a name@3+1");
    expect("...", "'...'@0+3");
    expect("a=b==c", "a name@0+1 '='@1+1 a name@2+1 '=='@3+2 a name@5+1");
    expect("<<=>>", "'<<'@0+2 '='@2+1 '>>'@3+2");
    expect("~=~", "'~='@0+2 '~'@2+1");
    expect("::a::", "'::'@0+2 a name@2+1 '::'@3+2");
    expect("//", "'//'@0+2");
}

TEST(words_are_reserved_as_a_whole)
{
    expect("and andy _end", "'and'@0+3 a name@4+4 a name@9+4");
    expect("function functions", "'function'@0+8 a name@9+9");
}

TEST(numbers_are_those_of_lua)
{
    static const char *const good[] = { "0",    "3",    "3.",    ".5",       "3.0e-2",
                                        "0xFF", "0x.8", "0x1p4", "0xA.8p-1", "1e5",
                                        "1E+5", "0x10", "09",    "1e0",      "0Xff" };
    static const char *const bad[] = { "3x",   "1..2", "1e", "0x",   "0xp1", "1e+", "3.4.5",
                                       "0x1p", "1_0",  "5f", "0xg1", "1.e",  "08a" };
    char want[64];
    for (size_t i = 0; i < MW_COUNT(good); i++) {
        snprintf(want, sizeof(want), "a number@0+%zu", strlen(good[i]));
        expect(good[i], want);
    }
    for (size_t i = 0; i < MW_COUNT(bad); i++) {
        struct mw_lexer lexer;
        mw_lex_init(&lexer, mw_view_text(bad[i]));
        assert_int_equal(mw_lex_next(&lexer).kind, MW_TOKEN_BAD);
        assert_string_equal(lexer.problem, "malformed number");
    }
}

static void expect_string_of(const char *text, const char *value)
{
    struct mw_lexer lexer;
    mw_lex_init(&lexer, mw_view_text(text));
    struct mw_token token = mw_lex_next(&lexer);
    assert_int_equal(token.kind, MW_TOKEN_STRING);
    assert_int_equal(token.len, strlen(text));
    if (value)
        assert_view(token.value, value);
    else
        assert_null(token.value.data);
}

TEST(strings_say_what_they_say_unless_they_have_escapes)
{
    expect_string_of("\"plain\"", "plain");
    expect_string_of("''", "");
    expect_string_of("'it\"s'", "it\"s");
    expect_string_of("[[long]]", "long");
    expect_string_of("[==[\nfirst ]] ]=] line]==]", "first ]] ]=] line");
    expect_string_of("[[\r\nx]]", "x");
    expect_string_of("'\\n\\x41\\u{7fffffff}\\065\\z  \n x\\\n'", NULL);
    expect_string_of("'\\255\\0'", NULL);
}

TEST(what_is_wrong_with_a_string_is_pointed_at)
{
    expect("x = 'abc\n'", "a name@0+1 '='@2+1 unfinished string@4+4");
    expect("'abc", "unfinished string@0+4");
    expect("'abc\\", "unfinished string@4+1");
    expect("'a\\q'", "invalid escape sequence@2+2");
    expect("'\\256'", "a decimal escape is at most \\255@1+4");
    expect("'\\xZ1'", "hexadecimal digit expected behind \\x@1+2");
    expect("'\\u41'", "'{' expected behind \\u@1+2");
    expect("'\\u{80000000}'", "the code point in \\u{...} is too large@1+10");
    expect("[==[ ]]", "unfinished long string@0+4");
    expect("[=x", "invalid long string delimiter@0+1");
    expect("a --[[ b", "a name@0+1 unfinished long comment@2+4");
}

TEST(what_is_no_symbol_ends_the_text)
{
    expect("a ! b", "a name@0+1 unexpected symbol@2+1");
    expect("a ? b", "a name@0+1 unexpected symbol@2+1");
    expect("\xef\xbb\xbfx", "unexpected symbol@0+1");
}

TEST(comments_are_skipped_and_told)
{
    expect("a -- b\nc --[==[ d\n]] ]==] e", "a name@0+1 a name@7+1 a name@26+1");
    expect("--[ no long one\na", "a name@16+1");
    expect("--[=x\na", "a name@6+1");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_longest_symbol_is_taken),
        CASE(words_are_reserved_as_a_whole),
        CASE(numbers_are_those_of_lua),
        CASE(strings_say_what_they_say_unless_they_have_escapes),
        CASE(what_is_wrong_with_a_string_is_pointed_at),
        CASE(what_is_no_symbol_ends_the_text),
        CASE(comments_are_skipped_and_told),
    };
    return RUN(cases);
}
