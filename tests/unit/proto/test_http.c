/* http: heads at every cut, each refusal by its name, limits at their borders, failing memory. */
#include "tests/unit/proto/http_cuts.h"

/* ---- requests ---- */

/* The text holds no NUL; `rest` follows the head and must be left alone. */
static const struct head_case {
    const char *name, *head, *rest, *said;
} requests[] = {
    { "least", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "GET / 1.1 alive | host=a" },
    { "upgrade",
      "GET /chat?x=1 HTTP/1.1\r\nHost: example.com:80\r\nUpgrade: websocket\r\n"
      "Connection: keep-alive, Upgrade\r\n\r\n",
      "\x81\x80",
      "GET /chat?x=1 1.1 alive | host=example.com:80 | upgrade=websocket | "
      "connection=keep-alive, Upgrade" },
    { "names in lower case, values trimmed", "GET / HTTP/1.1\r\nHOST:\t a \t\r\nX-Y:b c \r\n\r\n",
      "", "GET / 1.1 alive | host=a | x-y=b c" },
    { "empty values", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \r\nZ: z\r\n\r\n", "",
      "GET / 1.1 alive | host=a | x= | y= | z=z" },
    { "repeated headers stay apart", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n", "",
      "GET / 1.1 alive | host=a | x=1 | x=2" },
    { "close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "",
      "GET / 1.1 | host=a | connection=x, Close" },
    { "1.0", "GET / HTTP/1.0\r\n\r\n", "", "GET / 1.0" },
    { "1.0 kept alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "",
      "GET / 1.0 alive | connection=keep-alive" },
    { "pipelined", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b HTTP/1.1\r\n",
      "GET /a 1.1 alive | host=a" },
    { "body by length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "hello",
      "POST / 1.1 alive body | host=a | content-length=5" },
    { "body of nothing", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "GET",
      "POST / 1.1 alive | host=a | content-length=0" },
    { "chunked body", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n",
      "POST / 1.1 alive body | host=a | transfer-encoding=chunked" },
    { "absolute form", "GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n", "",
      "GET http://h/p 1.1 alive | host=h" },
    { "asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "",
      "OPTIONS * 1.1 alive | host=h" },
    { "authority form", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "x",
      "CONNECT h:1 1.1 alive | host=h" },
    { "empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "",
      "GET / 1.1 alive | host=a" },
    { "bytes above 127 in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \xC3\xA4\r\n\r\n", "",
      "GET / 1.1 alive | host=a | x=\xC3\xA4" },
    { "empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "", "GET / 1.1 alive | host=" },
    { "IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "",
      "GET / 1.1 alive | host=[::1]:80" },
};

TEST(requests_are_read_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(requests); i++) {
        const struct head_case *c = &requests[i];
        char input[600];
        int len = snprintf(input, sizeof input, "%s%s", c->head, c->rest);
        check_every_cut(c->name, MW_HTTP_REQUEST, mw_view(input, (size_t)len), c->said,
                        strlen(c->head));
    }
}

/* ---- refusals ---- */

#define OK_LINE   "GET / HTTP/1.1\r\n"
#define WITH_HOST OK_LINE "Host: a\r\n"

