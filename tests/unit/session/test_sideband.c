/* sideband: what a mark is and where it stands, what is an aside, and the server's two texts. */
#include "core/session/sideband.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define MARK "0123456789-_ABCDEFabcd"

TEST(a_mark_is_16_to_32_characters_of_its_alphabet)
{
    static const struct {
        const char *text;
        bool is_mark;
    } table[] = {
        { MARK, true },
        { "abcdefghijklmnop", true },
        { "abcdefghijklmno", false },
        { "", false },
        { "abcdefghijklmnopabcdefghijklmnop", true },
        { "abcdefghijklmnopabcdefghijklmnopq", false },
        { "abcdefghijklmno+", false },
        { "abcdefghijklmno%41", false },
        { "abcdefghijklmno p", false },
        { "abcdefghijklmno\xC3\xA9", false },
        { "abcdefghijklmno{", false },
        { "abcdefghijklmno\n", false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_int_equal(mw_sideband_is_mark(mw_view_text(table[i].text)), table[i].is_mark);
}

TEST(the_mark_is_the_one_of_the_query_and_there_once)
{
    static const struct {
        const char *target, *mark;
    } table[] = {
        { "/chat?moonwire=" MARK, MARK },
        { "/chat?room=1&moonwire=" MARK "&x", MARK },
        { "http://host/chat?moonwire=" MARK, MARK },
        { "/chat", "" },
        { "/chat?", "" },
        { "/chat?moonwire", "" },
        { "/chat?moonwire=", "" },
        { "/chat?moonwire=short", "" },
        { "/chat?Moonwire=" MARK, "" },
        { "/chat?xmoonwire=" MARK, "" },
        { "/chat?moonwire=" MARK "=", "" },
        { "/chat?moonwire=" MARK "#x", "" },
        { "/chat?moonwire=" MARK "&moonwire=" MARK, "" },
        { "/chat?moonwire=" MARK "&moonwire", "" },
        { "/chat?m%6Fonwire=" MARK, "" },
        { "/moonwire=" MARK, "" },
        { "/chat?a?moonwire=" MARK, "" },
        { "", "" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_view(mw_sideband_mark(mw_view_text(table[i].target)), table[i].mark);
}

TEST(the_parameter_is_hidden_whatever_its_value_and_all_else_stays)
{
    static const struct {
        const char *query, *shown;
    } table[] = {
        { "", "" },
        { "a=1&b=2", "a=1&b=2" },
        { "a=1&&b", "a=1&&b" },
        { "moonwire=" MARK, "" },
        { "moonwire=" MARK "&a=1", "a=1" },
        { "a=1&moonwire=" MARK, "a=1" },
        { "a=1&moonwire=x&b=2", "a=1&b=2" },
        { "moonwire&a=1&moonwire=", "a=1" },
        { "moonwires=1&amoonwire=2", "moonwires=1&amoonwire=2" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        char *room = malloc(strlen(table[i].query) + 1);
        assert_non_null(room);
        assert_view(mw_sideband_hide(mw_view_text(table[i].query), room), table[i].shown);
        free(room);
    }
}

TEST(texts_that_begin_with_the_mark_are_asides)
{
    static const struct {
        enum mw_opcode opcode;
        const char *text;
        enum mw_aside aside;
    } table[] = {
        { MW_OPCODE_TEXT, MARK "?", MW_ASIDE_PROBE },
        { MW_OPCODE_TEXT, MARK, MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "!", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "??", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "~1", MW_ASIDE_QUIET },
        { MW_OPCODE_TEXT, MARK "~600", MW_ASIDE_QUIET },
        { MW_OPCODE_TEXT, MARK "~0", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "~601", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "~", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "~1x", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "{\"v\":2}", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, "0123456789-_ABCDEFabc", MW_ASIDE_NONE },
        { MW_OPCODE_TEXT, "?", MW_ASIDE_NONE },
        { MW_OPCODE_TEXT, "", MW_ASIDE_NONE },
        { MW_OPCODE_TEXT, " " MARK "?", MW_ASIDE_NONE },
        { MW_OPCODE_BINARY, MARK "?", MW_ASIDE_NONE },
    };
    struct mw_sideband sideband;
    mw_sideband_init(&sideband, mw_view_text(MARK));
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_int_equal(mw_sideband_read(&sideband, table[i].opcode, mw_view_text(table[i].text)),
                         table[i].aside);
}

TEST(the_hello_tells_id_and_limits_in_seconds)
{
    static const struct {
        mw_ms ping_ms, pong_ms;
        const char *hello;
    } table[] = {
        { 25000, 20000, MARK "{\"v\":1,\"id\":\"1f\",\"ping\":25,\"pong\":20}" },
        { MW_NEVER, 20000, MARK "{\"v\":1,\"id\":\"1f\",\"ping\":0,\"pong\":20}" },
        { 1500, 86400001, MARK "{\"v\":1,\"id\":\"1f\",\"ping\":1.5,\"pong\":86400.001}" },
    };
    struct mw_sideband sideband;
    char out[MW_SIDEBAND_HELLO_MAX];
    mw_sideband_init(&sideband, mw_view_text(MARK));
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        const struct mw_limits_ms limits = { .ping_ms = table[i].ping_ms,
                                             .pong_ms = table[i].pong_ms };
        size_t len = mw_sideband_hello(&sideband, "1f", &limits, out);
        assert_view(mw_view(out, len), table[i].hello);
    }
}

TEST(the_longest_texts_have_room)
{
    static const char mark[] = "abcdefghijklmnopabcdefghijklmnop";
    const struct mw_limits_ms limits = { .ping_ms = MW_NEVER - 1, .pong_ms = MW_NEVER - 1 };
    struct mw_sideband sideband;
    char hello[MW_SIDEBAND_HELLO_MAX], answer[MW_SIDEBAND_ANSWER_MAX];
    mw_sideband_init(&sideband, mw_view_text(mark));
    size_t len = mw_sideband_hello(&sideband, "ffffffffffffffff", &limits, hello);
    assert_true(len > 32 && len < sizeof hello);
    len = mw_sideband_answer(&sideband, MW_ASIDE_PROBE, answer);
    assert_view(mw_view(answer, len), "abcdefghijklmnopabcdefghijklmnop!");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_mark_is_16_to_32_characters_of_its_alphabet),
        CASE(the_mark_is_the_one_of_the_query_and_there_once),
        CASE(the_parameter_is_hidden_whatever_its_value_and_all_else_stays),
        CASE(texts_that_begin_with_the_mark_are_asides),
        CASE(the_hello_tells_id_and_limits_in_seconds),
        CASE(the_longest_texts_have_room),
    };
    return RUN(cases);
}
