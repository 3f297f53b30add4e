/*
 * The allow list. What a script can name is what stands here and in api.c, not the standard library
 * minus something: a function that a future Lua adds stays out until somebody has thought about it.
 *
 * Tables of functions are given out as views: an empty table in front of the real one. Versions of
 * a script share them, so a bad version must not be able to change what the good one sees. The
 * metatable of strings points to the real table, which no script can reach.
 */
#include "lua/sandbox.h"

#include <lualib.h>

struct library {
    const char *name;
    lua_CFunction open;
    const char *const *functions;
};

static const char *const base_functions[] = {
    "assert", "error",  "getmetatable", "ipairs",   "pairs", "pcall",  "rawequal", "rawget",
    "rawlen", "select", "tonumber",     "tostring", "type",  "xpcall", NULL,
};

static const char *const string_functions[] = {
    "byte", "char",     "find", "format",  "gmatch", "gsub",   "len",   "lower", "match",
    "pack", "packsize", "rep",  "reverse", "sub",    "unpack", "upper", NULL,
};

static const char *const table_functions[] = {
    "concat", "insert", "move", "pack", "remove", "sort", "unpack", NULL,
};

static const char *const math_functions[] = {
    "abs", "acos",       "asin", "atan",      "ceil", "cos",    "deg",
    "exp", "floor",      "fmod", "huge",      "log",  "max",    "maxinteger",
    "min", "mininteger", "modf", "pi",        "rad",  "random", "randomseed",
    "sin", "sqrt",       "tan",  "tointeger", "type", "ult",    NULL,
};

static const char *const utf8_functions[] = {
    "char", "charpattern", "codepoint", "codes", "len", "offset", NULL,
};

static const struct library libraries[] = {
    { LUA_STRLIBNAME, luaopen_string, string_functions },
    { LUA_TABLIBNAME, luaopen_table, table_functions },
    { LUA_MATHLIBNAME, luaopen_math, math_functions },
    { LUA_UTF8LIBNAME, luaopen_utf8, utf8_functions },
};

/* ---- views ---- */

static const char hidden_key; /* its address: in a view's metatable, the table behind it */

bool mw_lua_push_hidden(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    bool is_view = lua_rawgetp(L, -1, &hidden_key) == LUA_TTABLE;
    lua_remove(L, -2);
    if (!is_view)
        lua_pop(L, 1);
    return is_view;
}

void mw_lua_set_hidden(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, &hidden_key);
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be set: this table belongs to the server",
                      luaL_tolstring(L, 2, NULL));
}

/* The iterator behind pairs(view): the hidden table itself never gets out. */
static int view_next(lua_State *L)
{
    lua_settop(L, 2);
    if (!mw_lua_push_hidden(L, 1))
        return luaL_typeerror(L, 1, "table");
    lua_insert(L, 2);
    return lua_next(L, 2) ? 2 : 0;
}

int mw_lua_view_pairs(lua_State *L)
{
    lua_pushcfunction(L, view_next);
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
    { "__newindex", refuse_write },
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

/*
 * Where Lua looks for the names of functions when an argument is wrong: "bad argument #1 to
 * 'json.array'". No script reaches it.
 */
static void name_functions(lua_State *L, const char *library)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, library);
    lua_pop(L, 1);
}

void mw_lua_sandbox_add(lua_State *L, const char *name)
{
    name_functions(L, name);
    mw_lua_freeze(L);
    lua_setfield(L, -2, name);
}

/* ---- functions that are ours because the original would let too much through ---- */

static int guarded_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int type = lua_type(L, 2);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) /* a finalizer would run outside of every call */
            return luaL_error(L, "a metatable with __gc is not allowed");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int guarded_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (mw_lua_push_hidden(L, 1))
        return refuse_write(L);
    lua_rawset(L, 1);
    return 1;
}

/* pairs() of a view does not come here; next(view) would find the empty table in front. */
static int guarded_next(lua_State *L)
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

static int count_garbage(lua_State *L)
{
    struct mw_view option = mw_view_text(luaL_optstring(L, 1, "collect"));
    if (option.len != 5 || memcmp(option.data, "count", 5) != 0)
        return luaL_error(L, "only collectgarbage(\"count\") is allowed: the server collects by "
                             "itself");
    double kib = lua_gc(L, LUA_GCCOUNT, 0) + lua_gc(L, LUA_GCCOUNTB, 0) / 1024.0;
    lua_pushnumber(L, kib);
    return 1;
}

static const luaL_Reg guarded[] = {
    { "setmetatable", guarded_setmetatable },
    { "rawset", guarded_rawset },
    { "next", guarded_next },
    { "collectgarbage", count_garbage },
    { NULL, NULL },
};

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
    name_functions(L, LUA_GNAME);
    mw_lua_push_meta(L, "globals", functions);
    lua_pushvalue(L, globals);
    lua_setfield(L, -2, "__index");
    mw_lua_set_hidden(L, globals);
    lua_replace(L, globals);
}

/* ---- opening ---- */

/* Copies the named fields of the table on top into the one below it, and pops it. */
static void copy_allowed(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_getfield(L, -1, *names);
        mw_assert(!lua_isnil(L, -1));
        lua_setfield(L, -3, *names);
    }
    lua_pop(L, 1);
}

/* Strings find their methods in our table, and getmetatable("") says nothing of it. */
static void bind_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    mw_lua_set_bool(L, "__metatable", false);
    lua_pop(L, 2);
}

void mw_lua_sandbox_open(lua_State *L)
{
    lua_newtable(L);
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
    copy_allowed(L, base_functions);
    luaL_setfuncs(L, guarded, 0);
    lua_pushliteral(L, LUA_VERSION);
    lua_setfield(L, -2, "_VERSION");
    for (size_t i = 0; i < MW_COUNT(libraries); i++) {
        lua_newtable(L);
        luaL_requiref(L, libraries[i].name, libraries[i].open, 0);
        copy_allowed(L, libraries[i].functions);
        if (libraries[i].open == luaopen_string)
            bind_strings(L);
        mw_lua_sandbox_add(L, libraries[i].name);
    }
}
