/* Reload: what stays, what ends, what a refused version leaves behind, and memory. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(before_the_first_version_nothing_runs)
{
    struct mw_app_stats stats;
    world_open(&world);
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.version, 0);
    assert_int_equal(world.engine->start(world.app), MW_APP_DONE);
    assert_false(world.engine->uses(world.app, mw_view_text("lib/a.lua")));
    world_close(&world);
}

TEST(the_new_version_answers_and_locals_start_anew)
{
    world_open(&world);
    expect_from(&world, "counter = nil",
                "fault on_message v1 chat.lua:1 global 'counter' is not "
                "declared\n");
    must_load(&world,
              "local n = 0 return { on_message = function(c) n = n + 1 c:send('a' .. n) end }");
    say(&world, 1, "x");
    say(&world, 1, "x");
    must_load(&world,
              "local n = 0 return { on_message = function(c) n = n + 1 c:send('b' .. n) end }");
    say(&world, 1, "x");
    expect(&world, "send 1 text a1\nsend 1 text a2\nsend 1 text b1\n");
    world_close(&world);
}

TEST(a_broken_version_leaves_the_old_one_serving)
{
    static const char *const broken[] = {
        "return {",                    /* does not compile */
        "error('at load')",            /* fails at load */
        "return 5",                    /* wrong shape */
        "return { on_message = 'x' }", /* no function */
        "state.n = 99 state.rooms = nil error('late')",
        "return { on_open = function() end, limits = { message = -1 } }",
    };
    world_open(&world);
    must_load(&world, "state.n = 1 state.rooms = {}\n"
                      "return { on_message = function(c) print(state.n, state.rooms ~= nil) end }");
    must_open(&world, 1);
    for (size_t i = 0; i < MW_COUNT(broken); i++) {
        assert_int_equal(load(&world, broken[i]), MW_ERR_SCRIPT);
        assert_int_equal(world.fault.version, 2);
        assert_string_equal(world.fault.handler, "load");
        say(&world, 1, "x");
        expect(&world, "log info v1 c1 1\ttrue\n");
        assert_int_equal(world.host.fault_count, 0);
    }
    world_close(&world);
}

TEST(a_discarded_version_leaves_nothing)
{
    struct mw_sources sources = {
        .script = { mw_view_text("chat.lua"),
                    mw_view_text("state.n = 2 timer.after(0, print) return { route = '/b' }") },
    };
    const struct mw_route_spec *spec;
    world_open(&world);
    must_load(&world, "state.n = 1 return { on_message = function() print(state.n) end }");
    must_open(&world, 1);
    assert_int_equal(world.engine->prepare(world.app, &sources, 2, &spec, &world.fault), MW_OK);
    assert_view(spec->pattern, "/b");
    say(&world, 1, "x"); /* the live version serves between prepare and commit */
    world.engine->discard(world.app);
    pass(&world, 10);
    say(&world, 1, "x");
    expect(&world, "log info v1 c1 1\nlog info v1 c1 1\n");
    world_close(&world);
}

TEST(what_waits_ends_on_its_own_version)
{
    world_open(&world);
    must_load(&world, "local v = 'one' return { on_message = function(conn, d)\n"
                      "  print(v, conn.version) sleep(1) print(v, conn.version) end }");
    must_open(&world, 1);
    must_open(&world, 2);
    say(&world, 1, "x");
    must_load(&world, "local v = 'two' return { on_message = function(conn, d)\n"
                      "  print(v, conn.version) end }");
    say(&world, 2, "x");
    pass(&world, 1000);
    expect(&world, "log info v1 c1 one\t1\nlog info v2 c2 two\t2\nlog info v1 c1 one\t1\n"
                   "finished 1 message\n");
    world_close(&world);
}

