/* request_line: every form of line and of what is none, each at every cut. */
#include "core/proto/request_line.h"

#include <stdio.h>

#include "tests/unit/proto/notation.h"

/* What was said, and after how many bytes. */
struct answer {
    char text[200];
    size_t used;
};

static struct answer run(struct mw_view input, size_t step)
{
    struct answer answer = { "more", 0 };
    struct mw_request_line line = { 0 };
    const struct mw_http_refusal *refusal = NULL;
    struct mw_mem mem;
    struct mw_buf text;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, MW_HTTP_MAX_HEAD);
    int err = MW_ERR_AGAIN;
    for (size_t at = 0; at < input.len && err == MW_ERR_AGAIN; at += step) {
        size_t used, len = input.len - at < step ? input.len - at : step;
        char *piece = exact_copy(input.data + at, len);
        err = mw_request_line_feed(&line, mw_view(piece, len), &text, &used, &refusal);
        free(piece);
        answer.used += used;
    }
    if (err == MW_ERR_PROTOCOL)
        snprintf(answer.text, sizeof answer.text, "%u %s", refusal->status, refusal->error);
    else if (err == MW_OK)
        snprintf(answer.text, sizeof answer.text, "%.*s %.*s 1.%u", (int)line.method_len, text.data,
                 (int)line.target_len, text.data + line.method_len, line.minor);
    mw_buf_free(&text);
    assert_mem_empty(&mem);
    return answer;
}

