/* account: what waits on behalf of one script, and what happens when it is too much. */
#include "core/server/account.h"

#include "core/server/host_real.h"
#include "tests/unit/server/serve.h"

#define CAP 300000

static char text[1000000];

static struct mw_route *route(void)
{
    return mw_route_by_name(&world.worker, mw_view_text("s.capp"));
}

static void serve_capped(const char *script)
{
    memset(text, 'x', sizeof text);
    world.config.script_queued = CAP;
    world.gentle = true;
    serve(script);
}

static struct peer *add_open(void)
{
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    assert_seen(peer, "101");
    return peer;
}

static int send_to(const struct peer *peer, size_t len)
{
    return mw_host_real()->send(route(), peer->client->id, MW_OPCODE_TEXT, mw_view(text, len),
                                NULL);
}

/* The kernel takes nothing more for it, and has been shown so much already. */
static struct peer *add_slow(size_t on_its_way)
{
    struct peer *peer = add_open();
    peer->line.room = 0;
    assert_int_equal(send_to(peer, on_its_way), MW_OK);
    run(&world);
    return peer;
}

static size_t held(void)
{
    return route()->account->mem.bytes;
}

static bool is_ending(const struct peer *peer)
{
    return peer->client->conn.phase != MW_CONN_OPEN;
}

static long publish_to(const char *topic, struct mw_view data)
{
    uint64_t offset;
    long receivers = mw_host_real()->publish(route(), mw_view_text(topic), MW_OPCODE_TEXT, data, 0,
                                             NULL, &offset);
    assert_int_equal(offset, 0);
    return receivers;
}

TEST(what_waits_is_counted_on_the_script_and_given_back)
{
    serve_capped("join room");
    size_t before = held(); /* the topic */
    struct peer *ann = add_open(), *ben = add_open();
    size_t members = held();
    assert_true(members > before);
    ann->line.room = ben->line.room = 0;
    struct mw_view data = mw_view(text, 50000);
    long n = publish_to("room", data);
    assert_int_equal(n, 2);
    assert_in_range(held() - members, 50000, 51000); /* shared: it counts once */
    assert_int_equal(send_to(ann, 10), MW_OK);
    assert_in_range(held() - members, 54000, 56000); /* a chunk of its own */
    ann->line.room = ben->line.room = SIZE_MAX;
    run(&world);
    assert_int_equal(held(), members);
}

TEST(who_keeps_the_most_waiting_goes_first)
{
    serve_capped("echo");
    struct peer *large = add_slow(1), *larger = add_slow(1), *small = add_slow(1);
    struct peer *fast = add_open();
    assert_int_equal(send_to(large, 120000), MW_OK);
    assert_int_equal(send_to(larger, 130000), MW_OK);
    assert_int_equal(send_to(small, 9000), MW_OK);
    assert_int_equal(send_to(fast, 100000), MW_OK);
    assert_true(is_ending(large) || is_ending(larger));
    assert_false(is_ending(small));
    run(&world);
    assert_non_null(strstr(seen_by(fast), "text[100000]"));
    assert_false(is_ending(fast));
    assert_non_null(strstr(logged(), "messages that wait fill script.queued"));
}

/* In one turn, before anything could leave: that makes nobody a slow consumer. */
TEST(a_burst_to_those_who_read_ends_nobody)
{
    struct peer *all[8];
    serve_capped("limit queue 1000000\necho");
    for (size_t i = 0; i < MW_COUNT(all); i++)
        all[i] = add_open();
    for (size_t round = 0; round < 10; round++) {
        for (size_t i = 0; i < MW_COUNT(all); i++)
            assert_int_equal(send_to(all[i], 40000), MW_OK);
    }
    run(&world);
    for (size_t i = 0; i < MW_COUNT(all); i++) {
        assert_false(is_ending(all[i]));
        assert_int_equal(all[i]->client->conn.messages_sent, 10);
    }
}

static void subscribe_slow(const char *topic, struct peer **peers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        peers[i] = add_open();
        peers[i]->line.room = 0;
        int err = mw_host_real()->subscribe(route(), peers[i]->client->id, mw_view_text(topic),
                                            NULL, NULL);
        assert_int_equal(err, 1);
    }
}

/* In one block, and with it (NULL: nothing) one small message for others. */
static void publish_block(const char *topic, const char *aside)
{
    long n = 0;
    route()->account->roll.before = MW_ROLL_BLOCK_BYTES;
    for (size_t i = 0; i < 40 && n >= 0; i++)
        n = publish_to(topic, mw_view(text, 800));
    if (aside)
        assert_true(publish_to(aside, mw_view(text, 64)) > 0);
    run(&world);
}