TEST(a_fault_names_the_version_that_ran)
{
    world_open(&world);
    must_load(&world, "return { on_message = function() sleep(1)\nerror('old') end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    must_load(&world, "-- another text\n-- here\nreturn {}");
    pass(&world, 1000);
    expect(&world, "fault on_message v1 chat.lua:2 old\nfinished 1 message\n");
    assert_string_equal(world.host.fault.frame, "   2 | error('old') end }");
    world_close(&world);
}

TEST(handlers_that_the_new_version_lacks_are_gone)
{
    world_open(&world);
    must_load(&world, "return { on_message = print, on_close = print }");
    must_open(&world, 1);
    must_load(&world, "return {}");
    assert_int_equal(say(&world, 1, "x"), MW_APP_DONE);
    end_conn(&world, 1, 1000, "peer_close");
    expect(&world, "");
    world_close(&world);
}

TEST(what_the_module_says_later_changes_nothing)
{
    world_open(&world);
    must_load(&world, "local M = { protocols = { 'a', 'b' } }\n"
                      "function M.on_message(conn) print('first')\n"
                      "  if not M.protocols then return end\n"
                      "  M.on_message = nil M.protocols[1] = 'z' M.protocols = nil end\n"
                      "return M");
    must_open(&world, 1);
    say(&world, 1, "x");
    mw_lua_app_collect(world.app);
    say(&world, 1, "x");
    expect(&world, "log info v1 c1 first\nlog info v1 c1 first\n");
    assert_view(world.spec->protocols[0], "a");
    world_close(&world);
}

/* ---- on_reload ---- */

TEST(on_reload_migrates_state_before_the_new_version_serves)
{
    world_open(&world);
    must_load(&world,
              "state.rooms = { a = 1 }\n"
              "return { on_reload = error, on_message = function() print(state.rooms.a) end }");
    must_open(&world, 1);
    must_prepare(&world, "return { on_reload = function(s, info)\n"
                         "  print(s == state, info.from, info.to) s.rooms.a = { n = s.rooms.a }\n"
                         "  s.size = 1 timer.after(0, function() log.info('later') end) end,\n"
                         "  on_message = function() print(state.rooms.a.n, state.size) end }");
    say(&world, 1, "x");
    commit(&world);
    say(&world, 1, "x");
    pass(&world, 1);
    expect(&world, "log info v2 true\t1\t2\nlog info v1 c1 1\nlog info v2 c1 1\t1\n"
                   "log info v2 later\n");
    world_close(&world);
}

TEST(an_error_in_on_reload_refuses_the_version)
{
    static const char *const broken[][2] = {
        { "s.n = 2 s.t.x = 1 error('no')", "no" },
        { "sleep(1)", "sleep cannot wait in on_reload" },
        { "publish('a', 'b')", "publish cannot be called in on_reload: this version may yet be "
                               "refused" },
        { "connections()", "connections cannot be called in on_reload: this version may yet be "
                           "refused" },
        { "s.f = print", "state.f: functions cannot survive a reload" },
    };
    char script[256];
    world_open(&world);
    must_load(&world, "state.n = 1 state.t = {}\n"
                      "return { on_message = function() print(inspect(state)) end }");
    must_open(&world, 1);
    for (size_t i = 0; i < MW_COUNT(broken); i++) {
        snprintf(script, sizeof(script), "return { on_reload = function(s) %s end }", broken[i][0]);
        assert_int_equal(load(&world, script), MW_ERR_SCRIPT);
        assert_string_equal(world.fault.handler, "on_reload");
        assert_string_equal(world.fault.message, broken[i][1]);
        assert_int_equal(world.fault.version, 2);
        say(&world, 1, "x");
        expect(&world, "log info v1 c1 { n = 1, t = {} }\n");
    }
    world_close(&world);
}

/* ---- calls of old versions ---- */

TEST(whatever_waits_goes_on_as_the_version_in_which_it_began)
{
    world_open(&world);
    must_load(&world,
              "local v = 'one' local function tell(...) print(v, ...) end\n"
              "timer.every('t', 1, function() sleep(5) tell('timer') end)\n"
              "return { on_message = function(conn)\n"
              "    local co = coroutine.wrap(function() sleep(2) tell('inner', conn.version)\n"
              "      coroutine.yield() sleep(2) error('end') end) co() co() end,\n"
              "  on_close = function(conn) sleep(1) tell('close', conn.version) end }");
    must_open(&world, 1);
    must_open(&world, 2);
    say(&world, 1, "x");
    end_conn(&world, 2, 1000, "peer_close");
    pass(&world, 1001);
    struct mw_app_stats stats;
    must_load(&world, "return {}");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.old_versions, 1);
    forget(&world); /* on_close was there already */
    pass(&world, 10000);
    expect(&world, "log info v1 c1 one\tinner\t1\nfault on_message v1 chat.lua:5 end\n"
                   "finished 1 message\nlog info v1 one\ttimer\n");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.old_versions, 0);
    world_close(&world);
}

