/* A client against servers of every kind: those that speak, and those that do anything else. */
#include "core/outbound/ws_client.h"

#include "tests/unit/outbound/far.h"

static const struct far_play speaking = { .then = FAR_SPEAKS };

#define YES \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Server: far\r\nSec-WebSocket-Accept: "

/* ---- a server that speaks ---- */

TEST(every_step_is_passed_and_messages_go_both_ways)
{
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &speaking, NULL);
    const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    start(&setup, &seen);
    wait_for_open(&stage, &seen);
    assert_true(mw_ws_client_is_open(seen.client));
    assert_int_equal(mw_ws_client_send(seen.client, MW_OPCODE_TEXT, mw_view_text("moon")), MW_OK);
    assert_int_equal(mw_ws_client_send(seen.client, MW_OPCODE_TEXT, mw_view("\xff", 1)),
                     MW_ERR_BAD_UTF8);
    wait_for_count(&stage.world, &seen.messages, 1);
    assert_string_equal(seen.message, "moon");
    assert_int_equal(seen.frame.len, 4);
    assert_false(seen.frame.masked);
    assert_int_equal(mw_ws_client_close(seen.client, 999, mw_view("", 0)), MW_ERR_BAD_CODE);
    assert_int_equal(mw_ws_client_close(seen.client, 4001, mw_view_text("enough")), MW_OK);
    wait_for_end(&stage, &seen);
    assert_true(seen.step[MW_WS_RESOLVE] && seen.step[MW_WS_CONNECT] && seen.step[MW_WS_UPGRADE]);
    assert_false(seen.step[MW_WS_SECURE]);
    assert_int_equal(seen.ended.code, 4001);
    assert_true(seen.ended.clean && seen.ended.ours && seen.ended.opened);
    assert_int_equal(seen.ended.who, MW_WHO_CLIENT);
    assert_int_equal(seen.ended.messages_sent, 1);
    assert_string_equal(seen.address.text, "127.0.0.1");
    assert_int_equal(seen.address.state, MW_DIAL_CONNECTED);
    close_stage(&stage);
}

TEST(what_the_owner_wants_is_in_the_request)
{
    static const struct mw_view protocols[] = { MW_VIEW("other"), MW_VIEW("chat") };
    static const struct mw_header headers[] = { { MW_VIEW("X-Moon"), MW_VIEW("full") },
                                                { MW_VIEW("Host"), MW_VIEW("moon.example") } };
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &speaking, NULL);
    struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    setup.protocols = protocols;
    setup.protocol_count = 2;
    setup.headers = headers;
    setup.header_count = 2;
    setup.origin = mw_view_text("https://moon.example");
    setup.compression = true;
    start(&setup, &seen);
    wait_for_open(&stage, &seen);
    assert_string_equal(seen.protocol, "chat");
    assert_true(seen.deflate);
    assert_non_null(strstr(far_request, "GET /path?q=1 HTTP/1.1\r\nHost: moon.example\r\n"));
    assert_non_null(strstr(far_request, "X-Moon: full\r\n"));
    assert_non_null(strstr(far_request, "Origin: https://moon.example\r\n"));
    assert_non_null(strstr(far_request, "Sec-WebSocket-Protocol: other, chat\r\n"));
    static char much[4000];
    memset(much, 'm', sizeof much);
    mw_ws_client_send(seen.client, MW_OPCODE_TEXT, mw_view(much, sizeof much));
    wait_for_count(&stage.world, &seen.messages, 1);
    assert_int_equal(seen.message_len, sizeof much);
    assert_int_equal(seen.frame.rsv, 4);
    mw_ws_client_free(seen.client);
    close_stage(&stage);
}

