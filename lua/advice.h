/* Advice as scripts write it: `false` (stay away) or { after = s, spread = s, resume = bool }. */
#ifndef MW_LUA_ADVICE_H
#define MW_LUA_ADVICE_H

#include "lua/state.h"
#include "moonwire/advice.h"

/*
 * The value at `index` into *advice; nil: NONE. NULL, or what is wrong with it, as the end of a
 * sentence ("advice.after is -1, but ..."): it stands on the stack until the caller raises it.
 */
const char *mw_lua_advice_read(lua_State *L, int index, struct mw_advice *advice);

#endif
