/* Ends that on_close hears of later: the script is paused, or others have their turn. */
#include "lua/owed.h"

#include "tests/unit/lua/fake_host.h"

static struct world world;

#define SCRIPT \
    "local M = {}\n" \
    "function M.on_open(conn) conn.data.name = 'n' .. conn.id end\n" \
    "function M.on_message(conn, data) conn:send(data) end\n" \
    "function M.on_close(conn, code, reason, info)\n" \
    "  log.info(conn.data.name .. ' ' .. code .. ' ' .. reason .. ' ' .. info.cause .. ' ' ..\n" \
    "           conn.state .. ' ' .. conn.path)\n" \
    "end\n"

static void open_with(const char *more)
{
    char script[2048];
    world_open(&world);
    snprintf(script, sizeof script, "%s%s\nreturn M", SCRIPT, more);
    must_load(&world, script);
    for (mw_id id = 1; id <= 4; id++)
        must_open(&world, id);
    forget(&world);
}

static struct mw_app_stats stats(void)
{
    struct mw_app_stats stats;
    world.engine->stats(world.app, &stats);
    return stats;
}

TEST(an_end_during_the_pause_is_told_after_it_in_order)
{
    open_with("");
    world.engine->pause(world.app, true);
    end_conn(&world, 2, 4001, "peer_close");
    end_conn(&world, 1, 1006, "peer_reset");
    pass(&world, 1000);
    expect(&world, "");
    assert_int_equal(stats().owed_closes, 2);
    world.engine->pause(world.app, false);
    end_conn(&world, 3, 1000, "peer_close"); /* behind those who went before */
    expect(&world, "");
    pass(&world, 0);
    expect(&world, "log info v1 c2 n2 4001 bye peer_close closed /chat/lobby\n"
                   "log info v1 c1 n1 1006 bye peer_reset closed /chat/lobby\n"
                   "log info v1 c3 n3 1000 bye peer_close closed /chat/lobby\n");
    assert_int_equal(stats().owed_closes, 0);
    assert_int_equal(stats().conn_objects, 1);
    world_close(&world);
}

TEST(also_of_one_that_the_script_had_never_seen)
{
    world_open(&world);
    must_load(&world, "return { on_close = function(c, code) print(c.ip, c.path, code) end }");
    must_open(&world, 1);
    must_open(&world, 2);
    world.engine->pause(world.app, true);
    end_conn(&world, 1, 1000, "peer_close");
    world.mem.fail_at = world.mem.count + 1; /* there is none to make its object of */
    world.mem.fail_after = true;
    end_conn(&world, 2, 1000, "peer_close");
    world.mem.fail_at = 0;
    memset(&world.host.conns[1], 0, sizeof world.host.conns[1]);
    world.engine->pause(world.app, false);
    pass(&world, 0);
    expect(&world, "log warn v1 1 on_close will never be called: the script had no memory to keep "
                   "them\n"
                   "log info v1 c1 192.0.2.1\t/chat/lobby\t1000\n");
    assert_int_equal(stats().conn_objects, 0);
    world_close(&world);
}

TEST(the_version_that_ends_the_pause_hears_of_it)
{
    open_with("");
    world.engine->pause(world.app, true);
    end_conn(&world, 1, 1000, "peer_close");
    must_load(&world, "return { on_close = function(c) log.info('new ' .. c.data.name) end }");
    world.engine->pause(world.app, false);
    pass(&world, 0);
    expect(&world, "log info v2 c1 new n1\n");
    world_close(&world);
}

TEST(many_ends_are_spread_over_turns)
{
    open_with("");
    world.host.calls_a_turn = 2;
    world.engine->pause(world.app, true);
    for (mw_id id = 1; id <= 4; id++)
        end_conn(&world, id, 1000, "peer_close");
    world.engine->pause(world.app, false);
    world.host.calls_left = 1;
    world.engine->tick(world.app, world.host.now_ms);
    expect(&world, "log info v1 c1 n1 1000 bye peer_close closed /chat/lobby\n"
                   "log info v1 c2 n2 1000 bye peer_close closed /chat/lobby\n");
    assert_true(world.host.wake_ms <= world.host.now_ms);
    pass(&world, 0);
    expect(&world, "log info v1 c3 n3 1000 bye peer_close closed /chat/lobby\n"
                   "log info v1 c4 n4 1000 bye peer_close closed /chat/lobby\n");
    world_close(&world);
}

