/*
 * conn:subscribe(topic, opts): what was missed of the topic, and what the others are told about who
 * comes. Beside api_conn.c, which has the call without options.
 */
#include "lua/subscribe.h"

#include "lua/mod_json.h"
#include "lua/text.h"

static const char who[] = "conn:subscribe";

/* An offset comes from a client, by way of the script: one that cannot be is one unknown. */
static void read_since(lua_State *L, struct mw_subscribe_how *how)
{
    int is_integer;
    if (lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "%s: since is an offset that publish or subscribe has given, not a %s", who,
                   luaL_typename(L, -1));
    lua_Integer offset = lua_tointegerx(L, -1, &is_integer);
    how->has_since = true;
    how->since = is_integer && offset >= 0 ? (uint64_t)offset : UINT64_MAX;
}

static void read_last(lua_State *L, struct mw_subscribe_how *how)
{
    int is_integer;
    lua_Integer count = lua_tointegerx(L, -1, &is_integer);
    if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || count < 0 || count > MW_BOUND_HISTORY)
        luaL_error(L, "%s: last is a whole number from 0 to %d", who, MW_BOUND_HISTORY);
    how->last = (uint32_t)count;
}

static void read_presence(lua_State *L, struct mw_subscribe_how *how)
{
    struct mw_buf *out = &mw_lua_app(L)->scratch;
    mw_buf_clear(out);
    mw_lua_json_write(L, lua_gettop(L), out, false);
    if (out->len > MW_BOUND_PRESENCE_BYTES)
        luaL_error(L, "%s: presence has %d bytes as JSON, and may have %d", who, (int)out->len,
                   MW_BOUND_PRESENCE_BYTES);
    how->has_presence = true;
    how->presence = mw_buf_view(out);
}

static const struct option {
    const char *name;
    void (*read)(lua_State *L, struct mw_subscribe_how *how); /* value on top */
} options[] = {
    { "since", read_since },
    { "last", read_last },
    { "presence", read_presence },
};

/* Key at -2, value at -1. */
static void read_option(lua_State *L, struct mw_subscribe_how *how)
{
    for (size_t i = 0; lua_type(L, -2) == LUA_TSTRING && i < MW_COUNT(options); i++) {
        if (strcmp(lua_tostring(L, -2), options[i].name) == 0) {
            options[i].read(L, how);
            return;
        }
    }
    luaL_error(L, "%s: there is no option '%s'; there are since, last and presence", who,
               mw_lua_push_plain(L, -2));
}

bool mw_lua_subscribe_options(lua_State *L, int arg, struct mw_subscribe_how *how)
{
    *how = (struct mw_subscribe_how){ .last = 0 };
    if (lua_isnoneornil(L, arg))
        return false;
    if (!lua_istable(L, arg))
        luaL_error(L, "%s: options are a table such as { last = 20 }, not a %s", who,
                   luaL_typename(L, arg));
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        read_option(L, how);
        lua_pop(L, 1);
    }
    if (how->has_since && how->last > 0)
        luaL_error(L, "%s: since says how many, so last cannot: give one of them", who);
    return true;
}

void mw_lua_subscribe_push(lua_State *L, const struct mw_subscribed *told)
{
    lua_createtable(L, 0, 3);
    if (told->offset)
        mw_lua_set_integer(L, "offset", (int64_t)told->offset);
    mw_lua_set_bool(L, "whole", told->is_whole);
    mw_lua_set_integer(L, "replayed", told->replayed);
}
