/* coroutine.*, alone and with waits inside. */
#include "lua/api.h"
#include "tests/unit/lua/fake_host.h"
#include "tests/unit/lua/twins.h"

static struct world world;

static const struct line_case lines[] = {
    { "local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end)\n"
      "print(coroutine.status(co)) print(coroutine.resume(co, 1)) print(coroutine.resume(co, 5))\n"
      "print(coroutine.status(co), coroutine.resume(co))",
      "log info v1 c1 suspended\nlog info v1 c1 true\t2\nlog info v1 c1 true\t10\n"
      "log info v1 c1 dead\tfalse\tcannot resume dead coroutine\n" },
    { "local f = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) end end)\n"
      "print(f(), f(), f()) print(pcall(f))",
      "log info v1 c1 1\t2\nlog info v1 c1 false\tcannot resume dead coroutine\n" },
    { "local f = coroutine.wrap(function() end) f()\nprint(pcall(function() f() end))",
      "log info v1 c1 false\tchat.lua:2: cannot resume dead coroutine\n" },
    { "for i in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do print(i) "
      "end",
      "log info v1 c1 1\nlog info v1 c1 2\nlog info v1 c1 3\n" },
    { "local co = coroutine.create(function() error('in') end) print(coroutine.resume(co))\n"
      "print(coroutine.status(co), coroutine.close(co))",
      "log info v1 c1 false\tchat.lua:1: in\nlog info v1 c1 dead\tfalse\tchat.lua:1: in\n" },
    { "coroutine.wrap(function() error('in') end)()", "fault on_message v1 chat.lua:1 in\n" },
    { "local co = coroutine.create(function() error({ code = 5 }) end)\n"
      "local ok, e = coroutine.resume(co) print(ok, e.code)",
      "log info v1 c1 false\t5\n" },
    { "local co = coroutine.create(function() local x <close> = setmetatable({}, { __close =\n"
      "  function() print('closed') end }) coroutine.yield() end) coroutine.resume(co)\n"
      "print(coroutine.close(co), coroutine.status(co))",
      "log info v1 c1 closed\nlog info v1 c1 true\tdead\n" },
    { "coroutine.yield()", "fault on_message v1 chat.lua:1 attempt to yield from outside a "
                           "coroutine\n" },
    { "print(coroutine.isyieldable(), select(2, coroutine.running()))\n"
      "coroutine.wrap(function() print(coroutine.isyieldable(), select(2, coroutine.running())) "
      "end)()",
      "log info v1 c1 false\ttrue\nlog info v1 c1 true\tfalse\n" },
    { "local co co = coroutine.create(function() print(coroutine.status(co), "
      "coroutine.resume(co))\n"
      "end) coroutine.resume(co)",
      "log info v1 c1 running\tfalse\tcannot resume non-suspended "
      "coroutine\n" },
    { "local me = coroutine.running() print(coroutine.status(me), coroutine.resume(me))\n"
      "print(pcall(coroutine.close, me))",
      "log info v1 c1 running\tfalse\tcannot resume non-suspended coroutine\n"
      "log info v1 c1 false\tcannot close a running coroutine\n" },
    { "local me = coroutine.running()\n"
      "coroutine.wrap(function() print(coroutine.status(me), coroutine.resume(me)) end)()",
      "log info v1 c1 normal\tfalse\tcannot resume non-suspended coroutine\n" },
    { "local function deep(n) return coroutine.wrap(function()\n"
      "  if n == 0 then return 'bottom' end return deep(n - 1) end)() end\n"
      "print(deep(50)) print(pcall(deep, 1000))",
      "*C stack overflow" },
    { "coroutine.create(5)", "fault on_message v1 chat.lua:1 bad argument #1 to 'create' (function "
                             "expected, got number)\n" },
    { "coroutine.resume(5)", "fault on_message v1 chat.lua:1 bad argument #1 to 'resume' "
                             "(coroutine expected, got number)\n" },
};

TEST(coroutines_work_as_everywhere)
{
    expect_lines(&world, lines, MW_COUNT(lines));
}

TEST(a_handler_may_wait_inside_of_coroutines)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  local outer = coroutine.wrap(function()\n"
                      "    local inner = coroutine.wrap(function()\n"
                      "      for i = 1, 2 do sleep(1) coroutine.yield(i) end end)\n"
                      "    print(inner()) coroutine.yield('between') print(inner()) end)\n"
                      "  print(outer()) print(outer()) print('end') end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "x"), MW_APP_WAITING);
    pass(&world, 1000);
    expect(&world, "log info v1 c1 1\nlog info v1 c1 between\n");
    pass(&world, 1000);
    expect(&world, "log info v1 c1 2\nlog info v1 c1 \nlog info v1 c1 end\nfinished 1 message\n");
    world_close(&world);
}

TEST(a_coroutine_that_waits_is_nobody_elses)
{
    world_open(&world);
    must_load(&world, "local co, handler return { on_message = function(conn, d)\n"
                      "  if d == 'wait' then handler = coroutine.running()\n"
                      "    co = coroutine.create(function() sleep(1) return 'woken' end)\n"
                      "    print(coroutine.resume(co)) return end\n"
                      "  for _, c in ipairs({ co, handler }) do\n"
                      "    print(coroutine.status(c), coroutine.resume(c))\n"
                      "    print(pcall(coroutine.close, c)) end end }");
    must_open(&world, 1);
    must_open(&world, 2);
    say(&world, 1, "wait");
    say(&world, 2, "disturb");
    expect(&world, "log info v1 c2 normal\tfalse\tcannot resume non-suspended coroutine\n"
                   "log info v1 c2 false\tcannot close a normal coroutine\n"
                   "log info v1 c2 normal\tfalse\tcannot resume non-suspended coroutine\n"
                   "log info v1 c2 false\tcannot close a normal coroutine\n");
    pass(&world, 1000);
    expect(&world, "log info v1 c1 true\twoken\nfinished 1 message\n");
    say(&world, 2, "disturb"); /* the handler's coroutine is idle, and not the script's either */
    expect_somewhere(&world, "cannot close a normal coroutine");
    world_close(&world);
}

