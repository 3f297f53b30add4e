#include "core/session/http_conn.h"

#include <stdio.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

#define NOW_MS  5000
#define UNIX_MS 1700000000000

struct front {
    struct mw_mem mem;
    struct mw_http_conn http;
};

static void open_front(struct front *front)
{
    mw_mem_init(&front->mem, NULL, 0);
    assert_int_equal(mw_http_conn_init(&front->http, &front->mem, NOW_MS), MW_OK);
}

static void close_front(struct front *front)
{
    mw_http_conn_free(&front->http);
    assert_mem_empty(&front->mem);
}

static void feed(struct front *front, const char *text)
{
    assert_int_equal(mw_http_conn_feed(&front->http, mw_view_text(text)), MW_OK);
}

static enum mw_http_event next(struct front *front)
{
    return mw_http_conn_next(&front->http, UNIX_MS);
}

static void assert_request(struct front *front, const char *target)
{
    assert_int_equal(next(front), MW_HTTP_GOT_REQUEST);
    assert_int_equal(front->http.phase, MW_HTTP_PHASE_BUSY);
    assert_view(mw_http_conn_head(&front->http)->target, target);
}

static void assert_status(struct front *front, const char *status_line)
{
    assert_true(mw_view_starts_with(mw_buf_view(&front->http.out), status_line));
}

static void assert_answer_has(const struct front *front, const char *part)
{
    char text[2048];
    snprintf(text, sizeof text, "%.*s", (int)front->http.out.len, front->http.out.data);
    if (!strstr(text, part))
        fail_msg("no %s in\n%s", part, text);
}

/* ---- requests ---- */

TEST(requests_in_one_piece_are_answered_one_after_the_other)
{
    struct front front;
    open_front(&front);
    feed(&front, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTT");
    assert_request(&front, "/a");
    assert_int_equal(next(&front), MW_HTTP_MORE); /* before the answer there is no next one */
    mw_http_conn_answered(&front.http, NOW_MS + 100);
    assert_true(front.http.due_ms == NOW_MS + 100 + MW_HTTP_KEEP_MS);
    assert_request(&front, "/b");
    mw_http_conn_answered(&front.http, NOW_MS + 200);
    assert_int_equal(next(&front), MW_HTTP_MORE);
    feed(&front, "P/1.1\r\nHost: x\r\n\r\n");
    assert_request(&front, "/c");
    close_front(&front);
}

TEST(a_head_may_come_byte_by_byte)
{
    static const char text[] = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    struct front front;
    open_front(&front);
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        assert_int_equal(next(&front), MW_HTTP_MORE);
        assert_int_equal(mw_http_conn_feed(&front.http, mw_view(text + i, 1)), MW_OK);
    }
    assert_request(&front, "/slow");
    close_front(&front);
}

TEST(what_follows_the_head_of_an_upgrade_is_left_over)
{
    struct front front;
    open_front(&front);
    feed(&front,
         "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
         "\x81\x85 frame");
    assert_request(&front, "/chat");
    assert_view(mw_http_conn_rest(&front.http), "\x81\x85 frame");
    feed(&front, " and more");
    assert_view(mw_http_conn_rest(&front.http), "\x81\x85 frame and more");
    close_front(&front);
}

