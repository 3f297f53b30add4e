/* What is found in `state` and in conn.data after a reload, in slices or at once. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

struct data_case {
    const char *code;
    const char *warning; /* the first words, or NULL: nothing to warn of */
};

static const struct data_case data[] = {
    { "d.a = 1 d.b = { 'x', { c = json.null } } d.c = json.array {} d.me = d", NULL },
    { "d.conn = conn d.print = print d.lib = string d.state = state", NULL },
    { "d.weak = setmetatable({}, { __mode = 'kv' })", NULL },
    { "d.cb = function() end", "conn.data.cb (1 connection)" },
    { "d.a = { { cb = function() end } }", "conn.data.a[1].cb (1 connection)" },
    { "d.co = coroutine.create(print)", "conn.data.co (1 connection)" },
    { "d.co = coroutine.wrap(print)", "conn.data.co (1 connection)" },
    { "d.o = setmetatable({}, { __index = function() end })", "conn.data.o (1 connection)" },
    { "local C = { f = function() end } C.__index = C d.o = setmetatable({}, C)",
      "conn.data.o (1 connection)" },
    { "d[function() end] = 1", "conn.data[function] (1 connection)" },
};

TEST(code_in_the_data_of_a_connection_is_told_of_and_stays)
{
    char script[512], want[256];
    for (size_t i = 0; i < MW_COUNT(data); i++) {
        world_open(&world);
        snprintf(script, sizeof(script),
                 "return { on_message = function(conn) local d = conn.data %s end }", data[i].code);
        must_load(&world, script);
        must_open(&world, 1);
        say(&world, 1, "x");
        must_load(&world,
                  "return { on_message = function(conn) print(next(conn.data) ~= nil) end }");
        if (data[i].warning) {
            snprintf(want, sizeof(want),
                     "log warn v2 %s holds a function or an object with methods", data[i].warning);
            expect_somewhere(&world, want);
        }
        say(&world, 1, "x");
        expect(&world, "log info v2 c1 true\n");
        world_close(&world);
    }
}

TEST(many_connections_make_one_warning)
{
    world_open(&world);
    must_load(&world, "return { on_open = function(conn) conn.data.cb = function() end end }");
    for (mw_id id = 1; id <= 5; id++)
        must_open(&world, id);
    must_load(&world, "return {}");
    expect_somewhere(&world, "log warn v2 conn.data.cb (5 connections) holds");
    world_close(&world);
}

/* ---- in slices ---- */

static const char large[] =
    "return { on_message = function(conn, what)\n"
    "  if what == 'fill' then local t = {} for i = 1, 20000 do t[i] = { i } end\n"
    "    state.t = t state.t[20000].cb = print state.z = { deep = {} } state.z.deep.cb = print\n"
    "    state.map = {} for i = 1, 9000 do state.map['k' .. i] = i end state.map.f = print\n"
    "  elseif what == 'churn' then local m = {} for k in pairs(state.map) do m[#m + 1] = k end\n"
    "    for _, k in ipairs(m) do if k ~= 'f' then state.map[k] = nil end end\n"
    "    for i = 1, 9000 do state.map[i .. 'n' .. #m] = i end\n"
    "  else print(state.t[20000].cb, state.z.deep.cb, state.map.f) end end }";

TEST(a_large_state_is_walked_in_slices_while_scripts_run)
{
    world_open(&world);
    must_load(&world, large);
    must_open(&world, 1);
    say(&world, 1, "fill");
    must_load(&world, large);
    assert_null(strstr(world.host.transcript, "state.t[20000].cb"));
    assert_true(world.host.wake_ms <= world.host.now_ms + 10);
    pass(&world, 1000);
    char *text = world.host.transcript;
    assert_non_null(strstr(text, "log warn v2 state.t[20000].cb was made plain"));
    assert_non_null(strstr(text, "log warn v2 state.z.deep.cb was made plain"));
    assert_non_null(strstr(text, "log warn v2 state.map.f was made plain"));
    assert_true(world.host.wake_ms == MW_NEVER);
    assert_int_equal(world.app->mem.max_bytes, 64 * 1024 * 1024);
    forget(&world);
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 nil\tnil\tnil\n");
    world_close(&world);
}

TEST(a_state_that_changes_under_the_walk_is_walked_all_the_same)
{
    world_open(&world);
    must_load(&world, large);
    must_open(&world, 1);
    say(&world, 1, "fill");
    must_load(&world, large);
    for (int i = 0; i < 30; i++) {
        say(&world, 1, "churn");
        mw_lua_app_collect(world.app);
        pass(&world, 5);
    }
    pass(&world, 1000);
    assert_true(world.host.wake_ms == MW_NEVER);
    forget(&world);
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 nil\tnil\tnil\n");
    world_close(&world);
}

TEST(the_next_reload_begins_the_walk_anew)
{
    world_open(&world);
    must_load(&world, large);
    must_open(&world, 1);
    say(&world, 1, "fill");
    for (int i = 0; i < 5; i++)
        must_load(&world, large);
    pass(&world, 1000);
    say(&world, 1, "x");
    expect_somewhere(&world, "log info v6 c1 nil\tnil\tnil\n");
    assert_int_equal(world.app->mem.max_bytes, 64 * 1024 * 1024);
    must_load(&world, large);
    world_close(&world); /* in the middle of one */
}

TEST(what_the_last_call_of_an_old_version_leaves_is_taken_out_too)
{
    struct mw_app_stats before, after;
    world_open(&world);
    must_load(&world, "state.t = {} return { on_message = function(conn)\n"
                      "  local big = ('x'):rep(300000) sleep(1)\n"
                      "  state.t.cb = function() return big end end }");
    must_open(&world, 1);
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &before);
    say(&world, 1, "x");
    must_load(&world, "return {}");
    expect(&world, "");
    pass(&world, 1000);
    expect_somewhere(&world, "log warn v2 state.t.cb was made plain");
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &after);
    assert_in_range(after.memory_bytes, 1, before.memory_bytes + 4096);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(code_in_the_data_of_a_connection_is_told_of_and_stays),
        CASE(many_connections_make_one_warning),
        CASE(a_large_state_is_walked_in_slices_while_scripts_run),
        CASE(a_state_that_changes_under_the_walk_is_walked_all_the_same),
        CASE(the_next_reload_begins_the_walk_anew),
        CASE(what_the_last_call_of_an_old_version_leaves_is_taken_out_too),
    };
    return RUN(cases);
}
