/*
 * A set of Lua objects by their addresses, for walks that must not go in circles. It keeps nothing
 * alive and costs the collector nothing; who keeps one across turns must bear that a new object has
 * the address of one that is gone.
 */
#ifndef MW_LUA_SEEN_H
#define MW_LUA_SEEN_H

#include "core/base/mem.h"

struct mw_lua_seen {
    const void **places; /* a power of two of them, NULL where free */
    size_t room, count;
};

/* 1: it is new, and now in the set. 0: it was there. MW_ERR_NOMEM: the set is as it was. */
int mw_lua_seen_add(struct mw_lua_seen *seen, struct mw_mem *mem, const void *object);

/* Empties it; a zeroed one is empty. */
void mw_lua_seen_free(struct mw_lua_seen *seen, struct mw_mem *mem);

#endif
