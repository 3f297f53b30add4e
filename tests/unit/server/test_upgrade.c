/* upgrade: from a request to an open WebSocket or to its refusal, with an on_open that may wait. */
#include "tests/unit/server/serve.h"

TEST(what_on_open_decides_is_what_the_peer_sees)
{
    static const struct {
        const char *script, *seen;
    } table[] = {
        { "echo", "101" },
        { "greet hi", "101 text:hi" },
        { "refuse 403 not you", "403 end" },
        { "refuse 503", "503 end" },
        { "refuse 4001 who are you", "101 close:4001:who are you" },
        { "greet hi\nrefuse 403 not you", "403 end" },
        { "greet hi\nrefuse 4001 no", "101 text:hi close:4001:no" },
        { "fail-open", "101 close:1011:on_open failed" },
        { "hang-up 4000", "101 close:4000:" },
        { "wait-open", "101" },
        { "wait-open\ngreet hi", "101 text:hi" },
        { "wait-open\nrefuse 403 not you", "403 end" },
        { "wait-open\nrefuse 4001 no", "101 close:4001:no" },
        { "wait-open\nfail-open", "101 close:1011:on_open failed" },
        { "wait-open\nhang-up 4000", "101 close:4000:" },
    };
    for (size_t i = 0; i < 5 * MW_COUNT(table); i++) {
        size_t n = i % MW_COUNT(table);
        serve_seeded(table[n].script, i + 1);
        struct peer *peer = add_socket(&world, "/s");
        RUN_UNTIL(&world, strlen(seen_by(peer)) >= strlen(table[n].seen));
        run(&world);
        assert_seen(peer, table[n].seen);
        next_case();
    }
    serve("echo");
}

#define MARK "0123456789-_ABCDEFabcd"

/* Also before what on_open has sent, and where on_open has refused with a code. */
TEST(who_names_a_mark_is_greeted_first)
{
    static const struct {
        const char *script, *target, *seen;
    } table[] = {
        { "greet hi", "/s?moonwire=" MARK, "101 text:" MARK "%s text:hi" },
        { "wait-open\ngreet hi", "/s?a&moonwire=" MARK, "101 text:" MARK "%s text:hi" },
        { "refuse 4001 no", "/s?moonwire=" MARK, "101 text:" MARK "%s close:4001:no" },
        { "limit ping 0\nlimit pong 7", "/s?moonwire=" MARK, "101 text:" MARK "%s" },
        { "greet hi", "/s?moonwire=short", "101 text:hi" },
        { "greet hi", "/s?moonwire=" MARK "&moonwire=" MARK, "101 text:hi" },
    };
    for (size_t i = 0; i < 3 * MW_COUNT(table); i++) {
        size_t n = i % MW_COUNT(table);
        char id[17], hello[80], want[200];
        serve_seeded(table[n].script, i + 1);
        struct peer *peer = add_socket(&world, table[n].target);
        mw_id_text(peer->client->id, id);
        bool is_off = strstr(table[n].script, "ping 0") != NULL;
        snprintf(hello, sizeof hello, "{\"v\":1,\"id\":\"%s\",\"ping\":%d,\"pong\":%d}", id,
                 is_off ? 0 : 25, is_off ? 7 : 20);
        snprintf(want, sizeof want, table[n].seen, hello);
        RUN_UNTIL(&world, strlen(seen_by(peer)) >= strlen(want));
        run(&world);
        assert_seen(peer, want);
        next_case();
    }
    serve("echo");
}

