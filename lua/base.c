/* Basic functions that are ours because Lua's would let too much through. */
#include "lua/api.h"
#include "lua/budget.h"
#include "lua/sandbox.h"
#include "lua/text.h"
#include "lua/weak.h"

static int base_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int type = lua_type(L, 2);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) /* a finalizer would run outside of every call */
            return luaL_error(L, "a metatable with __gc is not allowed");
        lua_settop(L, 2);
        mw_lua_weak_apply(L);
    }
    lua_setmetatable(L, 1);
    return 1;
}

static int base_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return 1;
    if (lua_getmetatable(L, 1))
        mw_lua_weak_undo(L);
    else
        lua_pushnil(L);
    return 1;
}

/* ---- raw access: a view is what it shows, not the empty table that it is made of ---- */

static int base_rawget(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    if (mw_lua_push_hidden(L, 1))
        lua_replace(L, 1);
    lua_rawget(L, 1);
    return 1;
}

static int base_rawlen(lua_State *L)
{
    int type = lua_type(L, 1);
    luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
    lua_settop(L, 1);
    if (type == LUA_TTABLE && mw_lua_push_hidden(L, 1))
        lua_replace(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    return 1;
}

static int base_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (mw_lua_push_hidden(L, 1))
        return mw_lua_refuse_write(L);
    lua_rawset(L, 1);
    return 1;
}

int mw_lua_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (mw_lua_push_hidden(L, 1))
        lua_replace(L, 1);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

/* ---- the rest ---- */

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    mw_lua_tolstring(L, 1, NULL);
    return 1;
}

static int base_collectgarbage(lua_State *L)
{
    struct mw_view option = mw_view_text(luaL_optstring(L, 1, "collect"));
    if (option.len != 5 || memcmp(option.data, "count", 5) != 0)
        return luaL_error(L, "only collectgarbage(\"count\") is allowed: the server collects by "
                             "itself");
    double kib = lua_gc(L, LUA_GCCOUNT, 0) + lua_gc(L, LUA_GCCOUNTB, 0) / 1024.0;
    lua_pushnumber(L, kib);
    return 1;
}

const luaL_Reg mw_lua_base_functions[] = {
    { "setmetatable", base_setmetatable },
    { "getmetatable", base_getmetatable },
    { "rawget", base_rawget },
    { "rawlen", base_rawlen },
    { "rawset", base_rawset },
    { "next", mw_lua_next },
    { "tostring", base_tostring },
    { "collectgarbage", base_collectgarbage },
    { "xpcall", mw_lua_xpcall },
    { NULL, NULL },
};
