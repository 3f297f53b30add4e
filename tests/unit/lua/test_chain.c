/*
 * Metamethods that are followed from table to table: as ever, except while a call is being stopped.
 * The ways to hold the interpreter with them are in tests/attack.
 */
#include "lua/chain.h"

#include "lua/budget.h"
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
        mw_lua_chain_cut_calls(world.app);
        expect_call(L, depth, false);
        mw_lua_app_collect(world.app);
        expect_call(L, depth, false);
        mw_lua_chain_mend(world.app);
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

/* ---- fields ---- */

/* Pushes a table whose `event` leads over two others to `last`, which is on top; replaces it. */
static void push_chain(lua_State *L, const char *event)
{
    for (int i = 0; i < 3; i++) {
        lua_newtable(L);
        lua_newtable(L);
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, event);
        lua_setmetatable(L, -2);
        lua_replace(L, -2);
    }
}

static void expect_field(lua_State *L, int table, int type)
{
    assert_int_equal(lua_getfield(L, table, "field"), type);
    lua_pop(L, 1);
}

/* Assigns to `table`, and looks whether it came to `last`. */
static void expect_assigned(lua_State *L, int table, int last, const char *key, bool comes)
{
    lua_pushboolean(L, true);
    lua_setfield(L, table, key);
    lua_pushstring(L, key);
    assert_int_equal(lua_rawget(L, last), comes ? LUA_TBOOLEAN : LUA_TNIL);
    lua_pop(L, 1);
}

TEST(no_field_is_followed_between_the_two_and_all_are_afterwards)
{
    world_open(&world);
    lua_State *L = world.app->L;
    lua_newtable(L); /* 1: has the field; gets what is assigned */
    mw_lua_set_bool(L, "field", true);
    lua_pushvalue(L, 1);
    push_chain(L, "__index"); /* 2 */
    lua_pushvalue(L, 1);
    push_chain(L, "__newindex"); /* 3 */
    for (int round = 0; round < 3; round++) {
        expect_field(L, 2, LUA_TBOOLEAN);
        expect_assigned(L, 3, 1, round ? "b" : "a", true);
        mw_lua_chain_cut_fields(world.app);
        expect_field(L, 2, LUA_TNIL);
        expect_assigned(L, 3, 1, "c", false);
        mw_lua_app_collect(world.app);
        expect_field(L, 2, LUA_TNIL);
        mw_lua_chain_mend(world.app);
        lua_pushnil(L);
        lua_setfield(L, 3, "c");
    }
    lua_settop(L, 0);
    world_close(&world);
}

TEST(who_cuts_nothing_off_goes_through_nothing)
{
    world_open(&world);
    mw_lua_chain_cut_calls(world.app);
    assert_false(world.app->chain.is_deep);
    mw_lua_chain_cut_fields(world.app);
    assert_true(world.app->chain.is_deep);
    mw_lua_chain_mend(world.app);
    assert_false(world.app->chain.is_deep);
    world_close(&world);
}

/* What a tick does that finds a call stopped already; here whenever a script asks for the time. */
static struct mw_app *to_be_cut;

static mw_ms cut_and_tell_time(void *host_app)
{
    to_be_cut->budget.stop = MW_LUA_STOP_CPU;
    mw_lua_chain_cut_fields(to_be_cut);
    return ((struct fake_host *)host_app)->unix_ms;
}

/* Everything that metamethods do for a script, by its own tables and by those of the server. */
static const char inheritance[] =
    "local state, string = state, string\n"
    "local Base = {} Base.__index = Base function Base:name() return 'base' end\n"
    "local Class = setmetatable({}, Base) Class.__index = Class\n"
    "local object = setmetatable({}, Class)\n"
    "local computed = setmetatable({}, { __index = function(_, k) return k .. '!' end })\n"
    "local kept = {}\n"
    "local writer = setmetatable({}, { __newindex = setmetatable({}, { __newindex = kept }) })\n"
    "local function look()\n"
    "  local said = { object:name(), computed.x, ('x'):upper(), state.a, state.none }\n"
    "  writer.key = (kept.key or 0) + 1\n"
    "  said[#said + 1] = rawget(writer, 'key') or kept.key\n"
    "  said[#said + 1] = select(2, pcall(function() undeclared = 1 end))\n"
    "  return said\n"
    "end\n"
    "return { on_message = function(conn, what)\n"
    "  if what == 'cut' then os.time() local a, b = object.none, computed.none\n"
    "    local c, d, e, f = state.b, string.none, undeclared, conn.none\n"
    "    writer.none = 1 while true do end end\n"
    "  state.a = (state.a or 0) + 1\n"
    "  print(table.concat(look(), ' '))\n"
    "  print(pcall(function() string.upper = 1 end))\n"
    "  print(pcall(function() string.fresh = 1 end))\n"
    "end }";

/* Its first line counts how often it was asked; `rest` is what follows. */
static void look(int round, char rest[2048])
{
    char line[64];
    forget(&world);
    assert_int_equal(say(&world, 1, "look"), MW_APP_DONE);
    snprintf(line, sizeof(line), "log info v1 c1 base x! X %d %d ", round, round);
    assert_memory_equal(world.host.transcript, line, strlen(line));
    snprintf(rest, 2048, "%s", world.host.transcript + strlen(line));
}

TEST(a_call_that_was_cut_off_leaves_everything_as_it_was)
{
    struct mw_host host = fake_host_functions;
    char before[2048], after[2048];
    world_open(&world);
    to_be_cut = world.app;
    host.unix_ms = cut_and_tell_time;
    must_load(&world, inheritance);
    must_open(&world, 1);
    look(1, before);
    assert_non_null(strstr(before, "global 'undeclared' is not declared"));
    assert_non_null(strstr(before, "false"));
    assert_null(strstr(before, "true"));
    for (int round = 0; round < 3; round++) {
        world.app->budget.stop_ms = 10;
        world.app->host = &host;
        assert_int_equal(say(&world, 1, "cut"), MW_APP_FAILED);
        world.app->host = &fake_host_functions;
        world.app->budget.stop_ms = 0;
        assert_false(world.app->chain.is_deep);
        look(round + 2, after);
        assert_string_equal(after, before);
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(no_table_can_be_called_between_the_two),
        CASE(a_call_that_was_stopped_leaves_tables_callable),
        CASE(a_file_whose_table_calls_itself_is_refused),
        CASE(tables_are_called_as_lua_does_it),
        CASE(no_field_is_followed_between_the_two_and_all_are_afterwards),
        CASE(who_cuts_nothing_off_goes_through_nothing),
        CASE(a_call_that_was_cut_off_leaves_everything_as_it_was),
    };
    return RUN(cases);
}
