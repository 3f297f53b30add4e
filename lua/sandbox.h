/* Views: tables that scripts can read and nobody can change. */
#ifndef MW_LUA_SANDBOX_H
#define MW_LUA_SANDBOX_H

#include "lua/state.h"

/*
 * Replaces the table on top by a view of it: reads, iterates and counts like it, but nobody can
 * write to it, not with rawset either.
 */
void mw_lua_freeze(lua_State *L);

/*
 * If the value at `index` is a view made by us, pushes the table behind it and returns true. May
 * raise where that table is made only now (`state` while a version loads).
 */
bool mw_lua_push_hidden(lua_State *L, int index);

/*
 * Makes the metatable on top one of a view of the table at `index`, or of the one that the C
 * function there gives when somebody looks behind the view.
 */
void mw_lua_set_hidden(lua_State *L, int index);

/* Raises for a write to key 2 of the view at 1. */
int mw_lua_refuse_write(lua_State *L);

/* base.c: `next`, through views as well. */
int mw_lua_next(lua_State *L);

/* For metatables of views: iterate and count what is hidden. */
int mw_lua_view_pairs(lua_State *L);
int mw_lua_view_len(lua_State *L);

/*
 * The metatable of environments: reads the globals on top, refuses every write. Pops the globals.
 */
void mw_lua_push_env_meta(lua_State *L);

#endif
