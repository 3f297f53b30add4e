/* http_out: heads, refusals, and that no value can forge a line. */
#include "core/proto/http_out.h"

#include <stdio.h>

#include "core/base/json.h"
#include "core/base/str.h"
#include "tests/unit/unit.h"

#define NOON_1994 784111777000u /* the date of RFC 9110 5.6.7 */

static struct mw_buf open_buf(struct mw_mem *mem)
{
    struct mw_buf buf;
    mw_mem_init(mem, NULL, 0);
    mw_buf_init(&buf, mem, 0);
    return buf;
}

TEST(phrases_are_known_or_unknown)
{
    assert_string_equal(mw_http_phrase(101), "Switching Protocols");
    assert_string_equal(mw_http_phrase(404), "Not Found");
    assert_string_equal(mw_http_phrase(431), "Request Header Fields Too Large");
    assert_string_equal(mw_http_phrase(499), "Unknown");
    assert_string_equal(mw_http_phrase(0), "Unknown");
}

TEST(a_head_is_written_piece_by_piece)
{
    struct mw_mem mem;
    struct mw_buf out = open_buf(&mem);
    assert_int_equal(mw_http_start(&out, 200, NOON_1994), MW_OK);
    assert_int_equal(mw_http_field(&out, "X-Text", mw_view_text("a\tb \xC3\xA4")), MW_OK);
    assert_int_equal(mw_http_field(&out, "X-Empty", mw_view(NULL, 0)), MW_OK);
    assert_int_equal(mw_http_field_number(&out, "Content-Length", UINT64_MAX), MW_OK);
    assert_int_equal(mw_http_end(&out), MW_OK);
    assert_view(mw_buf_view(&out), "HTTP/1.1 200 OK\r\n"
                                   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                   "Server: moonwire\r\n"
                                   "X-Text: a\tb \xC3\xA4\r\n"
                                   "X-Empty: \r\n"
                                   "Content-Length: 18446744073709551615\r\n"
                                   "\r\n");
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

TEST(a_value_with_a_control_character_is_refused)
{
    struct mw_mem mem;
    struct mw_buf out = open_buf(&mem);
    for (int c = 0; c < 256; c++) {
        char value[] = { 'a', (char)c, 'b' };
        bool is_control = (c < 32 && c != '\t') || c == 127;
        int err = mw_http_field(&out, "X", mw_view(value, sizeof value));
        assert_int_equal(err, is_control ? MW_ERR_BAD_ARG : MW_OK);
        assert_int_equal(out.len, is_control ? 0 : 8);
        mw_buf_clear(&out);
    }
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

TEST(a_refusal_is_whole_and_says_its_length)
{
    struct mw_mem mem;
    struct mw_buf out = open_buf(&mem);
    assert_int_equal(mw_http_refuse(&out, 426, "bad_version", mw_view_text("say \"13\"\r\n"),
                                    "close", "Sec-WebSocket-Version: 13\r\n", NULL, NOON_1994),
                     MW_OK);
    const char *body = "{\"error\":\"bad_version\",\"detail\":\"say \\\"13\\\"\\r\\n\","
                       "\"status\":426}\n";
    char expected[512];
    snprintf(expected, sizeof expected,
             "HTTP/1.1 426 Upgrade Required\r\n"
             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
             "Server: moonwire\r\n"
             "Connection: close\r\n"
             "Content-Type: application/json\r\n"
             "Cache-Control: no-store\r\n"
             "Content-Length: %zu\r\n"
             "Sec-WebSocket-Version: 13\r\n"
             "\r\n%s",
             strlen(body), body);
    assert_view(mw_buf_view(&out), expected);
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

TEST(a_refusal_says_when_to_come_back)
{
    static const struct {
        struct mw_http_told told;
        const char *head, *body; /* head "": no Retry-After */
    } cases[] = {
        { { "drain", { .kind = MW_ADVICE_RETURN, .after_ms = 1500, .spread_ms = 250 } },
          "Retry-After: 2\r\n",
          "\"cause\":\"drain\",\"retry\":{\"after\":1.5,\"spread\":0.25}}" },
        { { "drain", { .kind = MW_ADVICE_RETURN } },
          "Retry-After: 1\r\n",
          "\"retry\":{\"after\":0,\"spread\":0}}" },
        { { NULL, { .kind = MW_ADVICE_STAY } }, "", "\"cause\":null,\"retry\":false}" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_mem mem;
        struct mw_buf out = open_buf(&mem);
        assert_int_equal(mw_http_refuse(&out, 503, "stopping", mw_view_text("wait"), NULL, NULL,
                                        &cases[i].told, 0),
                         MW_OK);
        const char *text = mw_buf_cstr(&out);
        assert_int_equal(strstr(text, "Retry-After") != NULL, *cases[i].head != '\0');
        assert_non_null(strstr(text, cases[i].head));
        if (!strstr(text, cases[i].body))
            assert_string_equal(text, cases[i].body);
        mw_buf_free(&out);
        assert_mem_empty(&mem);
    }
}

TEST(a_detail_may_hold_any_bytes)
{
    struct mw_mem mem;
    struct mw_buf out = open_buf(&mem);
    assert_int_equal(mw_http_refuse(&out, 400, "bad", mw_view("\xFF\0\n", 3), NULL, NULL, NULL, 0),
                     MW_OK);
    const char *text = mw_buf_cstr(&out);
    assert_null(strstr(text, "Connection:"));
    const char *body = strstr(text, "\r\n\r\n") + 4;
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(&mem, mw_view_text(body), &error);
    assert_non_null(doc);
    mw_json_doc_free(doc);
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

static bool refuse_behind_other_bytes(struct mw_mem *mem)
{
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    int err = mw_buf_put_text(&out, "before");
    size_t before = out.len;
    if (!err)
        err = mw_http_refuse(&out, 404, "not_found", mw_view_text("nothing here"), "close", NULL,
                             NULL, 0);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    if (err)
        assert_int_equal(out.len, before);
    mw_buf_free(&out);
    return err == MW_OK;
}

TEST(a_refusal_without_memory_changes_nothing)
{
    assert_in_range(fail_each_allocation(refuse_behind_other_bytes), 3, 100);
}

/* Reads `request`, writes its head, and reads that: gives what was written. */
static void expect_again(const char *request, const char *want)
{
    struct mw_mem mem;
    struct mw_buf out = open_buf(&mem);
    struct mw_http_refusal refusal;
    size_t used;
    struct mw_http_reader *first = mw_http_reader_new(&mem, MW_HTTP_REQUEST);
    assert_int_equal(mw_http_reader_feed(first, mw_view_text(request), &used, &refusal), MW_OK);
    const struct mw_http_head *head = mw_http_reader_head(first);
    assert_int_equal(mw_http_put_request(&out, head), MW_OK);
    assert_view(mw_buf_view(&out), want);
    struct mw_http_reader *second = mw_http_reader_new(&mem, MW_HTTP_REQUEST);
    assert_int_equal(mw_http_reader_feed(second, mw_buf_view(&out), &used, &refusal), MW_OK);
    assert_int_equal(used, out.len);
    const struct mw_http_head *again = mw_http_reader_head(second);
    assert_true(mw_view_equal(head->method, again->method));
    assert_true(mw_view_equal(head->target, again->target));
    assert_int_equal(head->minor, again->minor);
    assert_int_equal(head->keep_alive, again->keep_alive);
    assert_int_equal(head->has_body, again->has_body);
    assert_int_equal(head->header_count, again->header_count);
    for (size_t i = 0; i < head->header_count; i++) {
        assert_true(mw_view_equal(head->headers[i].name, again->headers[i].name));
        assert_true(mw_view_equal(head->headers[i].value, again->headers[i].value));
    }
    mw_http_reader_free(first);
    mw_http_reader_free(second);
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

TEST(a_request_that_is_written_once_more_reads_the_same)
{
    expect_again("GET /chat/a%20b?x=1 HTTP/1.1\r\nHost:  x \r\nUpgrade: websocket\r\n"
                 "Connection: keep-alive, Upgrade\r\nCookie: a=1\r\nX-Empty:\r\nCookie: "
                 "b=\xc3\xa9\r\n\r\nframes",
                 "GET /chat/a%20b?x=1 HTTP/1.1\r\nhost:x\r\nupgrade:websocket\r\n"
                 "connection:keep-alive, Upgrade\r\ncookie:a=1\r\nx-empty:\r\ncookie:b=\xc3\xa9\r\n"
                 "\r\n");
    expect_again("GET http://y:80/ HTTP/1.1\r\nHost: x\r\n\r\n",
                 "GET http://y:80/ HTTP/1.1\r\nhost:y:80\r\n\r\n");
    expect_again("\r\nOPTIONS * HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                 "OPTIONS * HTTP/1.0\r\nhost:x\r\ncontent-length:5\r\n\r\n");
}

static bool put_a_request(struct mw_mem *mem)
{
    const struct mw_header header = { mw_view_text("host"), mw_view_text("x") };
    const struct mw_http_head head = { .method = mw_view_text("GET"),
                                       .target = mw_view_text("/"),
                                       .major = 1,
                                       .minor = 1,
                                       .headers = &header,
                                       .header_count = 1 };
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    int err = mw_http_put_request(&out, &head);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    mw_buf_free(&out);
    return err == MW_OK;
}

TEST(a_request_without_memory_says_so)
{
    assert_in_range(fail_each_allocation(put_a_request), 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(phrases_are_known_or_unknown),
        CASE(a_head_is_written_piece_by_piece),
        CASE(a_value_with_a_control_character_is_refused),
        CASE(a_refusal_is_whole_and_says_its_length),
        CASE(a_refusal_says_when_to_come_back),
        CASE(a_detail_may_hold_any_bytes),
        CASE(a_refusal_without_memory_changes_nothing),
        CASE(a_request_that_is_written_once_more_reads_the_same),
        CASE(a_request_without_memory_says_so),
    };
    return RUN(tests);
}
