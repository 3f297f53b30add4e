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
    say(route, "GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
    say(nothing, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
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

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(plain_requests_are_answered_one_after_the_other),
        IN_A_WORLD(a_request_without_upgrade_on_a_route_is_told_to_upgrade),
        IN_A_WORLD(a_refusal_reaches_a_client_that_has_finished_sending_and_reads_slowly),
        IN_A_WORLD(a_head_that_does_not_come_is_given_up),
    };
    return RUN(cases);
}
