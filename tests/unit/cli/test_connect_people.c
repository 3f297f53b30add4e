/* What people read of a connection: messages that stay what they are, and ends in plain words. */
#include "core/cli/connect_event.h"

#include "tests/unit/unit.h"

#define LOOK \
    { \
        .is_terminal = true, .cells = 80, .lang = MW_LANG_EN \
    }

static const char *told(const struct mw_connect_event *event, const struct mw_connect_look *look)
{
    static char text[65536];
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&out, &mem, sizeof text - 1);
    assert_int_equal(mw_connect_people(&out, event, look), MW_OK);
    memcpy(text, out.data ? out.data : "", out.len);
    text[out.len] = '\0';
    mw_buf_free(&out);
    assert_mem_empty(&mem);
    return text;
}

static struct mw_connect_event message(enum mw_opcode opcode, struct mw_view data)
{
    return (struct mw_connect_event){
        .kind = MW_CONNECT_message, .opcode = opcode, .data = data, .after_us = MW_NEVER
    };
}

TEST(nothing_in_a_message_reaches_a_terminal_as_a_command)
{
    static const struct {
        struct mw_view data;
        const char *terminal, *pipe;
    } rows[] = {
        { MW_VIEW("hello"), "< hello\n", "hello\n" },
        { MW_VIEW(""), "< \n", "\n" },
        { MW_VIEW("\x1b[2J\x07"), "< \\x1b[2J\\x07\n", "\\x1b[2J\\x07\n" },
        { MW_VIEW("a\r< forged"), "< a\\x0d< forged\n", "a\\x0d< forged\n" },
        { MW_VIEW("a\n> forged"), "< a\n| > forged\n", "a\n> forged\n" },
        { MW_VIEW("\xe2\x80\xaex\xc2\x9bm"), "< \\xe2\\x80\\xaex\\xc2\\x9bm\n",
          "\\xe2\\x80\\xaex\\xc2\\x9bm\n" },
        { MW_VIEW("\t\xe6\x97\xa5"), "< \t\xe6\x97\xa5\n", "\t\xe6\x97\xa5\n" },
    };
    struct mw_connect_look look = LOOK;
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_connect_event event = message(MW_OPCODE_TEXT, rows[i].data);
        look.is_terminal = true;
        assert_string_equal(told(&event, &look), rows[i].terminal);
        look.is_terminal = false;
        assert_string_equal(told(&event, &look), rows[i].pipe);
    }
}

TEST(bytes_are_shown_in_hex_with_their_count)
{
    static char many[300];
    struct mw_connect_look look = LOOK;
    struct mw_connect_event event = message(MW_OPCODE_BINARY, mw_view("\x00\xff\x1b", 3));
    assert_string_equal(told(&event, &look), "< 3 bytes: 00 ff 1b\n");
    event = message(MW_OPCODE_BINARY, mw_view(many, sizeof many));
    assert_non_null(strstr(told(&event, &look), "00 ... and 44 bytes more (--jsonl has all)\n"));
    look.is_terminal = false;
    event.data = mw_view("\x00\xff\x1b", 3);
    assert_string_equal(told(&event, &look), "00 ff 1b\n");
}

TEST(a_huge_text_is_cut_on_a_character_for_a_terminal_alone)
{
    static char text[20001];
    struct mw_connect_look look = LOOK;
    for (size_t i = 0; i < sizeof text - 1; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    struct mw_connect_event event = message(MW_OPCODE_TEXT, mw_view(text, sizeof text - 1));
    assert_non_null(strstr(told(&event, &look), "\xc3\xa4 ... and 3616 bytes more"));
    look.is_terminal = false;
    assert_int_equal(strlen(told(&event, &look)), sizeof text);
}

TEST(times_stand_in_a_column_where_there_is_room)
{
    struct mw_connect_look look = LOOK;
    struct mw_connect_event event = message(MW_OPCODE_TEXT, mw_view_text("hi"));
    event.after_us = 300;
    assert_string_equal(told(&event, &look),
                        "< hi                                                      +0.3 ms\n");
    look.cells = 40;
    assert_string_equal(told(&event, &look), "< hi  +0.3 ms\n");
}

TEST(spans_are_as_exact_as_one_wants_to_know_them)
{
    static const struct {
        uint64_t us;
        const char *text;
    } rows[] = {
        { 0, "0.0 ms" },         { 340, "0.3 ms" },    { 12400, "12 ms" },
        { 1500000, "1.5 s" },    { 75000000, "75 s" }, { 900000000, "15 min" },
        { 36000000000, "10 h" },
    };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_buf out;
        mw_buf_init(&out, &mem, 0);
        assert_int_equal(mw_connect_put_span(&out, rows[i].us), MW_OK);
        assert_view(mw_buf_view(&out), rows[i].text);
        mw_buf_free(&out);
    }
    assert_mem_empty(&mem);
}

