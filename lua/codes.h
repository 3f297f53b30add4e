/* M.codes: what a script says about close codes of its own. */
#ifndef MW_LUA_CODES_H
#define MW_LUA_CODES_H

#include "lua/version.h"

/* The value on top of the stack into version->spec, which points into it; raises what is wrong. */
void mw_lua_codes_read(lua_State *L, struct mw_lua_version *version, const char *key);

#endif
