/* Compiling the files of a version, and `require`. */
#ifndef MW_LUA_REQUIRE_H
#define MW_LUA_REQUIRE_H

#include "lua/sched.h"
#include "lua/version.h"

/*
 * Pushes the compiled chunk of a file, text only, in the version's environment. Raises its error.
 */
void mw_lua_load_source(lua_State *L, struct mw_lua_version *version,
                        const struct mw_lua_source *file);

/* require(name) */
int mw_lua_require(lua_State *L);

#endif
