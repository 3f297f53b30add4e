/*
 * coroutine.*, ours for two reasons: a handler may wait (sleep) inside of a coroutine that the
 * script made, and the scheduler's own coroutines are not the script's to resume or close.
 *
 * When something in a coroutine waits for the host, the coroutine yields with app->wait_asked set.
 * Its resumer does not return then: it yields in turn, and so on outwards to the scheduler. When
 * the wait is over each goes on with the one it had resumed.
 */
#include "lua/api.h"
#include "lua/budget.h"
#include "lua/sched.h"

static lua_State *check_coroutine(lua_State *L, int arg)
{
    lua_State *co = lua_tothread(L, arg);
    if (!co)
        luaL_typeerror(L, arg, "coroutine");
    return co;
}

/* ---- status ---- */

static const char *status_of(lua_State *L, lua_State *co)
{
    lua_Debug ar;
    if (L == co)
        return "running";
    if (mw_lua_lane(co)->kind == MW_LUA_LANE_KILLED)
        return "dead";
    if (mw_lua_lane(co)->kind != MW_LUA_LANE_SCRIPT)
        return "normal"; /* as far as the script can tell, it has resumed something */
    if (lua_status(co) == LUA_YIELD)
        return "suspended";
    if (lua_status(co) != LUA_OK)
        return "dead";
    if (lua_getstack(co, 0, &ar))
        return "normal";
    return lua_gettop(co) == 0 ? "dead" : "suspended";
}

static int status(lua_State *L)
{
    lua_pushstring(L, status_of(L, check_coroutine(L, 1)));
    return 1;
}

/* ---- resume and wrap ---- */

enum { IS_RESUME = 0, IS_WRAP = 1 };

static int go_on(lua_State *L, lua_State *co, int args, lua_KContext how);

/* The host's wait is over; the coroutine at 1 was inside of it. */
static int after_wait(lua_State *L, int lua_status, lua_KContext how)
{
    (void)lua_status;
    lua_State *co = lua_tothread(L, 1);
    lua_settop(L, 1);
    mw_lua_set_lane(co, mw_lua_app(L), MW_LUA_LANE_SCRIPT);
    return go_on(L, co, 0, how);
}

/* Where the caller of a wrapped coroutine stands, before a message: as Lua's own does. */
static void put_place(lua_State *L)
{
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
}

static int fail(lua_State *L, lua_KContext how)
{
    if (how == IS_WRAP) {
        if (lua_type(L, -1) == LUA_TSTRING)
            put_place(L);
        return lua_error(L);
    }
    lua_pushboolean(L, false);
    lua_insert(L, -2);
    return 2;
}

/* As mw_lua_thread_close. */
static int close_coroutine(lua_State *L, lua_State *co)
{
    mw_lua_budget_switch(mw_lua_app(L), co);
    int result = mw_lua_thread_close(L, co);
    mw_lua_budget_switch(mw_lua_app(L), L);
    return result;
}

/*
 * A stop goes on outwards. What it went through is not to be resumed or closed, now or later: a
 * hook that raised has left the coroutine without hooks, and its __close could run for ever.
 */
static void pass_stop_on(lua_State *L, lua_State *co, int result)
{
    if (result == LUA_OK || !mw_lua_must_stop(L))
        return;
    mw_lua_set_lane(co, mw_lua_app(L), MW_LUA_LANE_KILLED);
    mw_lua_stop_raise(L);
}

static int take_error(lua_State *L, lua_State *co, lua_KContext how)
{
    /* One that Lua refused to resume (too deep) has not failed: its stack holds more than the
     * error. */
    bool has_failed = lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD;
    if (how == IS_WRAP && has_failed) /* nobody else can close it */
        close_coroutine(L, co);
    lua_xmove(co, L, 1);
    return fail(L, how);
}

static int take_results(lua_State *L, lua_State *co, int count, lua_KContext how)
{
    if (!lua_checkstack(L, count + 1)) {
        lua_pop(co, count);
        lua_pushliteral(L, "too many results to resume");
        return fail(L, how);
    }
    if (how == IS_RESUME)
        lua_pushboolean(L, true);
    lua_xmove(co, L, count);
    return how == IS_RESUME ? count + 1 : count;
}

static int go_on(lua_State *L, lua_State *co, int args, lua_KContext how)
{
    struct mw_app *app = mw_lua_app(L);
    bool could_not_wait = app->cannot_wait;
    int count = 0;
    app->cannot_wait = could_not_wait || !lua_isyieldable(L);
    mw_lua_budget_switch(app, co);
    int result = lua_resume(co, L, args, &count);
    mw_lua_budget_switch(app, L);
    app->cannot_wait = could_not_wait;
    pass_stop_on(L, co, result);
    if (result == LUA_YIELD && app->wait_asked) {
        mw_lua_set_lane(co, app, MW_LUA_LANE_WAITING);
        return lua_yieldk(L, 0, how, after_wait);
    }
    if (result == LUA_OK || result == LUA_YIELD)
        return take_results(L, co, count, how);
    return take_error(L, co, how);
}

/* The coroutine is at 1, its arguments are behind it. */
static int start(lua_State *L, lua_KContext how)
{
    lua_State *co = check_coroutine(L, 1);
    int args = lua_gettop(L) - 1;
    const char *state = status_of(L, co);
    if (*state != 's') { /* suspended */
        lua_pushfstring(L, "cannot resume %s coroutine", *state == 'd' ? "dead" : "non-suspended");
        return fail(L, how);
    }
    if (!lua_checkstack(co, args)) {
        lua_pushliteral(L, "too many arguments to resume");
        return fail(L, how);
    }
    lua_xmove(L, co, args);
    return go_on(L, co, args, how);
}

static int resume(lua_State *L)
{
    return start(L, IS_RESUME);
}

static int call_wrapped(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    return start(L, IS_WRAP);
}

static int create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    mw_lua_set_lane(co, mw_lua_app(L), MW_LUA_LANE_SCRIPT);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int wrap(lua_State *L)
{
    create(L);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/* ---- the rest ---- */

static int yield(lua_State *L)
{
    if (mw_lua_lane(L)->kind == MW_LUA_LANE_HANDLER)
        return luaL_error(L, "attempt to yield from outside a coroutine");
    return lua_yield(L, lua_gettop(L));
}

static int isyieldable(lua_State *L)
{
    lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
    bool is_script = mw_lua_lane(co)->kind == MW_LUA_LANE_SCRIPT;
    lua_pushboolean(L, is_script && lua_isyieldable(co));
    return 1;
}

static int running(lua_State *L)
{
    lua_pushthread(L);
    lua_pushboolean(L, mw_lua_lane(L)->kind == MW_LUA_LANE_HANDLER);
    return 2;
}

/* coroutine.close(co) -> true | false, error */
static int close_one(lua_State *L)
{
    lua_State *co = check_coroutine(L, 1);
    const char *state = status_of(L, co);
    if (*state != 's' && *state != 'd')
        return luaL_error(L, "cannot close a %s coroutine", state);
    if (mw_lua_lane(co)->kind == MW_LUA_LANE_KILLED) {
        lua_pushboolean(L, false);
        lua_pushliteral(L, "the server stopped this coroutine");
        return 2;
    }
    if (close_coroutine(L, co) == LUA_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushboolean(L, false);
    lua_xmove(co, L, 1);
    return 2;
}

const luaL_Reg mw_lua_coroutine_functions[] = {
    { "create", create },   { "resume", resume },   { "wrap", wrap },
    { "yield", yield },     { "status", status },   { "isyieldable", isyieldable },
    { "running", running }, { "close", close_one }, { NULL, NULL },
};
