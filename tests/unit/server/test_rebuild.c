/* A script whose app is spent: when it gets a new one, and what its connections see of that. */
#include "core/server/rebuild.h"

#include "tests/unit/server/serve.h"

static int tear_down_rebuilt(void **state)
{
    assert_int_equal(c_engine.while_paused, 0);
    return tear_down(state);
}

static struct mw_route *route(void)
{
    return mw_route_by_name(&world.worker, mw_view_text("s.capp"));
}

/* Its memory is used up, and a call was stopped for it. */
static struct peer *serve_starved(const char *script)
{
    char text[128];
    snprintf(text, sizeof text, "starve now\n%s", script);
    serve(text);
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    say_text(peer, "now");
    run(&world);
    assert_int_equal(route()->faults.counts[MW_FAULT_MEMORY], 1);
    c_engine.full = true;
    return peer;
}

static void save(const char *script)
{
    write_script(&world, "s.capp", script);
    prepare_load(&world);
}

TEST(a_script_that_is_out_of_memory_and_still_full_gets_a_new_app)
{
    struct peer *peer = serve_starved("echo"), *other = add_socket(&world, "/s");
    run(&world);
    struct mw_app *old = route()->app;
    save("echo\n# mended");
    assert_ptr_equal(route()->app, old);
    assert_int_equal(finish_load(&world), 0);
    const struct mw_load *load = &world.batch->loads[0];
    assert_true(load->rebuilt);
    assert_int_equal(load->carried.conns, 2);
    assert_int_equal(load->kept, 2);
    assert_ptr_not_equal(route()->app, old);
    assert_null(route()->next_app);
    say_text(peer, "one");
    say_text(other, "two");
    run(&world);
    assert_seen(peer, "101 text:one");
    assert_seen(other, "101 text:two");
    assert_int_equal(c_engine.starts, 1);
    assert_int_equal(c_engine.closes, 0);
}

TEST(a_script_that_is_not_spent_keeps_its_app)
{
    static const struct {
        const char *said;
        bool full;
    } cases[] = { { "hello", true }, { "now", false } };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        serve("starve now\necho");
        struct peer *peer = add_socket(&world, "/s");
        run(&world);
        say_text(peer, cases[i].said);
        run(&world);
        c_engine.full = cases[i].full;
        assert_false(mw_rebuild_is_due(route()));
        save("echo\n# mended");
        assert_int_equal(finish_load(&world), 0);
        assert_false(world.batch->loads[0].rebuilt);
        next_case();
    }
    serve("echo");
}

TEST(a_stop_of_the_version_before_is_no_reason)
{
    (void)serve_starved("echo");
    c_engine.full = false;
    save("echo\n# mended");
    assert_int_equal(finish_load(&world), 0);
    c_engine.full = true;
    assert_false(mw_rebuild_is_due(route()));
}

TEST(a_script_that_is_paused_gets_a_new_app_and_goes_on_in_it)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    for (int i = 0; i < MW_QUARANTINE_STOPS; i++)
        say_text(peer, "loop");
    say_text(peer, "held");
    run(&world);
    assert_true(mw_rebuild_is_due(route()));
    save("echo");
    assert_int_equal(finish_load(&world), 0);
    assert_true(world.batch->loads[0].rebuilt);
    run(&world);
    assert_seen(peer, "101 text:held");
}

TEST(a_candidate_that_is_refused_leaves_the_old_app_serving)
{
    static const char *const refused[] = { "broken", "echo\nroute no-slash" };
    struct peer *peer = serve_starved("echo");
    struct mw_app *old = route()->app;
    for (size_t i = 0; i < MW_COUNT(refused); i++) {
        save(refused[i]);
        assert_int_equal(finish_load(&world), 1);
        assert_ptr_equal(route()->app, old);
        assert_null(route()->next_app);
    }
    say_text(peer, "still there?");
    run(&world);
    assert_seen(peer, "101 text:still there?");
}

/* What comes in between waits, for whichever app it will be. */
TEST(nothing_of_the_script_runs_between_prepare_and_the_decision)
{
    for (int commits = 0; commits < 2; commits++) {
        struct peer *peer = serve_starved("echo\ngreet old"), *leaver = add_socket(&world, "/s");
        run(&world);
        unsigned opens = c_engine.opens, messages = c_engine.messages;
        save("echo\ngreet new");
        assert_non_null(route()->next_app);
        struct peer *late = add_socket(&world, "/s");
        say_text(peer, "hello");
        say_close(leaver, 1000);
        run(&world);
        assert_int_equal(c_engine.opens, opens);
        assert_int_equal(c_engine.messages, messages);
        assert_int_equal(c_engine.pauses, 2);
        assert_int_equal(c_engine.closes, 1);
        world.batch->loads[0].commit = commits;
        mw_load_commit(&world.worker, world.batch);
        run(&world);
        assert_seen(peer, "101 text:old text:hello");
        assert_seen(late, commits ? "101 text:new" : "101 text:old");
        assert_int_equal(c_engine.closes, 1);
        next_case();
    }
    serve("echo");
}

TEST(calls_that_wait_end_with_the_old_app)
{
    struct peer *peer = serve_starved("wait\nwait-open\necho");
    c_engine.hold = true;
    struct peer *undecided = add_socket(&world, "/s");
    run(&world);
    assert_seen(undecided, "");
    assert_seen(peer, "101");
    say_text(peer, "one");
    say_text(peer, "two");
    run(&world);
    c_engine.hold = false;
    save("echo");
    assert_int_equal(finish_load(&world), 0);
    run(&world);
    assert_seen(peer, "101 text:two");
    assert_seen(undecided, "101 close:1011:on_open failed");
}

TEST(a_worker_that_stops_takes_both_apps_down)
{
    (void)serve_starved("echo");
    save("echo\n# mended");
    assert_non_null(route()->next_app);
}

TEST(each_failing_allocation_leaves_one_app_serving)
{
    struct peer *peer = serve_starved("echo");
    bool got_through = false;
    for (unsigned n = 1; !got_through; n++) {
        assert_true(n < 100);
        write_script(&world, "s.capp", "echo\n# mended");
        uint64_t begun = world.mem.count;
        world.mem.fail_at = begun + n;
        world.worker.mem.fail_at = 0;
        prepare_load(&world);
        got_through = world.mem.count < begun + n;
        world.mem.fail_at = 0;
        size_t refused = finish_load(&world);
        assert_int_equal(refused, !got_through);
        assert_null(route()->next_app);
    }
    assert_true(world.batch->loads[0].rebuilt);
    say_text(peer, "on");
    run(&world);
    assert_seen(peer, "101 text:on");
}

#define REBUILT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_rebuilt)

int main(void)
{
    const struct CMUnitTest cases[] = {
        REBUILT(a_script_that_is_out_of_memory_and_still_full_gets_a_new_app),
        REBUILT(a_script_that_is_not_spent_keeps_its_app),
        REBUILT(a_stop_of_the_version_before_is_no_reason),
        REBUILT(a_script_that_is_paused_gets_a_new_app_and_goes_on_in_it),
        REBUILT(a_candidate_that_is_refused_leaves_the_old_app_serving),
        REBUILT(nothing_of_the_script_runs_between_prepare_and_the_decision),
        REBUILT(calls_that_wait_end_with_the_old_app),
        REBUILT(a_worker_that_stops_takes_both_apps_down),
        REBUILT(each_failing_allocation_leaves_one_app_serving),
    };
    return RUN(cases);
}
