/* Reading the table that a script returns: handlers and route. */
#ifndef MW_LUA_SHAPE_H
#define MW_LUA_SHAPE_H

#include "lua/sched.h"
#include "lua/version.h"

/* Takes the value at index 1 as the module of `version`, or raises what is wrong with it. */
void mw_lua_shape_read(lua_State *L, struct mw_lua_version *version);

/* For what the spec points into: keeps the value on top alive as long as the version, pops it. */
void mw_lua_shape_keep(lua_State *L, struct mw_lua_version *version);
/* The same for a string, which stays on the stack; gives its text. */
struct mw_view mw_lua_shape_keep_text(lua_State *L, struct mw_lua_version *version);

/* One kind of row of a table of the module: M.codes, M.topics. */
struct mw_lua_rows {
    size_t size; /* of a row */
    /* Key at -2, value at -1, both stay; raises what is wrong with them. */
    void (*read)(lua_State *L, struct mw_lua_version *version, const char *key, void *row);
    int (*compare)(const void *a, const void *b);
};
/*
 * The value on top as rows, sorted, for as long as the version lives; raises where it is no table.
 */
const void *mw_lua_shape_rows(lua_State *L, struct mw_lua_version *version, const char *key,
                              const struct mw_lua_rows *rows, size_t *count);

#endif
