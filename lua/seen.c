/* Open addressing, at most three quarters full. Knows nothing of Lua but that addresses differ. */
#include "lua/seen.h"

#define FIRST_ROOM 64

/* Objects are at least 16 bytes apart; the multiplication spreads what is left. */
static size_t place_of(const void *object, size_t room)
{
    uint64_t mixed = ((uintptr_t)object >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) & (room - 1);
}

/* The place of the object, or the free one where it belongs. */
static const void **find(const void **places, size_t room, const void *object)
{
    size_t i = place_of(object, room);
    while (places[i] && places[i] != object)
        i = (i + 1) & (room - 1);
    return &places[i];
}

static int grow(struct mw_lua_seen *seen, struct mw_mem *mem)
{
    size_t room = seen->room ? seen->room * 2 : FIRST_ROOM;
    const void **places = mw_alloc_zero(mem, room * sizeof(*places));
    if (!places)
        return MW_ERR_NOMEM;
    for (size_t i = 0; i < seen->room; i++) {
        if (seen->places[i])
            *find(places, room, seen->places[i]) = seen->places[i];
    }
    mw_free(mem, seen->places, seen->room * sizeof(*places));
    seen->places = places;
    seen->room = room;
    return MW_OK;
}

int mw_lua_seen_add(struct mw_lua_seen *seen, struct mw_mem *mem, const void *object)
{
    if (seen->room && *find(seen->places, seen->room, object))
        return 0;
    if (seen->count >= seen->room / 4 * 3 && grow(seen, mem) != MW_OK)
        return MW_ERR_NOMEM;
    *find(seen->places, seen->room, object) = object;
    seen->count++;
    return 1;
}

void mw_lua_seen_free(struct mw_lua_seen *seen, struct mw_mem *mem)
{
    mw_free(mem, seen->places, seen->room * sizeof(*seen->places));
    *seen = (struct mw_lua_seen){ 0 };
}
