/* What a Close frame says: the script's word, its advice, and what stands in for both. */
#include "core/server/farewell.h"

#include "core/server/pause.h"
#include "core/server/ws_driver.h"
#include "tests/unit/server/serve.h"

static const struct mw_advice slot = { .kind = MW_ADVICE_RETURN, .after_ms = 1234 };

/* One socket of a script is ended by the server for a cause. */
static const struct {
    const char *script;
    enum mw_cause cause;
    const struct mw_advice *advice;
    const char *seen;
} words[] = {
    { "echo", MW_CAUSE_rate_limited, NULL, "101 close:1008:why;retry=10000-60000" },
    { "echo", MW_CAUSE_slow_consumer, NULL, "101 close:1013:why;retry=5000-15000" },
    { "echo", MW_CAUSE_idle_timeout, NULL, "101 close:3008:why" },
    { "echo", MW_CAUSE_drain, &slot, "101 close:1001:why;retry=1234" },
    { "decide 4008 slow down", MW_CAUSE_idle_timeout, NULL, "101 close:4008:slow down" },
    { "decide 4008 slow down", MW_CAUSE_rate_limited, NULL,
      "101 close:4008:slow down;retry=10000-60000" },
    { "advise 700", MW_CAUSE_rate_limited, NULL, "101 close:1008:why;retry=700" },
    { "advise 700", MW_CAUSE_drain, &slot, "101 close:1001:why;retry=700" },
    { "decide 4008 slow down\nadvise 700", MW_CAUSE_rate_limited, NULL,
      "101 close:4008:slow down;retry=700" },
    { "decide 1000 enough", MW_CAUSE_idle_timeout, NULL, "101 close:1000:enough" },
    /* what the script itself has wanted is not decided again, but advised on */
    { "decide 1011 never\nadvise 700", MW_CAUSE_script_close, NULL,
      "101 close:1000:why;retry=700" },
    { "decide 1011 never\nadvise 700", MW_CAUSE_script_close, &slot,
      "101 close:1000:why;retry=1234" },
    /* nobody is asked who had no memory */
    { "decide 4008 slow\nadvise 700", MW_CAUSE_out_of_memory, NULL,
      "101 close:1013:why;retry=5000-30000" },
};

TEST(the_nearest_word_is_the_last_one)
{
    for (size_t i = 0; i < MW_COUNT(words); i++) {
        if (i > 0)
            next_case();
        serve(words[i].script);
        struct peer *peer = add_socket(&world, "/s");
        run(&world);
        (void)mw_ws_driver_close_advised(peer->client, words[i].cause, 0, mw_view_text("why"),
                                         words[i].advice);
        run(&world);
        if (strncmp(seen_by(peer), words[i].seen, strlen(words[i].seen)) != 0)
            assert_string_equal(seen_by(peer), words[i].seen);
    }
}

TEST(the_question_names_cause_and_default_and_comes_once_behind_the_scripts_own_call)
{
    serve("decide 4000 decided\nflood 300\nlimit queue 20000");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    peer->line.room = 0; /* it takes nothing: the flood fills the queue within a call */
    say_text(peer, "go");
    run(&world);
    assert_int_equal(c_engine.nested, 0);
    assert_int_equal(c_engine.decides, 1);
    assert_string_equal(c_engine.decided, "slow_consumer 1013");
    assert_int_equal(c_engine.codes[0], 0); /* the end itself is yet to come */
    peer->line.room = SIZE_MAX;
    run(&world);
    assert_non_null(strstr(seen_by(peer), "close:4000:decided"));
    say_close(peer, 4000);
    run(&world);
    assert_int_equal(c_engine.decides, 1);
    assert_int_equal(c_engine.codes[0], 4000);
    assert_string_equal(c_engine.causes[0], "slow_consumer");
}

TEST(what_the_machine_finds_is_asked_about_too)
{
    serve("decide 4002 what was that\nadvise 50");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    say_bytes(peer, "\xFF\x80....", 6);
    run(&world);
    assert_seen(peer, "101 close:4002:what was that;retry=50 end");
    assert_string_equal(c_engine.decided, "protocol_error 1002");
    assert_int_equal(c_engine.advised, 4002);
    assert_int_equal(c_engine.codes[0], 4002);
    assert_non_null(strstr(logged(), "\"cause\":\"protocol_error\""));
}

