/*
 * Tables that can be called: as ever, except while a call is being stopped. The ways to make one
 * that calls itself are in tests/attack.
 */
#include "lua/callable.h"
#include "tests/unit/lua/fake_host.h"

static struct world world;

static int answer(lua_State *L)
{
    lua_pushinteger(L, lua_gettop(L));
    return 1;
}

/* A fresh table whose __call is `answer`, under another table as __call where `depth` is 2. */
static void push_callable(lua_State *L, int depth)
{
    lua_pushcfunction(L, answer);
    for (int i = 0; i < depth; i++) {
        lua_newtable(L);
        lua_newtable(L);
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "__call");
        lua_setmetatable(L, -2);
        lua_replace(L, -2);
    }
}

static void expect_call(lua_State *L, int depth, bool can_be)
{
    push_callable(L, depth);
    int status = lua_pcall(L, 0, 1, 0);
    assert_int_equal(status, can_be ? LUA_OK : LUA_ERRRUN);
    if (can_be)
        assert_int_equal(lua_tointeger(L, -1), depth);
    else
        assert_string_equal(lua_tostring(L, -1), "attempt to call a table value");
    lua_pop(L, 1);
}

TEST(no_table_can_be_called_between_the_two)
{
    world_open(&world);
    lua_State *L = world.app->L;
    for (int depth = 1; depth <= 3; depth++) {
        expect_call(L, depth, true);
        mw_lua_callable_set(world.app, false);
        expect_call(L, depth, false);
        mw_lua_app_collect(world.app);
        expect_call(L, depth, false);
        mw_lua_callable_set(world.app, true);
        expect_call(L, depth, true);
    }
    world_close(&world);
}

TEST(a_call_that_was_stopped_leaves_tables_callable)
{
    world_open(&world);
    world.app->budget.stop_ms = 10;
    must_load(&world, "local f = setmetatable({}, { __call = function() return 'called' end })\n"
                      "local own = {} setmetatable(own, { __call = own })\n"
                      "return { on_message = function(conn, data)\n"
                      "  if data == 'own' then own() end\n"
                      "  print(f())\n"
                      "end }");
    must_open(&world, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(say(&world, 1, "own"), MW_APP_FAILED);
        assert_int_equal(world.host.fault.kind, MW_FAULT_CPU);
        assert_int_equal(world.host.fault.line, 4);
        forget(&world);
        assert_int_equal(say(&world, 1, "f"), MW_APP_DONE);
        expect(&world, "log info v1 c1 called\n");
    }
    world_close(&world);
}

TEST(a_file_whose_table_calls_itself_is_refused)
{
    world_open(&world);
    world.app->budget.stop_ms = 10;
    assert_int_equal(load(&world, "local t = {}\nsetmetatable(t, { __call = t })()"),
                     MW_ERR_SCRIPT);
    assert_int_equal(world.fault.kind, MW_FAULT_CPU);
    assert_int_equal(world.fault.line, 2);
    must_load(&world, "print(setmetatable({}, { __call = function() return 5 end })())\n"
                      "return {}");
    expect(&world, "log info v1 5\n");
    world_close(&world);
}

TEST(tables_are_called_as_lua_does_it)
{
    static const struct line_case lines[] = {
        { "local t = setmetatable({}, { __call = function(self, ...) return select('#', ...), ...\n"
          "end }) print(t(nil, 1, nil))",
          "log info v1 c1 3\tnil\t1\tnil\n" },
        { "local m = {} local t = setmetatable({}, m) function m.__call() return 1 end print(t())\n"
          "function m.__call() return 2 end print(t()) m.__call = nil print((pcall(t)))",
          "log info v1 c1 1\nlog info v1 c1 2\nlog info v1 c1 false\n" },
        { "local Class = setmetatable({}, { __call = function(class, x)\n"
          "  return setmetatable({ x = x }, class) end })\n"
          "Class.__index = Class function Class:get() return self.x end print(Class(7):get())",
          "log info v1 c1 7\n" },
        { "local t = setmetatable({}, { __call = function(_, n) return n end })\n"
          "local f = coroutine.wrap(function() print(coroutine.yield(t(1)))\n"
          "end) print(f()) f(2)",
          "log info v1 c1 1\nlog info v1 c1 2\n" },
        { "local t = setmetatable({}, { __call = function(self, n)\n"
          "  return n == 0 and 'deep' or self(n - 1) end }) print(t(5000))",
          "log info v1 c1 deep\n" },
        { "local t = setmetatable({}, {}) print(pcall(function() t() end))",
          "*attempt to call a table value (upvalue 't')" },
        { "local t = setmetatable({}, { __call = function() error('mine', 2) end })\n"
          "print(pcall(function()\nt()\nend))",
          "*chat.lua:3: mine" },
    };
    expect_lines(&world, lines, MW_COUNT(lines));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(no_table_can_be_called_between_the_two),
        CASE(a_call_that_was_stopped_leaves_tables_callable),
        CASE(a_file_whose_table_calls_itself_is_refused),
        CASE(tables_are_called_as_lua_does_it),
    };
    return RUN(cases);
}
