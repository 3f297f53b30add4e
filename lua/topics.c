/*
 * M.topics = { ["room:*"] = { history = 100, ttl = 60 } }. A row that is wrong is an error before
 * anything is swapped: a history that is silently not kept is found out when it is needed.
 */
#include "lua/topics.h"

#include "lua/shape.h"
#include "lua/text.h"
#include "moonwire/bounds.h"

/* Key at -2. */
static struct mw_view read_pattern(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "%s is no list: write %s = { [\"room:*\"] = { history = 100, ttl = 60 } }",
                   key, key);
    lua_pushvalue(L, -2);
    struct mw_view pattern = mw_lua_shape_keep_text(L, version);
    lua_pop(L, 1);
    if (pattern.len == 0 || pattern.len > MW_BOUND_TOPIC_BYTES)
        luaL_error(L, "%s: a topic has 1 to %d bytes", key, MW_BOUND_TOPIC_BYTES);
    const char *star = memchr(pattern.data, '*', pattern.len);
    if (star && star != pattern.data + pattern.len - 1)
        luaL_error(L, "%s[\"%s\"]: '*' can only stand at the end, for whatever follows", key,
                   pattern.data);
    return pattern;
}

/* Row on top. */
static uint32_t read_number(lua_State *L, const char *key, const char *pattern, const char *name,
                            lua_Integer most)
{
    lua_pushstring(L, name);
    if (lua_rawget(L, -2) == LUA_TNIL)
        luaL_error(L, "%s[\"%s\"] needs %s: write { history = 100, ttl = 60 }", key, pattern, name);
    int is_integer;
    lua_Integer number = lua_tointegerx(L, -1, &is_integer);
    if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || number < 1 || number > most)
        luaL_error(L, "%s[\"%s\"].%s must be a whole number from 1 to %I", key, pattern, name,
                   (LUAI_UACINT)most);
    lua_pop(L, 1);
    return (uint32_t)number;
}

/* Row on top. */
static void check_fields(lua_State *L, const char *key, const char *pattern)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (strcmp(name, "history") != 0 && strcmp(name, "ttl") != 0)
            luaL_error(L, "%s[\"%s\"]: there is no '%s'; there are history (messages) and ttl (s)",
                       key, pattern, mw_lua_push_plain(L, -1));
    }
}

/* Key at -2, value at -1. */
static void read_row(lua_State *L, struct mw_lua_version *version, const char *key, void *out)
{
    struct mw_topic_spec row = { .pattern = read_pattern(L, version, key) };
    const char *pattern = row.pattern.data;
    if (!lua_istable(L, -1))
        luaL_error(L, "%s[\"%s\"] must be a table such as { history = 100, ttl = 60 }, not a %s",
                   key, pattern, luaL_typename(L, -1));
    check_fields(L, key, pattern);
    row.history = read_number(L, key, pattern, "history", MW_BOUND_HISTORY);
    row.ttl_s = read_number(L, key, pattern, "ttl", MW_BOUND_HISTORY_TTL_S);
    *(struct mw_topic_spec *)out = row;
}

static int by_pattern(const void *a, const void *b)
{
    const struct mw_topic_spec *left = a, *right = b;
    size_t both = left->pattern.len < right->pattern.len ? left->pattern.len : right->pattern.len;
    int order = memcmp(left->pattern.data, right->pattern.data, both);
    return order ? order
                 : (left->pattern.len > right->pattern.len) -
                       (left->pattern.len < right->pattern.len);
}

/* Sorted, so that every worker, whose tables have other orders, says the same. */
void mw_lua_topics_read(lua_State *L, struct mw_lua_version *version, const char *key)
{
    static const struct mw_lua_rows rows = { sizeof(struct mw_topic_spec), read_row, by_pattern };
    struct mw_route_spec *spec = &version->spec;
    spec->topics = mw_lua_shape_rows(L, version, key, &rows, &spec->topic_count);
}
