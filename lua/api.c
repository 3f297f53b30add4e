/*
 * The list of what the server adds to the sandbox, in one place. A new library is a row or two
 * lines here and its own file.
 */
#include "lua/api.h"

#include <lualib.h>

#include "lua/conn.h"
#include "lua/inspect.h"
#include "lua/mod_json.h"
#include "lua/mod_state.h"
#include "lua/mod_timer.h"
#include "lua/require.h"
#include "lua/sandbox.h"

static const luaL_Reg lone_functions[] = {
    { "require", mw_lua_require },
    { "inspect", mw_lua_inspect },
    { "print", mw_lua_print },
    { NULL, NULL },
};

static const struct {
    const char *name;
    const luaL_Reg *functions;
} libraries[] = {
    { "coroutine", mw_lua_coroutine_functions },
    { "log", mw_lua_log_functions },
    { "os", mw_lua_os_functions },
    { "timer", mw_lua_timer_functions },
};

/* math.random differs between runs, and follows the seed in a simulation. */
static void seed_random(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_Integer seed[2] = { 0, 0 };
    (void)app->host->random(app->host_app, seed, sizeof(seed));
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, seed[0]);
    lua_pushinteger(L, seed[1]);
    lua_call(L, 2, 0);
    lua_pop(L, 2);
}

/* _G reads like the environment and refuses like it. */
static void add_globals_view(lua_State *L, int globals, int env_meta)
{
    lua_newtable(L);
    lua_pushvalue(L, env_meta);
    lua_setmetatable(L, -2);
    lua_setfield(L, globals, LUA_GNAME);
}

void mw_lua_api_open(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_settop(L, 0);
    mw_lua_sandbox_open(L);
    seed_random(L);
    luaL_setfuncs(L, lone_functions, 0);
    luaL_setfuncs(L, mw_lua_topic_functions, 0);
    luaL_setfuncs(L, mw_lua_time_functions, 0);
    mw_lua_json_init(L);
    mw_lua_json_push(L);
    mw_lua_sandbox_add(L, "json");
    for (size_t i = 0; i < MW_COUNT(libraries); i++) {
        lua_newtable(L);
        luaL_setfuncs(L, libraries[i].functions, 0);
        mw_lua_sandbox_add(L, libraries[i].name);
    }
    mw_lua_state_push(L);
    lua_setfield(L, 1, "state");
    mw_lua_conn_init(L);
    mw_lua_timer_init(L);
    lua_pushvalue(L, 1);
    mw_lua_push_env_meta(L);
    add_globals_view(L, 1, 2);
    app->refs.env_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}