/* It may come with the request, and while the script waits. */
TEST(a_probe_is_answered_and_no_script_hears_it)
{
    serve("wait-open\necho\nwait");
    c_engine.hold = true;
    struct peer *peer = add_socket(&world, "/s?moonwire=" MARK);
    say_text(peer, MARK "?");
    run(&world);
    assert_seen(peer, "");
    c_engine.hold = false;
    RUN_UNTIL(&world, strstr(seen_by(peer), " text:" MARK "!"));
    c_engine.hold = true;
    say_text(peer, "one");
    RUN_UNTIL(&world, c_engine.messages == 1);
    peer->client->conn.sideband->answer_at_ms = 0; /* a second later */
    say_text(peer, MARK "?");
    RUN_UNTIL(&world, strstr(strstr(seen_by(peer), "!") + 1, " text:" MARK "!"));
    assert_int_equal(c_engine.messages, 1);
    assert_int_equal(peer->client->conn.messages_received, 1);
    c_engine.hold = false;
    run(&world);
}

TEST(a_handshake_that_breaks_a_rule_asks_no_script)
{
    static const struct {
        const char *request, *seen;
    } table[] = {
        { "GET /none HTTP/1.1\r\n" UPGRADE "\r\n", "404 end" },
        { "POST /s HTTP/1.1\r\n" UPGRADE "\r\n", "405 end" },
        { "GET /s HTTP/1.1\r\n" UPGRADE "Origin: https://elsewhere\r\n\r\n", "403 end" },
        { "GET /s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          "426 end" },
        { "GET /s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
          "400 end" },
        { "GET /%zz HTTP/1.1\r\n" UPGRADE "\r\n", "400 end" },
        { "GARBAGE\r\n\r\n", "400 end" },
    };
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct peer *peer = add_peer(&world);
        say(peer, table[i].request);
        run(&world);
        assert_seen(peer, table[i].seen);
    }
    assert_int_equal(c_engine.opens, 0);
}

