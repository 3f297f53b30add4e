/* static_files: which file, whole or in part, under which head; and what it costs to be cut short.
 */
#include "tests/unit/server/serve.h"

#define OLD_S    784111777
#define OLD_DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define OLD_ETAG "\"a-2ebc98a1.0\"" /* of ten bytes */

static void put_file(const char *name, const char *text, int64_t modified_s)
{
    char path[128];
    snprintf(path, sizeof path, "public/%s", name);
    write_file(&world.folder, path, text);
    const struct timespec times[2] = { { modified_s, 0 }, { modified_s, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, below(&world.folder, path), times, 0), 0);
}

static void serve_files_seeded(uint64_t seed)
{
    serve_seeded("echo", seed);
    make_below(&world.folder, "public");
    make_below(&world.folder, "public/docs");
    make_below(&world.folder, "public/bare");
    make_below(&world.folder, "public/.well-known");
    make_below(&world.folder, "public/docs/.well-known");
    put_file("index.html", "home", OLD_S);
    put_file("ten.txt", "0123456789", OLD_S);
    put_file("empty.txt", "", OLD_S);
    put_file("docs/index.html", "docs", OLD_S);
    put_file(".env", "SECRET", OLD_S);
    put_file("docs/.env", "SECRET", OLD_S);
    put_file(".well-known/x.txt", "known", OLD_S);
    put_file("docs/.well-known/x.txt", "SECRET", OLD_S);
}

static void serve_files(void)
{
    serve_files_seeded(1);
}

/* What has come, as text; valid until the next call. */
static const char *text_of(struct peer *peer)
{
    const char *text = mw_buf_cstr(&peer->line.to_peer);
    assert_non_null(text);
    return text;
}

/* One request, the last of its connection; the answer is whole when that ends. */
static const char *ask_line(const char *line, const char *fields)
{
    if (world.peer_count == MAX_PEERS) {
        next_case();
        serve_files();
    }
    struct peer *peer = add_peer(&world);
    say(peer, line);
    say(peer, "\r\nHost: x\r\nConnection: close\r\n");
    say(peer, fields);
    say(peer, "\r\n");
    RUN_UNTIL(&world, peer->line.finished || peer->line.closed);
    return text_of(peer);
}

static const char *ask(const char *method, const char *target, const char *fields)
{
    char line[200];
    snprintf(line, sizeof line, "%s %s HTTP/1.1", method, target);
    return ask_line(line, fields);
}

static unsigned status_of(const char *answer)
{
    assert_int_equal(strncmp(answer, "HTTP/1.1 ", 9), 0);
    return (unsigned)strtoul(answer + 9, NULL, 10);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static bool has(const char *answer, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "\r\n%s\r\n", line);
    const char *at = strstr(answer, whole);
    return at && at < body_of(answer);
}

static void assert_has(const char *answer, const char *line)
{
    if (!has(answer, line))
        fail_msg("no \"%s\" in:\n%s", line, answer);
}

static void assert_lacks(const char *answer, const char *name)
{
    char start[64];
    snprintf(start, sizeof start, "\r\n%s:", name);
    if (strstr(answer, start))
        fail_msg("there is a %s in:\n%s", name, answer);
}

/* ---- which file ---- */

TEST(paths_lead_to_files_or_nowhere)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *body; /* of a 200 */
    } paths[] = {
        { "/", 200, "home" },
        { "/index.html", 200, "home" },
        { "/?a=b", 200, "home" },
        { "/.", 200, "home" },
        { "/docs/..", 200, "home" },
        { "http://anywhere/ten.txt", 200, "0123456789" },
        { "/ten.txt", 200, "0123456789" },
        { "//ten.txt", 200, "0123456789" },
        { "/docs/../ten.txt", 200, "0123456789" },
        { "/t%65n.txt", 200, "0123456789" },
        { "/docs/", 200, "docs" },
        { "/docs/.", 200, "docs" },
        { "/docs", 301, NULL },
        { "/bare", 301, NULL },
        { "/bare/", 404, NULL },
        { "/ten.txt/", 404, NULL },
        { "/ten.txt/.", 404, NULL },
        { "/ten.txt/x", 404, NULL },
        { "/nothing", 404, NULL },
        { "/s", 426, NULL },
        { "/..", 400, NULL },
        { "/../secret", 400, NULL },
        { "/%2e%2e/secret", 400, NULL },
        { "/a%00b", 400, NULL },
        { "/.env", 404, NULL },
        { "/%2eenv", 404, NULL },
        { "/docs/.env", 404, NULL },
        { "/docs/%2Eenv", 404, NULL },
        { "/.well-known/x.txt", 200, "known" },
        { "/.well-known/", 404, NULL },
        { "/.well-knownx", 404, NULL },
        { "/.well-known/../.env", 404, NULL },
        { "/docs/.well-known/x.txt", 404, NULL },
        { "/...", 404, NULL },
    };
    serve_files();
    for (size_t i = 0; i < MW_COUNT(paths); i++) {
        const char *answer = ask("GET", paths[i].target, "");
        if (status_of(answer) != paths[i].status)
            fail_msg("%s: %s", paths[i].target, answer);
        if (paths[i].body)
            assert_string_equal(body_of(answer), paths[i].body);
        assert_null(strstr(answer, "SECRET"));
    }
}

