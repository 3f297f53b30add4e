/*
 * Whether a table is weak is asked by the collector, of the metatable, whenever it comes by. So a
 * check in setmetatable alone would be no check: `__mode` can be set in the metatable afterwards.
 *
 * The collector finds that field by a string that it made when the state began, which is the only
 * "__mode" as long as strings of one text are one object. Its bytes are overwritten with random
 * ones: from then on the "__mode" of scripts is another string, which means nothing to the
 * collector, and the one that does is known to this file alone. Public functions of Lua suffice for
 * that; test_weak.c shows that it holds with the Lua that is linked.
 */
#include "lua/weak.h"

#include <string.h>

static const char origin_key; /* its address: in a metatable of ours, the script's own */

void mw_lua_weak_init(lua_State *L)
{
    unsigned char noise[6];
    lua_pushliteral(L, "__mode");
    char *bytes = (char *)(uintptr_t)lua_tostring(L, -1);
    mw_lua_random(L, noise, sizeof(noise));
    noise[0] |= 0x80; /* never "__mode" again, whatever the host gives */
    memcpy(bytes, noise, sizeof(noise));
    mw_lua_app(L)->refs.weak_key = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* The value of __mode in the metatable on top: 'v' or 'kv' as text, NULL where it asks nothing. */
static const char *read_mode(lua_State *L)
{
    const char *mode = NULL;
    lua_pushliteral(L, "__mode");
    if (lua_rawget(L, -2) == LUA_TSTRING) {
        bool has_keys = strchr(lua_tostring(L, -1), 'k') != NULL;
        bool has_values = strchr(lua_tostring(L, -1), 'v') != NULL;
        if (has_keys && !has_values)
            luaL_error(L, "a table with weak keys alone is not allowed: __mode is \"v\" or \"kv\"; "
                          "what belongs to a connection goes into conn.data");
        if (has_values)
            mode = has_keys ? "kv" : "v";
    }
    lua_pop(L, 1);
    return mode;
}

static void copy_fields(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

void mw_lua_weak_apply(lua_State *L)
{
    const char *mode = read_mode(L);
    if (!mode)
        return;
    int given = lua_gettop(L), ours = given + 1;
    luaL_checkstack(L, 6, NULL);
    lua_newtable(L);
    copy_fields(L, given, ours);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.weak_key);
    lua_pushstring(L, mode);
    lua_rawset(L, ours);
    lua_pushvalue(L, given);
    lua_rawsetp(L, ours, &origin_key);
    lua_replace(L, given);
}

void mw_lua_weak_undo(lua_State *L)
{
    if (lua_rawgetp(L, -1, &origin_key) == LUA_TNIL)
        lua_pop(L, 1);
    else
        lua_replace(L, -2);
}
