/*
 * Where one is while walking nested tables: the keys from the top down, for messages that name the
 * place
 * ("rooms.lobby[3].cb"), and the tables, to notice circles.
 */
#ifndef MW_LUA_PATH_H
#define MW_LUA_PATH_H

#include "lua/state.h"
#include "moonwire/bounds.h"

struct mw_lua_path {
    int depth;
    int key_at[MW_BOUND_JSON_DEPTH]; /* stack index of the key that leads from one table to the next
                                      */
    const void *table[MW_BOUND_JSON_DEPTH];
};

/*
 * Goes into the table at absolute index `table`; key_at of the new level is to be set for each key.
 * False when it is too deep.
 */
bool mw_lua_path_enter(struct mw_lua_path *path, lua_State *L, int table);
void mw_lua_path_leave(struct mw_lua_path *path);

/* True when the table at `index` is one that the path goes through. */
bool mw_lua_path_has(const struct mw_lua_path *path, lua_State *L, int index);

/*
 * Pushes "root.a.b[1]"; "root" alone at the top; without a root "a.b[1]", or "the value". May
 * raise.
 */
void mw_lua_path_push(const struct mw_lua_path *path, lua_State *L, const char *root);

/* A name that may stand behind a dot. */
bool mw_lua_is_identifier(struct mw_view text);

#endif
