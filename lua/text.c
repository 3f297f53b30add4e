/*
 * Values as text. An address becomes a number by a cipher under a key of the app: a permutation, so
 * two objects never share a number, and nothing has to be remembered. A hash without a key, or an
 * address with something added, could be worked back from a few known distances between objects.
 */
#include "lua/text.h"

#include <inttypes.h>

void mw_lua_text_init(lua_State *L)
{
    uint32_t key[4];
    mw_lua_random(L, key, sizeof(key));
    mw_speck_init(&mw_lua_app(L)->identities, key);
}

uint64_t mw_lua_identity(lua_State *L, int index)
{
    uintptr_t address = (uintptr_t)lua_topointer(L, index);
    return address ? mw_speck_apply(&mw_lua_app(L)->identities, address) : 0;
}

/* "table: 0x0123456789abcdef"; __name where there is one. */
static void push_object(lua_State *L, int index)
{
    char number[20];
    bool is_named = luaL_getmetafield(L, index, "__name") == LUA_TSTRING;
    const char *type = is_named ? lua_tostring(L, -1) : luaL_typename(L, index);
    snprintf(number, sizeof(number), "0x%016" PRIx64, mw_lua_identity(L, index));
    lua_pushfstring(L, "%s: %s", type, number);
}

const char *mw_lua_tolstring(lua_State *L, int index, size_t *len)
{
    int top = lua_gettop(L);
    index = lua_absindex(L, index);
    int type = lua_type(L, index);
    if (luaL_callmeta(L, index, "__tostring")) {
        if (!lua_isstring(L, -1))
            luaL_error(L, "'__tostring' must return a string");
    } else if (type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN ||
               type == LUA_TNIL) {
        luaL_tolstring(L, index, NULL);
    } else {
        push_object(L, index);
    }
    if (lua_gettop(L) > top + 1) /* with what it was made of */
        lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return lua_tolstring(L, -1, len);
}

const char *mw_lua_push_plain(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        lua_pushvalue(L, index);
        break;
    case LUA_TNIL:
    case LUA_TNUMBER:
    case LUA_TBOOLEAN:
        luaL_tolstring(L, index, NULL);
        break;
    default:
        lua_pushstring(L, luaL_typename(L, index));
        break;
    }
    return lua_tostring(L, -1);
}