TEST(an_error_behind_a_wait_reaches_the_resumer)
{
    world_open(&world);
    must_load(&world,
              "return { on_message = function(conn)\n"
              "  print(coroutine.resume(coroutine.create(function() sleep(1) error('oh', 0) "
              "end)))\n"
              "  coroutine.wrap(function() sleep(1) error('out', 0) end)() end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    pass(&world, 2000);
    expect(&world, "log info v1 c1 false\toh\nfault on_message v1 chat.lua:3 out\n"
                   "finished 1 message\n");
    world_close(&world);
}

static const struct {
    const char *body;
} places_without_wait[] = {
    { "table.sort({ 3, 1, 2 }, function(a, b) sleep(1) return a < b end)" },
    { "('x'):gsub('x', function() sleep(1) end)" },
    { "table.sort({ 3, 1, 2 }, function(a, b) coroutine.wrap(function() sleep(1) end)() return a < "
      "b "
      "end)" },
    { "local x <close> = setmetatable({}, { __close = function() end })\n"
      "tostring(setmetatable({}, { __tostring = function() sleep(1) end }))" },
};

/* Each is called with ours and with Lua's own as `coroutine`. */
static const char *const errors_of_wrapped[] = {
    "coroutine.wrap(function() error('in') end)()",
    "local f = coroutine.wrap(function() error('in', 0) end)\nf()",
    "return coroutine.wrap(function() error('tail') end)()",
    "local f = coroutine.wrap(function() coroutine.yield() local x = nil + 1 end) f()\nf()",
    "local f = coroutine.wrap(function() end) f() f()",
    "local f f = coroutine.wrap(function() f() end) f()",
    "coroutine.wrap(error)('by a C function')",
    "coroutine.wrap(function() error({}) end)()",
    "coroutine.wrap(function() error(5) end)()",
    "coroutine.wrap(function() error() end)()",
    "coroutine.wrap(function()\n coroutine.wrap(function() error('deep') end)()\nend)()",
    "coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function()\n"
    "  error('closing') end }) error('in') end)()",
    "error(select(2, pcall(coroutine.wrap(function() error('to pcall') end))), 0)",
    "for _ in coroutine.wrap(function() error('iterator') end) do end",
    "return setmetatable({}, { __index = coroutine.wrap(function() error('meta') end) }).x",
};

TEST(an_error_of_a_wrapped_coroutine_says_where_the_caller_was_as_lua_does)
{
    static struct twins twins;
    twins_open(&twins);
    twins_add(&twins, "coroutine", mw_lua_coroutine_functions);
    twins_run(&twins, "function compare(text)\n"
                      "  local function outcome(library)\n"
                      "    local env = setmetatable({ coroutine = library }, { __index = _G })\n"
                      "    return describe(select(2, pcall(load(text, '@chat.lua', 't', env))))\n"
                      "  end\n"
                      "  local a, b = outcome(own.coroutine), outcome(lua.coroutine)\n"
                      "  if a ~= b then error(text .. ': ' .. a .. ', by Lua ' .. b, 0) end end\n");
    for (size_t i = 0; i < MW_COUNT(errors_of_wrapped); i++) {
        lua_getglobal(twins.L, "compare");
        lua_pushstring(twins.L, errors_of_wrapped[i]);
        if (lua_pcall(twins.L, 1, 0, 0))
            fail_msg("%s", lua_tostring(twins.L, -1));
    }
    twins_close(&twins);
}

TEST(where_waiting_is_impossible_it_says_so)
{
    for (size_t i = 0; i < MW_COUNT(places_without_wait); i++) {
        char script[256];
        world_open(&world);
        snprintf(script, sizeof(script), "return { on_message = function(conn) %s end }",
                 places_without_wait[i].body);
        must_load(&world, script);
        must_open(&world, 1);
        assert_int_equal(say(&world, 1, "x"), MW_APP_FAILED);
        expect_somewhere(&world, "sleep cannot wait here: a function like table.sort");
        world_close(&world);
    }
}

TEST(waits_work_behind_pcall_metamethods_and_iterators)
{
    world_open(&world);
    must_load(&world,
              "return { on_message = function(conn)\n"
              "  print(pcall(function() sleep(1) error('e', 0) end))\n"
              "  print(xpcall(function() sleep(1) return 'x' end, print))\n"
              "  local t = setmetatable({}, { __index = function(t, k) sleep(1) return k end })\n"
              "  print(t.name)\n"
              "  for i in function(_, i) sleep(1) if not i then return 1 end end do print(i) "
              "end\n"
              "end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    pass(&world, 10000);
    expect(&world, "log info v1 c1 false\te\nlog info v1 c1 true\tx\nlog info v1 c1 name\n"
                   "log info v1 c1 1\nfinished 1 message\n");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(coroutines_work_as_everywhere),
        CASE(a_handler_may_wait_inside_of_coroutines),
        CASE(a_coroutine_that_waits_is_nobody_elses),
        CASE(an_error_behind_a_wait_reaches_the_resumer),
        CASE(an_error_of_a_wrapped_coroutine_says_where_the_caller_was_as_lua_does),
        CASE(where_waiting_is_impossible_it_says_so),
        CASE(waits_work_behind_pcall_metamethods_and_iterators),
    };
    return RUN(cases);
}
