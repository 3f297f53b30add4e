/* Calls that took long but were let go on: told of, and not too often. */
#ifndef MW_LUA_SLOW_H
#define MW_LUA_SLOW_H

#include "lua/sched.h"

/* The call has run, and app->budget still says for how long. */
void mw_lua_slow_note(struct mw_app *app, const struct mw_lua_call *call);

#endif
