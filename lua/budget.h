/*
 * The CPU budget of a call, and the stop that nothing in a script can catch.
 *
 * Nothing is counted while a script runs. A tick of the thread's CPU time (core/base/cpu_tick.h)
 * looks at the call that runs; when its time is up it sets `stop` and arms a Lua hook on the
 * coroutine that runs. From then on each instruction raises again, so that no pcall, message
 * handler, __close or coroutine outlives it, and every C function of ours that loops raises at its
 * next mw_lua_poll.
 *
 * A request for memory that is refused after Lua has collected everything sets `stop` as well: what
 * a script does with the error makes no difference then. So does a string that is longer than
 * app->budget.string_bytes, since Lua compares strings to their end within one instruction, and a
 * table whose keys would all come into one place as it grows (crowd.h). What Lua would follow from
 * table to table within one instruction is cut off (chain.h) once the call is being stopped.
 */
#ifndef MW_LUA_BUDGET_H
#define MW_LUA_BUDGET_H

#include "lua/state.h"

/* ---- for whoever calls into a script: sched.c, settings.c ---- */

/* Around lua_resume and lua_closethread of `thread`. What `begin` cleared is there to read until
 * the next one. */
void mw_lua_budget_begin(struct mw_app *app, lua_State *thread);
void mw_lua_budget_end(struct mw_app *app);

/* Between both: no tick is the script's any more, so nothing stops it that has not by now. */
void mw_lua_budget_rest(struct mw_app *app);

/* ---- for coroutines: which one runs now ---- */

/* Control goes to `thread`, and comes back to it. */
void mw_lua_budget_switch(struct mw_app *app, lua_State *thread);

/* ---- for the allocator ---- */

/*
 * What becomes of a request for more: `got` is the account's answer (NULL: refused). Gives the
 * block, or NULL.
 */
void *mw_lua_budget_grown(struct mw_app *app, void *got, void *block, size_t old_bytes,
                          size_t new_bytes);

/*
 * A string of `len` bytes is about to be made. Where that is too long the call ends; the string is
 * made all the same, since to refuse it would only have Lua collect everything first, but nothing
 * of the script runs that could see it.
 */
void mw_lua_budget_string(struct mw_app *app, size_t len);

/* A table with `keys` of which `most` come into one place was kept from growing: the call ends. */
void mw_lua_budget_crowd(struct mw_app *app, unsigned keys, unsigned most);

/* ---- for C functions that scripts call ---- */

/* Raises as a stop does. Only while app->budget.stop is set. */
_Noreturn void mw_lua_stop_raise(lua_State *L);

/* The same question as mw_lua_poll without raising, for who holds something to be given back. */
static inline bool mw_lua_must_stop(lua_State *L)
{
    return mw_lua_app(L)->budget.stop != MW_LUA_STOP_NONE;
}

/*
 * Memory that is not Lua's own was refused to the running call, and a collection did not help: ends
 * it as Lua's own lack does.
 */
_Noreturn void mw_lua_stop_for_memory(lua_State *L);

/*
 * For functions that do work in proportion to what the script gave them: call it at each step, or
 * once in every few thousand cheap ones (about 10 µs). Raises when the running call is to be
 * stopped; else a load and a test.
 */
static inline void mw_lua_poll(lua_State *L)
{
    if (mw_lua_must_stop(L))
        mw_lua_stop_raise(L);
}

/* For who knows the length of a string before the work: raises as a stop where that is too long. */
static inline void mw_lua_check_string(lua_State *L, size_t len)
{
    mw_lua_budget_string(mw_lua_app(L), len);
    mw_lua_poll(L);
}

/* pcall's sister whose message handler is not asked about a stop. */
int mw_lua_xpcall(lua_State *L);

#endif
