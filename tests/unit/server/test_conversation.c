/*
 * Whole conversations: the real drivers between a stream that cuts everything to pieces and an
 * engine that is not Lua.
 */
#include "core/server/host_real.h"
#include "tests/unit/server/serve.h"

/* ---- messages ---- */

TEST(messages_are_echoed_whole_and_in_order_however_they_are_cut)
{
    static char big[70000];
    memset(big, 'b', sizeof big - 1);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        serve_seeded("echo", seed);
        struct peer *peer = add_socket(&world, "/s");
        if (peer->line.max_piece < 700)
            peer->line.max_piece = 700;
        say_text(peer, "one");
        say_text(peer, "");
        say_text(peer, big);
        say_text(peer, "two");
        run(&world);
        assert_seen(peer, "101 text:one text: text[69999] text:two");
        assert_int_equal(c_engine.messages, 4);
        next_case();
    }
    serve("echo");
}

TEST(a_published_message_reaches_every_subscriber_and_nobody_else)
{
    write_script(&world, "other.capp", "join room\nroute /other");
    write_script(&world, "lonely.capp", "echo");
    serve("join room\npublish room");
    struct peer *a = add_socket(&world, "/s"), *b = add_socket(&world, "/s");
    struct peer *other = add_socket(&world, "/other"), *lonely = add_socket(&world, "/lonely");
    run(&world);
    say_text(a, "hello");
    say_text(b, "hi");
    run(&world);
    const char *seen[] = { "101 text:hello text:hi", "101 text:hi text:hello" };
    bool order = !strcmp(seen_by(a), seen[1]);
    assert_seen(a, seen[order]);
    assert_seen(b, seen[order]); /* the same order for all */
    assert_seen(other, seen[order]);
    assert_seen(lonely, "101");
    say_close(b, 1000);
    run(&world);
    say_text(a, "gone?");
    run(&world);
    assert_non_null(strstr(seen_by(a), "text:gone?"));
    assert_null(strstr(seen_by(b), "text:gone?"));
}

TEST(what_is_published_in_one_turn_is_one_write_to_each_subscriber)
{
    struct peer *peers[4];
    char seen[512] = "101";
    serve("join room\npublish room");
    for (size_t i = 0; i < MW_COUNT(peers); i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
    for (int i = 0; i < 20; i++) {
        char text[16];
        snprintf(text, sizeof text, "%02d", i);
        say_text(peers[0], text);
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), " text:%s", text);
    }
    unsigned before[MW_COUNT(peers)];
    for (size_t i = 0; i < MW_COUNT(peers); i++) {
        before[i] = peers[i]->line.writes;
        peers[i]->line.takes_little = false;
    }
    struct mw_view all = mw_buf_view(&peers[0]->line.to_server);
    peers[0]->line.stream.events->read(peers[0]->line.stream.owner, (char *)all.data, all.len);
    mw_buf_clear(&peers[0]->line.to_server);
    run(&world);
    for (size_t i = 0; i < MW_COUNT(peers); i++) {
        assert_int_equal(peers[i]->line.writes - before[i], 1);
        assert_seen(peers[i], seen);
    }
}

TEST(a_message_may_go_to_all_but_one)
{
    serve("join room\ntell room");
    struct peer *a = add_socket(&world, "/s"), *b = add_socket(&world, "/s");
    run(&world);
    say_text(a, "hello");
    run(&world);
    assert_seen(a, "101");
    assert_seen(b, "101 text:hello");
    assert_int_equal(c_engine.receivers, 1);
}

TEST(a_script_cannot_reach_the_connections_of_another)
{
    write_script(&world, "other.capp", "echo");
    serve("echo");
    struct peer *a = add_socket(&world, "/s"), *b = add_socket(&world, "/other");
    run(&world);
    const struct mw_host *host = mw_host_real();
    struct mw_route *mine = a->client->route;
    mw_id theirs = b->client->id;
    struct mw_view text = mw_view_text("x");
    struct mw_conn_info info;
    assert_int_equal(host->send(mine, theirs, MW_OPCODE_TEXT, text, NULL), MW_ERR_GONE);
    assert_int_equal(host->close(mine, theirs, 1000, text, NULL), MW_ERR_GONE);
    assert_int_equal(host->ping(mine, theirs), MW_ERR_GONE);
    assert_int_equal(host->info(mine, theirs, &info), MW_ERR_GONE);
    assert_int_equal(host->subscribe(mine, theirs, text, NULL, NULL), MW_ERR_GONE);
    assert_int_equal(host->unsubscribe(mine, theirs, text), MW_ERR_GONE);
    assert_false(host->topic_at(mine, theirs, 0, &text));
    assert_true(host->next_conn(mine, 0) == a->client->id);
    assert_true(host->next_conn(mine, a->client->id) == 0);
    run(&world);
    assert_seen(b, "101");
}