TEST(headers_that_would_forge_or_repeat_the_handshake_are_refused)
{
    static const struct mw_header bad[] = {
        { MW_VIEW("Upgrade"), MW_VIEW("h2c") },
        { MW_VIEW("X Y"), MW_VIEW("1") },
        { MW_VIEW("X"), MW_VIEW("1\r\nEvil: yes") },
        { MW_VIEW("Host"), MW_VIEW("a\nb") },
        { MW_VIEW(""), MW_VIEW("") },
        { MW_VIEW("sec-websocket-key"), MW_VIEW("") },
    };
    struct stage stage;
    struct seen seen;
    char why[256];
    open_stage(&stage, &speaking, NULL);
    for (size_t i = 0; i < MW_COUNT(bad); i++) {
        struct mw_ws_client_setup setup = setup_of(&stage, &seen);
        setup.headers = &bad[i];
        setup.header_count = 1;
        assert_int_equal(mw_ws_client_start(&setup, &seen.client, why), MW_ERR_BAD_ARG);
        assert_true(strlen(why) > 10);
    }
    close_stage(&stage);
}

TEST(a_message_in_fragments_with_a_ping_between_them_arrives_whole)
{
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &speaking, NULL);
    const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    start(&setup, &seen);
    wait_for_open(&stage, &seen);
    struct mw_ws_client *client = seen.client;
    assert_int_equal(mw_ws_client_send_frame(client, MW_OPCODE_TEXT, false, mw_view_text("mo")),
                     MW_OK);
    assert_int_equal(mw_ws_client_ping(client, mw_view_text("are you there")), MW_OK);
    assert_int_equal(mw_ws_client_send_frame(client, MW_OPCODE_CONTINUATION, false, mw_view("", 0)),
                     MW_OK);
    assert_int_equal(
        mw_ws_client_send_frame(client, MW_OPCODE_CONTINUATION, true, mw_view_text("on")), MW_OK);
    wait_for_count(&stage.world, &seen.messages, 1);
    wait_for_count(&stage.world, &seen.pongs, 1);
    assert_string_equal(seen.message, "moon");
    assert_string_equal(seen.pong, "are you there");
    assert_true(seen.rtt_us != MW_NEVER);
    mw_ws_client_free(client);
    close_stage(&stage);
}

TEST(advice_of_the_server_is_told_apart_from_its_reason)
{
    struct stage stage;
    struct seen seen;
    const struct far_play play = { .then = FAR_SPEAKS,
                                   .close_code = 1012,
                                   .close_reason = "new moon;retry=200-300" };
    open_stage(&stage, &play, NULL);
    const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    start(&setup, &seen);
    wait_for_end(&stage, &seen);
    assert_int_equal(seen.ended.code, 1012);
    assert_true(seen.ended.clean && !seen.ended.ours);
    assert_int_equal(seen.ended.who, MW_WHO_SERVER);
    assert_string_equal(seen.reason, "new moon;retry=200-300");
    assert_string_equal(seen.said, "new moon");
    assert_int_equal(seen.ended.advice.kind, MW_ADVICE_RETURN);
    assert_int_equal(seen.ended.advice.after_ms, 200);
    assert_int_equal(seen.ended.advice.spread_ms, 100);
    close_stage(&stage);
}

/* ---- servers that do something else ---- */

struct odd {
    struct far_play play;
    enum mw_ws_fault fault; /* none: it was open */
    enum mw_ws_step step;
    unsigned status, code;
    enum mw_rule rule;
    const char *text; /* part of it; NULL: any */
};

