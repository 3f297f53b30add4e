/* load, route: versions that come, are refused, and go, with connections open meanwhile. */
#include "tests/unit/server/c_engine.h"
#include "tests/unit/server/world.h"

static struct world world;

static int set_up(void **state)
{
    (void)state;
    make_project(&world);
    make_below(&world.folder, "scripts/lib");
    open_worker(&world, c_engine_table(), 1);
    c_engine = (struct c_engine){ .mem = &world.worker.mem };
    world.gentle = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    c_engine.hold = false;
    close_worker(&world);
    assert_int_equal(c_engine.opens, c_engine.closes);
    assert_int_equal(c_engine.starts, c_engine.stops);
    assert_int_equal(c_engine.nested, 0);
    remove_project(&world);
    return 0;
}

static const struct mw_load *load_of(const char *name)
{
    for (size_t i = 0; i < world.batch->count; i++) {
        if (mw_view_is(world.batch->loads[i].name, name))
            return &world.batch->loads[i];
    }
    fail_msg("the batch says nothing of %s", name);
    return NULL;
}

static void assert_outcome(const char *name, enum mw_load_outcome outcome)
{
    assert_int_equal(load_of(name)->outcome, outcome);
}

/* A reload to this version was prepared; `committed` or held back. */
static void assert_ready(const char *name, unsigned to, bool committed)
{
    const struct mw_load *load = load_of(name);
    assert_int_equal(load->outcome, MW_LOAD_READY);
    assert_int_equal(load->to, to);
    assert_int_equal(load->from, to - 1);
    assert_int_equal(load->commit, committed);
}

static void assert_fault(const char *name, enum mw_load_outcome outcome, const char *says)
{
    const struct mw_load *load = load_of(name);
    assert_int_equal(load->outcome, outcome);
    assert_non_null(load->fault);
    assert_non_null(strstr(load->fault->message, says));
}

static void remove_script(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "scripts/%s", name);
    delete_file(&world.folder, path);
}

/* What a fresh socket sees on this path after saying "hello". */
static const char *knock(const char *path)
{
    struct peer *peer = add_socket(&world, path);
    run(&world);
    say_text(peer, "hello");
    run(&world);
    const char *seen = seen_by(peer);
    peer->line.peer_reset = true;
    run(&world);
    return seen;
}

/* ---- first and later loads ---- */

TEST(the_first_load_makes_every_script_a_route)
{
    write_script(&world, "a.capp", "echo");
    write_script(&world, "b.capp", "route /chat/:room\ngreet b");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 1, true);
    assert_ready("b.capp", 1, true);
    assert_string_equal(load_of("a.capp")->pattern, "/a");
    assert_string_equal(load_of("b.capp")->pattern, "/chat/:room");
    assert_int_equal(c_engine.starts, 2);
    assert_string_equal(knock("/a"), "101 text:hello");
    assert_string_equal(knock("/chat/x"), "101 text:b");
    assert_string_equal(knock("/b"), "404 end");
}

TEST(what_did_not_change_is_left_alone)
{
    write_script(&world, "a.capp", "echo");
    write_script(&world, "b.capp", "echo");
    write_script(&world, "lib/x.capp", "one");
    (void)load(&world);
    write_script(&world, "b.capp", "greet new");
    write_script(&world, "lib/x.capp", "two");
    assert_int_equal(load(&world), 0);
    assert_outcome("a.capp", MW_LOAD_UNTOUCHED);
    assert_ready("b.capp", 2, true);
    assert_int_equal(load(&world), 0);
    assert_outcome("b.capp", MW_LOAD_UNTOUCHED);
    assert_int_equal(c_engine.starts, 2);
}

TEST(open_connections_move_to_the_new_version)
{
    write_script(&world, "a.capp", "echo");
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/a");
    say_text(peer, "one");
    run(&world);
    write_script(&world, "a.capp", "join all\npublish all\necho");
    assert_int_equal(load(&world), 0);
    assert_int_equal(load_of("a.capp")->kept, 1);
    assert_int_equal(load_of("a.capp")->dropped, 0);
    say_text(peer, "two");
    run(&world);
    assert_seen(peer, "101 text:one text:two");
    assert_int_equal(c_engine.closes, 0);
}