TEST(who_waits_for_a_little_of_a_large_block_is_not_ended_for_all_of_it)
{
    static const char *const topics[] = { "a", "b", "c", "d" };
    struct peer *little[3], *much[MW_COUNT(topics)][2];
    serve_capped("echo");
    route()->account->max_bytes = 3 * (MW_ROLL_BLOCK_BYTES + 5000);
    subscribe_slow("little", little, MW_COUNT(little));
    for (size_t i = 0; i < MW_COUNT(topics); i++)
        subscribe_slow(topics[i], much[i], 2);
    for (size_t i = 0; i < MW_COUNT(topics); i++)
        publish_block(topics[i], i == 0 ? "little" : NULL); /* the last one finds no room */
    assert_non_null(strstr(logged(), "script.queued"));
    assert_true(is_ending(much[0][0]) && is_ending(much[1][1]));
    for (size_t i = 0; i < MW_COUNT(little); i++)
        assert_false(is_ending(little[i]));
}

/* What the kernel was shown cannot be taken back: such clients are cut, and room comes with that.
 */
TEST(what_is_on_its_way_to_slow_ones_comes_back_too)
{
    serve_capped("echo");
    struct peer *slow[4];
    for (size_t i = 0; i < MW_COUNT(slow); i++)
        slow[i] = add_slow(70000);
    struct peer *fast = add_open();
    assert_int_equal(send_to(fast, 60000), MW_ERR_QUOTA);
    assert_false(is_ending(fast));
    RUN_UNTIL(&world, send_to(fast, 60000) == MW_OK);
    run(&world);
    assert_non_null(strstr(seen_by(fast), "text[60000]"));
    assert_in_range(held(), 0, CAP);
    for (size_t i = 0; i < c_engine.closes; i++)
        assert_string_equal(c_engine.causes[i], "slow_consumer");
    assert_true(c_engine.closes > 0);
}

TEST(a_message_larger_than_the_cap_ends_nobody)
{
    serve_capped("join room");
    struct peer *slow = add_slow(1);
    assert_int_equal(send_to(slow, 200000), MW_OK);
    assert_int_equal(send_to(slow, CAP + 1), MW_ERR_QUOTA);
    struct mw_view data = mw_view(text, CAP + 1);
    long n = publish_to("room", data);
    assert_int_equal(n, MW_ERR_QUOTA);
    assert_false(is_ending(slow));
}

TEST(a_close_finds_its_room_at_the_cap)
{
    serve_capped("echo");
    struct peer *peer = add_open();
    route()->account->max_bytes = 0;
    assert_int_equal(send_to(peer, 1), MW_ERR_QUOTA);
    int err = mw_host_real()->close(route(), peer->client->id, 4000, mw_view_text("so"), NULL);
    assert_int_equal(err, MW_OK);
    run(&world);
    assert_seen(peer, "101 close:4000:so");
}

/* Its messages wait in queues of others, and its topics have others in them. */
TEST(an_account_outlives_its_script)
{
    world.gentle = true;
    write_script(&world, "other.capp", "join room");
    serve_capped("join room");
    struct peer *ann = add_open(), *ben = add_socket(&world, "/other");
    run(&world);
    ben->line.room = 0;
    struct mw_view data = mw_view(text, 50000);
    long n = publish_to("room", data);
    assert_int_equal(n, 2);
    run(&world);
    delete_file(&world.folder, "scripts/s.capp");
    assert_int_equal(load(&world), 0);
    say_close(ann, 1001);
    RUN_UNTIL(&world, ann->line.closed);
    assert_null(route());
    ben->line.room = SIZE_MAX;
    run(&world);
    assert_non_null(strstr(seen_by(ben), "text[50000]"));
}

/* It is silent itself, so nothing else would look at it. */
TEST(who_cannot_be_told_of_a_hole_is_ended_in_the_same_turn)
{
    serve_capped("echo");
    struct peer *peer = add_open();
    struct mw_conn_pool *pool = &world.worker.pool;
    struct mw_conn_sending *spare = pool->sending;
    assert_null(peer->client->conn.sending);
    pool->sending = 0;
    world.worker.mem.fail_at = world.worker.mem.count + 1;
    world.worker.mem.fail_after = true;
    assert_int_equal(send_to(peer, CAP + 1), MW_ERR_QUOTA);
    world.worker.mem.fail_at = 0;
    world.worker.mem.fail_after = false;
    pool->sending = spare;
    assert_true(is_ending(peer));
    run(&world);
    assert_int_equal(c_engine.closes, 1);
    assert_string_equal(c_engine.causes[0], "out_of_memory");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(what_waits_is_counted_on_the_script_and_given_back),
        IN_A_WORLD(who_keeps_the_most_waiting_goes_first),
        IN_A_WORLD(a_burst_to_those_who_read_ends_nobody),
        IN_A_WORLD(who_waits_for_a_little_of_a_large_block_is_not_ended_for_all_of_it),
        IN_A_WORLD(what_is_on_its_way_to_slow_ones_comes_back_too),
        IN_A_WORLD(a_message_larger_than_the_cap_ends_nobody),
        IN_A_WORLD(a_close_finds_its_room_at_the_cap),
        IN_A_WORLD(an_account_outlives_its_script),
        IN_A_WORLD(who_cannot_be_told_of_a_hole_is_ended_in_the_same_turn),
    };
    return RUN(cases);
}
