/*
 * The shape check: the table that a script returns becomes handlers (registry places) and a
 * mw_route_spec. What is wrong is an error before anything is swapped; what looks like a slip of
 * the pen is a warning.
 *
 * A new key of the module is a row of module.def and its reader here. Runs inside the load call, so
 * everything may raise.
 */
#include "lua/shape.h"

#include <stdlib.h>

#include "core/base/str.h"
#include "lua/codes.h"
#include "lua/names.h"
#include "lua/topics.h"

typedef void read_fn(lua_State *L, struct mw_lua_version *version, const char *key);

/* ---- small readers; the value is on top of the stack ---- */

static const char *type_of(lua_State *L)
{
    return luaL_typename(L, -1);
}

void mw_lua_shape_keep(lua_State *L, struct mw_lua_version *version)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->kept);
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

struct mw_view mw_lua_shape_keep_text(lua_State *L, struct mw_lua_version *version)
{
    struct mw_view text = mw_lua_view(L, -1);
    lua_pushvalue(L, -1);
    mw_lua_shape_keep(L, version);
    return text;
}

static size_t count_rows(lua_State *L)
{
    size_t count = 0;
    lua_pushnil(L);
    for (; lua_next(L, -2); count++)
        lua_pop(L, 1);
    return count;
}

const void *mw_lua_shape_rows(lua_State *L, struct mw_lua_version *version, const char *key,
                              const struct mw_lua_rows *rows, size_t *count)
{
    if (!lua_istable(L, -1))
        luaL_error(L, "%s must be a table, not a %s", key, luaL_typename(L, -1));
    luaL_checkstack(L, 20, key);
    *count = count_rows(L);
    char *first = lua_newuserdatauv(L, (*count + 1) * rows->size, 0), *row = first;
    mw_lua_shape_keep(L, version);
    lua_pushnil(L);
    for (; lua_next(L, -2); row += rows->size) {
        rows->read(L, version, key, row);
        lua_pop(L, 1);
    }
    qsort(first, *count, rows->size, rows->compare);
    return first;
}

/* A list of strings, or one string. Gives an array that lives as long as the version. */
static const struct mw_view *read_texts(lua_State *L, struct mw_lua_version *version,
                                        const char *key, size_t *count)
{
    if (lua_type(L, -1) == LUA_TSTRING) { /* one alone is a list of one */
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
    }
    if (!lua_istable(L, -1))
        luaL_error(L, "%s must be a list of strings, not a %s", key, type_of(L));
    size_t len = (size_t)lua_rawlen(L, -1);
    struct mw_view *texts = lua_newuserdatauv(L, (len + 1) * sizeof(*texts), 0);
    mw_lua_shape_keep(L, version);
    for (size_t i = 0; i < len; i++) {
        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "%s[%d] must be a string, not a %s", key, (int)i + 1, type_of(L));
        texts[i] = mw_lua_shape_keep_text(L, version);
        lua_pop(L, 1);
    }
    *count = len;
    return texts;
}

/* ---- one function per key ---- */

static void read_route(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s must be a string such as \"/chat/:room\", not a %s", key, type_of(L));
    struct mw_view pattern = mw_lua_shape_keep_text(L, version);
    if (!mw_view_starts_with(pattern, "/"))
        luaL_error(L, "%s must begin with \"/\": \"/%s\"", key, pattern.data);
    version->spec.pattern = pattern;
}

/* Whether the route has such a parameter is the server's to say, who knows its pattern. */
static void read_affinity(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s must be the name of a parameter of the route such as \"room\", not a %s",
                   key, type_of(L));
    version->spec.affinity = mw_lua_shape_keep_text(L, version);
    if (version->spec.affinity.len == 0)
        luaL_error(L, "%s must be the name of a parameter of the route, not empty", key);
}

static void read_protocols(lua_State *L, struct mw_lua_version *version, const char *key)
{
    struct mw_route_spec *spec = &version->spec;
    spec->protocols = read_texts(L, version, key, &spec->protocol_count);
    for (size_t i = 0; i < spec->protocol_count; i++) {
        if (!mw_is_token(spec->protocols[i])) /* RFC 6455 4.1: elements of the header are tokens */
            luaL_error(L, "%s[%d]: '%s' is no token: letters, digits and !#$%%&'*+-.^_`|~ only",
                       key, (int)i + 1, spec->protocols[i].data);
    }
}

