/* http_driver: plain requests, refusals and heads that do not come. */
#include "tests/unit/server/serve.h"

TEST(plain_requests_are_answered_one_after_the_other)
{
    serve("echo");
    make_below(&world.folder, "public");
    write_file(&world.folder, "public/index.html", "<p>hello");
    write_file(&world.folder, "public/a.txt", "a");
    struct peer *peer = add_peer(&world);
    say(peer, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"
              "GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    RUN_UNTIL(&world, peer->line.finished);
    assert_seen(peer, "200 200 200 end");
}

TEST(a_request_without_upgrade_on_a_route_is_told_to_upgrade)
{
    serve("echo");
    struct peer *route = add_peer(&world), *nothing = add_peer(&world);
    say(route, "GET /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    say(nothing, "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    RUN_UNTIL(&world, route->line.finished && nothing->line.finished);
    assert_seen(route, "426 end");
    assert_seen(nothing, "404 end");
}

TEST(a_refusal_reaches_a_client_that_has_finished_sending_and_reads_slowly)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        serve_seeded("echo", seed);
        struct peer *peer = add_peer(&world);
        peer->line.room = 10;
        say(peer, "GARBAGE\r\n\r\n");
        run(&world);
        peer->line.peer_finished = true;
        run(&world);
        peer->line.room = SIZE_MAX;
        run(&world);
        assert_seen(peer, "400 end");
        next_case();
    }
    serve("echo");
}

TEST(a_head_that_does_not_come_is_given_up)
{
    serve("echo");
    struct peer *half = add_peer(&world), *none = add_peer(&world);
    say(half, "GET / HTT");
    run(&world);
    ring_early(half);
    ring_early(none);
    run(&world);
    assert_seen(half, "408 end");
    assert_seen(none, "end");
}

/* Not a reset: who sends a large file to the wrong place shall read why. */
TEST(a_request_with_a_large_body_is_answered_all_the_same)
{
    static char body[300000];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        serve_seeded("echo", seed);
        struct peer *peer = add_peer(&world);
        peer->line.max_piece = SIZE_MAX;
        say(peer, "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n");
        say_bytes(peer, body, sizeof body);
        run(&world);
        assert_seen(peer, "405 end");
        next_case();
    }
    serve("echo");
}

TEST(many_frames_in_one_piece_with_the_request_are_not_lost)
{
    static char text[60000];
    serve("echo");
    memset(text, 'x', sizeof text - 1);
    struct peer *peer = add_peer(&world);
    peer->line.max_piece = SIZE_MAX;
    say_hello(peer, "/s", "");
    for (int i = 0; i < 4; i++)
        say_text(peer, text);
    memory_stream_step(&peer->line);
    run(&world);
    assert_seen(peer, "101 text[59999] text[59999] text[59999] text[59999]");
}

/* Nothing more is read until the script has decided, so that much is no flood. */
TEST(what_one_read_brings_far_ahead_of_the_answer_waits_for_it)
{
    static char text[60000];
    serve("wait-open\necho");
    c_engine.hold = true;
    memset(text, 'x', sizeof text - 1);
    struct peer *peer = add_peer(&world);
    say_hello(peer, "/s", "");
    for (int i = 0; i < 4; i++)
        say_text(peer, text);
    struct mw_view all = mw_buf_view(&peer->line.to_server);
    peer->line.stream.events->read(peer->line.stream.owner, (char *)all.data, all.len);
    mw_buf_clear(&peer->line.to_server);
    assert_int_equal(c_engine.opens, 1);
    run(&world);
    assert_false(peer->line.reading);
    assert_seen(peer, "");
    c_engine.hold = false;
    RUN_UNTIL(&world, c_engine.closes || c_engine.messages == 4);
    run(&world);
    assert_seen(peer, "101 text[59999] text[59999] text[59999] text[59999]");
}

/* RFC 9110 9.3.2 */
TEST(a_refusal_of_head_has_no_body)
{
    serve("echo");
    struct peer *peer = add_peer(&world);
    say(peer, "HEAD /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    RUN_UNTIL(&world, peer->line.finished);
    const char *seen = mw_buf_cstr(&peer->line.to_peer), *end = strstr(seen, "\r\n\r\n");
    assert_int_equal(strncmp(seen, "HTTP/1.1 404 ", 13), 0);
    assert_string_equal(end, "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(plain_requests_are_answered_one_after_the_other),
        IN_A_WORLD(a_request_without_upgrade_on_a_route_is_told_to_upgrade),
        IN_A_WORLD(a_refusal_reaches_a_client_that_has_finished_sending_and_reads_slowly),
        IN_A_WORLD(a_head_that_does_not_come_is_given_up),
        IN_A_WORLD(a_request_with_a_large_body_is_answered_all_the_same),
        IN_A_WORLD(many_frames_in_one_piece_with_the_request_are_not_lost),
        IN_A_WORLD(what_one_read_brings_far_ahead_of_the_answer_waits_for_it),
        IN_A_WORLD(a_refusal_of_head_has_no_body),
    };
    return RUN(cases);
}