static const struct refusal_case {
    const char *name;
    struct mw_view input;
    const char *said;
} refused[] = {
    { "no Host", MW_VIEW(OK_LINE "\r\n"), "400 bad_host" },
    { "two Hosts", MW_VIEW(WITH_HOST "Host: a\r\n\r\n"), "400 bad_host" },
    { "two Hosts in 1.0", MW_VIEW("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), "400 bad_host" },
    { "blank in Host", MW_VIEW(OK_LINE "Host: a b\r\n\r\n"), "400 bad_host" },
    { "path in Host", MW_VIEW(OK_LINE "Host: a/b\r\n\r\n"), "400 bad_host" },
    { "user in Host", MW_VIEW(OK_LINE "Host: a@b\r\n\r\n"), "400 bad_host" },
    { "list in Host", MW_VIEW(OK_LINE "Host: a,b\r\n\r\n"), "400 bad_host" },
    { "bare LF behind the version", MW_VIEW("GET / HTTP/1.1\nHost: a\r\n\r\n"),
      "400 bad_line_end" },
    { "bare CR behind the version", MW_VIEW("GET / HTTP/1.1\rHost: a\r\n\r\n"),
      "400 bad_line_end" },
    { "bare LF behind a value", MW_VIEW(OK_LINE "Host: a\n\r\n"), "400 bad_line_end" },
    { "bare CR in a value", MW_VIEW(OK_LINE "Host: a\rX: b\r\n\r\n"), "400 bad_line_end" },
    { "bare LF at the end", MW_VIEW(OK_LINE "Host: a\r\n\n"), "400 bad_header" },
    { "folded by a blank", MW_VIEW(OK_LINE "Host: a\r\n b\r\n\r\n"), "400 bad_header" },
    { "folded by a tab", MW_VIEW(OK_LINE "Host: a\r\n\tb\r\n\r\n"), "400 bad_header" },
    { "folded empty value", MW_VIEW(OK_LINE "X:\r\n b\r\n\r\n"), "400 bad_header" },
    { "blank before the first header", MW_VIEW(OK_LINE " Host: a\r\n\r\n"), "400 bad_header" },
    { "blank before the colon", MW_VIEW(OK_LINE "Host : a\r\n\r\n"), "400 bad_header" },
    { "no name", MW_VIEW(OK_LINE ": a\r\n\r\n"), "400 bad_header" },
    { "no colon", MW_VIEW(OK_LINE "Host\r\n\r\n"), "400 bad_header" },
    { "bracket in a name", MW_VIEW(OK_LINE "Ho(st: a\r\n\r\n"), "400 bad_header" },
    { "NUL in a name", MW_VIEW(OK_LINE "Ho\0st: a\r\n\r\n"), "400 bad_header" },
    { "NUL in a value", MW_VIEW(OK_LINE "Host: a\0b\r\n\r\n"), "400 bad_header" },
    { "control in a value", MW_VIEW(OK_LINE "X: a\x01\r\n\r\n"), "400 bad_header" },
    { "DEL in a value", MW_VIEW(OK_LINE "X: a\x7F\r\n\r\n"), "400 bad_header" },
    { "two lengths", MW_VIEW(WITH_HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
      "400 bad_length" },
    { "length with a sign", MW_VIEW(WITH_HOST "Content-Length: +1\r\n\r\n"), "400 bad_length" },
    { "length too long", MW_VIEW(WITH_HOST "Content-Length: 99999999999999999999\r\n\r\n"),
      "400 bad_length" },
    { "length and coding",
      MW_VIEW(WITH_HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
      "400 bad_length" },
    { "no request line", MW_VIEW("\x81\x85\x37\xfa\x21\x3d"), "400 bad_method" },
    { "no HTTP in the line", MW_VIEW("GET / FTP/1.1\r\n\r\n"), "400 bad_request" },
};

TEST(refusals_are_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(refused); i++)
        check_every_cut(refused[i].name, MW_HTTP_REQUEST, refused[i].input, refused[i].said,
                        SIZE_MAX);
}

TEST(tls_is_named_with_its_first_byte)
{
    struct mw_http_refusal refusal;
    struct mw_mem mem;
    size_t used;
    mw_mem_init(&mem, NULL, 0);
    struct mw_http_reader *reader = mw_http_reader_new(&mem, MW_HTTP_REQUEST);
    int err = mw_http_reader_feed(reader, mw_view("\x16", 1), &used, &refusal);
    assert_int_equal(err, MW_ERR_PROTOCOL);
    assert_non_null(strstr(refusal.text, "TLS was spoken to a plain port"));
    mw_http_reader_free(reader);
    assert_mem_empty(&mem);
}

/* ---- limits ---- */

/* Whole, in two, and in pieces: every cut of 16 KiB would be long. */
static void check_some_cuts(const char *name, const char *input, size_t len, const char *expected,
                            size_t used)
{
    struct mw_view view = mw_view(input, len);
    size_t firsts[] = { len, 1, len / 2, len - 1 }, steps[] = { 1, 7, 1000 };
    for (size_t i = 0; i < MW_COUNT(firsts); i++)
        expect(name, run(MW_HTTP_REQUEST, view, firsts[i], len), expected, used);
    for (size_t i = 0; i < MW_COUNT(steps); i++)
        expect(name, run(MW_HTTP_REQUEST, view, 0, steps[i]), expected, used);
}

/* Only the first bytes are told: heads at the limits do not fit an answer. */
static void check_accepted(const char *name, const char *input, size_t len, size_t used)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t step = 1; step <= len; step = step * 10 + 1) {
        struct mw_http_reader *reader = mw_http_reader_new(&mem, MW_HTTP_REQUEST);
        struct mw_http_refusal refusal;
        size_t total = 0;
        int err = MW_ERR_AGAIN;
        for (size_t at = 0, n; at < len && err == MW_ERR_AGAIN; at += step, total += n) {
            size_t piece = len - at < step ? len - at : step;
            err = mw_http_reader_feed(reader, mw_view(input + at, piece), &n, &refusal);
        }
        if (err != MW_OK || total != used)
            fail_msg("%s in pieces of %zu: %d after %zu", name, step, err, total);
        mw_http_reader_free(reader);
        assert_mem_empty(&mem);
    }
}

static size_t fill(char *out, const char *before, char c, size_t count, const char *after)
{
    size_t len = strlen(before);
    memcpy(out, before, len);
    memset(out + len, c, count);
    memcpy(out + len + count, after, strlen(after));
    return len + count + strlen(after);
}

#define HEAD_BEFORE OK_LINE "Host: a\r\nX: "
#define HEAD_AFTER  "\r\n\r\n"
#define HEAD_ROOM   (MW_HTTP_MAX_HEAD - (sizeof HEAD_BEFORE - 1) - (sizeof HEAD_AFTER - 1))

TEST(a_head_may_be_as_large_as_the_limit_and_no_larger)
{
    char input[MW_HTTP_MAX_HEAD + 100];
    size_t len = fill(input, HEAD_BEFORE, 'x', HEAD_ROOM, HEAD_AFTER);
    assert_int_equal(len, MW_HTTP_MAX_HEAD);
    check_accepted("at the limit", input, len, len);
    memset(input + len, 'r', 50);
    check_accepted("at the limit, more behind it", input, len + 50, len);
    len = fill(input, HEAD_BEFORE, 'x', HEAD_ROOM + 1, HEAD_AFTER);
    check_some_cuts("above the limit", input, len, "431 head_too_large", SIZE_MAX);
    len = fill(input, HEAD_BEFORE, 'x', HEAD_ROOM - 1, HEAD_AFTER);
    check_accepted("below the limit", input, len, len);
}

TEST(a_target_may_be_as_long_as_the_limit_and_no_longer)
{
    char input[MW_HTTP_MAX_HEAD];
    size_t len = fill(input, "GET ", '/', MW_HTTP_MAX_TARGET, " HTTP/1.1\r\nHost: a\r\n\r\n");
    check_accepted("at the limit", input, len, len);
    len = fill(input, "GET ", '/', MW_HTTP_MAX_TARGET - 1, " HTTP/1.1\r\nHost: a\r\n\r\n");
    check_accepted("below the limit", input, len, len);
    len = fill(input, "GET ", '/', MW_HTTP_MAX_TARGET + 1, " HTTP/1.1\r\nHost: a\r\n\r\n");
    check_some_cuts("above the limit", input, len, "414 target_too_long", SIZE_MAX);
    len = fill(input, "GET ", '/', MW_HTTP_MAX_TARGET + 1, "");
    check_some_cuts("without an end", input, len, "414 target_too_long", SIZE_MAX);
}

static size_t with_headers(char *out, size_t count)
{
    size_t len = fill(out, WITH_HOST, 'x', 0, "");
    for (size_t i = 1; i < count; i++)
        len += fill(out + len, "X", 'y', i % 7, ": z\r\n");
    return len + fill(out + len, "\r\n", 0, 0, "");
}

TEST(a_head_may_have_as_many_headers_as_the_limit_and_no_more)
{
    char input[4096];
    size_t len = with_headers(input, MW_HTTP_MAX_HEADERS);
    check_accepted("at the limit", input, len, len);
    len = with_headers(input, MW_HTTP_MAX_HEADERS - 1);
    check_accepted("below the limit", input, len, len);
    len = with_headers(input, MW_HTTP_MAX_HEADERS + 1);
    check_some_cuts("above the limit", input, len, "431 too_many_headers", SIZE_MAX);
}

/* ---- responses ---- */

static const struct head_case responses[] = {
    { "101",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      "\x81\x00", "101 1.1 alive | upgrade=websocket | connection=Upgrade" },
    { "refused", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n", "no",
      "403 1.1 alive body | content-length=2" },
    { "no phrase", "HTTP/1.1 200 \r\n\r\n", "", "200 1.1 alive" },
    { "1.0", "HTTP/1.0 200 OK\r\n\r\n", "x", "200 1.0" },
};

TEST(responses_are_read_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(responses); i++) {
        const struct head_case *c = &responses[i];
        char input[600];
        int len = snprintf(input, sizeof input, "%s%s", c->head, c->rest);
        check_every_cut(c->name, MW_HTTP_RESPONSE, mw_view(input, (size_t)len), c->said,
                        strlen(c->head));
    }
    check_every_cut("not HTTP", MW_HTTP_RESPONSE, mw_view_text("hello\r\n\r\n"), "400 bad_request",
                    SIZE_MAX);
}

