/*
 * Views: an empty table in front of the real one. Versions of a script share the tables of
 * functions, so a bad version must not be able to change what the good one sees. The environment of
 * a chunk is such a view as well, and refuses writes with other words.
 */
#include "lua/sandbox.h"

#include "lua/text.h"

/* ---- views ---- */

static const char hidden_key; /* its address: in a view's metatable, the table behind it */

bool mw_lua_push_hidden(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    int type = lua_rawgetp(L, -1, &hidden_key);
    lua_remove(L, -2);
    if (type == LUA_TFUNCTION)
        lua_call(L, 0, 1);
    else if (type != LUA_TTABLE)
        lua_pop(L, 1);
    return type == LUA_TFUNCTION || type == LUA_TTABLE;
}

void mw_lua_set_hidden(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, &hidden_key);
}

int mw_lua_refuse_write(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be set: this table belongs to the server",
                      mw_lua_push_plain(L, 2));
}

/* `next` sees through views, so the hidden table itself never gets out. */
int mw_lua_view_pairs(lua_State *L)
{
    lua_pushcfunction(L, mw_lua_next);
    lua_pushvalue(L, 1);
    return 2;
}

int mw_lua_view_len(lua_State *L)
{
    if (!mw_lua_push_hidden(L, 1))
        return luaL_typeerror(L, 1, "table");
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

static const luaL_Reg view_meta[] = {
    { "__newindex", mw_lua_refuse_write },
    { "__pairs", mw_lua_view_pairs },
    { "__len", mw_lua_view_len },
    { NULL, NULL },
};

void mw_lua_freeze(lua_State *L)
{
    int real = lua_gettop(L);
    lua_newtable(L);
    mw_lua_push_meta(L, "table", view_meta);
    lua_pushvalue(L, real);
    lua_setfield(L, -2, "__index");
    mw_lua_set_hidden(L, real);
    lua_setmetatable(L, -2);
    lua_replace(L, real);
}

/* ---- the environment ---- */

static int refuse_global(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "global variables cannot be set");
    return luaL_error(L, "global '%s' is not declared", lua_tostring(L, 2));
}

void mw_lua_push_env_meta(lua_State *L)
{
    int globals = lua_gettop(L);
    const luaL_Reg functions[] = {
        { "__newindex", refuse_global },
        { "__pairs", mw_lua_view_pairs },
        { NULL, NULL },
    };
    mw_lua_push_meta(L, "globals", functions);
    lua_pushvalue(L, globals);
    lua_setfield(L, -2, "__index");
    mw_lua_set_hidden(L, globals);
    lua_replace(L, globals);
}
