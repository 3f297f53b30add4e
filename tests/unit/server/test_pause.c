/* A script whose calls had to be stopped: what its connections see, and what it misses. */
#include "core/server/pause.h"

#include "tests/unit/server/serve.h"

static int tear_down_paused(void **state)
{
    assert_int_equal(c_engine.while_paused, 0);
    return tear_down(state);
}

static struct mw_route *route_of(const char *name)
{
    return mw_route_by_name(&world.worker, mw_view_text(name));
}

static void stop_five_times(struct peer *peer)
{
    for (int i = 0; i < MW_QUARANTINE_STOPS; i++)
        say_text(peer, "loop");
    run(&world);
    assert_true(route_of("s.capp")->quarantine.paused);
    assert_int_equal(c_engine.pauses, 1);
}

static void mend(void)
{
    write_script(&world, "s.capp", "echo\n# mended");
    assert_int_equal(load(&world), 0);
    run(&world);
    assert_false(route_of("s.capp")->quarantine.paused);
    assert_int_equal(c_engine.resumes, 1);
}

TEST(four_stops_drop_their_messages_and_nothing_else)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    for (int i = 0; i < 4; i++)
        say_text(peer, "loop");
    say_text(peer, "on");
    run(&world);
    assert_seen(peer, "101 text:on");
    assert_int_equal(c_engine.pauses, 0);
    assert_int_equal(route_of("s.capp")->faults.counts[MW_FAULT_CPU], 4);
}

TEST(the_fifth_stop_pauses_and_a_good_load_goes_on_with_what_was_said)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s"), *other = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    say_text(peer, "one");
    say_text(peer, "two");
    say_frame(peer, MW_OPCODE_PING, mw_view_text("are you there"));
    say_text(other, "three");
    run(&world);
    assert_seen(peer, "101 pong:are you there");
    assert_seen(other, "101");
    mend();
    assert_seen(peer, "101 pong:are you there text:one text:two");
    assert_seen(other, "101 text:three");
}

TEST(messages_behind_the_fifth_stop_of_the_same_read_are_kept)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    world.gentle = true;
    for (int i = 0; i < MW_QUARANTINE_STOPS; i++)
        say_text(peer, "loop");
    say_text(peer, "behind");
    run(&world);
    assert_seen(peer, "101");
    mend();
    assert_seen(peer, "101 text:behind");
}

TEST(more_than_the_backlog_holds_stays_in_the_line_and_is_not_lost)
{
    static char big[20000];
    serve("stop loop\necho\nlimit queue 10000000");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 20; i++)
        say_frame(peer, MW_OPCODE_TEXT, mw_view(big, sizeof big));
    run(&world);
    assert_true(peer->client->stalled);
    assert_true(mw_backlog_is_full(&peer->client->unheard->backlog));
    assert_in_range(peer->client->unheard->backlog.records.len, 0, 2 * MW_BACKLOG_BYTES);
    unsigned before = c_engine.messages;
    mend();
    RUN_UNTIL(&world, c_engine.messages == before + 20);
}

TEST(new_sockets_are_told_to_come_later_and_plain_requests_as_well)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    unsigned opens = c_engine.opens;
    struct peer *late = add_socket(&world, "/s"), *http = add_peer(&world);
    say(http, "GET /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    run(&world);
    assert_seen(late, "101 close:1013:the script is paused;retry=5000-30000");
    RUN_UNTIL(&world, !strcmp(seen_by(http), "503 end")); /* files are looked for in a thread */
    char answer[1024];
    struct mw_view bytes = mw_buf_view(&http->line.to_peer);
    snprintf(answer, sizeof answer, "%.*s", (int)bytes.len, bytes.data);
    assert_non_null(strstr(answer, "Retry-After: 5\r\n"));
    assert_non_null(strstr(answer, "script_paused"));
    assert_int_equal(c_engine.opens, opens);
    say_close(late, 1013);
    run(&world);
    assert_non_null(strstr(logged(), "\"cause\":\"script_paused\""));
    mend();
    struct peer *later = add_socket(&world, "/s");
    say_text(later, "hello");
    run(&world);
    assert_seen(later, "101 text:hello");
}

TEST(an_on_open_that_waits_is_turned_away)
{
    serve("stop loop\nwait-open\necho");
    struct peer *peer = add_socket(&world, "/s");
    RUN_UNTIL(&world, !strncmp(seen_by(peer), "101", 3));
    c_engine.hold = true;
    struct peer *undecided = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    assert_seen(undecided, "101 close:1013:the script is paused;retry=5000-30000");
    c_engine.hold = false;
    mend();
}

/* One whose first message is still being heard when it has said a second. */
static struct peer *add_waiting(void)
{
    serve("stop loop\nwait\necho");
    struct peer *waits = add_socket(&world, "/s");
    run(&world);
    c_engine.hold = true;
    say_text(waits, "one");
    say_text(waits, "two");
    return waits;
}

/* It would run the code that the script was paused for. */
TEST(a_handler_that_waits_ends_with_the_pause_and_the_next_message_is_heard)
{
    struct peer *other = add_waiting(), *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    c_engine.hold = false;
    for (int i = 0; i < 20; i++)
        turn(&world);
    assert_seen(other, "101");
    mend();
    RUN_UNTIL(&world, !strcmp(seen_by(other), "101 text:two"));
}