/* A script that serves "/" is named where there is no page. */
TEST(a_missing_index_is_missing_under_the_name_that_was_asked_for)
{
    write_script(&world, "root.capp", "route /\necho");
    serve_files();
    delete_file(&world.folder, "public/index.html");
    assert_int_equal(status_of(ask("GET", "/", "")), 426);
    const char *answer = ask("GET", "/bare/", "");
    assert_non_null(strstr(answer, "\"detail\":\"/bare/\""));
}

TEST(a_redirect_stays_on_this_host_and_keeps_the_query)
{
    static const struct {
        const char *target, *location;
    } redirects[] = {
        { "/docs", "Location: /docs/" },
        { "/docs?a=%20b&c", "Location: /docs/?a=%20b&c" },
        { "/docs?", "Location: /docs/?" },
        { "//docs", "Location: /docs/" },
        { "/./docs", "Location: /docs/" },
        { "/%64ocs", "Location: /docs/" },
        { "//evil.example/../docs", "Location: /docs/" },
        { "/\\evil.example/..//docs", "Location: /docs/" },
        { "/\\evil.example/%2e%2e/docs", "Location: /docs/" },
        { "http://evil.example/docs", "Location: /docs/" },
        { "/a%20b%C3%BC", "Location: /a%20b%C3%BC/" },
    };
    serve_files();
    make_below(&world.folder, "public/a b\xC3\xBC");
    for (size_t i = 0; i < MW_COUNT(redirects); i++) {
        const char *answer = ask("GET", redirects[i].target, "");
        assert_int_equal(status_of(answer), 301);
        assert_has(answer, redirects[i].location);
        assert_has(answer, "Content-Length: 0");
    }
}

/* ---- which answer ---- */

#define NOT "If-None-Match: \"x\"\r\n"

