/*
 * A table of slots with generations: makes the ids by which a connection is known outside its
 * worker. A freed slot is used again under a new generation, so a stale id finds nothing.
 */
#ifndef MW_BASE_SLOT_H
#define MW_BASE_SLOT_H

#include "core/base/mem.h"

#define MW_SLOTS_WORKER_SHIFT 56

struct mw_slots {
    struct mw_slot *slots; /* private */
    uint32_t cap, used, free_head;
    uint32_t fresh; /* slots from here on were never used */
    uint32_t first; /* generation of each slot */
    uint8_t worker;
    struct mw_mem *mem;
};

void mw_slots_init(struct mw_slots *table, struct mw_mem *mem, uint8_t worker);
/*
 * Before the first add: ids are others than those of a table that was begun elsewhere, for instance
 * in an earlier run. `chance` is any number, a random one.
 */
void mw_slots_begin_at(struct mw_slots *table, uint32_t chance);
void mw_slots_free(struct mw_slots *table);

/* Gives an id (never 0) that leads to `object` (borrowed), or 0: no memory. */
mw_id mw_slots_add(struct mw_slots *table, void *object);

/* The number of the worker whose table has given this id. */
static inline uint8_t mw_slots_worker_of(mw_id id)
{
    return (uint8_t)(id >> MW_SLOTS_WORKER_SHIFT);
}

/* The object, or NULL for an id that is stale, of another worker, or nonsense. */
void *mw_slots_get(const struct mw_slots *table, mw_id id);

/*
 * The id was given by this table, now or once: tells one that is stale from nonsense. (The last id
 * of a slot that is used up is taken for nonsense.)
 */
bool mw_slots_had(const struct mw_slots *table, mw_id id);

/* Ends the id; its slot's generation is raised. Stale ids are ignored. */
void mw_slots_remove(struct mw_slots *table, mw_id id);

/*
 * Walks the live ids in slot order: start with 0, give the last id back, 0 at the end. Slots may be
 * added and removed in between (an id removed meanwhile is a valid place to go on from).
 */
mw_id mw_slots_next(const struct mw_slots *table, mw_id after);

static inline uint32_t mw_slots_count(const struct mw_slots *table)
{
    return table->used;
}

#endif