TEST(who_closes_during_the_pause_is_heard_after_it_however_late)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s"), *other = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    say_text(other, "last words");
    say_close(other, 1000);
    run(&world);
    other->client->ending_due_ms = 0; /* long ago */
    ring_early(other);
    run(&world);
    assert_int_equal(c_engine.ends, 0);
    unsigned before = c_engine.messages;
    mend();
    RUN_UNTIL(&world, c_engine.ends == 1);
    assert_int_equal(c_engine.messages, before + 1);
}

TEST(a_bad_load_does_not_end_the_pause)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    write_script(&world, "s.capp", "broken");
    assert_int_equal(load(&world), 1);
    run(&world);
    assert_true(route_of("s.capp")->quarantine.paused);
    mend();
}

TEST(other_scripts_notice_nothing)
{
    write_script(&world, "t.capp", "echo");
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s"), *other = add_socket(&world, "/t");
    run(&world);
    stop_five_times(peer);
    say_text(other, "hello");
    run(&world);
    assert_seen(other, "101 text:hello");
    c_engine.stops++; /* on_stop of the one that is paused is not called */
}

/* It has been told the end, and may still be reading what was said before. */
TEST(who_lingers_when_a_paused_script_is_removed_has_its_time_all_the_same)
{
    struct peer *other = add_waiting(), *peer = add_socket(&world, "/s");
    say_close(other, 1000);
    run(&world);
    assert_true(other->client->ending);
    c_engine.hold = false;
    RUN_UNTIL(&world, c_engine.closes == 1);
    assert_int_equal(other->client->phase, MW_CLIENT_LINGER);
    mw_ms end_ms = other->client->linger_end_ms;
    stop_five_times(peer);
    delete_file(&world.folder, "scripts/s.capp");
    assert_int_equal(load(&world), 0);
    assert_int_equal(other->client->phase, MW_CLIENT_LINGER);
    assert_int_equal(other->client->linger_end_ms, end_ms);
    c_engine.stops++; /* on_stop of the one that is paused is not called */
}

TEST(a_paused_script_can_be_removed)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    delete_file(&world.folder, "scripts/s.capp");
    assert_int_equal(load(&world), 0);
    run(&world);
    assert_seen(peer, "101 close:1001:this service has ended;retry=30000-60000");
    c_engine.stops++; /* on_stop is not called either */
}

TEST(a_paused_script_does_not_hold_up_the_stop_of_the_server)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    c_engine.stops++; /* on_stop is not called */
}

TEST(the_log_says_why_where_and_what_to_do)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    stop_five_times(peer);
    const char *text = strstr(logged(), "\"msg\":\"script paused\"");
    assert_non_null(text);
    assert_non_null(strstr(text, "\"trace\":\"s.capp:1 in on_message\""));
    assert_non_null(strstr(text, "save it"));
    mend();
    assert_non_null(strstr(logged(), "\"msg\":\"script resumed\",\"script\":\"s.capp\",\"v\":2,"
                                     "\"waited\":1"));
}

/* ---- on_open that is stopped ---- */

static const struct {
    const char *script, *cause;
} failures[] = {
    { "fail-open", "script_error" },
    { "stop-open 1", "script_budget" },
    { "stop-open 2", "script_memory" },
};

TEST(an_on_open_that_is_stopped_closes_with_its_own_cause)
{
    for (size_t i = 0; i < MW_COUNT(failures); i++) {
        if (i > 0)
            next_case();
        serve(failures[i].script);
        struct peer *peer = add_socket(&world, "/s");
        run(&world);
        assert_seen(peer, "101 close:1011:on_open failed");
        say_close(peer, 1011);
        run(&world);
        assert_string_equal(c_engine.causes[0], failures[i].cause);
    }
}

#define PAUSED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_paused)

int main(void)
{
    const struct CMUnitTest cases[] = {
        PAUSED(four_stops_drop_their_messages_and_nothing_else),
        PAUSED(the_fifth_stop_pauses_and_a_good_load_goes_on_with_what_was_said),
        PAUSED(messages_behind_the_fifth_stop_of_the_same_read_are_kept),
        PAUSED(more_than_the_backlog_holds_stays_in_the_line_and_is_not_lost),
        PAUSED(new_sockets_are_told_to_come_later_and_plain_requests_as_well),
        PAUSED(an_on_open_that_waits_is_turned_away),
        PAUSED(a_handler_that_waits_ends_with_the_pause_and_the_next_message_is_heard),
        PAUSED(who_closes_during_the_pause_is_heard_after_it_however_late),
        PAUSED(a_bad_load_does_not_end_the_pause),
        PAUSED(other_scripts_notice_nothing),
        PAUSED(who_lingers_when_a_paused_script_is_removed_has_its_time_all_the_same),
        PAUSED(a_paused_script_can_be_removed),
        PAUSED(a_paused_script_does_not_hold_up_the_stop_of_the_server),
        PAUSED(the_log_says_why_where_and_what_to_do),
        PAUSED(an_on_open_that_is_stopped_closes_with_its_own_cause),
    };
    return RUN(cases);
}