/* The commit itself takes no longer for them: they hear of it in the turns that follow. */
TEST(open_connections_hear_of_new_deadlines_afterwards)
{
    write_script(&world, "a.capp", "limit ping 1000");
    write_script(&world, "b.capp", "limit ping 1000");
    (void)load(&world);
    struct peer *a = add_socket(&world, "/a"), *b = add_socket(&world, "/b");
    run(&world);
    write_script(&world, "a.capp", "limit ping 5");
    (void)load(&world);
    mw_ms soon_ms = mw_loop_now(world.worker.loop) + 100000;
    assert_true(a->client->conn.ping_at_ms > soon_ms);
    run(&world);
    assert_true(a->client->conn.ping_at_ms < soon_ms);
    assert_true(b->client->conn.ping_at_ms > soon_ms);
}

TEST(who_has_ended_already_is_neither_kept_nor_dropped)
{
    write_script(&world, "a.capp", "echo");
    (void)load(&world);
    struct peer *stays = add_socket(&world, "/a"), *ends = add_socket(&world, "/a");
    run(&world);
    say_close(ends, 1000);
    run(&world);
    assert_false(ends->line.closed); /* lingers */
    write_script(&world, "a.capp", "echo\ngreet hi");
    (void)load(&world);
    assert_int_equal(load_of("a.capp")->kept, 1);
    remove_script("a.capp");
    (void)load(&world);
    assert_int_equal(load_of("a.capp")->dropped, 1);
    run(&world);
    assert_seen(stays, "101 close:1001:this service has ended;retry=30000-60000");
    assert_seen(ends, "101 close:1000: end");
}

TEST(a_broken_save_leaves_the_old_version_serving_and_is_tried_again)
{
    write_script(&world, "a.capp", "echo");
    write_script(&world, "b.capp", "echo");
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/a");
    run(&world);
    write_script(&world, "a.capp", "broken");
    assert_int_equal(load(&world), 1);
    assert_fault("a.capp", MW_LOAD_FAULT, "it is broken");
    say_text(peer, "still there?");
    run(&world);
    assert_seen(peer, "101 text:still there?");
    assert_string_equal(knock("/a"), "101 text:hello");
    write_script(&world, "b.capp", "greet other"); /* any change is a reason to try again */
    assert_int_equal(load(&world), 1);
    assert_fault("a.capp", MW_LOAD_FAULT, "it is broken");
    assert_ready("b.capp", 2, true);
    write_script(&world, "a.capp", "echo\ngreet mended");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 2, true); /* refused ones take no number */
    assert_string_equal(knock("/a"), "101 text:mended text:hello");
    assert_int_equal(c_engine.starts, 2);
}

TEST(a_script_that_never_loaded_answers_503_until_it_is_mended)
{
    write_script(&world, "a.capp", "broken");
    write_script(&world, "b.capp", "echo");
    assert_int_equal(load(&world), 1);
    assert_string_equal(knock("/a"), "503 end");
    assert_string_equal(knock("/b"), "101 text:hello");
    assert_int_equal(c_engine.starts, 1);
    write_script(&world, "a.capp", "echo");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 1, true);
    assert_string_equal(knock("/a"), "101 text:hello");
    assert_int_equal(c_engine.starts, 2);
}

TEST(a_route_that_cannot_be_is_a_fault_that_says_why)
{
    write_script(&world, "a.capp", "route chat");
    assert_int_equal(load(&world), 1);
    assert_fault("a.capp", MW_LOAD_FAULT, "\"chat\"");
    assert_string_equal(load_of("a.capp")->fault->file, "a.capp");
}

/* ---- libraries ---- */

TEST(a_changed_library_reloads_those_who_use_it)
{
    write_script(&world, "a.capp", "lib lib/x.capp\necho");
    write_script(&world, "b.capp", "echo");
    write_script(&world, "lib/x.capp", "one");
    assert_int_equal(load(&world), 0);
    write_script(&world, "lib/x.capp", "two");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 2, true);
    assert_outcome("b.capp", MW_LOAD_UNTOUCHED);
}

