/* Errors of Lua as faults for people: place, source line, hint, trace. */
#ifndef MW_LUA_FAULT_H
#define MW_LUA_FAULT_H

#include "lua/hints.h"
#include "lua/sched.h"

/*
 * Fills *fault from a thread that has failed: the error value is on top of its stack and its frames
 * are still there, and may be taken off. `where` says what ran; `handler` names it. Never raises.
 */
void mw_lua_fault_of_thread(lua_State *thread, int status, const struct mw_lua_where *where,
                            const char *handler, struct mw_fault *fault);

/* The same for a call (whose thread may be NULL: there was no memory to make it). */
void mw_lua_fault_of_call(struct mw_app *app, const struct mw_lua_call *call, int status,
                          struct mw_fault *fault);

/* "not enough memory", with how much the script holds and may hold; nothing else is set. */
void mw_lua_fault_no_memory(const struct mw_app *app, struct mw_fault *fault);

#endif
