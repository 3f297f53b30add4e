/*
 * What is plain data and what is not, and the check of a whole value. Runs inside of calls, so its
 * walk asks at each step whether the call is to be stopped; changes no table.
 */
#include "lua/plain.h"

#include "lua/budget.h"
#include "lua/path.h"

bool mw_lua_is_marked_array(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    bool is_mark = lua_topointer(L, -1) == mw_lua_app(L)->array_meta;
    lua_pop(L, 1);
    return is_mark;
}

bool mw_lua_is_protected(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_pop(L, 1);
    if (mw_lua_is_marked_array(L, index))
        return false;
    if (luaL_getmetafield(L, index, "__metatable") == LUA_TNIL)
        return false;
    lua_pop(L, 1);
    return true;
}

static const char *table_objection(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return NULL;
    lua_pop(L, 1);
    return mw_lua_is_marked_array(L, index) ? NULL
                                            : "tables with a metatable cannot survive a reload";
}

static const char *object_objection(lua_State *L, int index)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.null);
    bool is_null = lua_rawequal(L, -1, index);
    lua_pop(L, 1);
    return is_null ? NULL : "objects such as connections cannot be kept in state";
}

const char *mw_lua_plain_objection(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TFUNCTION:
        return "functions cannot survive a reload";
    case LUA_TTHREAD:
        return "coroutines cannot survive a reload";
    case LUA_TTABLE:
        return table_objection(L, index);
    case LUA_TUSERDATA:
        return object_objection(L, index);
    default:
        return NULL;
    }
}

const char *mw_lua_plain_key_objection(lua_State *L, int index)
{
    int type = lua_type(L, index);
    bool is_plain = type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
    return is_plain ? NULL : "only strings, numbers and booleans can be keys";
}

/* ---- a whole value ---- */

struct checker {
    lua_State *L;
    struct mw_lua_path path;
    int seen; /* stack index of the set of tables already walked */
};

static void object_to(struct checker *c, const char *what)
{
    if (!what)
        return;
    mw_lua_path_push(&c->path, c->L, "state");
    luaL_error(c->L, "%s: %s", lua_tostring(c->L, -1), what);
}

static bool is_first_time(struct checker *c, int table)
{
    lua_pushvalue(c->L, table);
    bool is_new = lua_rawget(c->L, c->seen) == LUA_TNIL;
    lua_pop(c->L, 1);
    if (!is_new)
        return false;
    lua_pushvalue(c->L, table);
    lua_pushboolean(c->L, true);
    lua_rawset(c->L, c->seen);
    return true;
}

static void check_value(struct checker *c, int index)
{
    lua_State *L = c->L;
    object_to(c, mw_lua_plain_objection(L, index));
    if (!lua_istable(L, index) || !is_first_time(c, index))
        return;
    luaL_checkstack(L, 10, "state");
    if (!mw_lua_path_enter(&c->path, L, index))
        object_to(c, "nested deeper than 100 levels");
    lua_pushnil(L);
    while (lua_next(L, index)) {
        int key = lua_absindex(L, -2);
        mw_lua_poll(L);
        c->path.key_at[c->path.depth - 1] = key;
        object_to(c, mw_lua_plain_key_objection(L, key));
        check_value(c, key + 1);
        lua_settop(L, key);
    }
    mw_lua_path_leave(&c->path);
}

void mw_lua_plain_check(lua_State *L, int key, int value)
{
    struct checker c = { .L = L, .path = { .depth = 1, .key_at = { key } } };
    int top = lua_gettop(L);
    object_to(&c, mw_lua_plain_key_objection(L, key));
    if (lua_istable(L, value)) {
        lua_newtable(L);
        c.seen = lua_gettop(L);
    }
    check_value(&c, value);
    lua_settop(L, top);
}