TEST(a_changed_library_is_taken_by_all_or_by_none)
{
    write_script(&world, "a.capp", "lib lib/x.capp\necho");
    write_script(&world, "b.capp", "lib lib/x.capp\necho");
    write_script(&world, "lib/x.capp", "one");
    (void)load(&world);
    write_script(&world, "lib/x.capp", "two");
    write_script(&world, "b.capp", "broken\nlib lib/x.capp");
    assert_int_equal(load(&world), 1);
    assert_ready("a.capp", 2, false); /* held back */
    assert_fault("b.capp", MW_LOAD_FAULT, "it is broken");
    assert_string_equal(knock("/a"), "101 text:hello");
    write_script(&world, "b.capp", "lib lib/x.capp\necho\ngreet b");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 2, true); /* although its own text is the same */
    assert_ready("b.capp", 2, true);
}

TEST(a_broken_library_is_refused_by_all_and_comes_back)
{
    write_script(&world, "a.capp", "lib lib/x.capp\necho");
    write_script(&world, "b.capp", "lib lib/x.capp\necho");
    write_script(&world, "lib/x.capp", "one");
    (void)load(&world);
    write_script(&world, "lib/x.capp", "broken");
    assert_int_equal(load(&world), 2);
    assert_fault("a.capp", MW_LOAD_FAULT, "a library is broken");
    assert_string_equal(knock("/b"), "101 text:hello");
    remove_script("lib/x.capp");
    assert_int_equal(load(&world), 2);
    assert_fault("a.capp", MW_LOAD_FAULT, "a library is missing");
    write_script(&world, "lib/x.capp", "two");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 2, true);
    assert_ready("b.capp", 2, true);
}

/* ---- conflicts ---- */

TEST(two_scripts_on_one_route_are_a_conflict_that_names_both)
{
    write_script(&world, "a.capp", "route /same/:x\ngreet a");
    write_script(&world, "b.capp", "route /same/:y\ngreet b");
    assert_int_equal(load(&world), 1);
    assert_ready("a.capp", 1, true);
    assert_fault("b.capp", MW_LOAD_CONFLICT, "b.capp and a.capp");
    assert_string_equal(knock("/same/1"), "101 text:a");
    write_script(&world, "a.capp", "route /other\ngreet a");
    assert_int_equal(load(&world), 0);
    assert_ready("b.capp", 1, true); /* its place is free now */
    assert_string_equal(knock("/same/1"), "101 text:b");
    assert_string_equal(knock("/other"), "101 text:a");
}

TEST(a_route_of_a_live_script_cannot_be_taken)
{
    write_script(&world, "b.capp", "route /mine\ngreet b");
    (void)load(&world);
    write_script(&world, "a.capp", "route /mine\ngreet a");
    assert_int_equal(load(&world), 1);
    assert_fault("a.capp", MW_LOAD_CONFLICT, "a.capp and b.capp");
    assert_string_equal(knock("/mine"), "101 text:b");
}

TEST(two_scripts_may_trade_their_routes_in_one_save)
{
    write_script(&world, "a.capp", "route /one\ngreet a");
    write_script(&world, "b.capp", "route /two\ngreet b");
    (void)load(&world);
    write_script(&world, "a.capp", "route /two\ngreet a");
    write_script(&world, "b.capp", "route /one\ngreet b");
    assert_int_equal(load(&world), 0);
    assert_string_equal(knock("/one"), "101 text:b");
    assert_string_equal(knock("/two"), "101 text:a");
    write_script(&world, "a.capp", "route /one\ngreet a");
    write_script(&world, "b.capp", "broken"); /* keeps what a wants */
    assert_int_equal(load(&world), 2);
    assert_string_equal(knock("/one"), "101 text:b");
    assert_string_equal(knock("/two"), "101 text:a");
}