TEST(messages_that_no_handler_wants_are_counted_and_dropped)
{
    serve("deaf");
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "hello?");
    say_close(peer, 1000);
    run(&world);
    assert_seen(peer, "101 close:1000: end");
    assert_int_equal(c_engine.messages, 0);
}

TEST(a_handler_that_fails_costs_the_message_and_not_the_connection)
{
    serve("fail");
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "one");
    say_text(peer, "two");
    run(&world);
    assert_seen(peer, "101");
    assert_int_equal(c_engine.messages, 2);
}

TEST(a_message_that_is_not_json_closes_with_1007)
{
    serve("bad-json");
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "{");
    run(&world);
    assert_seen(peer, "101 close:1007:the message is not valid JSON");
    say_close(peer, 1007);
    run(&world);
    assert_string_equal(c_engine.causes[0], "bad_json");
}

TEST(a_breach_is_answered_with_its_code_and_the_end)
{
    serve("echo");
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "fine");
    say_bytes(peer, "\x81\x05Hello", 7); /* unmasked */
    run(&world);
    assert_seen(peer, "101 text:fine close:1002:RFC 6455 5.1: a client masks every frame end");
    assert_string_equal(c_engine.causes[0], "protocol_error");
}

/* ---- closing ---- */

TEST(the_peers_close_is_echoed_and_then_the_stream_ends)
{
    static const unsigned codes[] = { 1000, 1001, 4000 };
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(codes); i++) {
        char want[32];
        struct peer *peer = add_socket(&world, "/s");
        say_close(peer, codes[i]);
        run(&world);
        snprintf(want, sizeof want, "101 close:%u: end", codes[i]);
        assert_seen(peer, want);
        assert_int_equal(c_engine.codes[0], codes[i]);
        assert_string_equal(c_engine.causes[0], "peer_close");
        assert_true(c_engine.clean);
        assert_false(peer->line.closed); /* lingers: the peer shall see it */
        peer->line.peer_finished = true;
        run(&world);
        assert_true(peer->line.closed && !peer->line.was_reset);
    }
    assert_int_equal(c_engine.ends, MW_COUNT(codes));
}

TEST(a_close_and_the_end_of_the_stream_in_one_turn_are_still_answered)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        serve_seeded("echo", seed);
        struct peer *peer = add_socket(&world, "/s");
        run(&world);
        say_close(peer, 1000);
        peer->line.peer_finished = true;
        run(&world);
        assert_seen(peer, "101 close:1000: end");
        next_case();
    }
    serve("echo");
}

TEST(a_script_closes_with_its_code_behind_what_it_said)
{
    serve("echo\nclose 4002");
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "bye");
    run(&world);
    assert_seen(peer, "101 text:bye close:4002:bye");
    assert_int_equal(c_engine.closes, 0);
    say_close(peer, 4002);
    run(&world);
    assert_seen(peer, "101 text:bye close:4002:bye end");
    assert_int_equal(c_engine.codes[0], 4002);
    assert_string_equal(c_engine.causes[0], "script_close");
    assert_true(c_engine.clean);
}

TEST(a_peer_that_never_answers_a_close_is_let_go)
{
    serve("close 4002");
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "bye");
    run(&world);
    assert_int_equal(peer->client->conn.phase, MW_CONN_CLOSE_SENT);
    peer->client->conn.close_due_ms = 0; /* five seconds later */
    ring_early(peer);
    run(&world);
    assert_int_equal(c_engine.closes, 1);
    assert_false(c_engine.clean);
    assert_seen(peer, "101 close:4002:bye end");
    ring_early(peer); /* the linger is over as well */
    run(&world);
    assert_true(peer->line.closed);
}

TEST(a_farewell_of_on_close_reaches_the_others)
{
    serve("join room\nfarewell room");
    struct peer *a = add_socket(&world, "/s"), *b = add_socket(&world, "/s");
    run(&world);
    say_close(a, 1000);
    run(&world);
    assert_seen(a, "101 close:1000: end");
    assert_seen(b, "101 text:gone");
    assert_int_equal(c_engine.receivers, 1); /* who has left is not counted */
}

/* ---- handlers that wait ---- */

TEST(while_a_handler_waits_pings_are_answered_and_messages_keep_their_order)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        serve_seeded("wait\necho", seed);
        c_engine.hold = true;
        struct peer *peer = add_socket(&world, "/s");
        say_text(peer, "1");
        say_text(peer, "2");
        say_frame(peer, MW_OPCODE_PING, mw_view_text("p"));
        say_text(peer, "3");
        run(&world);
        assert_seen(peer, "101 pong:p");
        assert_int_equal(c_engine.messages, 1);
        c_engine.hold = false;
        RUN_UNTIL(&world, !strcmp(seen_by(peer), "101 pong:p text:1 text:2 text:3"));
        next_case();
    }
    serve("echo");
}