static const struct odd odds[] = {
    { { .answer = "HTTP/1.1 403 Forbidden\r\nServer: gate\r\nContent-Length: 4\r\n\r\nno!\n" },
      MW_WS_FAULT_refused,
      MW_WS_UPGRADE,
      403,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>hello</html>",
        .then = FAR_FINISHES },
      MW_WS_FAULT_refused,
      MW_WS_UPGRADE,
      200,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 30\r\n\r\n" },
      MW_WS_FAULT_refused,
      MW_WS_UPGRADE,
      503,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                  "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n" },
      MW_WS_FAULT_refused,
      MW_WS_UPGRADE,
      403,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "HTTP/1.1 100 Continue\r\n\r\nSSH-2.0-moon\r\n" },
      MW_WS_FAULT_not_http,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" YES
                  "%\r\n\r\n\x83\x01x" },
      MW_WS_FAULT_none,
      MW_WS_OPEN,
      101,
      1002,
      MW_RULE_OPCODE,
      NULL },
    { { .answer = YES "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n" },
      MW_WS_FAULT_bad_answer,
      MW_WS_UPGRADE,
      101,
      1006,
      MW_RULE_NONE,
      "Sec-WebSocket-Accept" },
    { { .answer = YES "%\r\nSec-WebSocket-Protocol: chat\r\n\r\n" },
      MW_WS_FAULT_bad_answer,
      MW_WS_UPGRADE,
      101,
      1006,
      MW_RULE_NONE,
      "not offered" },
    { { .answer = YES "%\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n" },
      MW_WS_FAULT_bad_answer,
      MW_WS_UPGRADE,
      101,
      1006,
      MW_RULE_NONE,
      "extension" },
    { { .answer = "220 mail.example ESMTP\r\n", .at_once = true },
      MW_WS_FAULT_not_http,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "\x16\x03\x01", .at_once = true },
      MW_WS_FAULT_not_http,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = "HTTP/1.1 1O1 No\r\n\r\n" },
      MW_WS_FAULT_not_http,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .then = FAR_FINISHES },
      MW_WS_FAULT_cut,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      "closed without an answer" },
    { { .then = FAR_RESETS },
      MW_WS_FAULT_cut,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      "reset without an answer" },
    { { .answer = "HTTP/1.1 101 Swi", .then = FAR_FINISHES },
      MW_WS_FAULT_cut,
      MW_WS_UPGRADE,
      0,
      1006,
      MW_RULE_NONE,
      "in the middle of the answer" },
    { { .answer = YES "%\r\n\r\n", .then = FAR_FINISHES },
      MW_WS_FAULT_none,
      MW_WS_OPEN,
      101,
      1006,
      MW_RULE_NONE,
      NULL },
    { { .answer = YES "%\r\n\r\n\x81\x82zzzz\x12\x12", .then = FAR_WAITS },
      MW_WS_FAULT_none,
      MW_WS_OPEN,
      101,
      1002,
      MW_RULE_MASKED,
      NULL },
    { { .answer = YES "%\r\n\r\n\x83\x01x" },
      MW_WS_FAULT_none,
      MW_WS_OPEN,
      101,
      1002,
      MW_RULE_OPCODE,
      NULL },
    { { .answer = YES "%\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n" },
      MW_WS_FAULT_none,
      MW_WS_OPEN,
      101,
      1002,
      MW_RULE_HTTP_TEXT,
      NULL },
    { { .answer = YES "%\r\n\r\n\x81\x02\xc3\x28" },
      MW_WS_FAULT_none,
      MW_WS_OPEN,
      101,
      1007,
      MW_RULE_TEXT_UTF8,
      NULL },
};

TEST(what_a_server_does_instead_is_told_with_its_step)
{
    for (size_t i = 0; i < MW_COUNT(odds); i++) {
        const struct odd *odd = &odds[i];
        struct stage stage;
        struct seen seen;
        print_message("    case %zu\n", i);
        open_stage(&stage, &odd->play, NULL);
        const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
        start(&setup, &seen);
        wait_for_end(&stage, &seen);
        assert_string_equal(mw_ws_fault_name(seen.ended.fault), mw_ws_fault_name(odd->fault));
        assert_string_equal(mw_ws_step_name(seen.ended_at), mw_ws_step_name(odd->step));
        assert_int_equal(seen.status, odd->status);
        assert_int_equal(seen.ended.code, odd->code);
        assert_int_equal(seen.ended.rule, odd->rule);
        assert_false(seen.ended.ours || seen.ended.clean);
        assert_int_equal(seen.ended.opened, odd->step == MW_WS_OPEN);
        if (odd->text)
            assert_non_null(strstr(seen.ended.text, odd->text));
        close_stage(&stage);
    }
}

