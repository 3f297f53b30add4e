/*
 * A hash table with linear probing, half empty at least. Called by outq.c.
 *
 * Whoever chooses keys that share a place makes a search as long as there are such messages in one
 * queue: some thousands, since each counts with MW_OUT_KEYED_COST against limits.queue.
 */
#include "core/session/outq_keys.h"

#include "core/base/check.h"
#include "core/base/digest.h"
#include "core/base/str.h"

#define ROOM_MIN 8

struct mw_out_keys {
    size_t count, room; /* a power of two */
    struct mw_out_seg *places[];
};

static size_t home_of(const struct mw_out_keys *keys, struct mw_view key)
{
    uint64_t hash = mw_hash64(key, 0);
    return (size_t)(hash ^ hash >> 32) & (keys->room - 1);
}

static size_t after(const struct mw_out_keys *keys, size_t place)
{
    return (place + 1) & (keys->room - 1);
}

size_t mw_out_keys_count(const struct mw_out_keys *keys)
{
    return keys ? keys->count : 0;
}

struct mw_out_seg *mw_out_keys_find(const struct mw_out_keys *keys, struct mw_view key)
{
    if (!keys)
        return 0;
    size_t at = home_of(keys, key);
    while (keys->places[at] && !mw_view_equal(mw_out_seg_key(keys->places[at]), key))
        at = after(keys, at);
    return keys->places[at];
}

static void put(struct mw_out_keys *keys, struct mw_out_seg *seg)
{
    size_t at = home_of(keys, mw_out_seg_key(seg));
    while (keys->places[at])
        at = after(keys, at);
    keys->places[at] = seg;
    keys->count++;
}

static size_t size_of(size_t room)
{
    return sizeof(struct mw_out_keys) + room * sizeof(struct mw_out_seg *);
}

static int grow(struct mw_out_keys **keys, struct mw_mem *mem)
{
    struct mw_out_keys *old = *keys;
    size_t room = old ? old->room * 2 : ROOM_MIN;
    struct mw_out_keys *wider = mw_alloc_zero(mem, size_of(room));
    if (!wider)
        return MW_ERR_NOMEM;
    wider->room = room;
    for (size_t i = 0; old && i < old->room; i++) {
        if (old->places[i])
            put(wider, old->places[i]);
    }
    if (old)
        mw_free(mem, old, size_of(old->room));
    *keys = wider;
    return MW_OK;
}

int mw_out_keys_add(struct mw_out_keys **keys, struct mw_mem *mem, struct mw_out_seg *seg)
{
    bool is_full = !*keys || (*keys)->count * 2 >= (*keys)->room;
    if (is_full && grow(keys, mem))
        return MW_ERR_NOMEM;
    put(*keys, seg);
    seg->keyed = true;
    return MW_OK;
}

/* Those behind the gap that it cuts off from their home move up. */
static void close_gap(struct mw_out_keys *keys, size_t gap)
{
    for (size_t at = after(keys, gap); keys->places[at]; at = after(keys, at)) {
        size_t home = home_of(keys, mw_out_seg_key(keys->places[at]));
        size_t to_home = (at - home) & (keys->room - 1), to_gap = (at - gap) & (keys->room - 1);
        if (to_home < to_gap)
            continue;
        keys->places[gap] = keys->places[at];
        gap = at;
    }
    keys->places[gap] = 0;
}

void mw_out_keys_remove(struct mw_out_keys **keys, struct mw_mem *mem, struct mw_out_seg *seg)
{
    struct mw_out_keys *table = *keys;
    mw_assert(seg->keyed && table);
    size_t at = home_of(table, mw_out_seg_key(seg));
    while (table->places[at] != seg)
        at = after(table, at);
    close_gap(table, at);
    seg->keyed = false;
    if (--table->count > 0)
        return;
    mw_free(mem, table, size_of(table->room));
    *keys = 0;
}
