/* client_js: the client for pages, out of the program. */
#include "core/server/client_js.h"

#include "tests/unit/server/serve.h"

static const char *ask_for(const char *path, const char *method, const char *headers)
{
    struct peer *peer = add_peer(&world);
    say(peer, method);
    say(peer, " /_moonwire/");
    say(peer, path);
    say(peer, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    say(peer, headers);
    say(peer, "\r\n");
    RUN_UNTIL(&world, peer->line.finished || peer->line.closed);
    const char *text = mw_buf_cstr(&peer->line.to_peer);
    assert_non_null(text);
    return text;
}

static const char *ask(const char *method, const char *headers)
{
    return ask_for("client.js", method, headers);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%.600s", part, text);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static char *etag_line(const char *name, const char *coding)
{
    static char line[100];
    snprintf(line, sizeof line, "%s: \"%s%s\"\r\n", name, mw_client_js_file.hash, coding);
    return line;
}

TEST(it_is_served_as_a_module_for_pages_of_any_origin)
{
    char length[60];
    serve("echo");
    const char *answer = ask("GET", "");
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", mw_client_js_file.len);
    assert_has(answer, "HTTP/1.1 200 ");
    assert_has(answer, "\r\nContent-Type: text/javascript; charset=utf-8\r\n");
    assert_has(answer, "\r\nAccess-Control-Allow-Origin: *\r\n");
    assert_has(answer, "\r\nCache-Control: no-cache\r\n");
    assert_has(answer, "\r\nVary: Accept-Encoding\r\n");
    assert_has(answer, length);
    assert_has(answer, etag_line("ETag", ""));
    assert_null(strstr(answer, "Content-Encoding"));
    assert_int_equal(strlen(body_of(answer)), mw_client_js_file.len);
    assert_memory_equal(body_of(answer), mw_client_js_file.bytes, mw_client_js_file.len);
}

TEST(who_takes_gzip_gets_it_with_a_tag_of_its_own)
{
    serve("echo");
    const char *answer = ask("GET", "Accept-Encoding: gzip, br\r\n");
    assert_has(answer, "\r\nContent-Encoding: gzip\r\n");
    assert_has(answer, "\r\nVary: Accept-Encoding\r\n");
    assert_has(answer, etag_line("ETag", "-gzip"));
    assert_memory_equal(body_of(answer), "\x1F\x8B\x08", 3);
    size_t bytes = world.worker.client_js.client_gzip.len;
    assert_true(bytes > 100 && bytes < mw_client_js_file.len);
    assert_has(ask("GET", "Accept-Encoding: gzip\r\n"), "Content-Encoding: gzip");
    assert_int_equal(world.worker.client_js.client_gzip.len, bytes);
    assert_null(strstr(ask("GET", "Accept-Encoding: gzip;q=0\r\n"), "Content-Encoding"));
}

TEST(without_memory_to_compress_it_goes_as_it_is)
{
    serve("echo");
    world.worker.client_js.client_gzip.max_bytes = 10;
    const char *answer = ask("GET", "Accept-Encoding: gzip\r\n");
    assert_has(answer, "HTTP/1.1 200 ");
    assert_null(strstr(answer, "Content-Encoding"));
    assert_int_equal(strlen(body_of(answer)), mw_client_js_file.len);
}

TEST(head_has_the_fields_and_no_body)
{
    serve("echo");
    const char *answer = ask("HEAD", "Accept-Encoding: gzip\r\n");
    assert_has(answer, "HTTP/1.1 200 ");
    assert_has(answer, "\r\nContent-Encoding: gzip\r\n");
    assert_string_equal(body_of(answer), "");
}

TEST(who_has_it_is_told_so)
{
    serve("echo");
    const char *answer = ask("GET", etag_line("If-None-Match", ""));
    assert_has(answer, "HTTP/1.1 304 ");
    assert_has(answer, etag_line("ETag", ""));
    assert_has(answer, "\r\nVary: Accept-Encoding\r\n");
    assert_has(answer, "\r\nAccess-Control-Allow-Origin: *\r\n");
    assert_string_equal(body_of(answer), "");
    assert_has(ask("GET", etag_line("If-None-Match", "-gzip")), "HTTP/1.1 200 ");
    assert_has(ask("GET", "If-None-Match: \"other\"\r\n"), "HTTP/1.1 200 ");
    assert_has(ask("GET", "If-Match: \"other\"\r\n"), "HTTP/1.1 412 ");
    assert_has(ask("POST", ""), "HTTP/1.1 405 ");
}

TEST(what_it_loads_for_sessions_is_beside_it)
{
    serve("echo");
    const char *body = body_of(ask_for("resume.js", "GET", ""));
    assert_int_equal(strlen(body), mw_resume_js_file.len);
    assert_memory_equal(body, mw_resume_js_file.bytes, mw_resume_js_file.len);
    assert_string_not_equal(mw_resume_js_file.hash, mw_client_js_file.hash);
    assert_has(ask("GET", "Accept-Encoding: gzip\r\n"), "Content-Encoding: gzip");
    size_t bytes = world.worker.client_js.client_gzip.len;
    assert_has(ask_for("resume.js", "GET", "Accept-Encoding: gzip\r\n"), "Content-Encoding: gzip");
    assert_int_equal(world.worker.client_js.client_gzip.len, bytes);
    assert_true(world.worker.client_js.resume_gzip.len < mw_resume_js_file.len);
    assert_has(ask_for("policy.js", "GET", ""), "HTTP/1.1 404 ");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(it_is_served_as_a_module_for_pages_of_any_origin),
        IN_A_WORLD(who_takes_gzip_gets_it_with_a_tag_of_its_own),
        IN_A_WORLD(without_memory_to_compress_it_goes_as_it_is),
        IN_A_WORLD(head_has_the_fields_and_no_body),
        IN_A_WORLD(who_has_it_is_told_so),
        IN_A_WORLD(what_it_loads_for_sessions_is_beside_it),
    };
    return RUN(cases);
}