TEST(a_refusal_is_told_with_its_body_its_server_and_when_to_return)
{
    static const struct {
        const char *answer;
        struct mw_advice advice;
    } cases[] = {
        { "HTTP/1.1 503 X\r\nServer: gate\r\nContent-Length: 50\r\n\r\n"
          "{\"error\":\"full\",\"retry\":{\"after\":5,\"spread\":25}}  ",
          { .kind = MW_ADVICE_RETURN, .after_ms = 5000, .spread_ms = 25000 } },
        { "HTTP/1.1 403 X\r\nServer: gate\r\nContent-Length: 33\r\nRetry-After: 9\r\n\r\n"
          "{\"error\":\"forbidden\",\"retry\":false}",
          { .kind = MW_ADVICE_RETURN, .after_ms = 9000, .spread_ms = 3000 } }, /* cut JSON */
        { "HTTP/1.1 403 X\r\nServer: gate\r\nContent-Length: 35\r\n\r\n"
          "{\"error\":\"forbidden\",\"retry\":false}",
          { .kind = MW_ADVICE_STAY } },
        { "HTTP/1.1 503 X\r\nServer: gate\r\nContent-Length: 1\r\nRetry-After: 30\r\n\r\n.",
          { .kind = MW_ADVICE_RETURN, .after_ms = 30000, .spread_ms = 10000 } },
        { "HTTP/1.1 503 X\r\nServer: gate\r\nContent-Length: 1\r\nRetry-After: soon\r\n\r\n.",
          { .kind = MW_ADVICE_NONE } },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct stage stage;
        struct seen seen;
        const struct far_play play = { .answer = cases[i].answer };
        print_message("    case %zu\n", i);
        open_stage(&stage, &play, NULL);
        const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
        start(&setup, &seen);
        wait_for_end(&stage, &seen);
        assert_string_equal(seen.server, "gate");
        assert_true(seen.body[0] == '{' || seen.body[0] == '.');
        assert_int_equal(seen.ended.advice.kind, cases[i].advice.kind);
        assert_int_equal(seen.ended.advice.after_ms, cases[i].advice.after_ms);
        assert_int_equal(seen.ended.advice.spread_ms, cases[i].advice.spread_ms);
        close_stage(&stage);
    }
}

TEST(a_server_that_says_nothing_is_left_in_time)
{
    static const struct far_play silent = { .then = FAR_WAITS };
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &silent, NULL);
    struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    setup.handshake_wait_ms = 20;
    start(&setup, &seen);
    wait_for_end(&stage, &seen);
    assert_int_equal(seen.ended.fault, MW_WS_FAULT_timeout);
    assert_int_equal(seen.ended_at, MW_WS_UPGRADE);
    close_stage(&stage);
}

TEST(a_port_where_nobody_listens_is_told_with_its_address)
{
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &speaking, NULL);
    struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    mw_listener_close(stage.listener);
    run_some_turns(&stage.world);
    stage.listener = NULL;
    start(&setup, &seen);
    wait_for_end(&stage, &seen);
    assert_int_equal(seen.ended.fault, MW_WS_FAULT_no_connection);
    assert_string_equal(seen.ended.text, "connection refused");
    assert_int_equal(seen.ended_at, MW_WS_CONNECT);
    assert_int_equal(seen.ended.code, 1006);
    assert_int_equal(seen.address_count, 1);
    close_stage(&stage);
}

TEST(a_name_that_is_none_is_told)
{
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &speaking, NULL);
    struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    setup.url = mw_view_text("ws://nobody.invalid/");
    start(&setup, &seen);
    wait_for_end(&stage, &seen);
    assert_int_equal(seen.ended.fault, MW_WS_FAULT_no_address);
    assert_int_equal(seen.ended_at, MW_WS_RESOLVE);
    close_stage(&stage);
}

/* ---- letting go ---- */

