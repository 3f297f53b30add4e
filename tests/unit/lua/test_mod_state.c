/* `state`: what it takes, what survives, what a load may change. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

#define FAULT "fault on_message v1 chat.lua:1 "

static const struct line_case assignments[] = {
    { "state.a = 1 state.b = 'x' state.c = true state.d = { 1, { e = 2.5 } } state[5] = json.null\n"
      "print(inspect(state))",
      "log info v1 c1 { [5] = null, a = 1, b = \"x\", c = true, d = { 1, { e = 2.5 } } }\n" },
    { "state.a = json.array {} state.a = nil print(inspect(state))", "log info v1 c1 {}\n" },
    { "local t = {} t.t = t state.a = t print(state.a.t == t)", "log info v1 c1 true\n" },
    { "state.f = print", FAULT "state.f: functions cannot survive a reload\n" },
    { "state.c = coroutine.create(print)", FAULT "state.c: coroutines cannot survive a reload\n" },
    { "state.c = conn", FAULT "state.c: objects such as connections cannot be kept in state\n" },
    { "state.t = setmetatable({}, {})", FAULT "state.t: tables with a metatable cannot survive a "
                                              "reload\n" },
    { "state.rooms = { lobby = { [3] = { cb = print } } }",
      FAULT "state.rooms.lobby[3].cb: functions cannot survive a reload\n" },
    { "state.a = { [{}] = 1 }", "*only strings, numbers and booleans can be keys\n" },
    { "state[print] = 1", "*only strings, numbers and booleans can be keys\n" },
    { "state = {}", FAULT "global 'state' is not declared\n" },
    { "rawset(state, 'a', print)", FAULT "'a' cannot be set: this table belongs to the server\n" },
    { "setmetatable(state, {})", FAULT "cannot change a protected metatable\n" },
    { "state.a = 1 state.b = 2 local n = 0 for k, v in pairs(state) do n = n + v end\n"
      "print(n, next(state) ~= nil, #state, type(state), getmetatable(state))",
      "log info v1 c1 3\ttrue\t0\ttable\tfalse\n" },
    { "state[1] = 'a' state[2] = 'b' print(#state) for i, v in ipairs(state) do print(i, v) end",
      "log info v1 c1 2\nlog info v1 c1 1\ta\nlog info v1 c1 2\tb\n" },
    { "local t = {} for i = 1, 101 do t = { t } end state.t = t",
      "*nested deeper than 100 levels\n" },
};

TEST(assignments_are_checked_down_to_the_last_table)
{
    expect_lines(&world, assignments, MW_COUNT(assignments));
}

TEST(a_refused_assignment_changes_nothing)
{
    world_open(&world);
    expect_from(&world, "state.a = 1 pcall(function() state.a = print end) print(state.a)",
                "log info v1 c1 1\n");
    world_close(&world);
}

TEST(it_survives_reloads)
{
    world_open(&world);
    must_load(&world,
              "state.n = (state.n or 0) + 1 return { on_start = function() state.s = 1 end }");
    world.engine->start(world.app);
    must_load(&world, "state.n = (state.n or 0) + 1 return {}");
    must_load(&world, "print(state.n, state.s) return {}");
    expect(&world, "log info v3 2\t1\n");
    world_close(&world);
}

TEST(a_load_sees_its_own_assignments_before_they_count)
{
    world_open(&world);
    must_load(&world, "state.a = 1 state.b = 2 state.c = { 3 } return {}");
    must_load(&world, "state.a = nil state.b = 20 state.d = 4\n"
                      "print(state.a, state.b, state.c[1], state.d)\n"
                      "local keys = {} for k in pairs(state) do keys[#keys + 1] = k end\n"
                      "table.sort(keys) print(table.concat(keys, ','))\n"
                      "return { on_message = function() print(inspect(state)) end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    expect(&world, "log info v2 nil\t20\t3\t4\nlog info v2 b,c,d\n"
                   "log info v2 c1 { b = 20, c = { 3 }, d = 4 }\n");
    world_close(&world);
}

TEST(what_is_not_plain_deeper_down_is_taken_out_at_the_next_version)
{
    world_open(&world);
    must_load(&world, "state.rooms = {} local Room = { __index = { size = 5 } }\n"
                      "return { on_start = function()\n"
                      "  state.rooms.lobby = { cb = print, n = 1 }\n"
                      "  state.rooms.obj = setmetatable({ kept = true }, Room)\n"
                      "  state.rooms[1] = connections end }");
    world.engine->start(world.app);
    expect(&world, "");
    must_load(&world, "return { on_message = function() print(inspect(state)) end }");
    assert_non_null(strstr(world.host.transcript,
                           "log warn v2 state.rooms.lobby.cb was made plain: functions cannot "
                           "survive a reload\n"));
    assert_non_null(strstr(world.host.transcript,
                           "log warn v2 state.rooms.obj was made plain: tables with a metatable "
                           "cannot survive a reload\n"));
    expect_somewhere(&world, "state.rooms[1] was made plain: functions");
    must_open(&world, 1);
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 { rooms = { lobby = { n = 1 }, obj = { kept = true } } }\n");
    must_load(&world, "return {}");
    expect(&world, "");
    world_close(&world);
}

TEST(taking_over_runs_no_code_of_the_script)
{
    world_open(&world);
    must_load(&world, "return { on_message = function()\n"
                      "  state.t = {}\n"
                      "  local key = setmetatable({}, { __tostring = function()\n"
                      "    log.info('run') state.x = 1 sleep(1) return 'k' end })\n"
                      "  state.t[key] = 1 end }");
    must_open(&world, 1);
    say(&world, 1, "go");
    forget(&world);
    must_load(&world, "return {}");
    expect_somewhere(&world, "state.t[table] was made plain");
    world_close(&world);
}

TEST(taking_over_leaves_libraries_and_state_itself_as_they_are)
{
    world_open(&world);
    must_load(&world, "return { on_message = function()\n"
                      "  state.t = {}\n"
                      "  state.t.s, state.t.g, state.t.me = string, _G, state end }");
    must_open(&world, 1);
    say(&world, 1, "go");
    must_load(&world,
              "return { on_message = function()\n"
              "  print(string.format('%d', 7), pcall(rawset, string, 'x', 1))\n"
              "  print(next(state.t), type(print), pcall(function() state.f = print end)) end }");
    forget(&world);
    say(&world, 1, "go");
    expect_somewhere(&world, "v2 c1 7\tfalse");
    say(&world, 1, "go");
    expect_somewhere(&world, "v2 c1 nil\tfunction\tfalse");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(assignments_are_checked_down_to_the_last_table),
        CASE(a_refused_assignment_changes_nothing),
        CASE(it_survives_reloads),
        CASE(a_load_sees_its_own_assignments_before_they_count),
        CASE(what_is_not_plain_deeper_down_is_taken_out_at_the_next_version),
        CASE(taking_over_runs_no_code_of_the_script),
        CASE(taking_over_leaves_libraries_and_state_itself_as_they_are),
    };
    return RUN(cases);
}
