/*
 * What a connection costs that does nothing: blocks that it needs only while something happens are
 * gone when that has happened. Bytes of the worker's memory, so no allocator and no clock is in it.
 */
#include "core/server/host_real.h"
#include "tests/unit/server/serve.h"

#define PEERS 10

/*
 * The client, what is known of its handshake, and the room that the table of ids may have in
 * advance; what the stream and the kernel hold is not in it.
 */
#define IDLE_MAX_BYTES 416

/* Of an end, which is told of for a while. */
#define RECORD_MAX_BYTES 420

static_assert(sizeof(struct mw_client) <= 344,
              "what an idle one does not need is a block of its own");
static_assert(sizeof(struct mw_facts) <= 16, "there is one for each connection");

static size_t held(void)
{
    return world.worker.mem.bytes;
}

static struct peer *peers[PEERS];

/*
 * One after the other, behind one that has come and gone, which leaves what the worker lends in its
 * pools.
 */
static size_t open_peers(const char *script)
{
    world.gentle = true;
    serve(script);
    struct peer *first = add_socket(&world, "/s");
    say_text(first, "warm");
    run(&world);
    first->line.peer_reset = true;
    run(&world);
    const size_t before = held();
    for (size_t i = 0; i < PEERS; i++) {
        peers[i] = add_socket(&world, "/s");
        run(&world);
    }
    return before;
}

static void close_peers(void)
{
    for (size_t i = 0; i < PEERS; i++)
        peers[i]->line.peer_reset = true;
    run(&world);
}

TEST(an_idle_connection_is_a_few_hundred_bytes_and_gives_them_back)
{
    const size_t before = open_peers("echo");
    assert_in_range((held() - before) / PEERS, 300, IDLE_MAX_BYTES);
    close_peers();
    assert_in_range(held(), before, before + PEERS * RECORD_MAX_BYTES);
}

TEST(what_a_message_needed_is_gone_when_it_was_answered)
{
    (void)open_peers("echo");
    const size_t idle = held();
    for (size_t i = 0; i < PEERS; i++) {
        say_text(peers[i], "once");
        run(&world);
    }
    assert_seen(peers[0], "101 text:once");
    /* What stays is the flight recorder, of two entries. */
    const size_t recorder = sizeof(struct mw_flight) + 2 * sizeof(struct mw_flight_entry);
    assert_int_equal(held(), idle + PEERS * recorder);
    for (size_t i = 0; i < PEERS; i++) {
        assert_null(peers[i]->client->conn.reading);
        assert_null(peers[i]->client->conn.sending);
        assert_null(peers[i]->client->unheard);
        assert_null(peers[i]->client->http);
    }
}

TEST(who_come_in_one_turn_leave_no_chunks_in_the_pool)
{
    world.gentle = true;
    serve("echo");
    for (size_t i = 0; i < PEERS; i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
    assert_seen(peers[PEERS - 1], "101");
    assert_int_equal(world.worker.pool.out.chunks.count, 0);
}

TEST(half_a_frame_is_kept_by_who_has_sent_it)
{
    open_peers("echo");
    say_bytes(peers[0], "\x81\x85\x01\x02", 4);
    run(&world);
    assert_non_null(peers[0]->client->conn.reading);
    assert_null(peers[1]->client->conn.reading);
    say_bytes(peers[0], "\x03\x04hello", 7);
    run(&world);
    assert_null(peers[0]->client->conn.reading);
}

TEST(what_waits_for_its_handler_is_gone_when_it_was_heard)
{
    open_peers("wait\necho");
    c_engine.hold = true;
    say_text(peers[0], "first");
    say_text(peers[0], "second");
    run(&world);
    assert_non_null(peers[0]->client->unheard);
    c_engine.hold = false;
    RUN_UNTIL(&world, !strcmp(seen_by(peers[0]), "101 text:first text:second"));
    assert_null(peers[0]->client->unheard);
}

TEST(who_has_left_its_topics_is_no_subscriber)
{
    open_peers("echo");
    struct mw_client *client = peers[0]->client;
    assert_null(client->subscriber);
    assert_int_equal(mw_host_real()->unsubscribe(client->route, client->id, mw_view_text("t")), 0);
    assert_int_equal(mw_host_real()->subscribe(client->route, client->id, mw_view_text("t"), 0, 0),
                     1);
    assert_non_null(client->subscriber);
    assert_int_equal(mw_host_real()->unsubscribe(client->route, client->id, mw_view_text("t")), 1);
    assert_null(client->subscriber);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(an_idle_connection_is_a_few_hundred_bytes_and_gives_them_back),
        IN_A_WORLD(what_a_message_needed_is_gone_when_it_was_answered),
        IN_A_WORLD(who_come_in_one_turn_leave_no_chunks_in_the_pool),
        IN_A_WORLD(half_a_frame_is_kept_by_who_has_sent_it),
        IN_A_WORLD(what_waits_for_its_handler_is_gone_when_it_was_heard),
        IN_A_WORLD(who_has_left_its_topics_is_no_subscriber),
    };
    return RUN(cases);
}