TEST(a_connection_is_kept_by_version_and_by_what_was_asked)
{
    static const struct {
        const char *head;
        bool kept;
    } table[] = {
        { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
        /* A body is not read, so what follows it cannot be told from it. */
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n", false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct front front;
        open_front(&front);
        feed(&front, table[i].head);
        assert_request(&front, "/");
        assert_int_equal(front.http.keep_alive, table[i].kept);
        mw_http_conn_answered(&front.http, NOW_MS);
        assert_int_equal(front.http.phase, table[i].kept ? MW_HTTP_PHASE_HEAD : MW_HTTP_PHASE_DONE);
        close_front(&front);
    }
}

/* ---- refusals of sound requests ---- */

#define GET_11  "GET / HTTP/1.1\r\nHost: x\r\n"
#define POST_11 "POST / HTTP/1.1\r\nHost: x\r\n"
#define GET_10  "GET / HTTP/1.0\r\n"

static const struct {
    const char *head;
    unsigned status;
    const char *connection; /* as it is answered; NULL: not named */
    bool kept;
} refusals[] = {
    { GET_11, 404, NULL, true },
    { GET_11, 301, NULL, true },
    { GET_11, 412, NULL, true },
    { GET_11, 416, NULL, true },
    { GET_11, 426, "Upgrade", true },
    { POST_11, 405, NULL, true },
    { POST_11 "Content-Length: 0\r\n", 405, NULL, true },
    { "HEAD / HTTP/1.1\r\nHost: x\r\n", 404, NULL, true },
    { GET_10 "Connection: keep-alive\r\n", 404, "keep-alive", true },
    { GET_10 "Connection: keep-alive\r\n", 426, "keep-alive, Upgrade", true },
    { GET_10, 404, "close", false },
    { GET_11 "Connection: close\r\n", 404, "close", false },
    { GET_11 "Connection: close\r\n", 426, "close, Upgrade", false },
    { GET_11, 400, "close", false },
    { GET_11, 403, "close", false },
    { GET_11, 503, "close", false },
    { POST_11 "Content-Length: 1\r\n", 405, "close", false },
    { POST_11 "Transfer-Encoding: chunked\r\n", 405, "close", false },
    { GET_11 "Connection: upgrade\r\nUpgrade: websocket\r\n", 404, "close", false },
    { GET_11 "Upgrade: h2c\r\n", 404, "close", false },
    { "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n", 405, "close", false },
};

static void assert_connection_is(struct mw_http_conn *http, const char *expected)
{
    char line[64];
    const char *seen = strstr(mw_buf_cstr(&http->out), "Connection: ");
    snprintf(line, sizeof line, "Connection: %s\r\n", expected ? expected : "");
    if (!seen || !expected)
        assert_true(!seen == !expected);
    else
        assert_memory_equal(seen, line, strlen(line));
}

TEST(a_refusal_keeps_the_connection_where_nothing_is_in_doubt)
{
    for (size_t i = 0; i < MW_COUNT(refusals); i++) {
        struct front front;
        open_front(&front);
        feed(&front, refusals[i].head);
        feed(&front, "\r\n" GET_11 "\r\n");
        assert_int_equal(next(&front), MW_HTTP_GOT_REQUEST);
        assert_int_equal(mw_http_conn_refuse(&front.http, refusals[i].status, "short_name",
                                             mw_view_text("detail"), NULL, NULL, UNIX_MS),
                         MW_OK);
        assert_connection_is(&front.http, refusals[i].connection);
        mw_http_conn_answered(&front.http, NOW_MS);
        if ((next(&front) == MW_HTTP_GOT_REQUEST) != refusals[i].kept)
            fail_msg("%u to %s", refusals[i].status, refusals[i].head);
        close_front(&front);
    }
}

TEST(a_refusal_takes_the_place_of_what_was_begun_and_has_no_body_for_head)
{
    struct front front;
    open_front(&front);
    feed(&front, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(next(&front), MW_HTTP_GOT_REQUEST);
    assert_int_equal(mw_http_conn_start(&front.http, 200, UNIX_MS), MW_OK);
    mw_http_conn_refuse(&front.http, 404, "not_found", mw_view_text("/"), "X: y\r\n", NULL,
                        UNIX_MS);
    assert_status(&front, "HTTP/1.1 404 Not Found\r\n");
    assert_true(mw_view_ends_with(mw_buf_view(&front.http.out), "\r\nX: y\r\n\r\n"));
    close_front(&front);
}

TEST(answered_counts_only_where_a_request_is_being_answered)
{
    struct front front;
    open_front(&front);
    mw_http_conn_answered(&front.http, NOW_MS + 1);
    assert_int_equal(front.http.phase, MW_HTTP_PHASE_HEAD);
    assert_true(front.http.due_ms == NOW_MS + MW_HTTP_HEAD_MS);
    close_front(&front);
}

/* ---- refusals ---- */

TEST(a_broken_head_is_refused_and_nothing_more_is_read)
{
    struct front front;
    open_front(&front);
    feed(&front, "\x16\x03\x01 hello TLS\r\n\r\n");
    assert_int_equal(next(&front), MW_HTTP_REFUSED);
    assert_int_equal(front.http.phase, MW_HTTP_PHASE_DONE);
    assert_status(&front, "HTTP/1.1 400 ");
    assert_answer_has(&front, "\"status\":400,\"cause\":null,\"retry\":false}");
    size_t len = front.http.out.len;
    feed(&front, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(front.http.in.len, 0);
    assert_int_equal(next(&front), MW_HTTP_MORE);
    assert_int_equal(front.http.out.len, len);
    close_front(&front);
}

TEST(a_head_that_is_too_large_is_refused_with_431)
{
    static char line[20000];
    struct front front;
    open_front(&front);
    memset(line, 'x', sizeof line - 1);
    feed(&front, "GET / HTTP/1.1\r\nHost: x\r\nCookie: ");
    feed(&front, line);
    assert_int_equal(next(&front), MW_HTTP_REFUSED);
    assert_status(&front, "HTTP/1.1 431 ");
    assert_answer_has(&front, "\"cause\":null,\"retry\":false}");
    close_front(&front);
}

TEST(who_pipelines_without_end_is_stopped)
{
    static char piece[30000];
    struct front front;
    open_front(&front);
    memset(piece, 'x', sizeof piece);
    feed(&front, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_request(&front, "/");
    int err = MW_OK;
    for (int i = 0; !err && i < 10; i++)
        err = mw_http_conn_feed(&front.http, mw_view(piece, sizeof piece));
    assert_int_equal(err, MW_ERR_FULL);
    assert_in_range(front.mem.bytes, 1, 200000);
    close_front(&front);
}

TEST(a_head_that_takes_too_long_is_answered_with_408)
{
    struct front front;
    open_front(&front);
    assert_true(front.http.due_ms == NOW_MS + MW_HTTP_HEAD_MS);
    feed(&front, "GET / HTT");
    assert_int_equal(next(&front), MW_HTTP_MORE);
    mw_http_conn_time_out(&front.http, UNIX_MS);
    assert_int_equal(front.http.phase, MW_HTTP_PHASE_DONE);
    assert_status(&front, "HTTP/1.1 408 ");
    assert_answer_has(&front, "\r\nRetry-After: 5\r\n");
    assert_answer_has(&front, "\"cause\":null,\"retry\":{\"after\":5,\"spread\":25}}");
    close_front(&front);
}

TEST(a_connection_that_never_asked_is_closed_without_a_word)
{
    struct front front;
    open_front(&front);
    mw_http_conn_time_out(&front.http, UNIX_MS);
    assert_int_equal(front.http.phase, MW_HTTP_PHASE_DONE);
    assert_int_equal(front.http.out.len, 0);
    close_front(&front);
}

TEST(a_kept_connection_that_asks_nothing_more_is_closed_without_a_word)
{
    struct front front;
    open_front(&front);
    feed(&front, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_request(&front, "/");
    mw_http_conn_answered(&front.http, NOW_MS);
    mw_http_conn_time_out(&front.http, UNIX_MS);
    assert_int_equal(front.http.phase, MW_HTTP_PHASE_DONE);
    assert_int_equal(front.http.out.len, 0);
    close_front(&front);
}

/* ---- memory ---- */

static bool ask_twice(struct mw_mem *mem)
{
    struct mw_http_conn http;
    if (mw_http_conn_init(&http, mem, NOW_MS))
        return false;
    static const char text[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
    bool all = mw_http_conn_feed(&http, mw_view(text, sizeof text - 1)) == MW_OK;
    enum mw_http_event event = mw_http_conn_next(&http, UNIX_MS);
    if (all && event == MW_HTTP_REFUSED)
        assert_int_equal(http.refusal.status, 503);
    all = all && event == MW_HTTP_GOT_REQUEST;
    if (all) {
        all = !mw_http_conn_refuse(&http, 404, "x", mw_view_text("x"), NULL, NULL, UNIX_MS);
        assert_int_equal(http.keep_alive, all);
        mw_buf_clear(&http.out);
    }
    mw_http_conn_answered(&http, NOW_MS);
    event = mw_http_conn_next(&http, UNIX_MS);
    all = all && event == MW_HTTP_REFUSED && http.refusal.status == 400 && http.out.len > 0;
    mw_http_conn_free(&http);
    return all;
}

TEST(each_failing_allocation_is_refused_or_closed)
{
    assert_true(fail_each_allocation(ask_twice) >= 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(requests_in_one_piece_are_answered_one_after_the_other),
        CASE(a_head_may_come_byte_by_byte),
        CASE(what_follows_the_head_of_an_upgrade_is_left_over),
        CASE(a_connection_is_kept_by_version_and_by_what_was_asked),
        CASE(a_refusal_keeps_the_connection_where_nothing_is_in_doubt),
        CASE(a_refusal_takes_the_place_of_what_was_begun_and_has_no_body_for_head),
        CASE(answered_counts_only_where_a_request_is_being_answered),
        CASE(a_broken_head_is_refused_and_nothing_more_is_read),
        CASE(a_head_that_is_too_large_is_refused_with_431),
        CASE(who_pipelines_without_end_is_stopped),
        CASE(a_head_that_takes_too_long_is_answered_with_408),
        CASE(a_connection_that_never_asked_is_closed_without_a_word),
        CASE(a_kept_connection_that_asks_nothing_more_is_closed_without_a_word),
        CASE(each_failing_allocation_is_refused_or_closed),
    };
    return RUN(cases);
}
