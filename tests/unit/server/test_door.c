/* door: PROXY headers, and what a port does not speak. */
#include "tests/unit/server/serve.h"

static const char v1[] = "PROXY TCP4 203.0.113.9 198.51.100.1 5000 443\r\n",
                  hello[] = "GET /s HTTP/1.1\r\n" UPGRADE "\r\n";

static void set(const char *key, const char *text)
{
    char why[256];
    assert_int_equal(mw_config_set(&world.config, mw_view_text(key), mw_view_text(text), why),
                     MW_OK);
}

static void use_tls(void)
{
    char chain[2048], key[512], fingerprint[96], why[256];
    assert_int_equal(mw_tls_throw_away(1800000000, 1, chain, key, fingerprint), MW_OK);
    const struct mw_tls_pair pair = { "test", "test", mw_view_text(chain), mw_view_text(key) };
    const struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1 };
    assert_int_equal(mw_tls_ctx_new(&world.mem, &setup, &world.tls, why), MW_OK);
}

static int tear_down_tls(void **state)
{
    mw_tls_ctx_release(world.tls);
    return tear_down(state);
}

TEST(whoever_speaks_http_is_let_in_with_every_cut)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        serve_seeded("tell-who", seed);
        struct peer *peer = add_caller(&world), *post = add_caller(&world);
        say(peer, hello);
        say(post, "POST /s HTTP/1.1\r\nHost: x\r\n\r\n"); /* begins as PROXY does */
        run(&world);
        assert_seen(peer, "101 text:192.0.2.7");
        assert_seen(post, "405");
        assert_true(mw_list_is_empty(&world.worker.doors));
        next_case();
    }
    serve("echo");
}

TEST(a_trusted_proxy_says_who_connects_with_every_cut)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        set("trusted_proxies", "192.0.2.0/24");
        set("proxy_protocol", "true");
        serve_seeded("tell-who", seed);
        struct peer *peer = add_caller(&world), *itself = add_caller(&world);
        say(peer, v1);
        say(peer, hello);
        say(itself, "PROXY UNKNOWN\r\n");
        say(itself, hello);
        run(&world);
        assert_seen(peer, "101 text:203.0.113.9");
        assert_seen(itself, "101 text:192.0.2.7");
        next_case();
    }
    serve("echo");
}

TEST(a_trusted_proxy_without_a_whole_header_is_sent_away_and_named)
{
    static const char *const wrong[] = { "GET / HTTP/1.1\r\n", "PROXY TCP4 nonsense\r\n", "\x16" };
    set("trusted_proxies", "192.0.2.7");
    set("proxy_protocol", "true");
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(wrong); i++) {
        struct peer *peer = add_caller(&world);
        say(peer, wrong[i]);
        run(&world);
        assert_true(peer->line.closed);
        assert_seen(peer, "end");
    }
    const char *log = logged();
    assert_non_null(strstr(log, "\"msg\":\"proxy refused\",\"peer\":\"192.0.2.7\""));
    assert_non_null(strstr(log, "PROXY v1: an address is not one of its family"));
}

