/*
 * The CPU budget of a call, and the stop that nothing in a script can catch.
 *
 * Nothing is counted while a script runs. A tick of the thread's own CPU clock
 * (core/base/cpu_tick.h) looks at the call that runs; when its time is up it sets `stop` and arms a
 * Lua hook on the coroutine that runs. From then on each instruction raises again, so that no
 * pcall, message handler, __close or coroutine outlives it, and every C function of ours that loops
 * raises at its next mw_lua_poll.
 */
#ifndef MW_LUA_BUDGET_H
#define MW_LUA_BUDGET_H

#include "lua/state.h"

/* Raises as a stop does: scripts cannot catch it for good. Only while app->budget.stop is set. */
_Noreturn void mw_lua_stop_raise(lua_State *L);

/*
 * For C functions of the script's API that do work in proportion to what the script gave them: call
 * it at each step, or once in every few thousand cheap ones (about 10 µs). Raises when the running
 * call is to be stopped; else a load and a test.
 */
static inline void mw_lua_poll(lua_State *L)
{
    if (mw_lua_app(L)->budget.stop != MW_LUA_STOP_NONE)
        mw_lua_stop_raise(L);
}

/* The same question without raising, for loops that hold something that must be given back. */
static inline bool mw_lua_must_stop(lua_State *L)
{
    return mw_lua_app(L)->budget.stop != MW_LUA_STOP_NONE;
}

#endif
