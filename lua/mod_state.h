/* `state`: the table of a script that outlives its versions. */
#ifndef MW_LUA_MOD_STATE_H
#define MW_LUA_MOD_STATE_H

#include "lua/state.h"
#include "lua/version.h"

/* Fills refs.state and refs.state_meta and pushes the table that scripts see. Raises. */
void mw_lua_state_push(lua_State *L);

/*
 * While a candidate loads it reads the state as it is, and its assignments `state.x = v` are put
 * aside (version->writes): they take effect with the commit. Neither fails.
 */
void mw_lua_state_begin_load(struct mw_app *app);
void mw_lua_state_end_load(struct mw_app *app);

/*
 * Carries out what the new version assigned, and takes away what cannot live longer than the old
 * one: functions and the like that got into deeper tables. Each loss is a warning with its key
 * path. No memory: a log line.
 */
void mw_lua_state_commit(struct mw_app *app, struct mw_lua_version *version);

#endif
