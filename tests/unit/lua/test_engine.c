/* The engine as a whole: its life, its cap, and a conversation in which memory fails. */
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

/* ---- failing allocations ---- */

static const char talkative[] =
    "local rooms = require 'rooms'\n"
    "state.n = (state.n or 0) + 1\n"
    "timer.every('tick', 1, function() publish('room', { tick = state.n }) end)\n"
    "timer.after(0.5, function() sleep(0.2) log.info('late', { n = state.n, list = { 1, 2 } }) "
    "end)\n"
    "local M = { route = '/chat/:room', protocols = { 'a', 'b' }, format = 'json',\n"
    "  limits = { message = 5000 } }\n"
    "function M.on_start() state.rooms = { lobby = { people = {} } } end\n"
    "function M.on_open(conn, req)\n"
    "  if req.query.out then return false, 4001, 'out: ' .. req.query.out end\n"
    "  conn.data.user = req.query.user or req.cookies.a\n"
    "  conn:subscribe('room') sleep(0)\n"
    "end\n"
    "function M.on_message(conn, m, kind)\n"
    "  local co = coroutine.wrap(function(x) sleep(0.1) coroutine.yield(x) end)\n"
    "  conn:send { echo = m, kind = kind, who = conn.data.user, path = conn.path }\n"
    "  print(inspect(m), rooms.name(conn), co(1))\n"
    "  for c in connections() do c:publish('room', tostring(c)) end\n"
    "  if m.bad then local x = m.none.field end\n"
    "end\n"
    "function M.on_close(conn, code, reason, info) print(conn.id, code, inspect(info)) end\n"
    "return M\n";

static const char *const talkative_libs[] = {
    "lib/rooms.lua",
    "return { name = function(conn) return conn.params.room end }",
    NULL,
};

/* Whatever fails, the world goes on; what comes out is not looked at. */
static void talk(struct world *w)
{
    struct mw_verdict verdict;
    bool is_loaded = load_with(w, talkative, talkative_libs) == MW_OK;
    if (!is_loaded)
        return;
    w->engine->start(w->app);
    for (mw_id id = 1; id <= 2; id++)
        open_conn(w, id, id == 1 ? "user=ann&x=1&x=2" : "out=yes", &verdict);
    w->host.conns[1].state = MW_CONN_STATE_OPEN;
    w->host.conns[1].is_accepted = true;
    pass(w, 10);
    say(w, 1, "{\"a\":[1,2.5,null,{\"b\":\"text that is longer than forty bytes, really\"}]}");
    pass(w, 200);
    say(w, 1, "{\"bad\":true}");
    pass(w, 700);
    load_with(w, "return { on_message = 5 }", NULL);
    load_with(w, talkative, talkative_libs);
    load_with(w, "this is no Lua", NULL);
    say(w, 1, "[]");
    pass(w, 2000);
    w->engine->drain(w->app, 1);
    end_conn(w, 2, 4001, "script_close");
    end_conn(w, 1, 1001, "peer_close");
    pass(w, 100);
    w->engine->stop(w->app);
}

static bool conversation(struct mw_mem *mem)
{
    if (!world_open_in(&world, mem, 64 * 1024 * 1024))
        return false;
    talk(&world);
    assert_true(world.host.fault_count <= 40);
    world.engine->destroy(world.app);
    return true;
}

TEST(the_conversation_works_with_enough_memory)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    assert_true(conversation(&mem));
    assert_mem_empty(&mem);
    assert_int_equal(world.host.fault_count, 1); /* the one that is meant */
    assert_string_equal(world.host.fault.hint,
                        "'none' is nil here: set it before, or write (none or {}).field");
    assert_int_equal(world.version, 2);
}

TEST(any_one_allocation_may_fail)
{
    fail_each_allocation(conversation);
}

TEST(any_allocation_and_all_later_ones_may_fail)
{
    uint64_t fail_at = 1;
    bool got_through = false;
    while (!got_through) {
        struct mw_mem mem;
        mw_mem_init(&mem, NULL, 0);
        mem.fail_at = fail_at;
        mem.fail_after = true;
        conversation(&mem);
        assert_mem_empty(&mem);
        got_through = mem.count < fail_at;
        fail_at += 1 + fail_at / 200; /* each of the early ones, then one in ever more */
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
        CASE(the_conversation_works_with_enough_memory),
        CASE(any_one_allocation_may_fail),
        CASE(any_allocation_and_all_later_ones_may_fail),
    };
    return RUN(cases);
}
