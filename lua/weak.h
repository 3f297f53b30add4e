/*
 * Weak tables for scripts, but none with weak keys alone. Lua visits those again and again until
 * nothing new is found, all in one step that nothing can interrupt: 64 000 keys that refer to each
 * other in random order hold the collector for 27 s, and 6 MiB are enough for them.
 */
#ifndef MW_LUA_WEAK_H
#define MW_LUA_WEAK_H

#include "lua/state.h"

/*
 * Takes the meaning of "__mode" away from all tables of the state. Before any code of a script;
 * fills refs.weak_key. Raises.
 */
void mw_lua_weak_init(lua_State *L);

/*
 * For setmetatable: where the metatable on top says __mode, replaces it by one of ours that has the
 * same fields and is weak. What is changed in the script's own afterwards counts for tables that
 * are given it later. Raises for weak keys.
 */
void mw_lua_weak_apply(lua_State *L);

/* For getmetatable: the script's metatable in place of the one on top, if that is one of ours. */
void mw_lua_weak_undo(lua_State *L);

#endif