TEST(anybody_elses_header_is_refused_and_named)
{
    static const struct {
        const char *trusted, *on, *hint;
    } table[] = {
        { "", "false", "list its address in trusted_proxies" },
        { "198.51.100.1", "true", "list its address in trusted_proxies" },
        { "192.0.2.7", "false", "set proxy_protocol = true" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        set("trusted_proxies", table[i].trusted);
        set("proxy_protocol", table[i].on);
        serve("tell-who");
        struct peer *peer = add_caller(&world);
        say(peer, v1);
        say(peer, hello);
        run(&world);
        assert_seen(peer, "400 end");
        assert_non_null(strstr(mw_buf_cstr(&peer->line.to_peer), "\"proxy_not_trusted\""));
        const char *log = logged();
        assert_non_null(strstr(log, "\"msg\":\"proxy not trusted\",\"peer\":\"192.0.2.7\""));
        assert_non_null(strstr(log, table[i].hint));
        next_case();
    }
    serve("echo");
}

TEST(headers_of_a_trusted_proxy_name_the_client_of_each_request)
{
    set("trusted_proxies", "192.0.2.0/24");
    make_below(&world.folder, "public");
    write_file(&world.folder, "public/x", "x");
    serve("tell-who");
    struct peer *one = add_caller(&world), *chain = add_caller(&world), *none = add_caller(&world);
    say_hello(one, "/s", "X-Forwarded-For: 203.0.113.1\r\n");
    say_hello(chain, "/s", "X-Forwarded-For: 203.0.113.66, 203.0.113.2, 192.0.2.9\r\n");
    say(none, "GET /x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.3\r\n\r\n");
    say_hello(none, "/s", "");
    RUN_UNTIL(&world, strstr(seen_by(none), "200 101 text") != NULL);
    run(&world);
    assert_seen(one, "101 text:203.0.113.1");
    assert_seen(chain, "101 text:203.0.113.2");
    assert_seen(none, "200 101 text:192.0.2.7");
}

TEST(headers_of_anybody_else_are_ignored)
{
    set("trusted_proxies", "198.51.100.0/24");
    serve("tell-who");
    struct peer *peer = add_caller(&world);
    say_hello(peer, "/s", "X-Forwarded-For: 203.0.113.1\r\nForwarded: for=203.0.113.1\r\n");
    run(&world);
    assert_seen(peer, "101 text:192.0.2.7");
}

TEST(a_broken_header_is_not_taken_for_a_missing_one)
{
    static const char hint[] = "switch the PROXY protocol on there";
    static const struct {
        const char *says;
        bool is_header;
    } table[] = { { "PROXY TCP4 nonsense\r\n", true }, { "GET / HTTP/1.1\r\n", false } };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        set("trusted_proxies", "192.0.2.7");
        set("proxy_protocol", "true");
        serve("echo");
        say(add_caller(&world), table[i].says);
        run(&world);
        const char *log = logged();
        assert_non_null(strstr(log, "proxy refused"));
        assert_int_equal(strstr(log, hint) == NULL, table[i].is_header);
        next_case();
    }
    serve("echo");
}

TEST(who_speaks_plain_http_behind_a_proxy_is_named_by_its_own_address)
{
    use_tls();
    set("trusted_proxies", "192.0.2.7");
    set("proxy_protocol", "true");
    serve("echo");
    struct peer *peer = add_caller(&world);
    say(peer, v1);
    say(peer, hello);
    run(&world);
    assert_seen(peer, "400 end");
    assert_non_null(
        strstr(logged(), "\"msg\":\"plain http on a tls port\",\"peer\":\"203.0.113.9\""));
}

TEST(plain_http_on_a_tls_port_is_told_what_to_use)
{
    use_tls();
    serve("echo");
    struct peer *peer = add_caller(&world);
    say(peer, hello);
    run(&world);
    assert_seen(peer, "400 end");
    assert_non_null(strstr(mw_buf_cstr(&peer->line.to_peer), "\"plain_http_on_tls_port\""));
    assert_non_null(strstr(logged(), "plain http on a tls port"));
}

TEST(what_is_no_tls_gets_an_alert_and_is_named)
{
    use_tls();
    set("trusted_proxies", "192.0.2.7");
    set("proxy_protocol", "true");
    serve("echo");
    struct peer *peer = add_caller(&world);
    say(peer, v1);
    say_bytes(peer, "\x17\x03\x03\x00\x05hello", 10); /* data, and no hello before it */
    RUN_UNTIL(&world, peer->line.finished && peer->line.to_peer.len >= 7);
    assert_int_equal(peer->line.to_peer.data[0], 0x15); /* RFC 8446 5.1: an alert */
    assert_non_null(strstr(logged(), "\"msg\":\"tls refused\",\"peer\":\"203.0.113.9\""));
}

