/* What to do about an error: "did you mean", Lua's ways for people who come from elsewhere. */
#ifndef MW_LUA_HINTS_H
#define MW_LUA_HINTS_H

#include "lua/source.h"
#include "lua/state.h"

/*
 * What an error may be compared with, and a thread on which that can be done: the failed one has no
 * room left on its stack.
 */
struct mw_lua_where {
    lua_State *L; /* not the failed thread */
    const struct mw_lua_sources *sources;
    bool is_script; /* not moonwire.lua, which has few globals */
};

/* Writes a hint for this message, or "". `file` may be NULL. Never raises. */
void mw_lua_hint(const struct mw_lua_where *where, const struct mw_lua_source *file, int line,
                 const char *message, char *out, size_t size);

/* The path of the library that was probably meant, or NULL. Borrows. */
const char *mw_lua_nearest_lib(const struct mw_lua_sources *sources, struct mw_view path);

#endif
