/* What a script finds: an allow list, frozen. */
#ifndef MW_LUA_SANDBOX_H
#define MW_LUA_SANDBOX_H

#include "lua/state.h"

/*
 * Opens the standard libraries as far as they are allowed and leaves a table of globals on the
 * stack, which the caller fills further and then freezes. Raises.
 */
void mw_lua_sandbox_open(lua_State *L);

/* t[name] = frozen view of the table on top, which is popped; t is right below it. */
void mw_lua_sandbox_add(lua_State *L, const char *name);

/*
 * Replaces the table on top by a view of it: reads, iterates and counts like it, but nobody can
 * write to it, not with rawset either.
 */
void mw_lua_freeze(lua_State *L);

/* If the value at `index` is a view made by us, pushes the table behind it and returns true. */
bool mw_lua_push_hidden(lua_State *L, int index);

/* Makes the metatable on top one of a view of the table at `index`. */
void mw_lua_set_hidden(lua_State *L, int index);

/* For metatables of views: iterate and count what is hidden. */
int mw_lua_view_pairs(lua_State *L);
int mw_lua_view_len(lua_State *L);

/*
 * The metatable of environments: reads the globals on top, refuses every write. Pops the globals.
 */
void mw_lua_push_env_meta(lua_State *L);

#endif