static const struct {
    const char *method, *target, *fields;
    unsigned status;
    const char *line, *body;
} answers[] = {
    { "GET", "/ten.txt", "", 200, "Content-Length: 10", "0123456789" },
    { "GET", "/ten.txt", "", 200, "ETag: " OLD_ETAG, "0123456789" },
    { "GET", "/ten.txt", "", 200, "Last-Modified: " OLD_DATE, "0123456789" },
    { "GET", "/ten.txt", "", 200, "Accept-Ranges: bytes", "0123456789" },
    { "GET", "/ten.txt", "", 200, "Cache-Control: no-cache", "0123456789" },
    { "GET", "/ten.txt", "", 200, "Content-Type: text/plain; charset=utf-8", "0123456789" },
    { "HEAD", "/ten.txt", "", 200, "Content-Length: 10", "" },
    { "GET", "/empty.txt", "", 200, "Content-Length: 0", "" },
    { "HEAD", "/empty.txt", "", 200, "Content-Length: 0", "" },

    { "GET", "/ten.txt", "Range: bytes=2-4\r\n", 206, "Content-Range: bytes 2-4/10", "234" },
    { "GET", "/ten.txt", "Range: bytes=2-4\r\n", 206, "Content-Length: 3", "234" },
    { "GET", "/ten.txt", "Range: bytes=2-4\r\n", 206, "ETag: " OLD_ETAG, "234" },
    { "GET", "/ten.txt", "Range: bytes=8-\r\n", 206, "Content-Range: bytes 8-9/10", "89" },
    { "GET", "/ten.txt", "Range: bytes=-3\r\n", 206, "Content-Range: bytes 7-9/10", "789" },
    { "GET", "/ten.txt", "Range: bytes=0-99\r\n", 206, "Content-Range: bytes 0-9/10",
      "0123456789" },
    { "GET", "/ten.txt", "Range: bytes=0-1,4-5\r\n", 200, "Content-Length: 10", "0123456789" },
    { "GET", "/ten.txt", "Range: bytes=0-1\r\nRange: bytes=4-5\r\n", 200, "Content-Length: 10",
      "0123456789" },
    { "GET", "/ten.txt", "Range: lines=0-1\r\n", 200, "Content-Length: 10", "0123456789" },
    { "GET", "/ten.txt", "Range: bytes=10-\r\n", 416, "Content-Range: bytes */10", NULL },
    { "GET", "/empty.txt", "Range: bytes=0-\r\n", 416, "Content-Range: bytes */0", NULL },
    { "GET", "/empty.txt", "Range: bytes=-5\r\n", 200, "Content-Length: 0", "" },
    { "HEAD", "/ten.txt", "Range: bytes=2-4\r\n", 200, "Content-Length: 10", "" },
    { "HEAD", "/ten.txt", "Range: bytes=10-\r\n", 200, "Content-Length: 10", "" },

    { "GET", "/ten.txt", "If-None-Match: " OLD_ETAG "\r\n", 304, "ETag: " OLD_ETAG, "" },
    { "GET", "/ten.txt", "If-None-Match: W/" OLD_ETAG "\r\n", 304, "Cache-Control: no-cache", "" },
    { "HEAD", "/ten.txt", "If-None-Match: *\r\n", 304, "ETag: " OLD_ETAG, "" },
    { "GET", "/ten.txt", NOT "If-Modified-Since: " OLD_DATE "\r\n", 200, "Content-Length: 10",
      "0123456789" },
    { "GET", "/ten.txt", "If-Modified-Since: " OLD_DATE "\r\n", 304, "ETag: " OLD_ETAG, "" },
    { "GET", "/ten.txt", "If-Modified-Since: Sun Nov  6 08:49:36 1994\r\n", 200,
      "Content-Length: 10", "0123456789" },
    { "GET", "/ten.txt", "If-Match: \"x\"\r\n", 412, "Content-Type: application/json", NULL },
    { "HEAD", "/ten.txt", "If-Match: \"x\"\r\n", 412, "Content-Type: application/json", "" },
    { "GET", "/ten.txt", "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT\r\n", 412,
      "Cache-Control: no-store", NULL },
    { "GET", "/ten.txt", "If-Match: " OLD_ETAG "\r\nRange: bytes=0-0\r\n", 206, "Content-Length: 1",
      "0" },

    /* what comes first decides: 13.2.2 */
    { "GET", "/ten.txt", "Range: bytes=99-\r\nIf-Match: \"x\"\r\n", 412, "Connection: close",
      NULL },
    { "GET", "/ten.txt", "Range: bytes=99-\r\nIf-None-Match: *\r\n", 304, "ETag: " OLD_ETAG, "" },
    { "GET", "/ten.txt", "Range: bytes=0-1\r\nIf-Range: " OLD_ETAG "\r\n", 206, "Content-Length: 2",
      "01" },
    { "GET", "/ten.txt", "Range: bytes=0-1\r\nIf-Range: " OLD_DATE "\r\n", 206, "Content-Length: 2",
      "01" },
    { "GET", "/ten.txt", "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n", 200, "Content-Length: 10",
      "0123456789" },
    { "GET", "/ten.txt", "Range: bytes=99-\r\nIf-Range: \"x\"\r\n", 200, "Content-Length: 10",
      "0123456789" },

    /* they are of what would be sent, not of what is missing or moved: 13.2.1 */
    { "GET", "/nothing", "If-Match: \"x\"\r\n", 404, "Connection: close", NULL },
    { "GET", "/nothing", "If-None-Match: *\r\n", 404, "Connection: close", NULL },
    { "GET", "/docs", "If-None-Match: *\r\nRange: bytes=0-1\r\n", 301, "Location: /docs/", "" },
};

