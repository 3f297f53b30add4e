/*
 * Making lua_States whose memory is accounted, and the few helpers by which C talks to them. Knows
 * nothing of connections or versions.
 *
 * The cap lives in the mw_mem. When it says no, Lua runs a full collection by itself and asks once
 * more; only then it raises.
 */
#include "lua/state.h"

static void *allocate(void *ud, void *block, size_t old_bytes, size_t new_bytes)
{
    /* Without a block `old_bytes` is the kind of object to come. */
    return mw_realloc(ud, block, block ? old_bytes : 0, new_bytes);
}

lua_State *mw_lua_state_new(struct mw_mem *mem)
{
    return lua_newstate(allocate, mem);
}

int mw_lua_error_of(int status)
{
    if (status == LUA_OK)
        return MW_OK;
    return status == LUA_ERRMEM ? MW_ERR_NOMEM : MW_ERR_SCRIPT;
}

int mw_lua_try(lua_State *L, lua_CFunction body, void *ctx)
{
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, ctx);
    int status = lua_pcall(L, 1, 0, 0);
    if (status != LUA_OK)
        lua_pop(L, 1);
    return mw_lua_error_of(status);
}

struct mw_view mw_lua_check_text(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        luaL_typeerror(L, arg, "string");
    return mw_lua_view(L, arg);
}

void mw_lua_set_text(lua_State *L, const char *key, struct mw_view value)
{
    lua_pushstring(L, key);
    mw_lua_push_view(L, value);
    lua_rawset(L, -3);
}

void mw_lua_set_number(lua_State *L, const char *key, double value)
{
    lua_pushstring(L, key);
    lua_pushnumber(L, value);
    lua_rawset(L, -3);
}

void mw_lua_set_integer(lua_State *L, const char *key, int64_t value)
{
    lua_pushstring(L, key);
    lua_pushinteger(L, value);
    lua_rawset(L, -3);
}

void mw_lua_set_bool(lua_State *L, const char *key, bool value)
{
    lua_pushstring(L, key);
    lua_pushboolean(L, value);
    lua_rawset(L, -3);
}

void *mw_lua_object_at(lua_State *L, int index, const char *const *kind)
{
    if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) < sizeof(struct mw_lua_object))
        return NULL;
    struct mw_lua_object *object = lua_touserdata(L, index);
    return object->kind == kind ? object : NULL;
}

void mw_lua_push_meta(lua_State *L, const char *name, const luaL_Reg *methods)
{
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    mw_lua_set_text(L, "__name", mw_view_text(name));
    mw_lua_set_bool(L, "__metatable", false);
}
