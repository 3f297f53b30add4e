/*
 * math.randomseed, ours for one reason: without arguments Lua's takes the address of the state for
 * a seed, and returns it. The generator itself is Lua's; each state has its own.
 */
#include <lualib.h>
#include <string.h>

#include "lua/api.h"

static const char standard_key; /* its address: in the registry, Lua's math.randomseed */

static void push_seed(lua_State *L)
{
    lua_Integer seed[2];
    mw_lua_random(L, seed, sizeof(seed));
    lua_pushinteger(L, seed[0]);
    lua_pushinteger(L, seed[1]);
}

/* What is wrong is said here, by the name that the script knows. */
static void check_seed(lua_State *L)
{
    lua_Number number = luaL_checknumber(L, 1);
    lua_Integer first, second = luaL_optinteger(L, 2, 0);
    if (!lua_isinteger(L, 1) && !lua_numbertointeger(number, &first)) {
        memcpy(&first, &number, sizeof(first));
        lua_pushinteger(L, first);
        lua_replace(L, 1);
    }
    lua_settop(L, 1);
    lua_pushinteger(L, second);
}

static int randomseed(lua_State *L)
{
    if (lua_gettop(L) == 0)
        push_seed(L);
    else
        check_seed(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &standard_key);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

void mw_lua_math_init(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &standard_key);
    push_seed(L);
    lua_call(L, 2, 0);
    lua_pop(L, 2);
}

const luaL_Reg mw_lua_math_functions[] = {
    { "randomseed", randomseed },
    { NULL, NULL },
};
