/* handshake: each rule of RFC 6455 4 broken alone, origins, and both roles against each other. */
#include "core/proto/handshake.h"

#include <stdio.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

/* ---- reading heads for the cases ---- */

static struct mw_mem heads; /* of all fixtures */

static const struct mw_ext_deflate none; /* no extension */

struct fixture {
    struct mw_http_reader *reader;
    const struct mw_http_head *head;
};

static struct fixture read_head(enum mw_http_kind kind, const char *text)
{
    struct fixture fixture;
    struct mw_http_refusal refusal;
    size_t used;
    fixture.reader = mw_http_reader_new(&heads, kind);
    int err = mw_http_reader_feed(fixture.reader, mw_view_text(text), &used, &refusal);
    if (err != MW_OK)
        fail_msg("not a head (%d %s): %s", err, refusal.error, text);
    fixture.head = mw_http_reader_head(fixture.reader);
    return fixture;
}

static void done(struct fixture *fixture)
{
    mw_http_reader_free(fixture->reader);
    fixture->reader = NULL;
}

#define LINE       "GET /chat HTTP/1.1\r\n"
#define HOST       "Host: example.com\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define VERSION    "Sec-WebSocket-Version: 13\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ALL        LINE HOST UPGRADE CONNECTION VERSION KEY

/* ---- requests ---- */