TEST(an_end_that_may_not_be_told_of_now_is_told_with_the_next_tick)
{
    open_with("");
    world.host.calls_a_turn = 1;
    world.host.calls_left = 0;
    end_conn(&world, 1, 1000, "peer_close");
    expect(&world, "");
    pass(&world, 0);
    expect(&world, "log info v1 c1 n1 1000 bye peer_close closed /chat/lobby\n");
    world_close(&world);
}

TEST(timers_that_are_due_at_once_are_spread_over_turns_in_order)
{
    open_with("for i = 1, 5 do timer.after(0.5, function() log.info('t' .. i) end) end");
    world.host.calls_a_turn = 2;
    world.host.now_ms += 500;
    world.host.calls_left = 1;
    world.engine->tick(world.app, world.host.now_ms);
    expect(&world, "log info v1 t1\nlog info v1 t2\n");
    assert_true(world.host.wake_ms <= world.host.now_ms);
    pass(&world, 0);
    expect(&world, "log info v1 t3\nlog info v1 t4\nlog info v1 t5\n");
    world_close(&world);
}

TEST(what_was_due_during_the_pause_rings_after_it)
{
    open_with("timer.every('beat', 1, function() log.info('beat') end)\n"
              "timer.after(2, function() log.info('once') end)\n"
              "function M.on_message(conn) sleep(1.5) conn:send('slept') end");
    (void)say(&world, 1, "x");
    world.engine->pause(world.app, true);
    world.host.now_ms += 10000; /* nobody ticks it */
    world.engine->pause(world.app, false);
    pass(&world, 500);
    expect(&world, "log info v1 beat\nsend 1 text slept\nfinished 1 message\nlog info v1 once\n");
    pass(&world, 500);
    expect(&world, "log info v1 beat\n");
    world_close(&world);
}

TEST(what_there_is_no_memory_to_keep_is_counted_and_said)
{
    open_with("");
    world.engine->pause(world.app, true);
    for (mw_id id = 1; id <= 3; id++) {
        world.mem.fail_at = id < 3 ? world.mem.count + 1 : 0; /* the record is the first thing */
        end_conn(&world, id, 1000, "peer_close");
    }
    assert_int_equal(stats().lost_closes, 2);
    assert_int_equal(stats().owed_closes, 1);
    world.engine->pause(world.app, false);
    pass(&world, 0);
    expect(&world, "log warn v1 2 on_close will never be called: the script had no memory to keep "
                   "them\nlog info v1 c3 n3 1000 bye peer_close closed /chat/lobby\n");
    world.engine->pause(world.app, true);
    world.engine->pause(world.app, false);
    expect(&world, "");
    world_close(&world);
}

TEST(without_memory_an_end_that_could_wait_is_told_of_at_once)
{
    open_with("");
    world.host.calls_a_turn = 1;
    world.host.calls_left = 0;
    world.mem.fail_at = world.mem.count + 1;
    end_conn(&world, 1, 1000, "peer_close");
    expect(&world, "log info v1 c1 n1 1000 bye peer_close closed /chat/lobby\n");
    world_close(&world);
}

TEST(on_stop_comes_behind_all_of_them)
{
    open_with("function M.on_stop() log.info('stop') end");
    world.host.calls_a_turn = 1;
    for (mw_id id = 1; id <= 2; id++)
        end_conn(&world, id, 1000, "peer_close");
    world.engine->stop(world.app);
    expect(&world, "log info v1 c1 n1 1000 bye peer_close closed /chat/lobby\n"
                   "log info v1 c2 n2 1000 bye peer_close closed /chat/lobby\n"
                   "log info v1 stop\n");
    world_close(&world);
}

TEST(an_app_that_is_destroyed_during_the_pause_gives_all_of_it_back)
{
    open_with("");
    world.engine->pause(world.app, true);
    for (mw_id id = 1; id <= 4; id++)
        end_conn(&world, id, 1000, "peer_close");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_end_during_the_pause_is_told_after_it_in_order),
        CASE(also_of_one_that_the_script_had_never_seen),
        CASE(the_version_that_ends_the_pause_hears_of_it),
        CASE(many_ends_are_spread_over_turns),
        CASE(an_end_that_may_not_be_told_of_now_is_told_with_the_next_tick),
        CASE(timers_that_are_due_at_once_are_spread_over_turns_in_order),
        CASE(what_was_due_during_the_pause_rings_after_it),
        CASE(what_there_is_no_memory_to_keep_is_counted_and_said),
        CASE(without_memory_an_end_that_could_wait_is_told_of_at_once),
        CASE(on_stop_comes_behind_all_of_them),
        CASE(an_app_that_is_destroyed_during_the_pause_gives_all_of_it_back),
    };
    return RUN(cases);
}