/* Sends numbered messages of 1000 bytes until the server has stopped reading. */
static unsigned fill_up(struct peer *peer)
{
    char text[1000];
    unsigned sent = 0;
    run(&world);
    while (peer->line.reading && sent < 500) {
        memset(text, 'x', sizeof text);
        int len = snprintf(text, sizeof text, "%u", sent++);
        text[len] = ' ';
        say_frame(peer, MW_OPCODE_BINARY, mw_view(text, sizeof text));
        run(&world);
    }
    return sent;
}

/* Each echoed message has its number, in order. */
static void assert_numbered(const struct peer *peer, unsigned count)
{
    struct mw_view bytes = mw_buf_view(&peer->line.to_peer);
    const char *head_end = strstr(bytes.data, "\r\n\r\n");
    size_t at = (size_t)(head_end + 4 - bytes.data);
    for (unsigned number = 0; number < count; number++, at += 1004) {
        char want[16];
        int len = snprintf(want, sizeof want, "%u ", number);
        assert_true(at + 1004 <= bytes.len);
        assert_memory_equal(bytes.data + at, "\x82\x7e\x03\xe8", 4);
        assert_memory_equal(bytes.data + at + 4, want, (size_t)len);
    }
    assert_int_equal(at, bytes.len);
}

TEST(a_peer_that_sends_on_while_a_handler_waits_is_slowed_down_and_loses_nothing)
{
    static const size_t pieces[] = { 100, 1500, 20000 };
    for (uint64_t seed = 1; seed <= 12; seed++) {
        serve_seeded("wait\necho", seed);
        c_engine.hold = true;
        struct peer *peer = add_socket(&world, "/s");
        peer->line.max_piece = pieces[seed % MW_COUNT(pieces)];
        unsigned sent = fill_up(peer);
        assert_in_range(sent, 60, 100);
        size_t held = world.worker.mem.bytes;
        for (int i = 0; i < 20; i++) {
            char text[1000] = { 0 };
            int len = snprintf(text, sizeof text, "%u ", sent++);
            assert_true(len > 0);
            say_frame(peer, MW_OPCODE_BINARY, mw_view(text, sizeof text));
        }
        run(&world);
        assert_int_equal(world.worker.mem.bytes, held); /* what waits, waits outside */
        c_engine.hold = false;
        RUN_UNTIL(&world, c_engine.messages == sent);
        run(&world);
        RUN_UNTIL(&world, peer->line.reading && peer->line.to_server.len == 0);
        run(&world);
        assert_numbered(peer, sent);
        next_case();
    }
    serve("echo");
}

TEST(messages_before_a_close_are_delivered_although_a_handler_waited)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        serve_seeded("wait\npublish room", seed);
        write_script(&world, "ear.capp", "join room");
        assert_int_equal(load(&world), 0);
        struct peer *ear = add_socket(&world, "/ear");
        run(&world);
        c_engine.hold = true;
        struct peer *peer = add_socket(&world, "/s");
        say_text(peer, "1");
        say_text(peer, "2");
        say_text(peer, "3");
        say_close(peer, 1000);
        run(&world);
        assert_seen(peer, "101 close:1000: end"); /* the answer waits for no handler */
        assert_int_equal(c_engine.closes, 0);
        c_engine.hold = false;
        RUN_UNTIL(&world, c_engine.closes == 1);
        run(&world);
        assert_seen(ear, "101 text:1 text:2 text:3");
        next_case();
    }
    serve("echo");
}

TEST(a_handler_that_never_ends_does_not_hold_a_peer_that_has_closed_for_ever)
{
    serve("wait\necho");
    c_engine.hold = true;
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "1");
    say_text(peer, "2");
    say_close(peer, 1000);
    run(&world);
    assert_seen(peer, "101 close:1000: end"); /* the answer waits for nobody */
    assert_int_equal(c_engine.closes, 0);
    peer->client->ending_due_ms = 0; /* half a minute later */
    ring_early(peer);
    run(&world);
    assert_int_equal(c_engine.closes, 1);
    assert_int_equal(c_engine.messages, 1);
    assert_seen(peer, "101 close:1000: end");
}

TEST(what_a_handler_says_after_the_end_is_dropped_quietly)
{
    serve("wait\necho");
    c_engine.hold = true;
    struct peer *peer = add_socket(&world, "/s");
    say_text(peer, "1");
    run(&world);
    peer->line.peer_reset = true;
    run(&world);
    assert_int_equal(c_engine.closes, 1);
    c_engine.hold = false;
    run(&world);
    assert_true(peer->line.closed);
}