static void read_origins(lua_State *L, struct mw_lua_version *version, const char *key)
{
    version->spec.origins = read_texts(L, version, key, &version->spec.origin_count);
}

static void read_compression(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (!lua_isboolean(L, -1))
        luaL_error(L, "%s must be true or false, not a %s", key, type_of(L));
    version->spec.compression = lua_toboolean(L, -1);
}

static void read_resume(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "%s must be a number of seconds, not a %s", key, type_of(L));
    double seconds = lua_tonumber(L, -1);
    if (!(seconds >= 0 && seconds <= MW_RESUME_MAX_S))
        luaL_error(L, "%s is %s, but must be from 0 to %d seconds", key,
                   luaL_tolstring(L, -1, NULL), MW_RESUME_MAX_S);
    version->spec.resume_s = seconds;
}

static void read_format(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (lua_type(L, -1) != LUA_TSTRING || strcmp(lua_tostring(L, -1), "json") != 0)
        luaL_error(L, "%s can only be \"json\"", key);
    version->wants_json = true;
}

struct limit {
    const char *name;
    double normal, least, most;
    size_t offset;
};

static const struct limit limits[] = {
#define LIMIT_ROW(name, normal, least, most) \
    { #name, normal, least, most, offsetof(struct mw_limits, name) },
    MW_LIMIT_LIST(LIMIT_ROW)
#undef LIMIT_ROW
};

static double *limit_place(struct mw_limits *out, const struct limit *limit)
{
    return (double *)(void *)((char *)out + limit->offset);
}

static void set_normal_limits(struct mw_limits *out)
{
    for (size_t i = 0; i < MW_COUNT(limits); i++)
        *limit_place(out, &limits[i]) = limits[i].normal;
}

static const struct limit *find_limit(const char *name)
{
    for (size_t i = 0; i < MW_COUNT(limits); i++) {
        if (strcmp(limits[i].name, name) == 0)
            return &limits[i];
    }
    return NULL;
}

static void warn(lua_State *L, const struct mw_lua_version *version, const char *what,
                 const char *name, const char *nearest)
{
    struct mw_app *app = mw_lua_app(L);
    if (nearest)
        lua_pushfstring(L, "%s: %s '%s' is unknown; did you mean '%s'?", app->name, what, name,
                        nearest);
    else
        lua_pushfstring(L, "%s: %s '%s' is unknown and ignored", app->name, what, name);
    app->host->log(app->host_app, MW_LOG_WARN, version->number, 0, mw_lua_view(L, -1), NULL, 0);
    lua_pop(L, 1);
}

static void read_policy(lua_State *L, struct mw_lua_version *version)
{
    const char *policy = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    if (strcmp(policy, "latest") == 0)
        luaL_error(L,
                   "limits.policy is \"latest\", which needs a key for each message: give both to "
                   "conn:send and publish, { policy = \"latest\", key = \"pos\" }");
    if (strcmp(policy, "close") != 0 && strcmp(policy, "drop") != 0)
        luaL_error(L, "limits.policy is \"close\" or \"drop\", not %s",
                   *policy ? lua_pushfstring(L, "\"%s\"", policy)
                           : lua_pushfstring(L, "a %s", type_of(L)));
    version->spec.limits.policy = strcmp(policy, "drop") == 0 ? MW_POLICY_DROP : MW_POLICY_CLOSE;
}

/* key at -2, value at -1 */
static void read_limit(lua_State *L, struct mw_lua_version *version)
{
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "limits is no list: write limits = { message = 65536 }");
    const char *name = lua_tostring(L, -2);
    const struct limit *limit = find_limit(name);
    if (strcmp(name, "policy") == 0) {
        read_policy(L, version);
        return;
    }
    if (!limit) {
        warn(L, version, "limit", name,
             mw_nearest_name(mw_view_text(name), mw_lua_names("limits")));
        return;
    }
    if (lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "limits.%s must be a number, not a %s", name, type_of(L));
    double value = lua_tonumber(L, -1);
    if (!(value >= limit->least && value <= limit->most))
        luaL_error(L, "limits.%s is %s, but must be from %I to %I", name,
                   luaL_tolstring(L, -1, NULL), (LUAI_UACINT)limit->least,
                   (LUAI_UACINT)limit->most);
    *limit_place(&version->spec.limits, limit) = value;
}

static void read_limits(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (!lua_istable(L, -1))
        luaL_error(L, "%s must be a table, not a %s", key, type_of(L));
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        read_limit(L, version);
        lua_pop(L, 1);
    }
}