TEST(each_request_has_its_answer)
{
    serve_files();
    for (size_t i = 0; i < MW_COUNT(answers); i++) {
        const char *answer = ask(answers[i].method, answers[i].target, answers[i].fields);
        if (status_of(answer) != answers[i].status)
            fail_msg("%s %s with %s is no %u: %s", answers[i].method, answers[i].target,
                     answers[i].fields, answers[i].status, answer);
        assert_has(answer, answers[i].line);
        assert_has(answer, "Connection: close");
        assert_has(answer, "Server: moonwire");
        assert_non_null(strstr(answer, "\r\nDate: "));
        if (answers[i].body)
            assert_string_equal(body_of(answer), answers[i].body);
        else
            assert_non_null(strstr(body_of(answer), "\"error\":"));
    }
}

/* RFC 9110 15.4.5: the client has the rest. */
TEST(a_304_has_no_fields_of_a_body)
{
    serve_files();
    const char *answer = ask("GET", "/ten.txt", "If-None-Match: " OLD_ETAG "\r\n");
    assert_int_equal(status_of(answer), 304);
    assert_lacks(answer, "Content-Length");
    assert_lacks(answer, "Content-Type");
    assert_lacks(answer, "Last-Modified");
    assert_lacks(answer, "Accept-Ranges");
    assert_lacks(answer, "Content-Range");
}

/* RFC 9110 8.8.1, 8.8.2.1: it may change again and look the same. */
TEST(a_file_of_this_second_or_of_the_future_has_a_weak_tag_and_no_date)
{
    int64_t now_s = (int64_t)(mw_clock_unix_ms() / 1000);
    serve_files();
    put_file("ten.txt", "0123456789", now_s + 1000);
    const char *answer = ask("GET", "/ten.txt",
                             "Range: bytes=0-1\r\nIf-Modified-Since: Fri, 31 Dec 9999 23:59:59 "
                             "GMT\r\n");
    assert_int_equal(status_of(answer), 206);
    assert_non_null(strstr(answer, "\r\nETag: W/\"a-"));
    assert_lacks(answer, "Last-Modified");
    char fields[200], tag[64];
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(strstr(answer, "W/\""), "\r"),
             strstr(answer, "W/\""));
    snprintf(fields, sizeof fields, "Range: bytes=0-1\r\nIf-Range: %s\r\n", tag);
    assert_int_equal(status_of(ask("GET", "/ten.txt", fields)), 200);
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", tag);
    assert_int_equal(status_of(ask("GET", "/ten.txt", fields)), 304);
}

TEST(a_tag_tells_sizes_and_times_apart)
{
    serve_files();
    put_file("b.txt", "0123456789", OLD_S + 1);
    put_file("c.txt", "012345678", OLD_S);
    assert_has(ask("GET", "/ten.txt", ""), "ETag: " OLD_ETAG);
    assert_has(ask("GET", "/b.txt", ""), "ETag: \"a-2ebc98a2.0\"");
    assert_has(ask("GET", "/c.txt", ""), "ETag: \"9-2ebc98a1.0\"");
}

/* ---- a connection that goes on ---- */

