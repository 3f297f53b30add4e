/* Reading the table that a script returns: handlers and route. */
#ifndef MW_LUA_SHAPE_H
#define MW_LUA_SHAPE_H

#include "lua/sched.h"
#include "lua/version.h"

/* Takes the value at index 1 as the module of `version`, or raises what is wrong with it. */
void mw_lua_shape_read(lua_State *L, struct mw_lua_version *version);

#endif
