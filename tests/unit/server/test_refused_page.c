/* refused_page: who was refused learns by its mark what a browser did not show. */
#include "tests/unit/server/serve.h"

#define MARK "0123456789-_ABCDEFabcd"

static const char *ask_line(const char *line)
{
    struct peer *peer = add_peer(&world);
    say(peer, line);
    say(peer, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    RUN_UNTIL(&world, peer->line.finished || peer->line.closed);
    const char *text = mw_buf_cstr(&peer->line.to_peer);
    assert_non_null(text);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* Sends a request and looks that it was not accepted. */
static void be_refused(const char *request)
{
    struct peer *peer = add_peer(&world);
    say(peer, request);
    if (strstr(request, "\r\n\r\n")) {
        RUN_UNTIL(&world, seen_by(peer)[0] == '4' || seen_by(peer)[0] == '5');
    } else { /* the rest never comes */
        run(&world);
        ring_early(peer);
        run(&world);
    }
    assert_true(seen_by(peer)[0] == '4' || seen_by(peer)[0] == '5');
}

#define WHY     "GET /_moonwire/why/" MARK
#define QUERY   "?moonwire=" MARK
#define FOREIGN "Origin: https://elsewhere\r\n"

TEST(each_way_to_be_refused_is_told_as_its_body_was)
{
    static const struct {
        const char *script, *request, *told;
    } table[] = {
        { "echo", "GET /none" QUERY " HTTP/1.1\r\n" UPGRADE "\r\n",
          "{\"status\":404,\"error\":\"no_route\",\"cause\":null,\"retry\":false,"
          "\"text\":\"/none\"}\n" },
        { "echo", "GET /s" QUERY " HTTP/1.1\r\n" UPGRADE FOREIGN "\r\n",
          "{\"status\":403,\"error\":\"origin\",\"cause\":null,\"retry\":false,"
          "\"text\":\"pages of https://elsewhere may not" },
        { "refuse 403 not you", "GET /s" QUERY " HTTP/1.1\r\n" UPGRADE "\r\n",
          "{\"status\":403,\"error\":\"refused\",\"cause\":\"script_close\",\"retry\":false,"
          "\"text\":\"not you\"}\n" },
        { "wait-open\nrefuse 503 later", "GET /s?a=1&moonwire=" MARK " HTTP/1.1\r\n" UPGRADE "\r\n",
          "{\"status\":503,\"error\":\"refused\",\"cause\":\"script_close\","
          "\"retry\":{\"after\":5,\"spread\":25},\"text\":\"later\"}\n" },
        /* a proxy that does not pass Upgrade on */
        { "echo", "GET /s" QUERY " HTTP/1.1\r\nHost: x\r\n\r\n",
          "{\"status\":426,\"error\":\"upgrade_required\"" },
        { "echo",
          "GET /s" QUERY " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          "{\"status\":426," },
        { "echo", "GET /%zz" QUERY " HTTP/1.1\r\n" UPGRADE "\r\n",
          "{\"status\":400,\"error\":\"bad_target\"" },
        { "echo", "GET /s" QUERY " HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
          "{\"status\":400,\"error\":\"bad_header\"" },
        { "echo", "GET /s" QUERY " HTTP/1.1\r\nHost: x\r\n", "{\"status\":408," },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        serve_seeded(table[i].script, i + 1);
        be_refused(table[i].request);
        assert_has(ask_line(WHY), table[i].told);
        next_case();
    }
    serve("echo");
}

TEST(pages_of_any_origin_may_ask_and_nobody_keeps_the_answer)
{
    serve("refuse 403 not you");
    be_refused("GET /s" QUERY " HTTP/1.1\r\n" UPGRADE "\r\n");
    const char *answer = ask_line(WHY);
    assert_has(answer, "HTTP/1.1 200 ");
    assert_has(answer, "\r\nAccess-Control-Allow-Origin: *\r\n");
    assert_has(answer, "\r\nCache-Control: no-store\r\n");
    assert_has(answer, "\r\nContent-Type: application/json\r\n");
    assert_has(answer, "\r\nContent-Length: ");
    answer = ask_line("HEAD /_moonwire/why/" MARK);
    assert_has(answer, "HTTP/1.1 200 ");
    assert_null(strstr(answer, "not you"));
}

TEST(a_mark_that_nobody_knows_is_404)
{
    static const char *const lines[] = { WHY, "GET /_moonwire/why/", "GET /_moonwire/why/a/b" };
    serve("refuse 403 not you");
    be_refused("GET /s HTTP/1.1\r\n" UPGRADE "\r\n");
    be_refused("GET /s?moonwire=short HTTP/1.1\r\n" UPGRADE "\r\n");
    for (size_t i = 0; i < MW_COUNT(lines); i++) {
        const char *answer = ask_line(lines[i]);
        assert_has(answer, "HTTP/1.1 404 ");
        assert_has(answer, "\r\nAccess-Control-Allow-Origin: *\r\n");
        assert_has(answer, "\"error\":\"unknown_mark\"");
    }
    assert_has(ask_line("POST /_moonwire/why/" MARK), "HTTP/1.1 405 ");
    assert_has(ask_line("GET /_moonwire/why"), "\"error\":\"not_found\"");
}

/* The question itself is a request that may be refused; it must not answer itself. */
TEST(who_was_accepted_has_nothing_to_ask)
{
    serve("echo");
    struct peer *peer = add_socket(&world, "/s" QUERY);
    run(&world);
    assert_non_null(strstr(seen_by(peer), "101 text:" MARK "{"));
    assert_has(ask_line(WHY), "HTTP/1.1 404 ");
}

/* A page of another origin sees of an answer without CORS that it came, and no more. */
TEST(what_files_there_are_is_not_told_to_pages_of_other_origins)
{
    static const char *const requests[] = {
        "GET /none" QUERY " HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /s" QUERY " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /_moonwire/why/x" QUERY " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /_moonwire/client.js" QUERY " HTTP/1.1\r\nHost: x\r\nIf-Match: \"x\"\r\n\r\n",
    };
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(requests); i++) {
        be_refused(requests[i]);
        assert_has(ask_line(WHY), "\"error\":\"unknown_mark\"");
    }
}

/* Both connections were there before the server stopped taking new ones. */
TEST(it_is_answered_while_the_server_stops)
{
    serve("echo");
    struct peer *refused = add_peer(&world), *asker = add_peer(&world);
    say(refused, "GET /s" QUERY " HTTP/1.1\r\n");
    say(asker, WHY " HTTP/1.1\r\n");
    run(&world);
    mw_worker_drain(&world.worker, false);
    RUN_UNTIL(&world, world.worker.stopping);
    say(refused, UPGRADE "\r\n");
    run(&world);
    assert_seen(refused, "503 end");
    say(asker, "Host: x\r\n\r\n");
    RUN_UNTIL(&world, asker->line.finished || asker->line.closed);
    const char *answer = mw_buf_cstr(&asker->line.to_peer);
    assert_has(answer, "HTTP/1.1 200 ");
    assert_has(answer, "\"status\":503,\"error\":\"drain\",\"cause\":\"drain\",\"retry\":{");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(each_way_to_be_refused_is_told_as_its_body_was),
        IN_A_WORLD(pages_of_any_origin_may_ask_and_nobody_keeps_the_answer),
        IN_A_WORLD(a_mark_that_nobody_knows_is_404),
        IN_A_WORLD(who_was_accepted_has_nothing_to_ask),
        IN_A_WORLD(what_files_there_are_is_not_told_to_pages_of_other_origins),
        IN_A_WORLD(it_is_answered_while_the_server_stops),
    };
    return RUN(cases);
}
