/*
 * Values as text, without saying where they are in memory: an address would tell a script (and who
 * reads its messages) how to aim at the process. What stands instead of it is a number that is the
 * same as long as the object lives and differs from that of every other object of the app.
 */
#ifndef MW_LUA_TEXT_H
#define MW_LUA_TEXT_H

#include "lua/state.h"

/*
 * Pushes the text of the value at `index` and gives it, as luaL_tolstring does: by __tostring or
 * __name where there are such. Runs code of the script; may raise. `len` may be NULL.
 */
const char *mw_lua_tolstring(lua_State *L, int index, size_t *len);

/*
 * The same without asking the value: the text of strings, numbers, booleans and nil, of all else
 * the name of its type. For messages of ours; raises for memory alone.
 */
const char *mw_lua_push_plain(lua_State *L, int index);

/* The number that stands for the object at `index` (string.format's %p); 0 for a plain value. */
uint64_t mw_lua_identity(lua_State *L, int index);

/* Chooses the app's way from addresses to numbers. */
void mw_lua_text_init(lua_State *L);

#endif