/* ---- the send queue ---- */

TEST(a_peer_that_reads_too_slowly_is_closed_with_1013)
{
    serve("limit queue 20000\nflood 100");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    peer->line.room = 5000;
    say_text(peer, "flood me");
    run(&world);
    assert_int_equal(peer->client->conn.phase, MW_CONN_CLOSE_SENT);
    assert_in_range(world.worker.mem.bytes, 1, 700000);
    peer->line.room = SIZE_MAX;
    say_close(peer, 1013);
    run(&world);
    assert_non_null(
        strstr(seen_by(peer), " close:1013:the client reads too slowly;retry=5000-15000 end"));
    assert_string_equal(c_engine.causes[0], "slow_consumer");
}

TEST(a_script_is_told_when_the_queue_has_drained)
{
    serve("limit queue 20000\nflood 20");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    peer->line.room = 1000;
    say_text(peer, "some");
    run(&world);
    assert_int_equal(c_engine.drains, 0);
    peer->line.room = SIZE_MAX;
    run(&world);
    assert_int_equal(c_engine.drains, 1);
    assert_int_equal(peer->line.to_server.len, 0);
    assert_int_equal(c_engine.closes, 0);
}

/* ---- the stop ---- */

TEST(a_stop_closes_everybody_with_1001)
{
    write_script(&world, "slow.capp", "wait-open");
    serve("echo");
    struct peer *open = add_socket(&world, "/s");
    run(&world);
    c_engine.hold = true;
    struct peer *opening = add_socket(&world, "/slow"), *silent = add_peer(&world);
    run(&world);
    mw_worker_drain(&world.worker, false);
    run(&world);
    assert_seen(open, "101 close:1001:server is stopping;retry=0");
    assert_seen(opening, "101 close:1001:server is stopping;retry=0");
    assert_seen(silent, "end");
    say_close(open, 1001);
    say_close(opening, 1001);
    run(&world);
    assert_int_equal(c_engine.closes, 2);
    assert_int_equal(c_engine.ends, 1);
    assert_string_equal(c_engine.causes[0], "drain");
}

TEST(a_stop_waits_no_longer_than_it_was_told_to)
{
    world.config.drain_timeout = 1;
    serve("wait\necho");
    c_engine.hold = true;
    struct peer *deaf = add_socket(&world, "/s"), *blocked = add_socket(&world, "/s");
    run(&world);
    say_text(deaf, "waits");
    run(&world);
    blocked->line.room = 0;
    mw_worker_drain(&world.worker, false);
    RUN_UNTIL(&world, deaf->line.closed && blocked->line.closed);
    assert_int_equal(c_engine.closes, 2);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(messages_are_echoed_whole_and_in_order_however_they_are_cut),
        IN_A_WORLD(a_published_message_reaches_every_subscriber_and_nobody_else),
        IN_A_WORLD(what_is_published_in_one_turn_is_one_write_to_each_subscriber),
        IN_A_WORLD(a_message_may_go_to_all_but_one),
        IN_A_WORLD(a_script_cannot_reach_the_connections_of_another),
        IN_A_WORLD(messages_that_no_handler_wants_are_counted_and_dropped),
        IN_A_WORLD(a_handler_that_fails_costs_the_message_and_not_the_connection),
        IN_A_WORLD(a_message_that_is_not_json_closes_with_1007),
        IN_A_WORLD(a_breach_is_answered_with_its_code_and_the_end),
        IN_A_WORLD(the_peers_close_is_echoed_and_then_the_stream_ends),
        IN_A_WORLD(a_close_and_the_end_of_the_stream_in_one_turn_are_still_answered),
        IN_A_WORLD(a_script_closes_with_its_code_behind_what_it_said),
        IN_A_WORLD(a_peer_that_never_answers_a_close_is_let_go),
        IN_A_WORLD(a_farewell_of_on_close_reaches_the_others),
        IN_A_WORLD(while_a_handler_waits_pings_are_answered_and_messages_keep_their_order),
        IN_A_WORLD(a_peer_that_sends_on_while_a_handler_waits_is_slowed_down_and_loses_nothing),
        IN_A_WORLD(messages_before_a_close_are_delivered_although_a_handler_waited),
        IN_A_WORLD(a_handler_that_never_ends_does_not_hold_a_peer_that_has_closed_for_ever),
        IN_A_WORLD(what_a_handler_says_after_the_end_is_dropped_quietly),
        IN_A_WORLD(a_peer_that_reads_too_slowly_is_closed_with_1013),
        IN_A_WORLD(a_script_is_told_when_the_queue_has_drained),
        IN_A_WORLD(a_stop_closes_everybody_with_1001),
        IN_A_WORLD(a_stop_waits_no_longer_than_it_was_told_to),
    };
    return RUN(cases);
}
