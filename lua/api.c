/*
 * Builds the environment of scripts from allow.def, and nothing that is not there: a function that
 * a future Lua adds stays out until somebody has thought about it. A new function is a row there
 * and stands in one of the luaL_Reg arrays of api.h; a new library is rows, its array and its file.
 */
#include "lua/api.h"

#include <lualib.h>

#include "lua/chain.h"
#include "lua/conn.h"
#include "lua/inspect.h"
#include "lua/mod_json.h"
#include "lua/mod_state.h"
#include "lua/mod_timer.h"
#include "lua/remote.h"
#include "lua/require.h"
#include "lua/sandbox.h"
#include "lua/stdlib.h"
#include "lua/text.h"
#include "lua/weak.h"

static const luaL_Reg lone_functions[] = {
    { "require", mw_lua_require },
    { "inspect", mw_lua_inspect },
    { "print", mw_lua_print },
    { NULL, NULL },
};

/* ---- values that are no functions ---- */

/* Pushes the value of that name. May raise. */
typedef void push_value_fn(lua_State *L, const char *name);

static void push_lua_version(lua_State *L, const char *name)
{
    (void)name;
    lua_pushliteral(L, LUA_VERSION);
}

static void push_json_null(lua_State *L, const char *name)
{
    (void)name;
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.null);
}

static void push_state(lua_State *L, const char *name)
{
    (void)name;
    mw_lua_state_push(L);
}

/* _G reads like the environment and refuses like it. */
static void push_globals(lua_State *L, const char *name)
{
    (void)name;
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.env_meta);
    lua_setmetatable(L, -2);
}

static void push_library(lua_State *L, const char *name);

/* ---- the rows ---- */

struct row {
    const char *library; /* NULL: the rows above are all that moonwire.lua finds as globals */
    const char *name;
    const luaL_Reg *functions; /* NULL: Lua's */
    push_value_fn *push;
};

static const struct row rows[] = {
#define LUA NULL
#define MW_LIBRARY(library)
#define MW_ALLOW(library, name, functions)  { #library, #name, functions, NULL },
#define MW_ALLOW_VALUE(library, name, push) { #library, #name, NULL, push },
#define MW_SCRIPTS_ONLY                     { NULL, NULL, NULL, NULL },
#include "lua/allow.def"
#undef LUA
#undef MW_LIBRARY
#undef MW_ALLOW
#undef MW_ALLOW_VALUE
#undef MW_SCRIPTS_ONLY
};

static lua_CFunction find_function(const struct row *row)
{
    const luaL_Reg *function = row->functions;
    while (function->name && strcmp(function->name, row->name) != 0)
        function++;
    mw_assert(function->func);
    return function->func;
}

/* Lua's own: from the table that it left where no script looks. */
static void push_standard(lua_State *L, const struct row *row)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, row->library);
    mw_assert(lua_istable(L, -1));
    lua_getfield(L, -1, row->name);
    mw_assert(!lua_isnil(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
}

static void push_row(lua_State *L, const struct row *row)
{
    if (row->push)
        row->push(L, row->name);
    else if (row->functions)
        lua_pushcfunction(L, find_function(row));
    else
        push_standard(L, row);
}

/* Adds the rows of the library to the table on top. */
static void fill(lua_State *L, const char *library, bool is_script)
{
    luaL_checkstack(L, 8, NULL);
    for (size_t i = 0; i < MW_COUNT(rows) && (rows[i].library || is_script); i++) {
        if (!rows[i].library || strcmp(rows[i].library, library) != 0)
            continue;
        push_row(L, &rows[i]);
        lua_setfield(L, -2, rows[i].name);
    }
}

/* ---- libraries ---- */

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

/* Strings find their methods in the table on top, and getmetatable("") says nothing of it. */
static void bind_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    mw_lua_set_bool(L, "__metatable", false);
    lua_pop(L, 2);
}

static void push_library(lua_State *L, const char *name)
{
    lua_newtable(L);
    fill(L, name, true);
    if (strcmp(name, LUA_STRLIBNAME) == 0)
        bind_strings(L);
    if (strcmp(name, "codes") == 0)
        mw_lua_codes_rows(L);
    name_functions(L, name);
    mw_lua_freeze(L);
}

/* What all of the environment stands on, in place before any code of a script. */
static void open_standard(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        { LUA_GNAME, luaopen_base },       { LUA_STRLIBNAME, luaopen_string },
        { LUA_TABLIBNAME, luaopen_table }, { LUA_MATHLIBNAME, luaopen_math },
        { LUA_UTF8LIBNAME, luaopen_utf8 },
    };
    for (size_t i = 0; i < MW_COUNT(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 0);
        lua_pop(L, 1);
    }
    mw_lua_math_init(L);
    mw_lua_text_init(L);
    mw_lua_weak_init(L);
    mw_lua_chain_init(L);
}

/* ---- the whole ---- */

int mw_lua_open_language(lua_State *L)
{
    open_standard(L);
    lua_newtable(L);
    fill(L, LUA_GNAME, false);
    mw_lua_push_env_meta(L);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void mw_lua_api_open(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_settop(L, 0);
    open_standard(L);
    mw_lua_json_init(L);
    mw_lua_conn_init(L);
    mw_lua_remote_init(L);
    lua_newtable(L);
    luaL_setfuncs(L, mw_lua_conn_methods, 0);
    name_functions(L, "conn");
    mw_lua_timer_init(L);
    lua_settop(L, 0);
    lua_newtable(L);
    lua_pushvalue(L, 1);
    mw_lua_push_env_meta(L);
    app->refs.env_meta = luaL_ref(L, LUA_REGISTRYINDEX);
    fill(L, LUA_GNAME, true);
    name_functions(L, LUA_GNAME);
}
