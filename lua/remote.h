/*
 * What connection(id) gives for an id of another worker: a handle with `id` and `remote`, which can
 * send and close. Whether there is such a connection only its own worker knows.
 */
#ifndef MW_LUA_REMOTE_H
#define MW_LUA_REMOTE_H

#include "lua/conn.h"

/* Fills refs.remote_meta; behind mw_lua_conn_init. Raises. */
void mw_lua_remote_init(lua_State *L);

/* Pushes a fresh handle. Raises. */
void mw_lua_remote_push(lua_State *L, mw_id id);

/*
 * Argument 1 of a method that reaches connections everywhere: its id, or 0 for one that is over.
 * Raises as mw_lua_conn_check.
 */
mw_id mw_lua_target_check(lua_State *L, const char *method);

#endif
