/*
 * Keeps tables from growing into a crowd. A table that grows puts each of its keys anew into the
 * place that the key's hash names, and goes along all that are there already: where one place gets
 * them all, 2^16 keys take 5 s within one instruction, in which neither a hook nor mw_lua_poll is
 * asked. Numbers have no secret in their hash, so a client can choose such ones.
 *
 * Lua asks for the new places first. A look at the keys of the tables that may be the one that
 * grows tells what it would take; where that is too much, the request is refused and the call ends
 * (MW_LUA_STOP_CROWD). Such a table stays as it was.
 *
 * What this does not see is a table constructor that has thousands of colliding keys and takes the
 * results of a call behind them: that is a script's own text, never what a client sent.
 */
#ifndef MW_LUA_CROWD_H
#define MW_LUA_CROWD_H

#include "lua/engine.h"

/* ---- for the allocator ---- */

/* Whether a block of that size, if Lua asked for it without a kind, may be the places of a table
 * that is large enough to matter. */
bool mw_lua_crowd_may_be_table(size_t bytes);

/*
 * Lua is about to get `block`, which may be the places of a table; what is in it is overwritten.
 * False: it must not, and shall be told that there is no memory.
 */
bool mw_lua_crowd_admit(struct mw_app *app, void *block, size_t bytes);

/* `block` of that size, which may have been the places of a table, is no more. */
void mw_lua_crowd_forget(struct mw_app *app, const void *block);

#endif
