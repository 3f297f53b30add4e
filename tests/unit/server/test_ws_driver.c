/* ws_driver: how much of one client's traffic is taken in a turn, and what is left at its end. */
#include "core/server/host_real.h"
#include "tests/unit/server/serve.h"

#define MESSAGES      40
#define MESSAGE_BYTES 1000000

/* A compressed message of this many zeros. */
static void say_zeros(struct peer *peer, struct mw_deflater *deflater)
{
    static const char zeros[MESSAGE_BYTES];
    struct mw_buf packed;
    mw_buf_init(&packed, &world.mem, 0);
    assert_int_equal(mw_deflater_run(deflater, mw_view(zeros, sizeof zeros), &packed), MW_OK);
    assert_true(packed.len < MESSAGE_BYTES / 100);
    size_t at = peer->line.to_server.len;
    say_frame(peer, MW_OPCODE_BINARY, mw_buf_view(&packed));
    mw_frame_set_compressed((uint8_t *)peer->line.to_server.data + at);
    mw_buf_free(&packed);
}

static struct peer *add_compressing_socket(void)
{
    struct peer *peer = add_peer(&world);
    say_hello(peer, "/s", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    run(&world);
    return peer;
}

/* What one read brings may be a thousand times as much once it is inflated. */
TEST(who_sends_bombs_of_the_allowed_size_does_not_keep_the_others_waiting)
{
    struct mw_deflate_pool pool;
    struct mw_deflater deflater;
    mw_deflate_pool_init(&pool, &world.mem, 0);
    mw_deflater_init(&deflater, &pool, 12, false);
    world.gentle = true;
    serve("");
    struct peer *peer = add_compressing_socket();
    for (unsigned i = 0; i < MESSAGES; i++)
        say_zeros(peer, &deflater);
    unsigned before = 0, turns = 0;
    for (; c_engine.messages < MESSAGES && turns < 1000; turns++) {
        turn(&world);
        assert_in_range(c_engine.messages - before, 0, 8);
        before = c_engine.messages;
    }
    assert_int_equal(c_engine.messages, MESSAGES);
    assert_in_range(turns, MESSAGES / 8, 100);
    say_close(peer, 1000);
    run(&world);
    assert_seen(peer, "101 close:1000: end");
    mw_deflater_free(&deflater);
    mw_deflate_pool_free(&pool);
}

/* Behind our Close frame nobody hears it, so nobody inflates it. */
TEST(behind_our_close_messages_are_read_over)
{
    world.gentle = true;
    serve("close 4000");
    struct peer *peer = add_compressing_socket();
    say_text(peer, "close, please");
    say_frame(peer, MW_OPCODE_BINARY, mw_view_text("no DEFLATE at all"));
    peer->line.to_server.data[peer->line.to_server.len - 17 - 6] |= 0x40;
    say_close(peer, 4000);
    run(&world);
    assert_seen(peer, "101 close:4000:close, please end");
    assert_int_equal(c_engine.messages, 1);
    assert_true(c_engine.clean);
}

/* The time to linger may be over before anything was said, where a turn took long. */
TEST(a_late_loop_still_says_what_is_left_and_closes)
{
    world.gentle = true;
    serve("echo");
    struct peer *peer = add_peer(&world);
    say_hello(peer, "/s", "");
    run(&world);
    say_text(peer, "heard");
    say_close(peer, 1000);
    while (peer->client->phase == MW_CLIENT_OPEN) /* read, and the loop's turn is yet to come */
        memory_stream_step(&peer->line);
    peer->client->alarm.ring(&peer->client->alarm);
    run(&world);
    assert_seen(peer, "101 text:heard close:1000: end");
}

/* RFC 7692 7.1.1.2: a client whose window has no room here is asked to begin anew each time. */
TEST(contexts_are_promised_as_long_as_they_fit_below_the_cap)
{
    static const char with[] = "Sec-WebSocket-Extensions: permessage-deflate; "
                               "client_max_window_bits\r\n";
    world.config.compression_memory = 3 * 4096;
    serve("echo");
    unsigned promised = 0;
    for (unsigned i = 0; i < 5; i++) {
        struct peer *peer = add_peer(&world);
        say_hello(peer, "/s", with);
        run(&world);
        assert_int_equal(mw_buf_put_byte(&peer->line.to_peer, '\0'), MW_OK);
        peer->line.to_peer.len--;
        assert_non_null(strstr(peer->line.to_peer.data, "client_max_window_bits=12"));
        promised += !strstr(peer->line.to_peer.data, "client_no_context_takeover");
        assert_int_equal(promised, i < 3 ? i + 1 : 3);
    }
    assert_int_equal(world.worker.deflate.promised_bytes, 3 * 4096);
}

static int send_latest(const struct peer *peer, const char *text)
{
    const struct mw_send_how how = { .policy = MW_POLICY_LATEST, .key = mw_view_text("key") };
    struct mw_route *route = mw_route_by_name(&world.worker, mw_view_text("s.capp"));
    return mw_host_real()->send(route, peer->client->id, MW_OPCODE_TEXT, mw_view_text(text), &how);
}

/* The kernel was shown both and took neither: nothing of them is on its way. */
TEST(a_message_that_a_large_one_was_offered_behind_is_still_replaced_in_that_turn)
{
    static char large[20000];
    serve("echo");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    memory_stream_offers(&peer->line);
    memset(large, 'x', sizeof large);
    peer->line.room = 0;
    assert_int_equal(send_latest(peer, "older"), MW_OK);
    struct mw_route *route = mw_route_by_name(&world.worker, mw_view_text("s.capp"));
    int err = mw_host_real()->send(route, peer->client->id, MW_OPCODE_TEXT,
                                   mw_view(large, sizeof large), NULL);
    assert_int_equal(err, MW_OK);
    assert_int_equal(send_latest(peer, "newer"), MW_OK);
    assert_int_equal(mw_conn_replaced(&peer->client->conn), 1);
    peer->line.room = SIZE_MAX;
    run(&world);
    assert_seen(peer, "101 text:newer text[20000]");
    say_close(peer, 1000);
    run(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(who_sends_bombs_of_the_allowed_size_does_not_keep_the_others_waiting),
        IN_A_WORLD(behind_our_close_messages_are_read_over),
        IN_A_WORLD(a_late_loop_still_says_what_is_left_and_closes),
        IN_A_WORLD(contexts_are_promised_as_long_as_they_fit_below_the_cap),
        IN_A_WORLD(a_message_that_a_large_one_was_offered_behind_is_still_replaced_in_that_turn),
    };
    return RUN(cases);
}
