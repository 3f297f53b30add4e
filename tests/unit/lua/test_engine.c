/* The engine as a whole: its life and its cap. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(the_table_is_complete)
{
    const struct mw_engine *engine = mw_engine_lua();
    assert_string_equal(engine->name, "lua");
    assert_string_equal(engine->suffix, ".lua");
    assert_true(engine->settings && engine->create && engine->destroy && engine->prepare);
    assert_true(engine->commit && engine->discard && engine->uses && engine->start);
    assert_true(engine->stop && engine->open && engine->message && engine->drain);
    assert_true(engine->close && engine->tick && engine->stats);
    engine->destroy(NULL);
}

TEST(an_app_can_be_destroyed_at_any_moment)
{
    world_open(&world);
    must_load(&world, "timer.every('t', 1, function() sleep(9) end)\n"
                      "return { on_open = function(c) c.data.x = c end,\n"
                      "  on_message = function() sleep(9) end, on_close = error }");
    must_open(&world, 1);
    say(&world, 1, "x");
    pass(&world, 1500);
    must_load(&world, "return {}");
    world_close(&world);
}

TEST(idle_coroutines_are_used_again)
{
    struct mw_app_stats first, last;
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, d) conn:send(d) end }");
    must_open(&world, 1);
    for (int i = 0; i < 1000; i++) {
        say(&world, 1, "x");
        forget(&world);
        if (i == 10) {
            mw_lua_app_collect(world.app);
            world.engine->stats(world.app, &first);
        }
    }
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &last);
    assert_int_equal(last.memory_bytes, first.memory_bytes);
    world_close(&world);
}

TEST(a_message_makes_no_garbage_but_its_string)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, d) conn:send(d) end }");
    must_open(&world, 1);
    say(&world, 1, "warm");
    uint64_t before = world.mem.count;
    say(&world, 1, "a text that is longer than forty bytes, so that it is not interned");
    assert_int_equal(world.mem.count - before, 1);
    world_close(&world);
}

/* ---- the cap ---- */

TEST(a_script_stops_at_its_cap_and_the_next_call_works)
{
    world_open_capped(&world, 4 * 1024 * 1024);
    must_load(&world,
              "return { on_message = function(conn, d)\n"
              "  if d == 'eat' then local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t\n"
              "    end end\n"
              "  conn:send('fine') end }");
    must_open(&world, 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(say(&world, 1, "eat"), MW_APP_FAILED);
        assert_memory_equal(world.host.fault.message, "not enough memory: the script holds", 35);
        assert_int_equal(world.host.fault.line, 2);
        assert_true(world.mem.peak <= 4 * 1024 * 1024 + 200 * 1024); /* 5 % */
        forget(&world);
        assert_int_equal(say(&world, 1, "ok"), MW_APP_DONE);
        expect(&world, "send 1 text fine\n");
    }
    world_close(&world);
}

TEST(a_state_that_is_full_for_good_fails_politely)
{
    struct mw_verdict verdict;
    world_open_capped(&world, 1024 * 1024);
    must_load(&world,
              "return { on_message = function(conn)\n"
              "  state.t = {} while true do state.t[#state.t + 1] = ('x'):rep(100) .. #state.t "
              "end end,\n"
              "  on_close = function(conn) print('closed') end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "x"), MW_APP_FAILED);
    for (int i = 0; i < 3; i++)
        say(&world, 1, "x");
    open_conn(&world, 2, "a=1&b=2", &verdict);
    assert_true(load(&world, "local t = {} for i = 1, 1e6 do t[i] = {} end return {}") != MW_OK);
    end_conn(&world, 2, 1000, "peer_close");
    end_conn(&world, 1, 1000, "peer_close");
    world_close(&world);
}

TEST(too_small_a_cap_makes_no_app)
{
    for (size_t cap = 1; cap < 40000; cap += 997) {
        struct mw_mem mem;
        mw_mem_init(&mem, NULL, 0);
        if (world_open_in(&world, &mem, cap))
            world.engine->destroy(world.app);
        assert_mem_empty(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_table_is_complete),
        CASE(an_app_can_be_destroyed_at_any_moment),
        CASE(idle_coroutines_are_used_again),
        CASE(a_message_makes_no_garbage_but_its_string),
        CASE(a_script_stops_at_its_cap_and_the_next_call_works),
        CASE(a_state_that_is_full_for_good_fails_politely),
        CASE(too_small_a_cap_makes_no_app),
    };
    return RUN(cases);
}