/* The query is not told: it may hold what is secret. */
TEST(who_is_refused_is_in_the_log)
{
    static const struct {
        const char *script, *request, *line;
    } table[] = {
        { "echo", "GET /none?token=1 HTTP/1.1\r\n" UPGRADE "\r\n",
          "\"msg\":\"handshake refused\",\"path\":\"/none\",\"ip\":\"192.0.2.7\",\"status\":404,"
          "\"error\":\"no_route\"" },
        { "echo", "GET /s?token=1 HTTP/1.1\r\n" UPGRADE "Origin: https://elsewhere\r\n\r\n",
          "\"status\":403,\"error\":\"origin\",\"detail\":\"pages of https://elsewhere may not" },
        { "refuse 403 not you", "GET /s?token=1 HTTP/1.1\r\n" UPGRADE "\r\n",
          "\"path\":\"/s\",\"ip\":\"192.0.2.7\",\"status\":403,\"error\":\"refused\","
          "\"detail\":\"not you\"" },
        { "echo", "GET /%zz?token=1 HTTP/1.1\r\n" UPGRADE "\r\n",
          "\"path\":\"/%zz\",\"ip\":\"192.0.2.7\",\"status\":400,\"error\":\"bad_target\"" },
        { "echo", "GARBAGE\r\n\r\n",
          "\"msg\":\"request refused\",\"peer\":\"192.0.2.7\",\"error\":" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        serve(table[i].script);
        struct peer *peer = add_peer(&world);
        say(peer, table[i].request);
        run(&world);
        const char *log = logged();
        assert_non_null(strstr(log, table[i].line));
        assert_null(strstr(log, "token"));
        next_case();
    }
    serve("echo");
}

/* A page that is not there is no news, and neither is a WebSocket route in a browser's address bar.
 */
TEST(a_file_that_is_missing_is_not_in_the_log)
{
    serve("echo");
    struct peer *peer = add_peer(&world);
    say(peer, "GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET /s HTTP/1.1\r\nHost: x\r\n\r\n");
    RUN_UNTIL(&world, !strcmp(seen_by(peer), "404 426"));
    assert_null(strstr(logged(), "refused"));
}

TEST(an_on_open_that_takes_too_long_is_a_failed_one)
{
    c_engine.hold = true;
    serve("wait-open");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    assert_seen(peer, "");
    ring_early(peer);
    run(&world);
    assert_seen(peer, "101 close:1011:on_open failed");
    say_close(peer, 1011);
    run(&world);
    assert_int_equal(c_engine.closes, 1);
    assert_int_equal(c_engine.ends, 0);
    assert_seen(peer, "101 close:1011:on_open failed end");
}

TEST(frames_that_came_with_the_request_are_not_lost)
{
    serve("wait-open\necho");
    struct peer *peer = add_peer(&world);
    peer->line.max_piece = SIZE_MAX;
    say_hello(peer, "/s", "");
    say_text(peer, "early");
    say_frame(peer, MW_OPCODE_PING, mw_view_text("p"));
    RUN_UNTIL(&world, strlen(seen_by(peer)) >= strlen("101 text:early pong:p"));
    /* A pong may go before data that has not begun to leave. */
    assert_true(!strcmp(seen_by(peer), "101 text:early pong:p") ||
                !strcmp(seen_by(peer), "101 pong:p text:early"));
}

TEST(a_subprotocol_is_answered_where_one_fits)
{
    serve("protocol chat.v2\necho");
    struct peer *both = add_peer(&world), *other = add_peer(&world);
    say_hello(both, "/s", "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n");
    say_hello(other, "/s", "Sec-WebSocket-Protocol: chat.v1\r\n");
    run(&world);
    assert_non_null(strstr(mw_buf_cstr(&both->line.to_peer), "Protocol: chat.v2\r\n"));
    assert_null(strstr(mw_buf_cstr(&other->line.to_peer), "Protocol:"));
}

TEST(a_route_that_is_full_says_so_with_1013)
{
    serve("limit connections 2\necho");
    struct peer *peers[3];
    for (size_t i = 0; i < MW_COUNT(peers); i++) {
        peers[i] = add_socket(&world, "/s");
        run(&world);
    }
    assert_seen(peers[1], "101");
    assert_seen(peers[2], "101 close:1013:the route is full;retry=5000-30000");
    assert_int_equal(c_engine.opens, 2);
    say_close(peers[0], 1000);
    run(&world);
    struct peer *next = add_socket(&world, "/s");
    run(&world);
    assert_seen(next, "101");
}

static struct peer *come_from(const char *ip)
{
    char header[80];
    struct peer *peer = add_peer(&world);
    snprintf(header, sizeof header, "X-Forwarded-For: %s\r\n", ip);
    say_hello(peer, "/s", header);
    run(&world);
    return peer;
}

/* Each but the last stays; who was turned away, by the limit or by on_open, took nobody's place. */
TEST(an_address_has_so_many_connections_and_the_next_gets_1013)
{
#define FULL "101 close:1013:more connections than limits.connections_per_ip;retry=5000-30000"
    char why[256];
    assert_int_equal(mw_config_set(&world.config, mw_view_text("trusted_proxies"),
                                   mw_view_text("192.0.2.7"), why),
                     MW_OK);
    serve("limit connections_per_ip 2\necho");
    struct peer *first = come_from("198.51.100.1");
    (void)come_from("2001:db8::1");
    assert_seen(come_from("198.51.100.1"), "101");
    for (int i = 0; i < 2; i++)
        assert_seen(come_from("198.51.100.1"), FULL);
    assert_seen(come_from("2001:db8::2"), "101");
    assert_seen(come_from("2001:db8::3"), FULL);
    assert_int_equal(c_engine.opens, 4);
    say_close(first, 1000);
    run(&world);
    assert_seen(come_from("198.51.100.1"), "101");
    assert_seen(come_from("198.51.100.1"), FULL);
    assert_seen(come_from("2001:db8:0:1::1"), "101");
}

TEST(an_on_open_that_refuses_gives_the_place_of_its_address_back)
{
    static const char *const scripts[] = { "refuse 403 no", "refuse 4001 no", "fail-open",
                                           "wait-open\nrefuse 403 no", "hang-up 4000" };
    for (size_t i = 0; i < MW_COUNT(scripts); i++) {
        char text[80];
        snprintf(text, sizeof text, "limit connections_per_ip 1\n%s", scripts[i]);
        serve(text);
        for (unsigned n = 1; n <= 3; n++) {
            struct peer *peer = add_socket(&world, "/s");
            run(&world);
            peer->line.peer_reset = true;
            run(&world);
            assert_int_equal(c_engine.opens, c_engine.closes);
            assert_int_equal(c_engine.opens, n);
        }
        next_case();
    }
    serve("echo");
}

/* One upgrade for each of the next allocations, which fails: how many were refused for that. */
static unsigned refusals_for_memory(const char *script)
{
    unsigned refused = 0;
    for (uint64_t n = 1; n <= 40; n++) {
        serve(script);
        struct peer *peer = add_socket(&world, "/s");
        world.worker.mem.fail_at = world.worker.mem.count + n;
        run(&world);
        world.worker.mem.fail_at = 0;
        if (!strcmp(seen_by(peer), "503 end")) {
            assert_int_equal(c_engine.opens, c_engine.closes);
            refused++;
        }
        next_case();
    }
    return refused;
}

TEST(an_upgrade_without_memory_is_refused)
{
    assert_true(refusals_for_memory("echo") > 0);
    serve("echo");
}

TEST(an_address_that_cannot_be_counted_for_want_of_memory_is_refused)
{
    serve("limit connections_per_ip 2\necho");
    struct mw_seat *seat = mw_route_by_name(&world.worker, mw_view_text("s.capp"))->seat;
    seat->mem.fail_at = seat->mem.count + 1;
    struct peer *peer = add_socket(&world, "/s"), *next;
    run(&world);
    assert_seen(peer, "503 end");
    assert_int_equal(atomic_load(&seat->taken), 0);
    seat->mem.fail_at = 0;
    next = add_socket(&world, "/s");
    run(&world);
    assert_seen(next, "101");
}

TEST(the_script_is_told_of_the_tls_below_a_connection)
{
    static const struct mw_tls_facts facts = {
        .version = "TLSv1.3",
        .cipher = "TLS_AES_128_GCM_SHA256",
        .sni = "a.example",
    };
    serve("tell-who");
    struct peer *plain = add_peer(&world), *safe = add_peer(&world);
    safe->line.tls = &facts;
    say_hello(plain, "/s", "");
    say_hello(safe, "/s", "");
    run(&world);
    assert_seen(plain, "101 text:192.0.2.7");
    assert_seen(safe, "101 text:192.0.2.7 TLSv1.3 TLS_AES_128_GCM_SHA256,a.example,");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(what_on_open_decides_is_what_the_peer_sees),
        IN_A_WORLD(who_names_a_mark_is_greeted_first),
        IN_A_WORLD(a_probe_is_answered_and_no_script_hears_it),
        IN_A_WORLD(a_handshake_that_breaks_a_rule_asks_no_script),
        IN_A_WORLD(who_is_refused_is_in_the_log),
        IN_A_WORLD(a_file_that_is_missing_is_not_in_the_log),
        IN_A_WORLD(an_on_open_that_takes_too_long_is_a_failed_one),
        IN_A_WORLD(frames_that_came_with_the_request_are_not_lost),
        IN_A_WORLD(a_subprotocol_is_answered_where_one_fits),
        IN_A_WORLD(a_route_that_is_full_says_so_with_1013),
        IN_A_WORLD(an_address_has_so_many_connections_and_the_next_gets_1013),
        IN_A_WORLD(an_on_open_that_refuses_gives_the_place_of_its_address_back),
        IN_A_WORLD(an_upgrade_without_memory_is_refused),
        IN_A_WORLD(an_address_that_cannot_be_counted_for_want_of_memory_is_refused),
        IN_A_WORLD(the_script_is_told_of_the_tls_below_a_connection),
    };
    return RUN(cases);
}
