/* Two libraries side by side. See twins.h. */
#include "tests/unit/lua/twins.h"

#include <lualib.h>

#include "tests/unit/lua/fake_host.h"

static const char prelude[] =
    "local random, pack, unpack = math.random, table.pack, table.unpack\n"
    "local concat, quote, type = table.concat, string.format, type\n"
    "R = {}\n"
    "function R.pick(list) return list[random(#list)] end\n"
    "function R.index() return R.pick {\n"
    "  0, 1, 2, 3, -1, -2, random(-12, 12), random(1, 9), random(1, 9), random(300),\n"
    "  math.maxinteger, math.mininteger, math.maxinteger - random(0, 3), 2.0, 2.5, '2', 'x' } end\n"
    "function R.text() local bytes = {}\n"
    "  for i = 1, random(0, 12) do bytes[i] = R.pick { 'a', 'b', '0', '%', '\\0', '\\n', '\"',\n"
    "    '\\\\', '\\200', '\\xE2\\x82\\xAC', '\\xC3\\xA9', '\\x80', '\\xF0\\x9F\\x99\\x82',\n"
    "    '\\xED\\xA0\\x80', '\\xF4\\x90\\x80\\x80', '\\127' } end\n"
    "  return concat(bytes) end\n"
    "function R.number() return R.pick { 0, 1, -1, 255, 256, 127, 128, -128, -129, 65535, 65536,\n"
    "  random(-1000, 1000), random(0), 0.0, -0.0, 1.5, 1e300, -1e15, 1/0, 0/0, 3.0, 2^53, 2^63,\n"
    "  math.maxinteger, math.mininteger, '10', '0x10', ' 5 ', '1e2' } end\n"
    "function R.value() return R.pick { nil, true, false, R.number(), R.number(), R.text(),\n"
    "  R.text(), {}, rawequal, setmetatable({}, { __tostring = function() return 'T' end }),\n"
    "  setmetatable({}, { __name = 'My' }) } end\n"
    "function R.list() local t = {}\n"
    "  for i = 1, random(0, 9) do t[i] = R.pick { i, 'v' .. i, i + 0.5 } end\n"
    "  if random(6) == 1 then t[random(12)] = nil end\n"
    "  if random(6) == 1 then t[random(12)] = 'x' end\n"
    "  return t end\n"
    /* A table or an object in front of one, which notes what it is asked. */
    "function R.asked(log) local t, meta = R.list(), {}\n"
    "  if random(4) > 1 then return t end\n"
    "  function meta.__index(_, k) log[#log + 1] = 'r' .. tostring(k) return t[k] end\n"
    "  function meta.__newindex(_, k, v)\n"
    "    log[#log + 1] = 'w' .. tostring(k) .. '=' .. describe(v) t[k] = v end\n"
    "  function meta.__len() return R.pick { #t, #t, 3, -3, 2.5, 'x', math.maxinteger } end\n"
    "  meta[R.pick { 'x', 'x', 'x', '__index', '__newindex', '__len' }] = nil\n"
    "  return setmetatable({}, meta) end\n"
    "function describe(v, deep)\n"
    "  if type(v) == 'string' then\n"
    "    v = v:gsub('0x%x%x%x%x%x+', 'ADDRESS')\n"
    "    v = v:gsub(\"to '[%w.]+' %(\", \"to '?' (\")\n"
    /* 5.4.4 counts it as the first argument. */
    "    v = v:gsub('#%d( to [^ ]+ %(position out of bounds)', '#%1')\n"
    "    return quote('%q', v) end\n"
    "  if type(v) == 'number' and v ~= v then return 'NaN' end\n"
    "  if type(v) == 'number' then return quote('%q', v) end\n"
    "  if type(v) ~= 'table' or not deep then return tostring(v):gsub('0x%x+', 'ADDRESS') end\n"
    "  local items = {}\n"
    "  for k, x in next, v do items[#items + 1] = describe(k) .. '=' .. describe(x) end\n"
    "  table.sort(items)\n"
    "  return '{' .. concat(items, ' ') .. '}' end\n"
    "local function outcome(f, seed, make)\n"
    "  math.randomseed(seed)\n"
    "  local log = {}\n"
    "  local args = pack(make(R, log))\n"
    "  local results = pack(pcall(f, unpack(args, 1, args.n)))\n"
    "  local out = {}\n"
    "  for i = 1, results.n do out[#out + 1] = describe(results[i], true) end\n"
    "  out[#out + 1] = 'of'\n"
    "  for i = 1, args.n do out[#out + 1] = describe(args[i], true) end\n"
    "  return concat(out, ' ') .. ' | ' .. concat(log, ' ') end\n"
    "function same(library, name, count, make)\n"
    "  local ours, theirs = own[library][name], lua[library][name]\n"
    "  assert(ours ~= theirs, name)\n"
    "  count = count * (os.getenv 'MOONWIRE_TWINS' or 0.25)\n"
    "  for seed = 1, count do\n"
    "    local a, b = outcome(ours, seed, make), outcome(theirs, seed, make)\n"
    "    if a ~= b then\n"
    "      error(quote('%s, call %d:\\nours: %s\\nLua\\'s: %s', name, seed, a, b), 0) end\n"
    "  end end\n";