TEST(the_most_specific_route_serves_whatever_the_order_of_loading)
{
    write_script(&world, "z.capp", "route /*all\ngreet all");
    (void)load(&world);
    write_script(&world, "y.capp", "route /chat/:room\ngreet room");
    (void)load(&world);
    write_script(&world, "x.capp", "route /chat/lobby\ngreet lobby");
    (void)load(&world);
    write_script(&world, "z.capp", "route /*everything\ngreet all");
    (void)load(&world);
    assert_string_equal(knock("/chat/lobby"), "101 text:lobby");
    assert_string_equal(knock("/chat/other"), "101 text:room");
    assert_string_equal(knock("/what/ever"), "101 text:all");
}

/* ---- scripts that go ---- */

TEST(a_script_whose_file_is_gone_closes_its_connections_with_1001)
{
    write_script(&world, "a.capp", "echo");
    write_script(&world, "b.capp", "echo");
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/a"), *other = add_socket(&world, "/b");
    run(&world);
    remove_script("a.capp");
    assert_int_equal(load(&world), 0);
    assert_outcome("a.capp", MW_LOAD_REMOVED);
    assert_int_equal(load_of("a.capp")->dropped, 1);
    run(&world);
    assert_seen(peer, "101 close:1001:this service has ended;retry=30000-60000");
    assert_seen(other, "101");
    assert_string_equal(knock("/a"), "404 end");
    assert_int_equal(c_engine.stops, 0); /* somebody is still connected */
    say_close(peer, 1001);
    peer->line.peer_finished = true;
    RUN_UNTIL(&world, c_engine.stops == 1); /* when the last client is gone */
    assert_string_equal(c_engine.causes[0], "script_removed");
}

TEST(a_renamed_script_keeps_its_route)
{
    write_script(&world, "a.capp", "route /here\ngreet a");
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/here");
    run(&world);
    remove_script("a.capp");
    write_script(&world, "b.capp", "route /here\ngreet b");
    assert_int_equal(load(&world), 0);
    assert_ready("b.capp", 1, true);
    assert_string_equal(knock("/here"), "101 text:b");
    run(&world);
    assert_seen(peer, "101 text:a close:1001:this service has ended;retry=30000-60000");
}

TEST(a_script_that_comes_back_starts_anew_beside_its_last_connections)
{
    write_script(&world, "a.capp", "greet old");
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/a");
    run(&world);
    remove_script("a.capp");
    (void)load(&world);
    write_script(&world, "a.capp", "greet new");
    assert_int_equal(load(&world), 0);
    assert_ready("a.capp", 1, true);
    assert_string_equal(knock("/a"), "101 text:new");
    say_close(peer, 1001);
    run(&world);
    assert_seen(peer, "101 text:old close:1001:this service has ended;retry=30000-60000 end");
    assert_string_equal(knock("/a"), "101 text:new");
}

TEST(a_removed_script_whose_only_connection_ends_while_it_is_told)
{
    write_script(&world, "a.capp", "wait-open");
    (void)load(&world);
    c_engine.hold = true;
    struct peer *peers[2];
    for (size_t i = 0; i < MW_COUNT(peers); i++) {
        peers[i] = add_peer(&world);
        say_hello(peers[i], "/a", "");
        say_close(peers[i], 1000); /* waits behind the handshake */
        peers[i]->line.peer_finished = true;
    }
    RUN_UNTIL(&world, c_engine.opens == 2);
    remove_script("a.capp");
    assert_int_equal(load(&world), 0);
    RUN_UNTIL(&world, c_engine.stops == 1);
    assert_int_equal(c_engine.closes, 2);
    assert_seen(peers[0], "101 close:1001:this service has ended;retry=30000-60000 end");
}

/* ---- limits ---- */

TEST(new_limits_hold_for_connections_that_are_open)
{
    write_script(&world, "a.capp", "echo");
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/a");
    run(&world);
    mw_ms before_ms = peer->client->alarm.timer.at_ms;
    write_script(&world, "a.capp", "echo\nlimit idle 3\nlimit message 5");
    (void)load(&world);
    run(&world);
    assert_true(peer->client->alarm.timer.at_ms < before_ms);
    assert_true(peer->client->alarm.timer.at_ms <= mw_loop_now(world.worker.loop) + 3000);
    say_text(peer, "too long");
    run(&world);
    assert_non_null(strstr(seen_by(peer), "101 close:1009:"));
}

