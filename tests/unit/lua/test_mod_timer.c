/* timer.after, every, cancel, and timers at a reload. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(after_calls_once_and_every_calls_again)
{
    world_open(&world);
    must_load(&world, "timer.after(0.5, function() print('once') end)\n"
                      "timer.every('tick', 1, function() print('tick', monotonic()) end)\n"
                      "return {}");
    pass(&world, 499);
    expect(&world, "");
    pass(&world, 2600);
    expect(&world, "log info v1 once\nlog info v1 tick\t2.0\nlog info v1 tick\t3.0\n"
                   "log info v1 tick\t4.0\n");
    world_close(&world);
}

TEST(timers_of_the_same_moment_ring_in_order)
{
    world_open(&world);
    must_load(&world, "for i = 1, 3 do timer.after(0, function() print(i) end) end return {}");
    pass(&world, 0);
    expect(&world, "log info v1 1\nlog info v1 2\nlog info v1 3\n");
    world_close(&world);
}

TEST(a_name_replaces_itself)
{
    struct mw_app_stats stats;
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() print('old') end)\n"
                      "timer.every('t', 2, function() print('new') end) return {}");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.timers, 1);
    pass(&world, 2000);
    expect(&world, "log info v1 new\n");
    world_close(&world);
}

TEST(cancel_by_name_and_by_handle)
{
    struct mw_app_stats stats;
    world_open(&world);
    must_load(&world, "local a = timer.after(1, print)\n"
                      "timer.every('b', 1, print)\n"
                      "print(tostring(a), timer.cancel(a), timer.cancel(a), tostring(a))\n"
                      "print(timer.cancel('b'), timer.cancel('b'), timer.cancel('none'))\n"
                      "return {}");
    expect(&world, "log info v1 timer after\ttrue\tfalse\ttimer after (over)\n"
                   "log info v1 true\tfalse\tfalse\n");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.timers, 0);
    assert_true(world.host.wake_ms == MW_NEVER);
    world_close(&world);
}

TEST(a_timer_may_cancel_itself_and_others)
{
    world_open(&world);
    must_load(&world, "local n, other = 0\n"
                      "timer.every('self', 1, function() n = n + 1 print(n)\n"
                      "  if n == 2 then timer.cancel('self') timer.cancel(other) end end)\n"
                      "other = timer.after(2.5, function() print('never') end)\n"
                      "return {}");
    pass(&world, 5000);
    expect(&world, "log info v1 1\nlog info v1 2\n");
    world_close(&world);
}

TEST(an_error_in_a_timer_is_a_fault_and_every_goes_on)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() error('oh') end)\nreturn {}");
    pass(&world, 2000);
    expect(&world, "fault timer v1 chat.lua:1 oh\nfault timer v1 chat.lua:1 oh\n");
    world_close(&world);
}

TEST(calls_of_one_timer_never_overlap)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() print('in') sleep(2.5) print('out') end)\n"
                      "return {}");
    pass(&world, 4400);
    expect(&world, "log info v1 in\nlog info v1 out\nlog info v1 in\n");
    world_close(&world);
}

TEST(a_waiting_timer_call_ends_though_its_timer_is_cancelled)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() sleep(1) print('out') end)\n"
                      "timer.after(1.5, function() timer.cancel('t') end) return {}");
    pass(&world, 9000);
    expect(&world, "log info v1 out\n");
    world_close(&world);
}

TEST(a_slow_tick_does_not_ring_for_what_was_missed)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() print(monotonic()) end) return {}");
    world.host.now_ms += 10500;
    world.engine->tick(world.app, world.host.now_ms);
    expect(&world, "log info v1 11.5\n");
    assert_true(world.host.wake_ms <= 12500);
    pass(&world, 1000);
    expect(&world, "log info v1 12.5\n");
    world_close(&world);
}

static const struct {
    const char *call, *message;
} mistakes[] = {
    { "timer.after('1', print)",
      "bad argument #1 to 'after' (number of seconds expected, got string)" },
    { "timer.after(-1, print)",
      "bad argument #1 to 'after' (seconds must be from 0 to ten years)" },
    { "timer.after(0/0, print)",
      "bad argument #1 to 'after' (seconds must be from 0 to ten years)" },
    { "timer.after(1e12, print)",
      "bad argument #1 to 'after' (seconds must be from 0 to ten years)" },
    { "timer.after(1)", "bad argument #2 to 'after' (function expected, got no value)" },
    { "timer.every('', 1, print)", "bad argument #1 to 'every' (a timer needs a name)" },
    { "timer.every(1, 1, print)", "bad argument #1 to 'every' (string expected, got number)" },
    { "timer.every('t', 0, print)", "bad argument #2 to 'every' (at least 0.001 s)" },
    { "timer.every('t', 1)",
      "bad argument #3 to 'every' (function or name of a handler expected, got no value)" },
    { "timer.cancel()", "bad argument #1 to 'cancel' (name or timer expected, got no value)" },
    { "timer.cancel(conn)", "bad argument #1 to 'cancel' (name or timer expected, got nil)" },
    { "for i = 1, 1001 do timer.after(1, print) end",
      "timer: this script has 1000 timers, and may have no more: cancel what nobody needs, or let "
      "one timer look after many things" },
};

TEST(mistakes_are_named)
{
    for (size_t i = 0; i < MW_COUNT(mistakes); i++) {
        char script[256];
        world_open(&world);
        snprintf(script, sizeof(script), "%s return {}", mistakes[i].call);
        assert_int_equal(load(&world, script), MW_ERR_SCRIPT);
        assert_string_equal(world.fault.message, mistakes[i].message);
        world_close(&world);
    }
}

/* ---- reload ---- */