TEST(advice_is_told_in_words)
{
    static const struct {
        struct mw_advice advice;
        const char *text;
    } rows[] = {
        { { .kind = MW_ADVICE_NONE }, "" },
        { { .kind = MW_ADVICE_STAY }, "do not come back" },
        { { .kind = MW_ADVICE_RETURN }, "come back at once" },
        { { .kind = MW_ADVICE_RETURN, .after_ms = 1000, .spread_ms = 4000 },
          "come back in 1.0 s to 5.0 s" },
        { { .kind = MW_ADVICE_RETURN, .after_ms = 500, .afresh = true },
          "come back in 500 ms; the session is gone" },
    };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_buf out;
        mw_buf_init(&out, &mem, 0);
        assert_int_equal(mw_connect_put_advice(&out, &rows[i].advice), MW_OK);
        assert_view(mw_buf_view(&out), rows[i].text);
        mw_buf_free(&out);
    }
    assert_mem_empty(&mem);
}

static const struct mw_connect_counts counts = { .sent = 1, .received = 2, .open_us = 12000000 };
static const struct mw_ws_path open_path = { .step = MW_WS_OPEN };

static struct mw_connect_event closed(const struct mw_ws_ended *ended)
{
    return (struct mw_connect_event){ .kind = MW_CONNECT_closed,
                                      .url = MW_VIEW("ws://h/chat"),
                                      .path = &open_path,
                                      .ended = ended,
                                      .counts = &counts,
                                      .id = "" };
}

TEST(an_end_that_was_wanted_is_one_line)
{
    const struct mw_connect_look look = LOOK;
    const struct mw_ws_ended ended = { .code = 1000,
                                       .opened = true,
                                       .ours = true,
                                       .clean = true,
                                       .cause = MW_CAUSE_script_close,
                                       .who = MW_WHO_CLIENT };
    struct mw_connect_event event = closed(&ended);
    assert_string_equal(told(&event, &look), "closed 1000 (normal closure) by this side after "
                                             "12.0 s \xc2\xb7 2 in, 1 out\n");
}

TEST(each_end_tells_what_a_client_can_know)
{
    static const struct {
        struct mw_ws_ended ended;
        const char *has[5];
    } rows[] = {
        { { .code = 4001,
            .clean = true,
            .who = MW_WHO_SERVER,
            .cause = MW_CAUSE_peer_close,
            .said = MW_VIEW("kicked\nnext rm -rf\x1b[2J"),
            .advice = { .kind = MW_ADVICE_STAY } },
          { "closed 4001 (private use) by the server after 12.0 s",
            "  reason      kicked\\x0anext rm -rf\\x1b[2J\n", "  advice      do not come back\n",
            "  What happened\n", "  next        moonwire explain 4001\n" } },
        { { .code = 1006,
            .who = MW_WHO_NETWORK,
            .cause = MW_CAUSE_peer_fin,
            .silent_ms = 60000,
            .uptime_ms = 600500 },
          { "closed 1006 (abnormal closure) by the network",
            "the stream ended (FIN) and no Close frame had come", "  silent      for 60 s\n",
            "  fits        the default of nginx", "  next        moonwire doctor ws://h/chat\n" } },
        { { .code = 1002,
            .who = MW_WHO_CLIENT,
            .cause = MW_CAUSE_protocol_error,
            .rule = MW_RULE_UNMASKED,
            .bytes = MW_VIEW("\x81\x02") },
          { "closed 1002 (protocol error) by this side", "the server broke a rule",
            "  rule        RFC 6455", "  bytes       81 02\n", "" } },
    };
    const struct mw_connect_look look = LOOK;
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_ws_ended ended = rows[i].ended;
        ended.opened = true;
        struct mw_connect_event event = closed(&ended);
        const char *text = told(&event, &look);
        for (size_t k = 0; k < MW_COUNT(rows[i].has); k++)
            if (!strstr(text, rows[i].has[k]))
                fail_msg("%s not in %s", rows[i].has[k], text);
    }
}