static const struct {
    struct mw_view input;
    const char *said;
    size_t used; /* a refusal: bytes before the one that cannot be right */
} lines[] = {
    /* forms of targets */
    { MW_VIEW("GET / HTTP/1.1\r\nHost: a"), "GET / 1.1", 16 },
    { MW_VIEW("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0", 16 },
    { MW_VIEW("GET /a?b=%20&[]{}|^`\"<>\\ HTTP/1.1\r\n"), "GET /a?b=%20&[]{}|^`\"<>\\ 1.1", 35 },
    { MW_VIEW("GET http://h:1/p HTTP/1.1\r\n"), "GET http://h:1/p 1.1", 27 },
    { MW_VIEW("OPTIONS * HTTP/1.1\r\n"), "OPTIONS * 1.1", 20 },
    { MW_VIEW("CONNECT h:1 HTTP/1.1\r\n"), "CONNECT h:1 1.1", 22 },
    { MW_VIEW("CONNECT [::1]:443 HTTP/1.1\r\n"), "CONNECT [::1]:443 1.1", 28 },
    { MW_VIEW("GET h:1 HTTP/1.1\r\n"), "400 bad_target", 7 },
    { MW_VIEW("GET * HTTP/1.1\r\n"), "400 bad_target", 5 },
    { MW_VIEW("GET a HTTP/1.1\r\n"), "400 bad_target", 5 },
    { MW_VIEW("GET ?a HTTP/1.1\r\n"), "400 bad_target", 6 },
    { MW_VIEW("GET ftp://h/ HTTP/1.1\r\n"), "400 bad_target", 12 },
    { MW_VIEW("GET http:///p HTTP/1.1\r\n"), "400 bad_target", 13 },
    { MW_VIEW("GET http://u@h/p HTTP/1.1\r\n"), "400 bad_target", 16 },
    { MW_VIEW("CONNECT /a HTTP/1.1\r\n"), "400 bad_target", 10 },
    { MW_VIEW("CONNECT h HTTP/1.1\r\n"), "400 bad_target", 9 },
    { MW_VIEW("CONNECT http://h:1/ HTTP/1.1\r\n"), "400 bad_target", 19 },
    { MW_VIEW("OPTIONS ** HTTP/1.1\r\n"), "400 bad_target", 10 },
    { MW_VIEW("GET /#a HTTP/1.1\r\n"), "400 bad_target", 5 },
    { MW_VIEW("GET /\0 HTTP/1.1\r\n"), "400 bad_target", 5 },
    { MW_VIEW("GET /\ta HTTP/1.1\r\n"), "400 bad_target", 5 },
    { MW_VIEW("GET /\x7F HTTP/1.1\r\n"), "400 bad_target", 5 },
    { MW_VIEW("GET /\xC3\xA4 HTTP/1.1\r\n"), "400 bad_target", 5 },
    /* methods */
    { MW_VIEW("get / HTTP/1.1\r\n"), "501 unknown_method", 3 },
    { MW_VIEW("BREW / HTTP/1.1\r\n"), "501 unknown_method", 4 },
    { MW_VIEW("GETS / HTTP/1.1\r\n"), "501 unknown_method", 4 },
    { MW_VIEW("PROPFIND / HTTP/1.1\r\n"), "501 unknown_method", 8 },
    { MW_VIEW("ABCDEFGHIJKLMNOPQRSTUVWX / HTTP/1.1\r\n"), "501 unknown_method", 24 },
    { MW_VIEW("ABCDEFGHIJKLMNOPQRSTUVWXY / HTTP/1.1\r\n"), "501 unknown_method", 24 },
    { MW_VIEW("G\0T / HTTP/1.1\r\n"), "400 bad_method", 1 },
    { MW_VIEW("G\xC3\x8BT / HTTP/1.1\r\n"), "400 bad_method", 1 },
    { MW_VIEW("GET\t/ HTTP/1.1\r\n"), "400 bad_method", 3 },
    { MW_VIEW("GET\r\n"), "400 bad_method", 3 },
    { MW_VIEW(" GET / HTTP/1.1\r\n"), "400 bad_method", 0 },
    { MW_VIEW("\tGET / HTTP/1.1\r\n"), "400 bad_method", 0 },
    /* blanks and versions */
    { MW_VIEW("GET  / HTTP/1.1\r\n"), "400 bad_request", 4 },
    { MW_VIEW("GET \r\n"), "400 bad_request", 4 },
    { MW_VIEW("GET /  HTTP/1.1\r\n"), "400 bad_request", 6 },
    { MW_VIEW("GET /a b HTTP/1.1\r\n"), "400 bad_request", 7 },
    { MW_VIEW("GET / http/1.1\r\n"), "400 bad_request", 6 },
    { MW_VIEW("GET / FTP/1.1\r\n"), "400 bad_request", 6 },
    { MW_VIEW("GET / HTTP/1.1 \r\n"), "400 bad_request", 14 },
    { MW_VIEW("GET / HTTP/1.10\r\n"), "400 bad_request", 14 },
    { MW_VIEW("GET / HTTP/1,1\r\n"), "400 bad_request", 12 },
    { MW_VIEW("GET / HTTP/x.1\r\n"), "400 bad_request", 11 },
    { MW_VIEW("GET / HTTP/1.\r\n"), "400 bad_request", 13 },
    { MW_VIEW("GET / HTTP/1\r\n"), "400 bad_request", 12 },
    { MW_VIEW("GET / HTTP/1.2\r\n"), "505 bad_version", 13 },
    { MW_VIEW("GET / HTTP/0.9\r\n"), "505 bad_version", 11 },
    { MW_VIEW("GET / HTTP/2.0\r\n"), "505 bad_version", 11 },
    { MW_VIEW("GET / HTTP/2\r\n"), "505 bad_version", 11 },
    { MW_VIEW("GET /\r\n"), "505 bad_version", 5 },
    { MW_VIEW("GET /\n"), "505 bad_version", 5 },
    /* ends of lines */
    { MW_VIEW("GET / HTTP/1.1\nHost: a\r\n\r\n"), "400 bad_line_end", 14 },
    { MW_VIEW("GET / HTTP/1.1\rHost: a\r\n\r\n"), "400 bad_line_end", 15 },
    { MW_VIEW("GET / HTTP/1.1\r\r\n"), "400 bad_line_end", 15 },
    { MW_VIEW("\r\nGET / HTTP/1.1\r\n"), "GET / 1.1", 18 },
    { MW_VIEW("\r\n\r\nGET / HTTP/1.1\r\n"), "GET / 1.1", 20 },
    { MW_VIEW("\r\n\r\n\r\nGET / HTTP/1.1\r\n"), "400 empty_lines", 5 },
    { MW_VIEW("\nGET / HTTP/1.1\r\n"), "400 bad_line_end", 0 },
    { MW_VIEW("\rGET / HTTP/1.1\r\n"), "400 bad_line_end", 1 },
    { MW_VIEW("\r\r\n"), "400 bad_line_end", 1 },
    { MW_VIEW(" \r\nGET / HTTP/1.1\r\n"), "400 bad_method", 0 },
    /* other protocols */
    { MW_VIEW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "505 http_2", 3 },
    { MW_VIEW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"), "400 tls_on_plain_port", 0 },
    { MW_VIEW("\r\n\x16"), "400 bad_method", 2 },
    { MW_VIEW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), "400 proxy_header", 5 },
    { MW_VIEW("\r\n\r\n\0\r\nQUIT\n"), "400 proxy_header", 4 },
    { MW_VIEW("\x81\x85\x37\xfa\x21\x3d"), "400 bad_method", 0 },
    { MW_VIEW("SSH-2.0-OpenSSH_9.2\r\n"), "400 bad_method", 19 },
    { MW_VIEW("hello\r\n\r\n"), "400 bad_method", 5 },
    { MW_VIEW("{\"a\":1}"), "400 bad_method", 0 },
    /* not yet decided */
    { MW_VIEW(""), "more", 0 },
    { MW_VIEW("\r\n\r"), "more", 3 },
    { MW_VIEW("PRI"), "more", 3 },
    { MW_VIEW("GET / HTTP/1.1\r"), "more", 15 },
};

TEST(lines_are_read_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(lines); i++) {
        for (size_t step = 1; step <= lines[i].input.len + 1; step++) {
            struct answer seen = run(lines[i].input, step);
            if (strcmp(seen.text, lines[i].said) != 0 || seen.used != lines[i].used)
                fail_msg("%s in pieces of %zu: \"%s\" after %zu, not \"%s\" after %zu",
                         lines[i].input.data, step, seen.text, seen.used, lines[i].said,
                         lines[i].used);
        }
    }
}

static bool read_long_target(struct mw_mem *mem)
{
    char input[MW_HTTP_MAX_TARGET + 20] = "GET /";
    memset(input + 5, 'x', MW_HTTP_MAX_TARGET - 1);
    memcpy(input + 4 + MW_HTTP_MAX_TARGET, " HTTP/1.1\r\n", 12);
    struct mw_request_line line = { 0 };
    const struct mw_http_refusal *refusal;
    struct mw_buf text;
    size_t used;
    mw_buf_init(&text, mem, 0);
    int err = mw_request_line_feed(&line, mw_view_text(input), &text, &used, &refusal);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    mw_buf_free(&text);
    return err == MW_OK;
}

TEST(no_memory_is_an_answer_at_every_allocation)
{
    assert_in_range(fail_each_allocation(read_long_target), 2, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lines_are_read_the_same_at_every_cut),
        CASE(no_memory_is_an_answer_at_every_allocation),
    };
    return RUN(tests);
}
