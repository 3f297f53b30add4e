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

/*
 * The calls of script code on `thread`, innermost first, one a line: "chat.lua:12 in on_message".
 * Gives how many. Never raises, takes no memory.
 */
size_t mw_lua_fault_trace(lua_State *thread, const char *handler, char *out, size_t size);

/* "chat.lua:12" of the innermost; false: no script code is on the stack. */
bool mw_lua_fault_place(lua_State *thread, char *out, size_t size);

/*
 * Where the last call was stopped (app->budget): kind, message, hint, place, trace and samples.
 * Changes nothing where it was not.
 */
void mw_lua_fault_stop(struct mw_app *app, const struct mw_lua_sources *sources,
                       struct mw_fault *fault);

/* Where the call was seen, "chat.lua:12 61 %, lib/a.lua:3 39 %"; empty where it was not. */
void mw_lua_fault_samples(const struct mw_lua_budget *budget, char *out, size_t size);

/* "not enough memory", with how much the script holds and may hold; nothing else is set. */
void mw_lua_fault_no_memory(const struct mw_app *app, struct mw_fault *fault);

#endif