TEST(a_refusal_of_ours_tells_what_the_server_said)
{
    static const char body[] = "{\"status\":403,\"error\":\"origin\",\"cause\":\"script_close\","
                               "\"retry\":false,\"detail\":\"not from there\\u001b[2J\"}";
    const struct mw_ws_answer answer = { .status = 403,
                                         .server = MW_VIEW("moonwire"),
                                         .body = MW_VIEW(body) };
    const struct mw_ws_path path = { .step = MW_WS_UPGRADE, .answer = &answer };
    const struct mw_ws_ended ended = {
        .fault = MW_WS_FAULT_refused, .code = 1006, .text = "", .advice = { .kind = MW_ADVICE_STAY }
    };
    struct mw_connect_event event = {
        .kind = MW_CONNECT_failed, .path = &path, .ended = &ended, .url = MW_VIEW("ws://h/chat")
    };
    const struct mw_connect_look look = LOOK;
    static const char *const has[] = {
        "not connected: the server answered with another status than 101 (at http",
        "  status      403\n",
        "  server      moonwire\n",
        "  error       origin\n",
        "  cause       script_close\n",
        "  detail      not from there\\x1b[2J\n",
        "  advice      do not come back\n",
        "  browsers    show 1006 for this",
        "  next        moonwire doctor ws://h/chat\n",
    };
    for (size_t i = 0; i < MW_COUNT(has); i++)
        assert_non_null(strstr(told(&event, &look), has[i]));
    event.again = true; /* the next attempt failed alike */
    assert_null(strstr(told(&event, &look), "browsers"));
}

TEST(an_explanation_is_in_the_language_that_was_asked_for)
{
    struct mw_connect_look look = LOOK;
    const struct mw_ws_ended ended = { .code = 1011, .opened = true, .clean = true };
    struct mw_connect_event event = closed(&ended);
    look.lang = MW_LANG_JA;
    assert_null(strstr(told(&event, &look), "What happened"));
    look.lang = MW_LANG_EN;
    assert_non_null(strstr(told(&event, &look), "What happened"));
}

static bool verdict_is_written(struct mw_mem *mem)
{
    const struct mw_connect_look look = LOOK;
    const struct mw_ws_ended ended = { .code = 1006, .opened = true, .who = MW_WHO_NETWORK };
    struct mw_connect_event event = closed(&ended);
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    int err = mw_connect_verdict(&out, &event, &look);
    mw_buf_free(&out);
    return !err;
}

TEST(no_memory_is_an_answer)
{
    assert_true(fail_each_allocation(verdict_is_written) > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(nothing_in_a_message_reaches_a_terminal_as_a_command),
        CASE(bytes_are_shown_in_hex_with_their_count),
        CASE(a_huge_text_is_cut_on_a_character_for_a_terminal_alone),
        CASE(times_stand_in_a_column_where_there_is_room),
        CASE(spans_are_as_exact_as_one_wants_to_know_them),
        CASE(advice_is_told_in_words),
        CASE(an_end_that_was_wanted_is_one_line),
        CASE(each_end_tells_what_a_client_can_know),
        CASE(a_refusal_of_ours_tells_what_the_server_said),
        CASE(an_explanation_is_in_the_language_that_was_asked_for),
        CASE(no_memory_is_an_answer),
    };
    return RUN(cases);
}