TEST(what_is_said_of_the_connection_is_what_becomes_of_it)
{
    static const struct {
        const char *request, *line; /* NULL: no Connection at all */
        bool ends;
    } requests[] = {
        { "GET /ten.txt HTTP/1.1\r\nHost: x\r\n\r\n", NULL, false },
        { "HEAD /ten.txt HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", NULL, false },
        { "GET /ten.txt HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n", "Connection: close",
          true },
        { "GET /ten.txt HTTP/1.0\r\n\r\n", "Connection: close", true },
        { "GET /ten.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive",
          false },
        { "GET /docs HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "Connection: keep-alive", false },
        { "GET /ten.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "Connection: close",
          true },
    };
    for (size_t i = 0; i < MW_COUNT(requests); i++) {
        serve_files();
        struct peer *peer = add_peer(&world);
        say(peer, requests[i].request);
        RUN_UNTIL(&world, peer->line.to_peer.len > 0);
        for (int more = 0; more < 3; more++) /* the file is read off the loop */
            run(&world);
        if (requests[i].ends) {
            RUN_UNTIL(&world, peer->line.finished);
        }
        assert_int_equal(peer->line.finished, requests[i].ends);
        if (requests[i].line)
            assert_has(text_of(peer), requests[i].line);
        else
            assert_lacks(text_of(peer), "Connection");
        next_case();
    }
    serve_files();
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

/* Everything that keeps the connection, in any order; the last one ends it. */
static const struct {
    const char *request, *answer;
} chain[] = {
    { "GET /ten.txt", "HTTP/1.1 200 OK" },
    { "HEAD /ten.txt", "HTTP/1.1 200 OK" },
    { "GET /ten.txt", "HTTP/1.1 206 Partial Content" },
    { "GET /ten.txt", "HTTP/1.1 304 Not Modified" },
    { "HEAD /ten.txt", "HTTP/1.1 304 Not Modified" },
    { "GET /docs", "HTTP/1.1 301 Moved Permanently" },
    { "GET /ten.txt", "HTTP/1.1 412 Precondition Failed" },
    { "HEAD /ten.txt", "HTTP/1.1 412 Precondition Failed" },
    { "GET /ten.txt", "HTTP/1.1 416 Range Not Satisfiable" },
    { "OPTIONS *", "HTTP/1.1 204 No Content" },
    { "GET /healthz", "HTTP/1.1 200 OK" },
    { "HEAD /readyz", "HTTP/1.1 200 OK" },
    { "GET /empty.txt", "HTTP/1.1 200 OK" },
};

static void say_chain(struct peer *peer)
{
    for (size_t i = 0; i < MW_COUNT(chain); i++) {
        say(peer, chain[i].request);
        say(peer, " HTTP/1.1\r\nHost: x\r\n");
        if (strstr(chain[i].answer, "206"))
            say(peer, "Range: bytes=3-5\r\n");
        if (strstr(chain[i].answer, "304"))
            say(peer, "If-None-Match: *\r\n");
        if (strstr(chain[i].answer, "412"))
            say(peer, "If-Match: \"another\"\r\n");
        if (strstr(chain[i].answer, "416"))
            say(peer, "Range: bytes=10-\r\n");
        say(peer, i + 1 == MW_COUNT(chain) ? "Connection: close\r\n\r\n" : "\r\n");
    }
}

TEST(many_requests_at_once_are_answered_in_their_order)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        serve_files_seeded(seed);
        struct peer *peer = add_peer(&world);
        say_chain(peer);
        RUN_UNTIL(&world, peer->line.finished);
        const char *text = text_of(peer), *at = text;
        for (size_t i = 0; i < MW_COUNT(chain); i++) {
            if (strncmp(at, chain[i].answer, strlen(chain[i].answer)) != 0)
                fail_msg("seed %llu, %s: %s", (unsigned long long)seed, chain[i].request, at);
            const char *next = strstr(at + 1, "HTTP/1.1 ");
            at = next ? next : at;
        }
        assert_int_equal(count_of(text, "HTTP/1.1 "), MW_COUNT(chain));
        assert_int_equal(count_of(text, "\r\nDate: "), MW_COUNT(chain));
        assert_int_equal(count_of(text, "\r\n\r\n0123456789HTTP/1.1 "), 1);
        assert_int_equal(count_of(text, "\r\n\r\n345HTTP/1.1 "), 1);
        assert_int_equal(count_of(text, "Connection: close"), 1);
        next_case();
    }
    serve_files();
}

/* ---- files that change, and no memory ---- */

static void fill(const char *name, size_t len)
{
    static char text[300002];
    memset(text, 'x', len);
    text[len] = '\0';
    put_file(name, text, OLD_S);
}