TEST(closure_timers_end_with_their_version)
{
    struct mw_app_stats stats;
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() print('v1') end)\n"
                      "timer.after(1, function() print('v1') end) return {}");
    must_load(&world, "return {}");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.timers, 0);
    pass(&world, 5000);
    expect(&world, "");
    world_close(&world);
}

TEST(a_timer_by_handler_name_goes_on_with_the_new_function)
{
    world_open(&world);
    must_load(&world, "return { on_start = function() timer.every('t', 1, 'on_tick') end,\n"
                      "  on_tick = function() print('old') end }");
    world.engine->start(world.app);
    pass(&world, 1500);
    must_load(&world, "return { on_tick = function() print('new') end }");
    pass(&world, 500);
    expect(&world, "log info v1 old\nlog info v2 new\n");
    must_load(&world, "return {}");
    expect(&world, "log warn v3 timer 't' ended: this version has no handler of its name\n");
    pass(&world, 5000);
    expect(&world, "");
    world_close(&world);
}

TEST(a_timer_by_handler_name_needs_the_handler)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, 'on_tock') return {}");
    pass(&world, 1000);
    expect(&world,
           "fault timer v1 chat.lua:0 timer 't' calls 'on_tock', but this version returns no such "
           "function\n");
    world_close(&world);
}

TEST(the_new_every_takes_over_in_step)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() print('old') end) return {}");
    pass(&world, 700);
    must_load(&world, "timer.every('t', 1, function() print('new') end) return {}");
    pass(&world, 300);
    expect(&world, "log info v2 new\n");
    pass(&world, 1000);
    expect(&world, "log info v2 new\n");
    world_close(&world);
}

TEST(timers_of_a_refused_version_never_ring)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() print('good') end) return {}");
    assert_int_equal(load(&world, "timer.every('t', 1, function() print('bad') end)\n"
                                  "timer.after(0, print) error('no')"),
                     MW_ERR_SCRIPT);
    pass(&world, 1000);
    expect(&world, "log info v1 good\n");
    world_close(&world);
}

TEST(a_call_of_a_replaced_version_starts_no_timers)
{
    world_open(&world);
    must_load(&world, "return { on_message = function() sleep(1) timer.after(1, print) end }");
    must_open(&world, 1);
    say(&world, 1, "go");
    must_load(&world, "return {}");
    pass(&world, 1000);
    expect_somewhere(&world, "timer: version 1 was replaced while this call waited");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(after_calls_once_and_every_calls_again),
        CASE(timers_of_the_same_moment_ring_in_order),
        CASE(a_name_replaces_itself),
        CASE(cancel_by_name_and_by_handle),
        CASE(a_timer_may_cancel_itself_and_others),
        CASE(an_error_in_a_timer_is_a_fault_and_every_goes_on),
        CASE(calls_of_one_timer_never_overlap),
        CASE(a_waiting_timer_call_ends_though_its_timer_is_cancelled),
        CASE(a_slow_tick_does_not_ring_for_what_was_missed),
        CASE(mistakes_are_named),
        CASE(closure_timers_end_with_their_version),
        CASE(a_timer_by_handler_name_goes_on_with_the_new_function),
        CASE(a_timer_by_handler_name_needs_the_handler),
        CASE(the_new_every_takes_over_in_step),
        CASE(timers_of_a_refused_version_never_ring),
        CASE(a_call_of_a_replaced_version_starts_no_timers),
    };
    return RUN(cases);
}