static const struct {
    const char *name, *head, *error; /* NULL: accepted */
    unsigned status;
} requests[] = {
    { "the least", ALL "\r\n", NULL, 0 },
    { "HTTP/1.1 names in other case",
      LINE "HOST: h\r\nUPGRADE: WebSocket\r\nCONNECTION: uPGRADE\r\n" VERSION KEY "\r\n", NULL, 0 },
    { "lists",
      LINE HOST "Upgrade: h2c, websocket\r\nConnection: keep-alive, Upgrade\r\n" VERSION KEY "\r\n",
      NULL, 0 },
    { "lists over lines",
      LINE HOST "Upgrade: h2c\r\n" UPGRADE "Connection: keep-alive\r\n" CONNECTION VERSION KEY
                "\r\n",
      NULL, 0 },
    { "extensions offered", ALL "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", NULL, 0 },
    { "extensions that nobody knows",
      ALL "Sec-WebSocket-Extensions: x-a; b=1, x-c; d=\"e\"\r\n\r\n", NULL, 0 },
    { "extensions against the grammar", ALL "Sec-WebSocket-Extensions: x-a;;b\r\n\r\n",
      "bad_extensions", 400 },
    { "length 0", ALL "Content-Length: 0\r\n\r\n", NULL, 0 },
    { "POST", "POST / HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION KEY "\r\n", "bad_method", 405 },
    { "HEAD", "HEAD / HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION KEY "\r\n", "bad_method", 405 },
    { "HTTP/1.0", "GET / HTTP/1.0\r\n" HOST UPGRADE CONNECTION VERSION KEY "\r\n", "bad_version",
      505 },
    { "empty Host", LINE "Host:\r\n" UPGRADE CONNECTION VERSION KEY "\r\n", "bad_host", 400 },
    { "no Upgrade", LINE HOST CONNECTION VERSION KEY "\r\n", "bad_upgrade", 400 },
    { "another Upgrade", LINE HOST "Upgrade: h2c\r\n" CONNECTION VERSION KEY "\r\n", "bad_upgrade",
      400 },
    { "longer Upgrade", LINE HOST "Upgrade: websockets\r\n" CONNECTION VERSION KEY "\r\n",
      "bad_upgrade", 400 },
    { "no Connection", LINE HOST UPGRADE VERSION KEY "\r\n", "bad_connection", 400 },
    { "Connection without Upgrade",
      LINE HOST UPGRADE "Connection: keep-alive\r\n" VERSION KEY "\r\n", "bad_connection", 400 },
    { "no version", LINE HOST UPGRADE CONNECTION KEY "\r\n", "bad_websocket_version", 426 },
    { "version 8", LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" KEY "\r\n",
      "bad_websocket_version", 426 },
    { "version 013", LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 013\r\n" KEY "\r\n",
      "bad_websocket_version", 426 },
    { "list of versions",
      LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 13, 8\r\n" KEY "\r\n",
      "bad_websocket_version", 426 },
    { "two versions", ALL VERSION "\r\n", "bad_websocket_version", 426 },
    { "no key", LINE HOST UPGRADE CONNECTION VERSION "\r\n", "bad_key", 400 },
    { "two keys", ALL KEY "\r\n", "bad_key", 400 },
    { "empty key", LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n\r\n", "bad_key",
      400 },
    { "key of 15 bytes",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n\r\n",
      "bad_key", 400 },
    { "key of 17 bytes",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
      "bad_key", 400 },
    { "key of 18 bytes",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA\r\n\r\n",
      "bad_key", 400 },
    { "key not base64",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAA*AAAAAAAAAAA==\r\n\r\n",
      "bad_key", 400 },
    { "key without padding",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA\r\n\r\n",
      "bad_key", 400 },
    { "key with bits behind its last byte",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n",
      "bad_key", 400 },
    { "key with one sign of padding",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n\r\n",
      "bad_key", 400 },
    { "key of the other alphabet",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBs_SBub25jZQ==\r\n\r\n",
      "bad_key", 400 },
    { "blank in the key",
      LINE HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBs SBub25jZQ==\r\n\r\n",
      "bad_key", 400 },
    { "list of keys",
      LINE HOST UPGRADE CONNECTION VERSION
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      "bad_key", 400 },
    { "one Origin", ALL "Origin: null\r\n\r\n", NULL, 0 },
    { "two Origins", ALL "Origin: http://a\r\nOrigin: http://a\r\n\r\n", "bad_origin", 400 },
    { "empty elements in Connection",
      LINE HOST UPGRADE "Connection: , ,upgrade,\r\n" VERSION KEY "\r\n", NULL, 0 },
    { "Upgrade with a version of its own",
      LINE HOST "Upgrade: websocket/13\r\n" CONNECTION VERSION KEY "\r\n", "bad_upgrade", 400 },
    { "quoted Upgrade", LINE HOST "Upgrade: \"websocket\"\r\n" CONNECTION VERSION KEY "\r\n",
      "bad_upgrade", 400 },
    { "absolute form",
      "GET http://example.com/chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION VERSION KEY "\r\n", NULL,
      0 },
    { "no version before a bad key", LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Key: x\r\n\r\n",
      "bad_websocket_version", 426 },
    { "body by length", ALL "Content-Length: 1\r\n\r\n", "has_body", 400 },
    { "chunked body", ALL "Transfer-Encoding: chunked\r\n\r\n", "has_body", 400 },
    { "protocols", ALL "Sec-WebSocket-Protocol: a, b\r\n\r\n", NULL, 0 },
    { "protocols over lines", ALL "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: A,\r\n\r\n",
      NULL, 0 },
    { "no protocol", ALL "Sec-WebSocket-Protocol:\r\n\r\n", "bad_protocol", 400 },
    { "only commas", ALL "Sec-WebSocket-Protocol: , ,\r\n\r\n", "bad_protocol", 400 },
    { "blank in a protocol", ALL "Sec-WebSocket-Protocol: a b\r\n\r\n", "bad_protocol", 400 },
    { "quoted protocol", ALL "Sec-WebSocket-Protocol: \"a\"\r\n\r\n", "bad_protocol", 400 },
    { "UTF-8 protocol", ALL "Sec-WebSocket-Protocol: \xC3\xA4\r\n\r\n", "bad_protocol", 400 },
    { "protocol twice", ALL "Sec-WebSocket-Protocol: a, b, a\r\n\r\n", "bad_protocol", 400 },
    { "protocol twice over lines",
      ALL "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n\r\n", "bad_protocol", 400 },
};

TEST(each_rule_has_its_own_refusal)
{
    for (size_t i = 0; i < MW_COUNT(requests); i++) {
        struct fixture fixture = read_head(MW_HTTP_REQUEST, requests[i].head);
        struct mw_ws_refusal refusal = { 0 };
        int err = mw_ws_check_request(fixture.head, &refusal);
        const char *expected = requests[i].error;
        if ((err == MW_OK) != !expected || (expected && strcmp(expected, refusal.error)))
            fail_msg("%s: %d %s", requests[i].name, err, refusal.error ? refusal.error : "");
        if (expected) {
            assert_int_equal(err, MW_ERR_PROTOCOL);
            assert_int_equal(refusal.status, requests[i].status);
            assert_non_null(strstr(refusal.text, "RFC 645"));
        }
        done(&fixture);
    }
}

TEST(missing_host_is_refused_even_where_the_reader_lets_it_through)
{
    static const struct mw_header headers[] = { { MW_VIEW("upgrade"), MW_VIEW("websocket") } };
    const struct mw_http_head head = { MW_VIEW("GET"), MW_VIEW("/"), 0, 1, 1, headers, 1,
                                       true,           false };
    struct mw_ws_refusal refusal;
    assert_int_equal(mw_ws_check_request(&head, &refusal), MW_ERR_PROTOCOL);
    assert_string_equal(refusal.error, "bad_host");
}

TEST(a_refused_version_says_which_one_is_spoken)
{
    struct fixture fixture = read_head(MW_HTTP_REQUEST, LINE HOST UPGRADE CONNECTION KEY "\r\n");
    struct mw_ws_refusal refusal;
    mw_ws_check_request(fixture.head, &refusal);
    assert_non_null(strstr(refusal.extra, "Sec-WebSocket-Version: 13\r\n"));
    done(&fixture);
}

TEST(an_upgrade_is_recognised_before_it_is_judged)
{
    struct fixture fixture = read_head(MW_HTTP_REQUEST, LINE HOST "Upgrade: WEBSOCKET\r\n\r\n");
    assert_true(mw_ws_is_upgrade(fixture.head));
    done(&fixture);
    fixture = read_head(MW_HTTP_REQUEST, LINE HOST "Upgrade: h2c\r\n\r\n");
    assert_false(mw_ws_is_upgrade(fixture.head));
    done(&fixture);
    fixture = read_head(MW_HTTP_REQUEST, LINE HOST "\r\n");
    assert_false(mw_ws_is_upgrade(fixture.head));
    done(&fixture);
}

/* ---- subprotocols ---- */

static int pick(const char *lines, const struct mw_view *mine, size_t count)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s\r\n", ALL, lines);
    struct fixture fixture = read_head(MW_HTTP_REQUEST, text);
    int picked = mw_ws_pick_protocol(fixture.head, mine, count);
    done(&fixture);
    return picked;
}

TEST(the_servers_order_of_preference_decides)
{
    static const struct mw_view mine[] = { MW_VIEW("v2"), MW_VIEW("v1") };
    assert_int_equal(pick("Sec-WebSocket-Protocol: v1, v2\r\n", mine, 2), 0);
    assert_int_equal(pick("Sec-WebSocket-Protocol: v1\r\n", mine, 2), 1);
    assert_int_equal(pick("Sec-WebSocket-Protocol: v0\r\nSec-WebSocket-Protocol: ,v2\r\n", mine, 2),
                     0);
    assert_int_equal(pick("Sec-WebSocket-Protocol: V2, v22\r\n", mine, 2), -1);
    assert_int_equal(pick("", mine, 2), -1);
    assert_int_equal(pick("Sec-WebSocket-Protocol: v1\r\n", NULL, 0), -1);
}

TEST(a_head_full_of_offers_is_refused)
{
    char text[4096];
    size_t len = (size_t)snprintf(text, sizeof text, "%sSec-WebSocket-Protocol: p0", ALL);
    for (int i = 1; i <= 64; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ",p%d", i);
    snprintf(text + len, sizeof text - len, "\r\n\r\n");
    struct fixture fixture = read_head(MW_HTTP_REQUEST, text);
    struct mw_ws_refusal refusal;
    assert_int_equal(mw_ws_check_request(fixture.head, &refusal), MW_ERR_PROTOCOL);
    assert_string_equal(refusal.error, "too_many_protocols");
    done(&fixture);
}

/* ---- origins ---- */

static const struct {
    const char *host, *origin;
    bool same;
} origins[] = {
    { "example.com", NULL, true },
    { "example.com", "http://example.com", true },
    { "example.com", "https://example.com", true },
    { "Example.com", "HTTP://eXample.COM", true },
    { "example.com:80", "http://example.com", true },
    { "example.com", "http://example.com:80", true },
    { "example.com:443", "https://example.com", true },
    { "example.com:8080", "http://example.com:8080", true },
    { "127.0.0.1:8080", "http://127.0.0.1:8080", true },
    { "[::1]:8080", "http://[::1]:8080", true },
    { "[::1]", "http://[::1]", true },
    { "example.com", "http://example.com:8080", false },
    { "example.com:8080", "http://example.com", false },
    { "example.com:80", "https://example.com", false },
    { "localhost:8080", "http://127.0.0.1:8080", false },
    { "[::1]:80", "http://[::2]:80", false },
    { "example.com", "http://evil.com", false },
    { "example.com", "http://example.com.evil.com", false },
    { "example.com", "http://sub.example.com", false },
    { "example.com", "http://example.com@evil.com", false },
    { "example.com", "http://example.com/", false },
    { "example.com", "http://", false },
    { "example.com", "example.com", false },
    { "example.com", "null", false },
    { "example.com", "", false },
    { "example.com", "file://", false },
    { "example.com", "chrome-extension://example.com", false },
    { "example.com", "http://example.com:x", false },
    { "example.com", "http://example.com:99999", false },
    { "example.com", "http://example.com:", true },
    { "example.com", "http://user@example.com", false },
    { "[::1]:8080", "http://[::1]", false },
};

static struct fixture with_origin(const char *host, const char *origin)
{
    char text[512];
    snprintf(text, sizeof text, "%sHost: %s\r\n%s%s%s\r\n", LINE, host, origin ? "Origin: " : "",
             origin ? origin : "", origin ? "\r\n" : "");
    return read_head(MW_HTTP_REQUEST, text);
}

TEST(same_origin_is_host_and_port)
{
    for (size_t i = 0; i < MW_COUNT(origins); i++) {
        struct fixture fixture = with_origin(origins[i].host, origins[i].origin);
        if (mw_ws_origin_is_same(fixture.head) != origins[i].same)
            fail_msg("%s at %s", origins[i].origin, origins[i].host);
        done(&fixture);
    }
}

TEST(two_origins_are_foreign)
{
    static const struct mw_view list[] = { MW_VIEW("http://a") };
    struct fixture fixture =
        read_head(MW_HTTP_REQUEST, LINE "Host: a\r\nOrigin: http://a\r\nOrigin: http://a\r\n\r\n");
    assert_false(mw_ws_origin_is_same(fixture.head));
    assert_false(mw_ws_origin_is_listed(fixture.head, list, 1));
    done(&fixture);
}

TEST(listed_origins_are_compared_whole)
{
    static const struct mw_view list[] = { MW_VIEW("https://a.com"), MW_VIEW("http://b:8080") };
    static const struct mw_view any[] = { MW_VIEW("*") };
    static const struct {
        const char *origin;
        bool listed;
    } cases[] = { { NULL, true },
                  { "https://a.com", true },
                  { "HTTPS://A.com", true },
                  { "http://b:8080", true },
                  { "http://a.com", false },
                  { "https://a.com:443", false },
                  { "https://a.com.evil", false },
                  { "null", false },
                  { "*", false } };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct fixture fixture = with_origin("h", cases[i].origin);
        assert_int_equal(mw_ws_origin_is_listed(fixture.head, list, 2), cases[i].listed);
        assert_true(mw_ws_origin_is_listed(fixture.head, any, 1));
        assert_int_equal(mw_ws_origin_is_listed(fixture.head, NULL, 0), cases[i].origin == NULL);
        done(&fixture);
    }
}

