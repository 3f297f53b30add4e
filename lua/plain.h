/*
 * Plain data: booleans, numbers, strings, json.null, and tables of those without metatables (but
 * the mark of json.array). What can live on when the version that made it is gone.
 */
#ifndef MW_LUA_PLAIN_H
#define MW_LUA_PLAIN_H

#include "lua/state.h"

/*
 * Why this value cannot outlive its version ("functions cannot survive a reload"), or NULL. The
 * content of tables is not looked at. Static text; never raises.
 */
const char *mw_lua_plain_objection(lua_State *L, int index);
const char *mw_lua_plain_key_objection(lua_State *L, int index);

/*
 * Raises "state.rooms.lobby.cb: functions cannot survive a reload" unless the value at index
 * `value`, to be kept as state[key], is plain down to its last table.
 */
void mw_lua_plain_check(lua_State *L, int key, int value);

/* The table at `index` is marked by json.array. Never raises. */
bool mw_lua_is_marked_array(lua_State *L, int index);

/* Its metatable is not the script's to look at or to take away: a view of ours. May raise. */
bool mw_lua_is_protected(lua_State *L, int index);

#endif
