/*
 * Peers that vanish, at every point of a conversation and in every manner: the app is told of each
 * end exactly once, and nothing of the peer stays.
 */
#include "core/server/ws_driver.h"
#include "tests/unit/server/c_engine.h"
#include "tests/unit/server/world.h"

static struct world world;

enum manner { FINISHES, RESETS, STOPS_READING_AND_RESETS, MANNERS };

/* ---- how far the conversation has come when the peer vanishes ---- */

static void before_a_word(struct peer *peer)
{
    (void)peer;
}

static void inside_the_head(struct peer *peer)
{
    say(peer, "GET /s HTTP/1.1\r\nHost: t");
}

static void right_behind_the_head(struct peer *peer)
{
    say_hello(peer, "/s", "");
}

static void once_open(struct peer *peer)
{
    say_hello(peer, "/s", "");
    run(&world);
}

static void inside_a_frame(struct peer *peer)
{
    once_open(peer);
    say_bytes(peer, "\x81\xfe\x10", 3);
}

static void inside_a_message(struct peer *peer)
{
    once_open(peer);
    say_bytes(peer, "\x01\x81\x01\x02\x03\x04\x60", 7);
}

static void after_a_message(struct peer *peer)
{
    once_open(peer);
    say_text(peer, "hello");
    say_text(peer, "there");
}

static void after_an_answer(struct peer *peer)
{
    after_a_message(peer);
    run(&world);
}

static void while_answers_wait(struct peer *peer)
{
    once_open(peer);
    peer->line.room = 3;
    after_a_message(peer);
    run(&world);
}

static void after_its_close(struct peer *peer)
{
    once_open(peer);
    say_close(peer, 1000);
}

static void after_its_close_was_answered(struct peer *peer)
{
    after_its_close(peer);
    run(&world);
}

static void after_our_close(struct peer *peer)
{
    once_open(peer);
    (void)mw_ws_driver_close(peer->client, MW_CAUSE_drain, 0, mw_view(NULL, 0));
    run(&world);
}

static void after_a_breach(struct peer *peer)
{
    once_open(peer);
    say_bytes(peer, "\xff\xff\xff\xff", 4);
    run(&world);
}

static void after_a_refusal(struct peer *peer)
{
    say(peer, "GET /none HTTP/1.1\r\n" UPGRADE "\r\n");
    run(&world);
}

static void in_the_middle_of_a_file(struct peer *peer)
{
    peer->line.room = 5000;
    say(peer, "GET /big.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    RUN_UNTIL(&world, peer->line.room == 0);
}

static void while_a_file_is_opened(struct peer *peer)
{
    say(peer, "GET /big.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    peer->line.max_piece = SIZE_MAX;
    memory_stream_step(&peer->line);
}

static void (*const points[])(struct peer *peer) = {
    before_a_word,
    inside_the_head,
    right_behind_the_head,
    once_open,
    inside_a_frame,
    inside_a_message,
    after_a_message,
    after_an_answer,
    while_answers_wait,
    after_its_close,
    after_its_close_was_answered,
    after_our_close,
    after_a_breach,
    after_a_refusal,
    in_the_middle_of_a_file,
    while_a_file_is_opened,
};

/* What the script does meanwhile; "held" ones wait when the peer vanishes. */
static const struct {
    const char *script;
    bool held;
} scripts[] = {
    { "echo", false },
    { "wait\necho\njoin room\nfarewell room", true },
    { "wait-open\ngreet hi", true },
    { "wait-open\nrefuse 403 no", true },
    { "refuse 4000 no", false },
    { "wait-open\nfail-open", false },
    { "flood 100\nlimit queue 20000", false },
};

static void vanish(struct peer *peer, enum manner manner)
{
    switch (manner) {
    case FINISHES:
        peer->line.peer_finished = true;
        break;
    case STOPS_READING_AND_RESETS:
        peer->line.room = 0;
        run(&world);
        peer->line.peer_reset = true;
        break;
    case RESETS:
    case MANNERS:
        peer->line.peer_reset = true;
        break;
    }
}

static bool is_gone(const struct peer *peer)
{
    return peer->line.closed;
}

/* A peer that has only finished sending may be waited for; those waits are cut short. */
static void let_time_pass(struct peer *peer)
{
    for (int i = 0; i < 5 && !is_gone(peer); i++) {
        struct mw_client *client = peer->client;
        client->conn.close_due_ms = client->ending_due_ms = 0;
        ring_early(peer);
        run(&world);
    }
}

static void vanish_at(uint64_t seed, size_t point, size_t script, enum manner manner)
{
    c_engine = (struct c_engine){ .mem = &world.mem, .hold = scripts[script].held };
    write_script(&world, "s.capp", scripts[script].script);
    open_worker(&world, c_engine_table(), seed);
    assert_int_equal(load(&world), 0);
    struct peer *other = add_socket(&world, "/s"), *peer = add_peer(&world);
    run(&world);
    points[point](peer);
    vanish(peer, manner);
    run(&world);
    c_engine.hold = false;
    for (int i = 0; i < 20; i++)
        turn(&world);
    run(&world);
    if (!is_gone(peer))
        let_time_pass(peer);
    RUN_UNTIL(&world, is_gone(peer));
    assert_false(is_gone(other) && scripts[script].script[0] == 'e');
    close_worker(&world);
    assert_int_equal(c_engine.closes, c_engine.opens);
    assert_int_equal(c_engine.nested, 0);
    assert_int_equal(c_engine.overlaps, 0);
}

static size_t point_now, script_now;
static int manner_now;

static int tell_where(void **state)
{
    (void)state;
    if (manner_now >= 0)
        print_error("at point %zu, script %zu, manner %d\n", point_now, script_now, manner_now);
    return 0;
}

TEST(a_peer_may_vanish_at_any_point)
{
    make_project(&world);
    make_below(&world.folder, "public");
    static char text[200001];
    memset(text, 't', sizeof text - 1);
    write_file(&world.folder, "public/big.txt", text);
    uint64_t seed = 1;
    for (point_now = 0; point_now < MW_COUNT(points); point_now++) {
        for (script_now = 0; script_now < MW_COUNT(scripts); script_now++) {
            for (manner_now = 0; manner_now < MANNERS; manner_now++) {
                for (int i = 0; i < 4; i++)
                    vanish_at(seed++, point_now, script_now, (enum manner)manner_now);
            }
        }
    }
    manner_now = -1;
    remove_project(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_teardown(a_peer_may_vanish_at_any_point, tell_where),
    };
    return RUN(cases);
}
