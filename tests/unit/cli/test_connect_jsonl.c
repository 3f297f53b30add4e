/* What programs read of a connection: one object a line, exact. */
#include "core/base/json.h"
#include "core/cli/connect_event.h"
#include "tests/unit/unit.h"

static const struct mw_connect_counts counts = { .sent = 1, .received = 2, .open_us = 1500 };
static const struct mw_ws_answer answer = { .status = 101 };
static const struct mw_ws_path path = { .step = MW_WS_OPEN, .answer = &answer };
static const struct mw_ws_ended ended = {
    .code = 1012,
    .who = MW_WHO_SERVER,
    .clean = true,
    .opened = true,
    .cause = MW_CAUSE_peer_close,
    .said = MW_VIEW("restart"),
    .advice = { .kind = MW_ADVICE_RETURN, .after_ms = 100, .spread_ms = 400, .afresh = true }
};
static const struct mw_reconnect_step returns = {
    .why = MW_RECONNECT_RETURNS, .after_ms = 250, .least_ms = 100, .most_ms = 500, .attempt = 1
};
static const struct mw_reconnect_step stays = { .why = MW_RECONNECT_TOLD };

static const struct {
    struct mw_connect_event event;
    const char *has;
} rows[] = {
    { { .kind = MW_CONNECT_open, .path = &path, .at_us = 1250 },
      "{\"event\":\"open\",\"at_ms\":1.25," },
    { { .kind = MW_CONNECT_sent, .opcode = MW_OPCODE_TEXT, .data = MW_VIEW("a\n\x1b") },
      "\"type\":\"text\",\"data\":\"a\\n\\u001b\"}\n" },
    { { .kind = MW_CONNECT_message,
        .opcode = MW_OPCODE_BINARY,
        .data = MW_VIEW("\x0a\xff"),
        .after_us = 500 },
      "\"type\":\"binary\",\"hex\":\"0aff\",\"after_ms\":0.5}\n" },
    { { .kind = MW_CONNECT_ping, .data = MW_VIEW("hi"), .after_us = MW_NEVER },
      "\"event\":\"ping\",\"at_ms\":0.0,\"hex\":\"6869\"}\n" },
    { { .kind = MW_CONNECT_pong, .data = MW_VIEW(""), .after_us = 90 }, "\"rtt_ms\":0.09}\n" },
    { { .kind = MW_CONNECT_hello, .data = MW_VIEW("c1") }, "\"connection\":\"c1\"}\n" },
    { { .kind = MW_CONNECT_closed, .ended = &ended, .counts = &counts, .id = "c1" },
      "\"code\":1012,\"name\":\"service restart\",\"who\":\"server\",\"ours\":false,\"clean\":true,"
      "\"reason\":\"restart\",\"retry\":{\"least_ms\":100,\"most_ms\":500},\"resume\":false,"
      "\"cause\":\"peer_close\"" },
    { { .kind = MW_CONNECT_failed, .ended = &ended, .path = &path }, "\"fault\":\"none\"" },
    { { .kind = MW_CONNECT_next, .step = &returns },
      "\"after_ms\":250,\"least_ms\":100,\"most_ms\":500,\"return\":1}\n" },
    { { .kind = MW_CONNECT_next, .step = &stays }, "\"why\":\"told\"" },
    { { .kind = MW_CONNECT_stats, .counts = &counts }, "\"open_ms\":1.5,\"received\":2" },
    { { .kind = MW_CONNECT_error, .data = MW_VIEW("no") }, "\"text\":\"no\"}\n" },
};

TEST(each_event_is_a_json_object_on_a_line)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_buf out;
        struct mw_json_error error;
        struct mw_connect_event event = rows[i].event;
        event.id = event.id ? event.id : "";
        event.data = event.data.data ? event.data : mw_view("", 0);
        mw_buf_init(&out, &mem, 0);
        assert_int_equal(mw_connect_json(&out, &event), MW_OK);
        struct mw_json_doc *doc = mw_json_parse(&mem, mw_buf_view(&out), &error);
        assert_non_null(doc);
        mw_json_doc_free(doc);
        assert_non_null(memchr(out.data, '\n', out.len));
        assert_ptr_equal(memchr(out.data, '\n', out.len), out.data + out.len - 1);
        assert_non_null(strstr(mw_buf_cstr(&out), rows[i].has));
        mw_buf_free(&out);
    }
    assert_mem_empty(&mem);
}

static bool all_are_written(struct mw_mem *mem)
{
    int err = MW_OK;
    for (size_t i = 0; !err && i < MW_COUNT(rows); i++) {
        struct mw_buf out;
        struct mw_connect_event event = rows[i].event;
        event.id = event.id ? event.id : "";
        mw_buf_init(&out, mem, 0);
        err = mw_connect_json(&out, &event);
        mw_buf_free(&out);
    }
    return !err;
}

TEST(no_memory_is_an_answer)
{
    assert_true(fail_each_allocation(all_are_written) > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_event_is_a_json_object_on_a_line),
        CASE(no_memory_is_an_answer),
    };
    return RUN(cases);
}
