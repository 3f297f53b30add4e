/* The Lua 5.4 engine, as a table of app.h. */
#ifndef MOONWIRE_ENGINE_LUA_H
#define MOONWIRE_ENGINE_LUA_H

#include "moonwire/app.h"

const struct mw_engine *mw_engine_lua(void);

#endif