static void read_codes(lua_State *L, struct mw_lua_version *version, const char *key)
{
    mw_lua_codes_read(L, version, key);
}

static void read_topics(lua_State *L, struct mw_lua_version *version, const char *key)
{
    mw_lua_topics_read(L, version, key);
}

static void read_handler(lua_State *L, struct mw_lua_version *version, const char *key);

struct key {
    const char *name;
    read_fn *read;
};

static const struct key keys[] = {
#define MW_MODULE_KEY(name) { #name, read_##name },
#include "lua/module.def"
#undef MW_MODULE_KEY
#define HANDLER_ROW(name, key) { #key, read_handler },
    MW_LUA_HANDLER_LIST(HANDLER_ROW)
#undef HANDLER_ROW
};

static void read_handler(lua_State *L, struct mw_lua_version *version, const char *key)
{
    if (!lua_isfunction(L, -1))
        luaL_error(L, "%s must be a function, not a %s", key, type_of(L));
    int handler = 0;
    while (strcmp(mw_lua_handler_names[handler], key) != 0)
        handler++;
    lua_pushvalue(L, -1);
    version->handlers[handler] = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* ---- the whole ---- */

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < MW_COUNT(keys); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

/*
 * Other keys are the script's own business (functions of named timers, helpers for its test),
 * unless they are nearly the name of one of ours.
 */
static void warn_of_slips(lua_State *L, const struct mw_lua_version *version)
{
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || find_key(lua_tostring(L, -1)))
            continue;
        const char *nearest = mw_nearest_name(mw_lua_view(L, -1), mw_lua_names("M"));
        if (nearest)
            warn(L, version, "key", lua_tostring(L, -1), nearest);
    }
}

static void warn_of_no_resume(lua_State *L, const struct mw_lua_version *version)
{
    struct mw_app *app = mw_lua_app(L);
    lua_pushfstring(L, "%s: on_resume is never called: give `resume` some seconds", app->name);
    app->host->log(app->host_app, MW_LOG_WARN, version->number, 0, mw_lua_view(L, -1), NULL, 0);
    lua_pop(L, 1);
}

/* on_message gets a message as one string. */
static void check_messages_fit(lua_State *L, const struct mw_limits *given)
{
    double longest = (double)mw_lua_app(L)->budget.string_bytes;
    const char *name = given->inflated > given->message ? "inflated" : "message";
    double most = given->inflated > given->message ? given->inflated : given->message;
    if (longest > 0 && most > longest)
        luaL_error(L,
                   "limits.%s is %I, but one string may have %I bytes, and a message is one: lower "
                   "limits.%s, or raise script.string in moonwire.lua",
                   name, (LUAI_UACINT)most, (LUAI_UACINT)longest, name);
}

static void check_is_module(lua_State *L)
{
    const char *name = mw_lua_app(L)->name;
    if (lua_isnil(L, 1))
        luaL_error(L, "%s returned nothing: its last line must be `return M`", name);
    if (!lua_istable(L, 1))
        luaL_error(L, "%s returned a %s: a script returns its table of handlers", name,
                   luaL_typename(L, 1));
}

void mw_lua_shape_read(lua_State *L, struct mw_lua_version *version)
{
    lua_settop(L, 1);
    check_is_module(L);
    set_normal_limits(&version->spec.limits);
    version->spec.compression = true;
    lua_newtable(L);
    version->kept = luaL_ref(L, LUA_REGISTRYINDEX);
    for (size_t i = 0; i < MW_COUNT(keys); i++) {
        lua_pushstring(L, keys[i].name);
        if (lua_rawget(L, 1) != LUA_TNIL)
            keys[i].read(L, version, keys[i].name);
        lua_settop(L, 1);
    }
    check_messages_fit(L, &version->spec.limits);
    warn_of_slips(L, version);
    if (version->spec.resume_s <= 0 && mw_lua_version_has(version, MW_LUA_ON_RESUME))
        warn_of_no_resume(L, version);
    version->spec.wants_messages = mw_lua_version_has(version, MW_LUA_ON_MESSAGE);
    version->spec.decides_closes = mw_lua_version_has(version, MW_LUA_DECIDE_CLOSE);
    version->spec.advises = mw_lua_version_has(version, MW_LUA_ADVISE_RECONNECT);
    lua_pushvalue(L, 1);
    version->module = luaL_ref(L, LUA_REGISTRYINDEX);
}
