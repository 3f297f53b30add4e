/* What happens to a connection that waits for its script's last word. */
#include "core/server/farewell.h"

#include "core/server/ws_driver.h"
#include "tests/unit/server/serve.h"

/* As many calls of the script as there may be in a turn. */
static void allow_calls(unsigned count)
{
    world.worker.fair.share.max_calls = count;
}

/* Its end is begun, and the script has no turn. */
static struct peer *undecided(void)
{
    allow_calls(0);
    struct peer *peer = world.peers[0];
    (void)mw_ws_driver_close(peer->client, MW_CAUSE_max_age, 0, mw_view_text("old"));
    turn(&world);
    assert_int_equal(peer->client->conn.phase, MW_CONN_DECIDING);
    return peer;
}

TEST(what_came_behind_the_message_that_was_one_too_many_is_no_dangling_bytes)
{
    for (uint64_t seed = 1; seed < 20; seed++) {
        if (seed > 1)
            next_case();
        serve_seeded("limit rate 1\nlimit burst 2\necho\ndecide 4000 decided", seed);
        world.gentle = true;
        struct peer *peer = add_socket(&world, "/s");
        run(&world);
        allow_calls(1);
        for (int i = 0; i < 6; i++)
            say_text(peer, "0123456789");
        turn(&world);
        turn(&world);
        say_text(peer, "behind");
        turn(&world);
        say_text(peer, "behind");
        run(&world);
        say_close(peer, 4000);
        run(&world);
        const char *seen = seen_by(peer);
        assert_null(strstr(seen, "garbage"));
        assert_non_null(strstr(seen, "close:4000:decided"));
        assert_string_equal(c_engine.causes[0], "rate_limited");
        assert_true(c_engine.clean);
    }
}

TEST(what_it_says_meanwhile_is_heard_behind_the_decision)
{
    serve("decide 4000 decided");
    world.gentle = true;
    add_socket(&world, "/s");
    run(&world);
    struct peer *peer = undecided();
    say_text(peer, "one");
    turn(&world);
    say_text(peer, "two");
    turn(&world);
    say_close(peer, 1000);
    turn(&world);
    allow_calls(10);
    run(&world);
    assert_non_null(strstr(seen_by(peer), "101 close:4000:decided"));
    assert_true(c_engine.clean);
}

TEST(who_finishes_sending_before_the_decision_is_still_told_the_code)
{
    serve("decide 4000 decided");
    world.gentle = true;
    add_socket(&world, "/s");
    run(&world);
    struct peer *peer = undecided();
    peer->line.peer_finished = true;
    turn(&world);
    allow_calls(10);
    run(&world);
    assert_non_null(strstr(seen_by(peer), "101 close:"));
    assert_string_equal(c_engine.causes[0], "max_age");
}

TEST(who_breaks_a_rule_and_finishes_is_told_so)
{
    for (int is_asked = 0; is_asked < 2; is_asked++) {
        if (is_asked)
            next_case();
        serve(is_asked ? "decide 4000 decided" : "echo");
        struct peer *peer = add_socket(&world, "/s");
        run(&world);
        say(peer, "GE"); /* perhaps HTTP: not judged before it is clear */
        run(&world);
        peer->line.peer_finished = true;
        run(&world);
        assert_non_null(strstr(seen_by(peer), is_asked ? "close:4000:" : "close:1002:"));
        assert_string_equal(c_engine.causes[0], "protocol_error");
    }
}

/* The time that is allowed is over. An alarm that was set before, for less, rings in between. */
static void let_time_pass(struct peer *peer)
{
    struct mw_client *client = peer->client;
    ring_early(peer);
    turn(&world);
    assert_int_equal(client->conn.phase, MW_CONN_DECIDING);
    assert_int_equal(client->alarm.timer.at_ms, client->ending_due_ms);
    assert_true(client->ending_due_ms > mw_loop_now(world.worker.loop) + 20000);
    assert_true(client->ending_due_ms <= mw_loop_now(world.worker.loop) + 30000);
    client->ending_due_ms = mw_loop_now(world.worker.loop);
    ring_early(peer);
}

TEST(who_has_waited_long_enough_is_told_what_is_said_without_the_script)
{
    serve("decide 4000 decided");
    world.gentle = true;
    add_socket(&world, "/s");
    run(&world);
    struct peer *peer = undecided();
    say_text(peer, "still here");
    turn(&world);
    assert_string_equal(seen_by(peer), "101");
    let_time_pass(peer);
    turn(&world);
    say_close(peer, 1001);
    run(&world);
    assert_non_null(strstr(seen_by(peer), "101 close:1001:old"));
    assert_string_equal(c_engine.causes[0], "max_age");
    assert_true(c_engine.clean);
    assert_non_null(strstr(logged(), "\"no last word of the script\""));
}

TEST(what_one_says_who_waits_does_not_make_it_wait_longer)
{
    serve("decide 4000 decided");
    world.gentle = true;
    add_socket(&world, "/s");
    run(&world);
    struct peer *peer = undecided();
    mw_ms due_ms = peer->client->ending_due_ms;
    for (int i = 0; i < 5; i++) {
        say_text(peer, "more");
        turn(&world);
        mw_client_settle_later(peer->client);
        turn(&world);
        assert_int_equal(peer->client->ending_due_ms, due_ms);
        assert_int_equal(peer->client->conn.phase, MW_CONN_DECIDING);
    }
    allow_calls(10);
    run(&world);
    assert_non_null(strstr(seen_by(peer), "101 close:4000:decided"));
    assert_null(strstr(logged(), "no last word"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(what_came_behind_the_message_that_was_one_too_many_is_no_dangling_bytes),
        IN_A_WORLD(what_it_says_meanwhile_is_heard_behind_the_decision),
        IN_A_WORLD(who_finishes_sending_before_the_decision_is_still_told_the_code),
        IN_A_WORLD(who_breaks_a_rule_and_finishes_is_told_so),
        IN_A_WORLD(who_has_waited_long_enough_is_told_what_is_said_without_the_script),
        IN_A_WORLD(what_one_says_who_waits_does_not_make_it_wait_longer),
    };
    return RUN(cases);
}