static struct peer *begin_large(void)
{
    fill("large.bin", 300000);
    struct peer *peer = add_peer(&world);
    peer->line.room = 1000;
    say(peer, "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    RUN_UNTIL(&world, peer->line.to_peer.len == 1000);
    return peer;
}

TEST(a_file_that_grows_or_is_replaced_is_sent_as_it_was)
{
    static const char *const ways[] = { "grows", "replaced", "deleted" };
    for (size_t way = 0; way < MW_COUNT(ways); way++) {
        serve_files();
        struct peer *peer = begin_large();
        if (way == 0) {
            fill("large.bin", 300001);
        } else if (way == 1) {
            fill("other.bin", 10);
            move_file(&world.folder, "public/other.bin", "public/large.bin");
        } else {
            delete_file(&world.folder, "public/large.bin");
        }
        peer->line.room = SIZE_MAX;
        size_t head = 0;
        RUN_UNTIL(&world, (head = (size_t)(body_of(text_of(peer)) - text_of(peer))) &&
                              peer->line.to_peer.len >= head + 300000);
        run(&world);
        assert_int_equal(peer->line.to_peer.len, head + 300000);
        assert_has(text_of(peer), "Content-Length: 300000");
        next_case();
    }
    serve_files();
}

TEST(a_file_that_shrinks_ends_the_connection_by_a_reset)
{
    serve_files();
    struct peer *peer = begin_large();
    fill("large.bin", 100);
    peer->line.room = SIZE_MAX;
    RUN_UNTIL(&world, peer->line.closed);
    assert_true(peer->line.was_reset);
    assert_true(peer->line.to_peer.len < 300000);
}

TEST(without_memory_there_is_a_503_or_an_end_and_nothing_is_left)
{
    static const char *const requests[] = {
        "GET /ten.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n",
        "GET /docs HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /ten.txt HTTP/1.1\r\nHost: x\r\nIf-Match: \"x\"\r\n\r\n",
    };
    for (size_t i = 0; i < MW_COUNT(requests); i++) {
        bool failed = true;
        for (uint64_t fail_at = 1; failed; fail_at++) {
            serve_files();
            struct peer *peer = add_peer(&world);
            struct mw_mem *mem = &world.worker.mem;
            mem->fail_at = mem->count + fail_at;
            uint64_t last = mem->fail_at;
            say(peer, requests[i]);
            RUN_UNTIL(&world,
                      peer->line.to_peer.len > 0 || peer->line.finished || peer->line.closed);
            run(&world);
            failed = mem->count >= last;
            mem->fail_at = 0;
            if (failed && peer->line.to_peer.len > 0)
                assert_int_equal(strncmp(text_of(peer), "HTTP/1.1 ", 9), 0);
            next_case();
        }
    }
    serve_files();
}

/* ---- methods ---- */

TEST(options_are_told_and_other_methods_are_refused_with_them)
{
    static const struct {
        const char *method, *target;
        unsigned status;
    } methods[] = {
        { "OPTIONS", "*", 204 },        { "OPTIONS", "/ten.txt", 204 },
        { "OPTIONS", "/nothing", 204 }, { "OPTIONS", "/healthz", 204 },
        { "POST", "/ten.txt", 405 },    { "PUT", "/ten.txt", 405 },
        { "DELETE", "/nothing", 405 },  { "TRACE", "/", 405 },
        { "POST", "/healthz", 405 },    { "PATCH", "/readyz", 405 },
    };
    serve_files();
    for (size_t i = 0; i < MW_COUNT(methods); i++) {
        const char *answer = ask(methods[i].method, methods[i].target, "");
        assert_int_equal(status_of(answer), methods[i].status);
        assert_has(answer, "Allow: GET, HEAD, OPTIONS");
        if (methods[i].status == 204)
            assert_lacks(answer, "Content-Length"); /* RFC 9110 8.6 */
    }
    assert_int_equal(status_of(ask("GET", "*", "")), 400);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(paths_lead_to_files_or_nowhere),
        IN_A_WORLD(a_missing_index_is_missing_under_the_name_that_was_asked_for),
        IN_A_WORLD(a_redirect_stays_on_this_host_and_keeps_the_query),
        IN_A_WORLD(each_request_has_its_answer),
        IN_A_WORLD(a_304_has_no_fields_of_a_body),
        IN_A_WORLD(a_file_of_this_second_or_of_the_future_has_a_weak_tag_and_no_date),
        IN_A_WORLD(a_tag_tells_sizes_and_times_apart),
        IN_A_WORLD(what_is_said_of_the_connection_is_what_becomes_of_it),
        IN_A_WORLD(many_requests_at_once_are_answered_in_their_order),
        IN_A_WORLD(a_file_that_grows_or_is_replaced_is_sent_as_it_was),
        IN_A_WORLD(a_file_that_shrinks_ends_the_connection_by_a_reset),
        IN_A_WORLD(without_memory_there_is_a_503_or_an_end_and_nothing_is_left),
        IN_A_WORLD(options_are_told_and_other_methods_are_refused_with_them),
    };
    return RUN(cases);
}
