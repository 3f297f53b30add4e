/*
 * Ends what Lua follows from table to table within one instruction, where neither a hook nor
 * mw_lua_poll is asked, while a call of a script is being stopped.
 *
 * Where the `__call` of a table is a table, Lua goes on to the `__call` of that one, and each such
 * step moves all arguments: one that is its own `__call` holds the thread for minutes. `__index`
 * and `__newindex` lead through 2000 tables, in each of which a long key may be compared with
 * several that are nearly it: seconds. Cut off, Lua finds no metamethod of that name at the next
 * step: a table cannot be called, a field is nil, and what is assigned stays in the table that was
 * reached. The stop goes on from there.
 */
#ifndef MW_LUA_CHAIN_H
#define MW_LUA_CHAIN_H

#include "lua/state.h"

/* Finds what the others write to. Before any code of a script. Raises. */
void mw_lua_chain_init(lua_State *L);

/* Both are safe in a signal handler, and nothing before the init. */
static inline void mw_lua_chain_cut_calls(struct mw_app *app)
{
    struct mw_lua_chain *chain = &app->chain;
    if (chain->call)
        *chain->call = chain->nothing;
}

static inline void mw_lua_chain_cut_fields(struct mw_app *app)
{
    struct mw_lua_chain *chain = &app->chain;
    if (!chain->index)
        return;
    chain->is_deep = true;
    chain->index[0] = chain->index[1] = chain->nothing;
}

/* Everything is followed as ever. Where fields were cut off, goes through all objects once. */
void mw_lua_chain_mend(struct mw_app *app);

#endif
