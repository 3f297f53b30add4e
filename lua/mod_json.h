/* json.encode, json.decode, json.null, json.array, and the same for our own use. */
#ifndef MW_LUA_MOD_JSON_H
#define MW_LUA_MOD_JSON_H

#include "core/base/json.h"
#include "lua/state.h"
#include "moonwire/bounds.h"

/* Fills app->refs.array_meta and refs.null. Raises. */
void mw_lua_json_init(lua_State *L);

extern const luaL_Reg mw_lua_json_functions[];

/*
 * Appends the value at `index` as JSON. Raises what cannot be said in JSON, with its key path;
 * where `is_lenient` is set (log lines) it writes a description instead.
 */
void mw_lua_json_write(lua_State *L, int index, struct mw_buf *out, bool is_lenient);

/* Pushes the decoded value, or returns false with *error: nothing was pushed. Raises for memory. */
bool mw_lua_json_read(lua_State *L, struct mw_view text, struct mw_json_error *error);

#endif
