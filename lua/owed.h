/*
 * Ends of connections that on_close has not been told of yet: the script is paused, or others had
 * to get their turn. Kept in order, in the script's memory, and independent of the lua_State.
 */
#ifndef MW_LUA_OWED_H
#define MW_LUA_OWED_H

#include "lua/engine.h"

struct mw_lua_owed {
    struct mw_link link; /* of app->owed */
    size_t size;         /* of the block */
    mw_id conn;
    struct mw_end end;
    char texts[]; /* of `end` */
};

/* Copies what it needs. False: no memory. */
bool mw_lua_owed_put(struct mw_app *app, mw_id conn, const struct mw_end *end);
/* Gives the oldest one, to be freed with mw_lua_owed_free; NULL: none. */
struct mw_lua_owed *mw_lua_owed_take(struct mw_app *app);
void mw_lua_owed_free(struct mw_app *app, struct mw_lua_owed *owed);
void mw_lua_owed_free_all(struct mw_app *app);

#endif
