/* `moonwire check`, the engine's part: app.h says what it does. */
#ifndef MW_LUA_CHECK_H
#define MW_LUA_CHECK_H

#include "moonwire/app.h"

int mw_lua_check(const struct mw_check *check);

#endif
