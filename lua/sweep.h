/*
 * After a reload: what could keep an old version in memory is looked for in all that outlives
 * versions. From `state` it is taken out; in conn.data, which is the script's own, it is told of.
 *
 * Works in slices of about a millisecond, so the pause of a reload does not grow with `state`. A
 * small one is through before the commit is.
 */
#ifndef MW_LUA_SWEEP_H
#define MW_LUA_SWEEP_H

#include "lua/sched.h"

/* Gives NULL: no memory. */
struct mw_lua_sweep *mw_lua_sweep_new(struct mw_app *app);
/* With the state already closed; NULL is allowed. */
void mw_lua_sweep_free(struct mw_app *app, struct mw_lua_sweep *sweep);

/*
 * Begins a new walk, in place of one that is under way: with the commit, and when the last call of
 * an old version is over. Outside of calls. Without memory it is left until the next time, with a
 * log line.
 */
void mw_lua_sweep_start(struct mw_app *app);

#endif