TEST(a_header_of_a_stranger_on_a_tls_port_ends_it)
{
    use_tls();
    serve("echo");
    struct peer *peer = add_caller(&world);
    say(peer, v1);
    run(&world);
    assert_true(peer->line.closed);
    assert_seen(peer, "end");
    assert_non_null(strstr(logged(), "proxy not trusted"));
}

TEST(who_stands_at_the_door_when_the_server_stops_is_sent_away)
{
    serve("echo");
    struct peer *silent = add_caller(&world), *begun = add_caller(&world);
    say(begun, "PROXY TCP4 ");
    run(&world);
    mw_worker_drain(&world.worker, false);
    run(&world);
    assert_true(silent->line.closed && begun->line.closed);
    assert_true(mw_list_is_empty(&world.worker.doors));
}

/* A kernel hands out what was sent before a reset, and has forgotten by whom. */
TEST(who_has_reset_before_the_door_is_not_taken_for_a_stranger)
{
    set("trusted_proxies", "192.0.2.7");
    set("proxy_protocol", "true");
    serve("echo");
    struct peer *peer = new_peer_(&world);
    say(peer, v1);
    peer->line.peer_reset = true;
    mw_door_accept(&world.worker, &peer->line.stream);
    run(&world);
    assert_true(peer->line.closed);
    assert_null(strstr(logged(), "proxy"));
    assert_int_equal(world.worker.client_count, 0);
}

TEST(who_hangs_up_at_the_door_leaves_nothing)
{
    serve("echo");
    struct peer *done = add_caller(&world), *reset = add_caller(&world);
    say(done, "PRO");
    run(&world);
    done->line.peer_finished = true;
    reset->line.peer_reset = true;
    run(&world);
    assert_true(done->line.closed && reset->line.closed);
    assert_int_equal(world.worker.client_count, 0);
}

TEST(no_memory_for_a_door_or_its_client_closes_the_stream)
{
    for (uint64_t n = 1; n <= 8; n++) {
        serve("echo");
        struct mw_mem *mem = &world.worker.mem;
        mem->fail_at = mem->count + n;
        struct peer *peer = add_caller(&world);
        say(peer, hello);
        run(&world);
        mem->fail_at = 0;
        assert_true(peer->line.closed || !strncmp(seen_by(peer), "101", 3) ||
                    !strncmp(seen_by(peer), "503", 3));
        next_case();
    }
    serve("echo");
}

#define WITH_TLS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_tls)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(whoever_speaks_http_is_let_in_with_every_cut),
        IN_A_WORLD(a_trusted_proxy_says_who_connects_with_every_cut),
        IN_A_WORLD(a_trusted_proxy_without_a_whole_header_is_sent_away_and_named),
        IN_A_WORLD(anybody_elses_header_is_refused_and_named),
        IN_A_WORLD(headers_of_a_trusted_proxy_name_the_client_of_each_request),
        IN_A_WORLD(headers_of_anybody_else_are_ignored),
        IN_A_WORLD(a_broken_header_is_not_taken_for_a_missing_one),
        WITH_TLS(who_speaks_plain_http_behind_a_proxy_is_named_by_its_own_address),
        WITH_TLS(plain_http_on_a_tls_port_is_told_what_to_use),
        WITH_TLS(what_is_no_tls_gets_an_alert_and_is_named),
        WITH_TLS(a_header_of_a_stranger_on_a_tls_port_ends_it),
        IN_A_WORLD(who_stands_at_the_door_when_the_server_stops_is_sent_away),
        IN_A_WORLD(who_has_reset_before_the_door_is_not_taken_for_a_stranger),
        IN_A_WORLD(who_hangs_up_at_the_door_leaves_nothing),
        IN_A_WORLD(no_memory_for_a_door_or_its_client_closes_the_stream),
    };
    return RUN(cases);
}
