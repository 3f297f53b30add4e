/*
 * Lua looks `__call` up by a string whose address it keeps, in a row with those of the other
 * metamethods, in the block in which a state begins. The row is known by three of them that follow
 * each other, so nothing is supposed of where in that block it is. To write the address of a string
 * that is in no metatable over that one takes a single store, which a signal handler may do, and
 * Lua reads it anew at each step.
 *
 * `__call` is the one of the kind for which this leaves no trace: for `__index` and a few others
 * Lua notes in the metatable that it has found nothing. test_callable.c shows that it holds with
 * the Lua that is linked.
 */
#include "lua/callable.h"

#define ROW 3

/* The place of the second of `row` in the block, or NULL. */
static const void *volatile *find_row(const void *volatile *words, size_t count,
                                      const void *const row[ROW])
{
    for (size_t i = 0; i + ROW <= count; i++) {
        if (words[i] == row[0] && words[i + 1] == row[1] && words[i + 2] == row[2])
            return &words[i + 1];
    }
    return NULL;
}

static const void *address_of(lua_State *L, const char *text)
{
    lua_pushstring(L, text);
    const void *address = lua_topointer(L, -1);
    lua_pop(L, 1); /* Lua itself keeps the names of metamethods */
    return address;
}

/* A short string that no script can guess, kept for as long as the state. */
static const void *make_nothing(lua_State *L)
{
    unsigned char noise[16];
    mw_lua_random(L, noise, sizeof(noise));
    noise[0] |= 0x80; /* no name of a metamethod, whatever the host gives */
    lua_pushlstring(L, (const char *)noise, sizeof(noise));
    const void *nothing = lua_topointer(L, -1);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return nothing;
}

void mw_lua_callable_init(lua_State *L)
{
    struct mw_lua_callable *callable = &mw_lua_app(L)->callable;
    const void *row[ROW] = {
        address_of(L, "__concat"),
        address_of(L, "__call"),
        address_of(L, "__close"),
    };
    callable->name = row[1];
    callable->nothing = make_nothing(L);
    callable->place = find_row(callable->first_block, callable->first_bytes / sizeof(void *), row);
    if (!callable->place)
        luaL_error(L, "this Lua cannot be kept from following __call for ever");
}
