/* `state`: the table of a script that outlives its versions. */
#ifndef MW_LUA_MOD_STATE_H
#define MW_LUA_MOD_STATE_H

#include "lua/state.h"
#include "lua/version.h"

/* Fills refs.state, state_meta and state_view, and pushes what scripts see. Raises. */
void mw_lua_state_push(lua_State *L);

/*
 * While a candidate loads it sees and changes `state` as if it were alone: nobody else does until
 * the commit. Cannot fail.
 */
void mw_lua_state_begin_load(struct mw_app *app);

/*
 * Puts `state` back as it was before the load. With `is_kept` what the candidate did waits for its
 * commit; MW_ERR_NOMEM: it could not be kept.
 */
int mw_lua_state_end_load(struct mw_app *app, struct mw_lua_version *version, bool is_kept);

/*
 * Does what the candidate did, or forgets it. Fields that it had not changed keep what others have
 * written since. Only a system without memory makes it incomplete: a log line.
 */
void mw_lua_state_commit(struct mw_app *app, struct mw_lua_version *version);
void mw_lua_state_discard(struct mw_app *app, struct mw_lua_version *version);

#endif
