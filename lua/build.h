/*
 * A string under construction, for functions of the script's API. Its memory is a userdata on the
 * stack that no script sees: so it counts like everything of the script, a full collection is tried
 * before it fails (the buffers of lauxlib do not), and an error from anywhere loses nothing.
 */
#ifndef MW_LUA_BUILD_H
#define MW_LUA_BUILD_H

#include "lua/state.h"

struct mw_build {
    lua_State *L;
    int slot; /* of the stack, where the memory is */
    char *data;
    size_t len, cap;
    const volatile int *stop; /* lua/bytes.h */
    char first[512];          /* most strings never need more */
};

/* Begins an empty string; keeps the slot that it pushes. May raise. */
void mw_build_init(struct mw_build *build, lua_State *L);

/* Looks whether the running call is to be stopped, and makes room for `more` bytes. May raise. */
void mw_build_reserve(struct mw_build *build, size_t more);

/* May raise, for the same reasons. */
static inline void mw_build_put(struct mw_build *build, struct mw_view bytes)
{
    if (bytes.len == 0)
        return;
    if (bytes.len > build->cap - build->len || *build->stop)
        mw_build_reserve(build, bytes.len);
    memcpy(build->data + build->len, bytes.data, bytes.len);
    build->len += bytes.len;
}

/* Puts the string on top of the stack, and takes it off. */
void mw_build_put_top(struct mw_build *build);

/* Pushes what was built. May raise. */
static inline void mw_build_push(struct mw_build *build)
{
    lua_pushlstring(build->L, build->data, build->len);
}

#endif
