/* Any value as one line of text for people. */
#ifndef MW_LUA_INSPECT_H
#define MW_LUA_INSPECT_H

#include "lua/state.h"

/*
 * Appends `{ 1, 2, name = "ann" }`; keys in order, circles marked, long data cut. Runs no
 * metamethod; may raise.
 */
void mw_lua_inspect_write(lua_State *L, int index, struct mw_buf *out);

/* inspect(value) */
int mw_lua_inspect(lua_State *L);

#endif