/* ---- life ---- */

TEST(a_reader_is_as_new_after_a_reset)
{
    struct mw_http_refusal refusal;
    struct mw_mem mem;
    size_t used;
    mw_mem_init(&mem, NULL, 0);
    struct mw_http_reader *reader = mw_http_reader_new(&mem, MW_HTTP_REQUEST);
    struct mw_view input = MW_VIEW("POST /first HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n"
                                   "GET /second HTTP/1.0\r\n\r\n");
    assert_int_equal(mw_http_reader_feed(reader, input, &used, &refusal), MW_OK);
    assert_false(mw_http_reader_is_fresh(reader));
    mw_http_reader_reset(reader);
    assert_true(mw_http_reader_is_fresh(reader));
    input = mw_view(input.data + used, input.len - used);
    assert_int_equal(mw_http_reader_feed(reader, input, &used, &refusal), MW_OK);
    const struct mw_http_head *head = mw_http_reader_head(reader);
    assert_view(head->method, "GET");
    assert_view(head->target, "/second");
    assert_int_equal(head->header_count, 0);
    assert_int_equal(used, input.len);
    mw_http_reader_free(reader);
    assert_mem_empty(&mem);
}

TEST(headers_are_found_and_counted_by_name)
{
    static const struct mw_header headers[] = { { MW_VIEW("x"), MW_VIEW("1") },
                                                { MW_VIEW("y"), MW_VIEW("a, B ,c") },
                                                { MW_VIEW("x"), MW_VIEW("2") },
                                                { MW_VIEW("y"), MW_VIEW("d") } };
    const struct mw_http_head head = { .headers = headers, .header_count = MW_COUNT(headers) };
    size_t count = 9;
    assert_view(mw_http_header(&head, "x", &count), "1");
    assert_int_equal(count, 2);
    assert_int_equal(mw_http_header(&head, "z", &count).len, 0);
    assert_int_equal(count, 0);
    assert_view(mw_http_header(&head, "y", NULL), "a, B ,c");
    assert_true(mw_http_has_token(&head, "y", "b"));
    assert_true(mw_http_has_token(&head, "y", "D"));
    assert_false(mw_http_has_token(&head, "y", "a, B"));
    assert_false(mw_http_has_token(&head, "z", "a"));
}

