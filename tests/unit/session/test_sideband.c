/* sideband: what a mark is and where it stands, what is an aside, and the server's texts. */
#include "core/session/sideband.h"

#include <stdio.h>
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

#define TOKEN "AQAAAAPw4dIAAAAAAAAAAAAAAAAAAA-_"

TEST(who_asks_for_a_session_or_comes_back_says_so_behind_the_mark)
{
    static const struct {
        const char *value;
        bool session, back;
        uint64_t count;
    } table[] = {
        { MARK, false, false, 0 },
        { MARK ".", true, false, 0 },
        { MARK "." TOKEN ".0", true, true, 0 },
        { MARK "." TOKEN ".9007199254740991", true, true, (UINT64_C(1) << 53) - 1 },
        { MARK "." TOKEN ".9007199254740992", true, false, 0 },
        { MARK "." TOKEN ".", true, false, 0 },
        { MARK "." TOKEN, true, false, 0 },
        { MARK "." TOKEN ".-1", true, false, 0 },
        { MARK "." TOKEN ".1.1", true, false, 0 },
        { MARK ".." TOKEN ".1", true, false, 0 },
        { MARK ".short.1", true, false, 0 },
        { MARK "..", true, false, 0 },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        char target[160];
        snprintf(target, sizeof target, "/chat?a=1&moonwire=%s&b", table[i].value);
        struct mw_sideband_ask ask = mw_sideband_ask(mw_view_text(target));
        assert_view(ask.mark, MARK);
        assert_view(mw_sideband_mark(mw_view_text(target)), MARK);
        assert_int_equal(ask.session, table[i].session);
        assert_int_equal(ask.back, table[i].back);
        if (ask.back) {
            assert_int_equal(ask.count, table[i].count);
            assert_int_equal(ask.token.id, UINT64_C(0x0100000003F0E1D2));
        }
    }
    assert_false(mw_sideband_ask(mw_view_text("/?moonwire=short." TOKEN ".1")).session);
    assert_false(mw_sideband_ask(mw_view_text("/?moonwire=." TOKEN ".1")).session);
    assert_false(mw_sideband_ask(mw_view_text("/?moonwire=" MARK ".&moonwire=" MARK)).session);
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
        { MW_OPCODE_TEXT, MARK "+0", MW_ASIDE_COUNT },
        { MW_OPCODE_TEXT, MARK "+9007199254740991", MW_ASIDE_COUNT },
        { MW_OPCODE_TEXT, MARK "+9007199254740992", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "+", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "+00000000000000000001", MW_ASIDE_COUNT },
        { MW_OPCODE_TEXT, MARK "+000000000000000000001", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "~000000000000000000001", MW_ASIDE_OTHER },
        { MW_OPCODE_TEXT, MARK "+1 ", MW_ASIDE_OTHER },
        { MW_OPCODE_BINARY, MARK "+1", MW_ASIDE_NONE },
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
        size_t len = mw_sideband_hello(&sideband, "1f", &limits, 0, out);
        assert_view(mw_view(out, len), table[i].hello);
    }
}

TEST(the_hello_of_a_session_tells_how_to_come_back)
{
    const struct mw_limits_ms limits = { .ping_ms = 25000, .pong_ms = 20000 };
    struct mw_sideband_session session = { .token = TOKEN, .for_ms = 30000 };
    struct mw_sideband sideband;
    char out[MW_SIDEBAND_HELLO_MAX];
    mw_sideband_init(&sideband, mw_view_text(MARK));
    size_t len = mw_sideband_hello(&sideband, "1f", &limits, &session, out);
    assert_view(mw_view(out, len), MARK "{\"v\":1,\"id\":\"1f\",\"ping\":25,\"pong\":20,\"resume\":"
                                        "{\"token\":\"" TOKEN "\",\"for\":30,\"got\":0}}");
    session.got = 7;
    session.back = true;
    session.missed = 3;
    len = mw_sideband_hello(&sideband, "1f", &limits, &session, out);
    assert_view(mw_view(out, len), MARK "{\"v\":1,\"id\":\"1f\",\"ping\":25,\"pong\":20,\"resume\":"
                                        "{\"token\":\"" TOKEN "\",\"for\":30,\"got\":7,"
                                        "\"back\":true,\"missed\":3}}");
    len = mw_sideband_got(&sideband, 12, out);
    assert_view(mw_view(out, len), MARK "+12");
    len = mw_sideband_hole(&sideband, 3, out);
    assert_view(mw_view(out, len), MARK "-3");
}

TEST(the_longest_texts_have_room)
{
    static const char token[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const struct mw_sideband_session session = { .token = token,
                                                 .for_ms = MW_NEVER - 1,
                                                 .got = UINT64_MAX,
                                                 .back = true,
                                                 .missed = UINT64_MAX };
    static const char mark[] = "abcdefghijklmnopabcdefghijklmnop";
    const struct mw_limits_ms limits = { .ping_ms = MW_NEVER - 1, .pong_ms = MW_NEVER - 1 };
    struct mw_sideband sideband;
    char hello[MW_SIDEBAND_HELLO_MAX], answer[MW_SIDEBAND_ANSWER_MAX];
    mw_sideband_init(&sideband, mw_view_text(mark));
    size_t len = mw_sideband_hello(&sideband, "ffffffffffffffff", &limits, &session, hello);
    assert_true(len > 32 && len < sizeof hello);
    len = mw_sideband_answer(&sideband, MW_ASIDE_PROBE, answer);
    assert_view(mw_view(answer, len), "abcdefghijklmnopabcdefghijklmnop!");
    len = mw_sideband_got(&sideband, UINT64_MAX, answer);
    assert_view(mw_view(answer, len), "abcdefghijklmnopabcdefghijklmnop+18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_mark_is_16_to_32_characters_of_its_alphabet),
        CASE(the_mark_is_the_one_of_the_query_and_there_once),
        CASE(who_asks_for_a_session_or_comes_back_says_so_behind_the_mark),
        CASE(the_parameter_is_hidden_whatever_its_value_and_all_else_stays),
        CASE(texts_that_begin_with_the_mark_are_asides),
        CASE(the_hello_tells_id_and_limits_in_seconds),
        CASE(the_hello_of_a_session_tells_how_to_come_back),
        CASE(the_longest_texts_have_room),
    };
    return RUN(cases);
}
