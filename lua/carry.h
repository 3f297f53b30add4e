/*
 * A rebuild: what a fresh app takes over from the one that it is to replace. Only data goes over;
 * code, timers and calls that wait stay behind.
 */
#ifndef MW_LUA_CARRY_H
#define MW_LUA_CARRY_H

#include "lua/engine.h"

/*
 * The carry of app.h. Reads `from` without running anything of it; all that it asks of it is room
 * on its stack. What is carried may fill three quarters of the cap of `to`: the rest is for the
 * version to come.
 */
int mw_lua_carry(struct mw_app *from, struct mw_app *to, struct mw_carried *told);

#endif