/* ---- answers ---- */

/* RFC 6455 1.3 */
TEST(the_key_of_the_standard_is_answered_as_there)
{
    char accept[MW_WS_ACCEPT_LEN + 1];
    assert_int_equal(mw_ws_accept(mw_view_text("dGhlIHNhbXBsZSBub25jZQ=="), accept), MW_OK);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(mw_ws_accept(mw_view_text("short"), accept), MW_ERR_BAD_ARG);
}

static const char *const key = "dGhlIHNhbXBsZSBub25jZQ==";

static void check_both_roles(struct mw_view protocol, const char *extra)
{
    struct mw_mem mem;
    struct mw_buf request, answer;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&request, &mem, 0);
    mw_buf_init(&answer, &mem, 0);
    assert_int_equal(mw_ws_request(&request, mw_view_text("h:1"), mw_view_text("/x?y"), key, extra),
                     MW_OK);
    struct fixture server = read_head(MW_HTTP_REQUEST, mw_buf_cstr(&request));
    struct mw_ws_refusal refusal;
    assert_int_equal(mw_ws_check_request(server.head, &refusal), MW_OK);
    assert_view(server.head->target, "/x?y");
    assert_int_equal(mw_ws_answer(&answer, server.head, protocol, &none), MW_OK);

    struct fixture client = read_head(MW_HTTP_RESPONSE, mw_buf_cstr(&answer));
    struct mw_ext_deflate terms = none;
    assert_int_equal(mw_ws_check_answer(client.head, key, &terms, &refusal), MW_OK);
    struct mw_view agreed = mw_http_header(client.head, "sec-websocket-protocol", NULL);
    assert_int_equal(agreed.len, protocol.len);
    done(&server);
    done(&client);
    mw_buf_free(&request);
    mw_buf_free(&answer);
    assert_mem_empty(&mem);
}

