/* admit: the limits of the whole process, as a client and the log are told of them. */
#include "core/server/admit.h"

#include "tests/unit/server/serve.h"

static void set(const char *key, const char *text)
{
    char why[256];
    assert_int_equal(mw_config_set(&world.config, mw_view_text(key), mw_view_text(text), why),
                     MW_OK);
}

/* All that has reached the peer. */
static bool is_told(struct peer *peer, const char *text)
{
    char seen[2048];
    struct mw_view got = mw_buf_view(&peer->line.to_peer);
    snprintf(seen, sizeof seen, "%.*s", (int)got.len, got.data);
    return strstr(seen, text) != NULL;
}

static struct peer *open_socket(void)
{
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    return peer;
}

static void assert_refused(struct peer *peer, const char *status, const char *error)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"error\":\"%s\"", error);
    assert_true(is_told(peer, quoted));
    assert_true(is_told(peer, "\r\nRetry-After: "));
    assert_true(is_told(peer, status));
    assert_non_null(strstr(logged(), quoted));
}

TEST(more_than_connections_are_503_by_name_and_one_that_leaves_makes_room)
{
    set("connections", "2");
    serve("echo");
    struct peer *first = open_socket(), *second = open_socket();
    assert_refused(open_socket(), "HTTP/1.1 503 ", "too_many_connections");
    assert_int_equal(c_engine.opens, 2);
    assert_seen(first, "101");
    say_close(second, 1000);
    RUN_UNTIL(&world, atomic_load(&world.admission.count) == 1);
    assert_seen(open_socket(), "101");
}

TEST(more_than_connections_per_ip_are_429_by_name)
{
    set("connections_per_ip", "1");
    serve("echo");
    assert_seen(open_socket(), "101");
    assert_refused(open_socket(), "HTTP/1.1 429 ", "too_many_from_address");
}

TEST(behind_a_trusted_proxy_the_client_counts_and_not_the_proxy)
{
    static const char *const clients[] = { "203.0.113.1", "203.0.113.2", "203.0.113.1" };
    struct peer *peers[MW_COUNT(clients)];
    set("connections_per_ip", "1");
    set("trusted_proxies", "192.0.2.0/24");
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(clients); i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "GET /s HTTP/1.1\r\n" UPGRADE "X-Forwarded-For: %s\r\n\r\n", clients[i]);
        peers[i] = add_peer(&world);
        say(peers[i], request);
        run(&world);
    }
    assert_seen(peers[0], "101");
    assert_seen(peers[1], "101");
    assert_refused(peers[2], "HTTP/1.1 429 ", "too_many_from_address");
}

TEST(more_than_the_rate_are_503_by_name_with_a_moment_to_come_back)
{
    set("accept.rate", "1");
    serve("echo");
    assert_seen(open_socket(), "101");
    struct peer *late = open_socket();
    assert_refused(late, "HTTP/1.1 503 ", "accept_rate");
    assert_true(is_told(late, "\"retry\":{\"after\":1,\"spread\":1}"));
}

TEST(short_memory_is_503_by_name_and_files_and_health_go_on)
{
    serve("echo");
    struct peer *before = open_socket();
    atomic_store(&world.admission.is_short, true);
    struct peer *late = open_socket(), *health = add_peer(&world);
    say(health, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    say_text(before, "still here");
    run(&world);
    assert_refused(late, "HTTP/1.1 503 ", "memory_limit");
    assert_true(is_told(late, "\"cause\":\"out_of_memory\""));
    assert_seen(health, "200");
    assert_seen(before, "101 text:still here");
    atomic_store(&world.admission.is_short, false);
    assert_seen(open_socket(), "101");
}

TEST(who_has_one_of_the_last_descriptors_may_ask_one_thing_and_not_stay)
{
    serve("echo");
    struct peer *late = add_peer(&world), *health = add_peer(&world);
    late->client->is_last = health->client->is_last = true;
    say(late, "GET /s HTTP/1.1\r\n" UPGRADE "\r\n");
    say(health, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    run(&world);
    assert_refused(late, "HTTP/1.1 503 ", "out_of_descriptors");
    assert_true(is_told(health, "\r\nConnection: close\r\n"));
    assert_true(is_told(health, "HTTP/1.1 200 "));
}

/* Each way out gives the place back: a refusal by the script, a close, a cut, a failure. */
TEST(every_end_gives_the_place_back)
{
    static const char *const scripts[] = {
        "echo",      "refuse 403 no", "refuse 4001 no",           "fail-open",
        "wait-open", "hang-up 4000",  "wait-open\nrefuse 403 no", "limit connections 1",
    };
    for (size_t i = 0; i < MW_COUNT(scripts); i++) {
        set("connections", "3");
        set("connections_per_ip", "3");
        serve_seeded(scripts[i], i + 1);
        struct peer *one = add_socket(&world, "/s"), *two = add_socket(&world, "/s");
        run(&world);
        assert_true(atomic_load(&world.admission.count) <= 2);
        one->line.peer_reset = two->line.peer_reset = true;
        RUN_UNTIL(&world, world.worker.client_count == 0);
        assert_int_equal(atomic_load(&world.admission.count), 0);
        assert_int_equal(world.admission.mem.bytes, 0);
        next_case();
    }
    serve("echo");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(more_than_connections_are_503_by_name_and_one_that_leaves_makes_room),
        IN_A_WORLD(more_than_connections_per_ip_are_429_by_name),
        IN_A_WORLD(behind_a_trusted_proxy_the_client_counts_and_not_the_proxy),
        IN_A_WORLD(more_than_the_rate_are_503_by_name_with_a_moment_to_come_back),
        IN_A_WORLD(short_memory_is_503_by_name_and_files_and_health_go_on),
        IN_A_WORLD(who_has_one_of_the_last_descriptors_may_ask_one_thing_and_not_stay),
        IN_A_WORLD(every_end_gives_the_place_back),
    };
    return RUN(cases);
}
