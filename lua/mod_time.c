/*
 * sleep, now, monotonic, and the four functions of os. All times come from the host, so that a
 * simulation can tell the time; they are in seconds.
 */
#include <math.h>
#include <time.h>

#include <lualib.h>

#include "lua/api.h"
#include "lua/mod_timer.h"
#include "lua/sched.h"

/* sleep(s): the call goes on later; other calls run in between. */
static int sleep_s(lua_State *L)
{
    return mw_lua_wait(L, mw_lua_check_seconds(L, 1), "sleep");
}

static int now(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_pushnumber(L, (double)app->host->unix_ms(app->host_app) / 1000.0);
    return 1;
}

static int monotonic(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_pushnumber(L, (double)app->host->monotonic_ms(app->host_app) / 1000.0);
    return 1;
}

static lua_Integer unix_s(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    return (lua_Integer)(app->host->unix_ms(app->host_app) / 1000);
}

/*
 * Calls the function of the standard library with the arguments on the stack. "os" itself is ours.
 */
static int call_standard(lua_State *L, const char *name)
{
    luaL_requiref(L, "standard os", luaopen_os, 0);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int os_time(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        return call_standard(L, "time");
    lua_pushinteger(L, unix_s(L));
    return 1;
}

static int os_date(lua_State *L)
{
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        if (lua_isnil(L, 1)) {
            lua_pushliteral(L, "%c");
            lua_replace(L, 1);
        }
        lua_pushinteger(L, unix_s(L));
    }
    return call_standard(L, "date");
}

static int os_clock(lua_State *L)
{
    return call_standard(L, "clock");
}

static int os_difftime(lua_State *L)
{
    return call_standard(L, "difftime");
}

const luaL_Reg mw_lua_time_functions[] = {
    { "sleep", sleep_s },
    { "now", now },
    { "monotonic", monotonic },
    { NULL, NULL },
};

const luaL_Reg mw_lua_os_functions[] = {
    { "time", os_time },         { "date", os_date }, { "clock", os_clock },
    { "difftime", os_difftime }, { NULL, NULL },
};