/* ---- ends ---- */

TEST(a_worker_that_stops_takes_down_what_was_only_prepared)
{
    write_script(&world, "a.capp", "echo");
    (void)load(&world);
    write_script(&world, "a.capp", "greet new");
    write_script(&world, "b.capp", "greet never");
    prepare_load(&world);
    assert_outcome("a.capp", MW_LOAD_READY);
}

TEST(a_commit_that_comes_after_the_stop_finds_nothing_to_do)
{
    write_script(&world, "a.capp", "echo");
    prepare_load(&world);
    mw_worker_drain(&world.worker, false);
    run(&world);
    assert_int_equal(finish_load(&world), 0);
}

TEST(each_failing_allocation_of_a_reload_leaves_a_version_serving)
{
    char text[64];
    write_script(&world, "a.capp", "echo");
    write_script(&world, "lib/x.capp", "x");
    (void)load(&world);
    struct mw_mem *mem = &world.worker.mem;
    bool got_through = false;
    unsigned version = 1;
    for (unsigned n = 1; !got_through; n++) {
        assert_true(n < 100);
        snprintf(text, sizeof text, "echo\nroute /a\nlib lib/x.capp\ngreet %u", n);
        write_script(&world, "a.capp", text);
        snprintf(text, sizeof text, "greet %u", n);
        char name[16];
        snprintf(name, sizeof name, "n%u.capp", n);
        write_script(&world, name, text); /* a new route as well */
        mem->fail_at = mem->count + n;
        size_t refused = load(&world);
        got_through = mem->count < mem->fail_at;
        mem->fail_at = 0;
        assert_int_equal(refused, !got_through);
        version += load_of("a.capp")->commit;
        run(&world);
    }
    assert_true(version > 2);
    assert_string_equal(strstr(knock("/a"), " text:hello"), " text:hello");
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(the_first_load_makes_every_script_a_route),
        IN_A_WORLD(what_did_not_change_is_left_alone),
        IN_A_WORLD(open_connections_move_to_the_new_version),
        IN_A_WORLD(open_connections_hear_of_new_deadlines_afterwards),
        IN_A_WORLD(who_has_ended_already_is_neither_kept_nor_dropped),
        IN_A_WORLD(a_broken_save_leaves_the_old_version_serving_and_is_tried_again),
        IN_A_WORLD(a_script_that_never_loaded_answers_503_until_it_is_mended),
        IN_A_WORLD(a_route_that_cannot_be_is_a_fault_that_says_why),
        IN_A_WORLD(a_changed_library_reloads_those_who_use_it),
        IN_A_WORLD(a_changed_library_is_taken_by_all_or_by_none),
        IN_A_WORLD(a_broken_library_is_refused_by_all_and_comes_back),
        IN_A_WORLD(two_scripts_on_one_route_are_a_conflict_that_names_both),
        IN_A_WORLD(a_route_of_a_live_script_cannot_be_taken),
        IN_A_WORLD(two_scripts_may_trade_their_routes_in_one_save),
        IN_A_WORLD(the_most_specific_route_serves_whatever_the_order_of_loading),
        IN_A_WORLD(a_script_whose_file_is_gone_closes_its_connections_with_1001),
        IN_A_WORLD(a_renamed_script_keeps_its_route),
        IN_A_WORLD(a_script_that_comes_back_starts_anew_beside_its_last_connections),
        IN_A_WORLD(a_removed_script_whose_only_connection_ends_while_it_is_told),
        IN_A_WORLD(new_limits_hold_for_connections_that_are_open),
        IN_A_WORLD(a_worker_that_stops_takes_down_what_was_only_prepared),
        IN_A_WORLD(a_commit_that_comes_after_the_stop_finds_nothing_to_do),
        IN_A_WORLD(each_failing_allocation_of_a_reload_leaves_a_version_serving),
    };
    return RUN(cases);
}