/* ---- memory ---- */

TEST(the_handle_of_a_timer_keeps_no_version_in_memory)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  local big = {} conn.data.weak = setmetatable({ big }, { __mode = 'v' })\n"
                      "  conn.data.handle = timer.after(99, function() return big end) end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    must_load(&world, "return { on_message = function(conn)\n"
                      "  print(conn.data.weak[1], conn.data.handle) end }");
    mw_lua_app_collect(world.app);
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 nil\ttimer after (over)\n");
    world_close(&world);
}

TEST(a_load_can_clear_a_state_that_has_used_up_everything)
{
    static const char full[] =
        "return { on_message = function(conn)\n"
        "  state.t = state.t or {} while true do state.t[#state.t + 1] = { #state.t } end end }";
    static const char *const cures[] = {
        "state.t = nil return { on_message = function(conn) print('well') end }",
        "return { on_reload = function(state) for i = #state.t, 2, -1 do state.t[i] = nil end "
        "end,\n"
        "  on_message = function(conn) print('well') end }",
    };
    for (size_t i = 0; i < MW_COUNT(cures); i++) {
        world_open_capped(&world, 1024 * 1024);
        must_load(&world, full);
        must_open(&world, 1);
        for (int k = 0; k < 3; k++)
            say(&world, 1, "x");
        assert_int_equal(world.host.fault.kind, MW_FAULT_MEMORY);
        must_load(&world, cures[i]);
        assert_int_equal(world.app->mem.max_bytes, 1024 * 1024);
        forget(&world);
        assert_int_equal(say(&world, 1, "x"), MW_APP_DONE);
        expect(&world, "log info v2 c1 well\n");
        world_close(&world);
    }
}

#define VERSIONS 200

static const char versioned[] =
    "local big = {}\n"
    "for i = 1, 100 do big[i] = 'text ' .. i end\n"
    "local part = require 'part'\n"
    "timer.every('t', 1, function() return big end)\n"
    "return { big = big, on_message = function(conn, data)\n"
    "  conn.data.seen = conn.data.seen or setmetatable({}, { __mode = 'kv' })\n"
    "  conn.data.seen[big] = true conn.data.seen[part] = true\n"
    "  if data == 'count' then local n = 0 for _ in pairs(conn.data.seen) do n = n + 1 end\n"
    "    conn:send(tostring(n)) end\n"
    "end }";

TEST(old_versions_become_garbage)
{
    static const char *const libs[] = { "lib/part.lua", "return { 'a part' }", NULL };
    struct mw_app_stats first, last;
    world_open(&world);
    for (int i = 0; i < VERSIONS; i++) {
        assert_int_equal(load_with(&world, versioned, libs), MW_OK);
        if (i == 0)
            must_open(&world, 1);
        say(&world, 1, "look");
        if (i == 10) {
            mw_lua_app_collect(world.app);
            world.engine->stats(world.app, &first);
        }
    }
    mw_lua_app_collect(world.app);
    say(&world, 1, "count");
    expect(&world, "send 1 text 2\n"); /* of 400 tables only this version's two are left */
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &last);
    assert_int_equal(last.version, VERSIONS);
    assert_in_range(last.memory_bytes, 1, first.memory_bytes + 1024);
    assert_int_equal(last.timers, 1);
    world_close(&world);
}

TEST(refused_versions_become_garbage)
{
    struct mw_app_stats first, last;
    world_open(&world);
    must_load(&world, "return {}");
    for (int i = 0; i < VERSIONS; i++) {
        load(&world, "local t = {} for i = 1, 100 do t[i] = { i } end\n"
                     "timer.after(1, function() return t end) state.x = t error('no')");
        mw_lua_app_collect(world.app);
        world.engine->stats(world.app, i < 10 ? &first : &last);
    }
    assert_in_range(last.memory_bytes, 1, first.memory_bytes + 1024);
    world_close(&world);
}