TEST(a_refusal_of_on_open_is_advised_on)
{
    serve("refuse 4001 who are you\nadvise 900\ndecide 1000 never");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    assert_seen(peer, "101 close:4001:who are you;retry=900");
    assert_int_equal(c_engine.decides, 0);
}

TEST(who_never_came_to_on_open_is_not_asked_about)
{
    serve("limit connections 1\nadvise 900\ndecide 4000 never");
    struct peer *first = add_socket(&world, "/s");
    run(&world);
    struct peer *second = add_socket(&world, "/s");
    run(&world);
    assert_seen(first, "101");
    assert_seen(second, "101 close:1013:the route is full;retry=5000-30000");
    assert_int_equal(c_engine.decides, 0);
}

TEST(nobody_asks_a_paused_script)
{
    serve("stop loop\ndecide 4000 never\nadvise 900");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    for (int i = 0; i < MW_QUARANTINE_STOPS; i++)
        say_text(peer, "loop");
    run(&world);
    (void)mw_ws_driver_close(peer->client, MW_CAUSE_max_age, 0, mw_view_text("old"));
    run(&world);
    assert_seen(peer, "101 close:1001:old");
    assert_int_equal(c_engine.decides, 0);
    assert_int_equal(c_engine.while_paused, 0);
    mw_pause_end(mw_route_by_name(&world.worker, mw_view_text("s.capp")));
}

TEST(the_question_waits_for_the_scripts_turn_and_a_pause_ends_the_waiting)
{
    for (int pauses = 0; pauses < 2; pauses++) {
        if (pauses)
            next_case();
        serve("sign S\ndecide 4000 decided");
        struct peer *peers[4];
        for (size_t i = 0; i < MW_COUNT(peers); i++)
            peers[i] = add_socket(&world, "/s");
        run(&world);
        world.gentle = true;
        world.worker.fair.share.max_calls = 1;
        for (size_t i = 0; i < MW_COUNT(peers); i++)
            (void)mw_ws_driver_close(peers[i]->client, MW_CAUSE_max_age, 0, mw_view_text("old"));
        turn(&world);
        assert_in_range(c_engine.decides, 1, 3);
        struct mw_route *route = mw_route_by_name(&world.worker, mw_view_text("s.capp"));
        if (pauses) {
            route->quarantine.paused = true;
            mw_pause_begin(route);
        }
        unsigned asked = c_engine.decides;
        run(&world);
        assert_int_equal(c_engine.decides, pauses ? asked : MW_COUNT(peers));
        for (size_t i = 0; i < MW_COUNT(peers); i++) {
            bool is_ended = !strncmp(seen_by(peers[i]), "101 close:", 10);
            assert_true(is_ended);
        }
        if (pauses)
            mw_pause_end(route);
    }
}

TEST(who_is_gone_before_the_question_is_not_asked_about)
{
    serve("sign S\ndecide 4000 decided");
    struct peer *peers[3];
    for (size_t i = 0; i < MW_COUNT(peers); i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
    world.gentle = true;
    world.worker.fair.share.max_calls = 1;
    for (size_t i = 0; i < MW_COUNT(peers); i++)
        (void)mw_ws_driver_close(peers[i]->client, MW_CAUSE_max_age, 0, mw_view_text("old"));
    turn(&world);
    unsigned asked = c_engine.decides;
    for (size_t i = 0; i < MW_COUNT(peers); i++)
        peers[i]->line.peer_reset = true;
    RUN_UNTIL(&world, world.worker.client_count == 0);
    assert_in_range(c_engine.decides, asked, 2);
    assert_int_equal(c_engine.ends, 3);
    assert_string_equal(c_engine.causes[0], "max_age");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(the_nearest_word_is_the_last_one),
        IN_A_WORLD(the_question_names_cause_and_default_and_comes_once_behind_the_scripts_own_call),
        IN_A_WORLD(what_the_machine_finds_is_asked_about_too),
        IN_A_WORLD(a_refusal_of_on_open_is_advised_on),
        IN_A_WORLD(who_never_came_to_on_open_is_not_asked_about),
        IN_A_WORLD(nobody_asks_a_paused_script),
        IN_A_WORLD(the_question_waits_for_the_scripts_turn_and_a_pause_ends_the_waiting),
        IN_A_WORLD(who_is_gone_before_the_question_is_not_asked_about),
    };
    return RUN(cases);
}
