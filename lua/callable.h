/*
 * Ends calls of tables that go on for ever. Where the `__call` of a table is a table, Lua goes on
 * to the `__call` of that one, and each such step moves all arguments: one that is its own `__call`
 * holds the thread for minutes inside one instruction, where neither a hook nor mw_lua_poll is
 * asked. While a call of a script is being stopped, Lua finds no `__call` at all: it raises, as for
 * any table that cannot be called, and the stop goes on from there.
 */
#ifndef MW_LUA_CALLABLE_H
#define MW_LUA_CALLABLE_H

#include "lua/state.h"

/* Finds what mw_lua_callable_set writes to. Before any code of a script. Raises. */
void mw_lua_callable_init(lua_State *L);

/* Whether tables can be called. Safe in a signal handler; nothing before the init. */
static inline void mw_lua_callable_set(struct mw_app *app, bool can_be)
{
    struct mw_lua_callable *callable = &app->callable;
    if (callable->place)
        *callable->place = can_be ? callable->name : callable->nothing;
}

#endif