TEST(a_version_lives_as_long_as_a_call_of_it_waits)
{
    struct mw_app_stats before, waiting, after;
    world_open(&world);
    must_load(&world, "return {}");
    must_open(&world, 1);
    must_load(&world, "local t = ('x'):rep(200000)\n"
                      "return { on_message = function(conn) sleep(1) conn:send(#t .. '') end }");
    must_load(&world, "return {}");
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &before);
    must_load(&world, "local t = ('x'):rep(200000)\n"
                      "return { on_message = function(conn) sleep(1) conn:send(#t .. '') end }");
    say(&world, 1, "x");
    must_load(&world, "return {}");
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &waiting);
    assert_true(waiting.memory_bytes > before.memory_bytes + 200000);
    pass(&world, 1000);
    expect(&world, "send 1 text 200000\nfinished 1 message\n");
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &after);
    assert_in_range(after.memory_bytes, 1, before.memory_bytes + 4096);
    world_close(&world);
}

/*
 * Each version keeps its environment, its module and its handler in a weak set of the connection;
 * on_open of connection 2 waits across the first few of every hundred.
 */
static const char looping[] =
    "local lib = require 'part'\n"
    "state.rooms = state.rooms or {} state.rooms.lobby = { n = (state.n or 0) }\n"
    "state.n = (state.n or 0) + 1\n"
    "local rooms, big = state.rooms, {}\n"
    "for i = 1, 50 do big[i] = { 'text ' .. i } end\n"
    "timer.every('own', 1, function() return big end)\n"
    "timer.every('named', 1, 'tick')\n"
    "local M = { tick = function() return lib, rooms end, big = big }\n"
    "function M.on_reload(s, info) s.rooms[info.to % 7] = { from = info.from } end\n"
    "function M.on_message(conn, data)\n"
    "  local seen = conn.data.seen or setmetatable({}, { __mode = 'kv' })\n"
    "  conn.data.seen = seen\n"
    "  for _, v in ipairs { M, M.on_message, M.tick, big, lib, lib.get } do seen[v] = true end\n"
    "  seen[timer.after(0, function() return big end)] = true\n"
    "  if data == 'wait' then sleep(3) end\n"
    "  if data == 'count' then local n = 0 for _ in pairs(seen) do n = n + 1 end print(n) end\n"
    "end\n"
    "return M";

TEST(after_1000_reloads_nothing_of_old_versions_is_left)
{
    static const char *const libs[] = { "lib/part.lua",
                                        "local t = {} return { get = function() return t end }",
                                        NULL };
    struct mw_app_stats first, last;
    world_open(&world);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(load_with(&world, looping, libs), MW_OK);
        if (i == 0)
            must_open(&world, 1);
        if (i % 100 == 3) {
            load(&world, "state.rooms.lobby.x = {} for k in pairs(state) do state[k] = nil end "
                         "error('no')");
            must_open(&world, 2);
            assert_int_equal(say(&world, 2, "wait"), MW_APP_WAITING);
        }
        say(&world, 1, "look");
        pass(&world, 700);
        if (i % 100 == 20)
            end_conn(&world, 2, 1000, "peer_close");
        if (i == 150) {
            mw_lua_app_collect(world.app);
            world.engine->stats(world.app, &first);
        }
        forget(&world);
    }
    pass(&world, 5000);
    mw_lua_app_collect(world.app);
    mw_lua_app_collect(world.app);
    say(&world, 1, "count");
    expect(&world, "log info v1000 c1 7\n"); /* this version's own */
    pass(&world, 1000);
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &last);
    assert_int_equal(last.old_versions, 0);
    assert_int_equal(last.timers, 2);
    assert_in_range(last.memory_bytes, 1, first.memory_bytes + 2048);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(before_the_first_version_nothing_runs),
        CASE(the_new_version_answers_and_locals_start_anew),
        CASE(a_broken_version_leaves_the_old_one_serving),
        CASE(a_discarded_version_leaves_nothing),
        CASE(what_waits_ends_on_its_own_version),
        CASE(a_fault_names_the_version_that_ran),
        CASE(handlers_that_the_new_version_lacks_are_gone),
        CASE(what_the_module_says_later_changes_nothing),
        CASE(on_reload_migrates_state_before_the_new_version_serves),
        CASE(an_error_in_on_reload_refuses_the_version),
        CASE(whatever_waits_goes_on_as_the_version_in_which_it_began),
        CASE(the_handle_of_a_timer_keeps_no_version_in_memory),
        CASE(a_load_can_clear_a_state_that_has_used_up_everything),
        CASE(after_1000_reloads_nothing_of_old_versions_is_left),
        CASE(old_versions_become_garbage),
        CASE(refused_versions_become_garbage),
        CASE(a_version_lives_as_long_as_a_call_of_it_waits),
    };
    return RUN(cases);
}
