/* The options of conn:subscribe, and what is told about how it went. */
#ifndef MW_LUA_SUBSCRIBE_H
#define MW_LUA_SUBSCRIBE_H

#include "lua/state.h"

/*
 * Reads the options at `arg`; false: there are none. The presence lives in app->scratch. Raises
 * what is wrong.
 */
bool mw_lua_subscribe_options(lua_State *L, int arg, struct mw_subscribe_how *how);

/* Pushes { offset =, whole =, replayed = }. Raises. */
void mw_lua_subscribe_push(lua_State *L, const struct mw_subscribed *told);

#endif