static bool read_a_long_head(struct mw_mem *mem)
{
    char input[4096];
    size_t len = with_headers(input, MW_HTTP_MAX_HEADERS), used;
    struct mw_http_refusal refusal;
    struct mw_http_reader *reader = mw_http_reader_new(mem, MW_HTTP_REQUEST);
    int err = reader ? MW_ERR_AGAIN : MW_ERR_NOMEM;
    for (size_t at = 0; err == MW_ERR_AGAIN; at++)
        err = mw_http_reader_feed(reader, mw_view(input + at, 1), &used, &refusal);
    (void)len;
    mw_http_reader_free(reader);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    return err == MW_OK;
}

TEST(no_memory_is_an_answer_at_every_allocation)
{
    assert_in_range(fail_each_allocation(read_a_long_head), 5, 100);
}

/* Connections that say nothing must be cheap. */
TEST(storage_grows_with_the_bytes_that_came)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_http_reader *reader = mw_http_reader_new(&mem, MW_HTTP_REQUEST);
    assert_in_range(mem.bytes, 1, 512);
    mw_http_reader_free(reader);
    mw_http_reader_free(NULL);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(requests_are_read_the_same_at_every_cut),
        CASE(refusals_are_the_same_at_every_cut),
        CASE(tls_is_named_with_its_first_byte),
        CASE(a_head_may_be_as_large_as_the_limit_and_no_larger),
        CASE(a_target_may_be_as_long_as_the_limit_and_no_longer),
        CASE(a_head_may_have_as_many_headers_as_the_limit_and_no_more),
        CASE(responses_are_read_the_same_at_every_cut),
        CASE(a_reader_is_as_new_after_a_reset),
        CASE(headers_are_found_and_counted_by_name),
        CASE(no_memory_is_an_answer_at_every_allocation),
        CASE(storage_grows_with_the_bytes_that_came),
    };
    return RUN(tests);
}
