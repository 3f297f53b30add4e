/*
 * From a value of the script to struct mw_advice. Called by conn:close, decide_close,
 * advise_reconnect and M.codes, so that all four take the same and complain alike.
 */
#include "lua/advice.h"

#include "core/base/check.h"

#define MOST_SECONDS (MW_ADVICE_MAX_MS / 1000)

static const char *const fields[] = { "after", "spread", "resume" };

static bool is_known(const char *name)
{
    for (size_t i = 0; i < MW_COUNT(fields); i++) {
        if (strcmp(name, fields[i]) == 0)
            return true;
    }
    return false;
}

/* Nothing else stands in the table: a slip of the pen would be a client that comes too early. */
static const char *check_fields(lua_State *L, int table)
{
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || !is_known(lua_tostring(L, -1)))
            return lua_pushfstring(L, "advice has a field %s: after, spread and resume only",
                                   luaL_tolstring(L, -1, NULL));
    }
    return NULL;
}

/* Pushes the field's value. */
static int get_field(lua_State *L, int table, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, table);
}

/* Seconds into *ms; *is_there: the field is. */
static const char *read_seconds(lua_State *L, int table, const char *name, uint32_t *ms,
                                bool *is_there)
{
    int type = get_field(L, table, name);
    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TNUMBER)
        return lua_pushfstring(L, "advice.%s must be seconds, not a %s", name,
                               luaL_typename(L, -1));
    double seconds = lua_tonumber(L, -1);
    if (!(seconds >= 0 && seconds <= MOST_SECONDS))
        return lua_pushfstring(L, "advice.%s is %s, but must be from 0 to %d seconds (a day)", name,
                               luaL_tolstring(L, -1, NULL), MOST_SECONDS);
    *ms = (uint32_t)(seconds * 1000 + 0.5);
    *is_there = true;
    return NULL;
}

static const char *read_resume(lua_State *L, int table, bool *afresh)
{
    int type = get_field(L, table, "resume");
    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TBOOLEAN)
        return lua_pushfstring(L, "advice.resume must be true or false, not a %s",
                               luaL_typename(L, -1));
    *afresh = !lua_toboolean(L, -1);
    return NULL;
}

static const char *read_table(lua_State *L, int table, struct mw_advice *advice)
{
    bool is_there = false;
    advice->kind = MW_ADVICE_RETURN;
    const char *wrong = check_fields(L, table);
    if (!wrong)
        wrong = read_seconds(L, table, "after", &advice->after_ms, &is_there);
    if (!wrong)
        wrong = read_seconds(L, table, "spread", &advice->spread_ms, &is_there);
    if (!wrong)
        wrong = read_resume(L, table, &advice->afresh);
    if (!wrong && !is_there)
        wrong = "advice does not say when: { after = 5, spread = 10 }";
    return wrong;
}

const char *mw_lua_advice_read(lua_State *L, int index, struct mw_advice *advice)
{
    *advice = (struct mw_advice){ 0 };
    index = lua_absindex(L, index);
    luaL_checkstack(L, 10, "advice");
    if (lua_isnoneornil(L, index))
        return NULL;
    if (lua_istable(L, index))
        return read_table(L, index, advice);
    if (!lua_isboolean(L, index))
        return lua_pushfstring(
            L, "advice is false (stay away) or { after = 5, spread = 10 }, not a %s",
            luaL_typename(L, index));
    if (lua_toboolean(L, index))
        return "advice cannot be true: say when, { after = 5, spread = 10 }";
    advice->kind = MW_ADVICE_STAY;
    return NULL;
}