TEST(both_roles_agree_with_each_other)
{
    check_both_roles(mw_view("", 0), NULL);
    check_both_roles(mw_view("", 0), "Origin: http://h:1\r\nX: y\r\n");
    check_both_roles(mw_view_text("chat"), "Sec-WebSocket-Protocol: chat\r\n");
}

TEST(the_answer_is_the_one_of_the_standard)
{
    struct fixture fixture = read_head(MW_HTTP_REQUEST, ALL "\r\n");
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&out, &mem, 0);
    assert_int_equal(mw_ws_answer(&out, fixture.head, mw_view_text("chat"), &none), MW_OK);
    assert_view(mw_buf_view(&out), "HTTP/1.1 101 Switching Protocols\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                   "Sec-WebSocket-Protocol: chat\r\n\r\n");
    mw_buf_free(&out);
    done(&fixture);
    assert_mem_empty(&mem);
}

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static const struct {
    const char *head, *error;
    unsigned status;
} answers[] = {
    { "HTTP/1.1 403 Forbidden\r\n\r\n", "bad_status", 403 },
    { "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPT "\r\n", "bad_status", 200 },
    { SWITCH CONNECTION ACCEPT "\r\n", "bad_upgrade", 101 },
    { SWITCH UPGRADE ACCEPT "\r\n", "bad_connection", 101 },
    { SWITCH UPGRADE CONNECTION "\r\n", "bad_accept", 101 },
    { SWITCH UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n",
      "bad_accept", 101 },
    { SWITCH UPGRADE CONNECTION ACCEPT ACCEPT "\r\n", "bad_accept", 101 },
    { SWITCH UPGRADE CONNECTION ACCEPT "Sec-WebSocket-Extensions: x\r\n\r\n", "bad_extension",
      101 },
    { SWITCH UPGRADE CONNECTION ACCEPT
      "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\r\n",
      "bad_protocol", 101 },
};

TEST(a_client_refuses_each_wrong_answer)
{
    for (size_t i = 0; i < MW_COUNT(answers); i++) {
        struct fixture fixture = read_head(MW_HTTP_RESPONSE, answers[i].head);
        struct mw_ws_refusal refusal;
        struct mw_ext_deflate terms = none;
        assert_int_equal(mw_ws_check_answer(fixture.head, key, &terms, &refusal), MW_ERR_PROTOCOL);
        assert_string_equal(refusal.error, answers[i].error);
        assert_int_equal(refusal.status, answers[i].status);
        done(&fixture);
    }
}

static bool write_both(struct mw_mem *mem)
{
    struct fixture fixture = read_head(MW_HTTP_REQUEST, ALL "\r\n");
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    int err = mw_ws_request(&out, mw_view_text("h"), mw_view_text("/"), key, NULL);
    if (!err)
        err = mw_ws_answer(&out, fixture.head, mw_view("", 0), &none);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    mw_buf_free(&out);
    done(&fixture);
    return err == MW_OK;
}

TEST(no_memory_is_an_answer_at_every_allocation)
{
    assert_in_range(fail_each_allocation(write_both), 1, 100);
}

TEST(every_head_was_given_back)
{
    assert_mem_empty(&heads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_rule_has_its_own_refusal),
        CASE(missing_host_is_refused_even_where_the_reader_lets_it_through),
        CASE(a_refused_version_says_which_one_is_spoken),
        CASE(an_upgrade_is_recognised_before_it_is_judged),
        CASE(the_servers_order_of_preference_decides),
        CASE(a_head_full_of_offers_is_refused),
        CASE(same_origin_is_host_and_port),
        CASE(two_origins_are_foreign),
        CASE(listed_origins_are_compared_whole),
        CASE(the_key_of_the_standard_is_answered_as_there),
        CASE(both_roles_agree_with_each_other),
        CASE(the_answer_is_the_one_of_the_standard),
        CASE(a_client_refuses_each_wrong_answer),
        CASE(no_memory_is_an_answer_at_every_allocation),
        CASE(every_head_was_given_back),
    };
    return RUN(tests);
}