TEST(at_every_step_it_can_be_let_go_of_or_given_up)
{
    for (int step = MW_WS_RESOLVE; step <= MW_WS_STEPS; step++) {
        for (int aborts = 0; aborts < 2; aborts++) {
            struct stage stage;
            struct seen seen;
            if (step == MW_WS_SECURE)
                continue;
            print_message("    step %d, aborts %d\n", step, aborts);
            open_stage(&stage, &speaking, NULL);
            const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
            seen.frees_at = step;
            seen.aborts = aborts;
            start(&setup, &seen);
            if (step == MW_WS_STEPS) {
                wait_for_open(&stage, &seen);
                mw_ws_client_send(seen.client, MW_OPCODE_TEXT, mw_view_text("one"));
                mw_ws_client_send(seen.client, MW_OPCODE_TEXT, mw_view_text("two"));
            }
            wait_for_end(&stage, &seen);
            if (aborts)
                assert_true(seen.ended.ours);
            run_some_turns(&stage.world);
            assert_int_equal(seen.ends, 1);
            close_stage(&stage);
        }
    }
}

TEST(let_go_before_the_first_turn_nothing_is_told)
{
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &speaking, NULL);
    const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    start(&setup, &seen);
    mw_ws_client_free(seen.client);
    run_some_turns(&stage.world);
    assert_int_equal(seen.ends + seen.passed, 0);
    close_stage(&stage);
}

/* From start to end, whosever allocation it is. True: it was not reached. */
static bool fail_the_nth(uint64_t n, const struct cert *cert)
{
    struct stage stage;
    struct seen seen;
    char why[256];
    struct far_play play = speaking;
    play.tls = cert;
    play.close_code = 1000;
    play.close_reason = "";
    open_stage(&stage, &play, cert);
    const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    struct mw_mem *mem = &stage.world.mem;
    mem->fail_at = mem->count + n;
    if (mw_ws_client_start(&setup, &seen.client, why) == MW_OK)
        wait_for_end(&stage, &seen);
    bool is_through = mem->count < mem->fail_at;
    if (is_through)
        assert_true(seen.ended.clean);
    mem->fail_at = 0;
    close_stage(&stage);
    return is_through;
}

TEST(without_memory_it_ends_and_leaves_nothing_behind)
{
    struct cert cert;
    cert_make(&cert, &(struct cert_wish){ .subject = "CN=a", .hosts = { "4:127.0.0.1" } });
    for (int secure = 0; secure < 2; secure++) {
        uint64_t n = 1;
        while (!fail_the_nth(n, secure ? &cert : NULL))
            n++;
        print_message("    %u allocations\n", (unsigned)n);
        assert_in_range(n, 10, 1000);
    }
    cert_free(&cert);
}

TEST(more_than_the_queue_bears_is_dropped)
{
    static const struct far_play deaf = { .answer = YES "%\r\n\r\n" };
    static char much[1 << 20];
    struct stage stage;
    struct seen seen;
    open_stage(&stage, &deaf, NULL);
    const struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    start(&setup, &seen);
    wait_for_open(&stage, &seen);
    int err = MW_OK;
    for (int i = 0; i < 64 && !err; i++)
        err = mw_ws_client_send(seen.client, MW_OPCODE_BINARY, mw_view(much, sizeof much));
    assert_int_equal(err, MW_ERR_DROPPED);
    assert_true(mw_ws_client_queued(seen.client) >= mw_ws_client_limits()->queue);
    mw_ws_client_abort(seen.client);
    wait_for_end(&stage, &seen);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(every_step_is_passed_and_messages_go_both_ways),
        CASE(what_the_owner_wants_is_in_the_request),
        CASE(headers_that_would_forge_or_repeat_the_handshake_are_refused),
        CASE(a_message_in_fragments_with_a_ping_between_them_arrives_whole),
        CASE(advice_of_the_server_is_told_apart_from_its_reason),
        CASE(what_a_server_does_instead_is_told_with_its_step),
        CASE(a_refusal_is_told_with_its_body_its_server_and_when_to_return),
        CASE(a_server_that_says_nothing_is_left_in_time),
        CASE(a_port_where_nobody_listens_is_told_with_its_address),
        CASE(a_name_that_is_none_is_told),
        CASE(at_every_step_it_can_be_let_go_of_or_given_up),
        CASE(let_go_before_the_first_turn_nothing_is_told),
        CASE(without_memory_it_ends_and_leaves_nothing_behind),
        CASE(more_than_the_queue_bears_is_dropped),
    };
    return RUN(cases);
}
