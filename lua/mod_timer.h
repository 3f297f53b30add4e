/* timer.after, timer.every, timer.cancel, and what a reload does to timers. */
#ifndef MW_LUA_MOD_TIMER_H
#define MW_LUA_MOD_TIMER_H

#include "lua/sched.h"
#include "lua/version.h"

extern const luaL_Reg mw_lua_timer_functions[];

/* Fills refs.timer_meta. Raises. */
void mw_lua_timer_init(lua_State *L);

/* Argument `arg` in seconds as milliseconds; raises for what is no number of seconds. */
mw_ms mw_lua_check_seconds(lua_State *L, int arg);

/*
 * The new version takes over: its own timers start, named ones of the old version that call a
 * handler by name go on with the new handler, all others of the old version end. `old` may be NULL.
 * Cannot fail.
 */
void mw_lua_timers_commit(struct mw_app *app, struct mw_lua_version *old,
                          struct mw_lua_version *version);

/* Ends all timers of a version. */
void mw_lua_timers_end(struct mw_app *app, struct mw_lua_version *version);

#endif