static int say_stop(lua_State *L)
{
    mw_lua_app(L)->budget.stop = MW_LUA_STOP_CPU;
    return 0;
}

/* As __index, __len, __lt ...: something is there, until it is enough. */
static int stop_at_tenth(lua_State *L)
{
    static int calls;
    if (++calls % 10 == 0)
        say_stop(L);
    lua_pushliteral(L, "x");
    return 1;
}

static void push_copy(lua_State *L, const char *library)
{
    lua_newtable(L);
    lua_getglobal(L, library);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
}

void twins_open(struct twins *twins)
{
    *twins = (struct twins){ .L = luaL_newstate() };
    lua_State *L = twins->L;
    assert_non_null(L);
    luaL_openlibs(L);
    for (int kind = 0; kind < MW_LUA_LANE_KINDS; kind++)
        twins->app.lanes[kind] = (struct mw_lua_lane){ &twins->app, kind };
    mw_lua_set_lane(L, &twins->app, MW_LUA_LANE_SCRIPT);
    lua_newtable(L);
    lua_setglobal(L, "own");
    lua_newtable(L);
    lua_setglobal(L, "lua");
    lua_register(L, "stop", say_stop);
    lua_register(L, "stops", stop_at_tenth);
    twins_run(twins, prelude);
}

void twins_add(struct twins *twins, const char *library, const luaL_Reg *ours)
{
    lua_State *L = twins->L;
    lua_getglobal(L, "lua");
    lua_getglobal(L, library);
    lua_setfield(L, -2, library);
    lua_getglobal(L, "own");
    push_copy(L, library);
    luaL_setfuncs(L, ours, 0);
    lua_setfield(L, -2, library);
    lua_settop(L, 0);
}

void twins_close(struct twins *twins)
{
    lua_close(twins->L);
}

void twins_run(struct twins *twins, const char *script)
{
    if (luaL_dostring(twins->L, script))
        fail_msg("%s", lua_tostring(twins->L, -1));
    lua_settop(twins->L, 0);
}

void twins_expect_stops(struct twins *twins, const char *const *scripts, size_t count)
{
    lua_State *L = twins->L;
    for (size_t i = 0; i < count; i++) {
        twins->app.budget.stop = MW_LUA_STOP_NONE;
        assert_int_equal(luaL_loadstring(L, scripts[i]), LUA_OK);
        assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_ERRRUN);
        if (!lua_islightuserdata(L, -1))
            fail_msg("%s: %s", scripts[i], luaL_tolstring(L, -1, NULL));
        lua_settop(L, 0);
    }
    twins->app.budget.stop = MW_LUA_STOP_NONE;
}
