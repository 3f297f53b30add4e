/*
 * sleep, now, monotonic, and the four functions of os. All times come from the host, so that a
 * simulation can tell the time; they are in seconds.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include <lualib.h>

#include "core/base/str.h"
#include "lua/api.h"
#include "lua/budget.h"
#include "lua/build.h"
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
 * Calls the function of the standard library with the arguments on the stack. "os" itself is ours;
 * of this name Lua makes "os.date" where it complains.
 */
static int call_standard(lua_State *L, const char *name)
{
    luaL_requiref(L, "_G.os", luaopen_os, 0);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int standard_date(lua_State *L)
{
    return call_standard(L, "date");
}

static int os_time(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        return call_standard(L, "time");
    lua_pushinteger(L, unix_s(L));
    return 1;
}

/* ---- os.date ---- */

/* Lua's own writes a format of any length without a pause: 1 to 8 s for 10 MiB of it. */
#define MAX_FORMAT_PIECE 256

static bool begins_format(char c)
{
    return c == '!' || c == '*'; /* "!" is UTC, "*t" alone a table */
}

/*
 * The length of a piece of the format that means by itself what it means within the whole: it ends
 * between two conversions, and what follows does not look like the beginning of a format.
 */
static size_t format_piece(struct mw_view format)
{
    size_t at = 0;
    while (at < format.len && (at < MAX_FORMAT_PIECE || begins_format(format.data[at]))) {
        bool is_conversion = format.data[at++] == '%';
        if (is_conversion && at < format.len && (format.data[at] == 'E' || format.data[at] == 'O'))
            at++;
        if (is_conversion)
            at++;
    }
    return at < format.len ? at : format.len;
}

/* The format at 1 is long, so it gives a text; the time is at 2. */
static int date_in_pieces(lua_State *L)
{
    struct mw_view format = mw_lua_view(L, 1);
    const char *utc = *format.data == '!' ? "!" : "";
    struct mw_build text;
    format = mw_view_from(format, strlen(utc));
    mw_build_init(&text, L);
    while (format.len > 0) {
        size_t len = format_piece(format);
        mw_lua_poll(L);
        lua_pushcfunction(L, standard_date);
        lua_pushstring(L, utc);
        mw_lua_push_view(L, mw_view(format.data, len));
        lua_concat(L, 2);
        lua_pushvalue(L, 2);
        lua_call(L, 2, 1);
        mw_build_put_top(&text);
        format = mw_view_from(format, len);
    }
    mw_build_push(&text);
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
    bool is_long = lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > MAX_FORMAT_PIECE;
    return is_long ? date_in_pieces(L) : call_standard(L, "date");
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
