/*
 * Ids for objects that others know only from outside. An id is worker (8 bits), generation (24),
 * slot (32); finding is two comparisons and no hashing.
 *
 * Invariants: a slot is live (object set), free (on the free list), fresh (from `fresh` on: nothing
 * was ever written there, so that what the table has grown by is no memory yet until it is used: 10
 * bytes of each of 10 000 connections), or retired (neither).
 * Generations are 1 and up, so no id is 0; all slots begin with the table's `first`, and after the
 * last one comes 1. A slot that has used up its generations is retired, because the next one round
 * would make a stale id true again. That costs 16 bytes for 16 million ids.
 */
#include "core/base/slot.h"

#include "core/base/check.h"

#define GENERATION_SHIFT 32
#define LAST_GENERATION  0xFFFFFFU
#define FIRST_CAP        16

struct mw_slot {
    void *object;        /* NULL where no id leads here */
    uint32_t generation; /* of the live id, or of the next one */
    uint32_t next_free;  /* index + 1, 0 ends the list */
};

void mw_slots_init(struct mw_slots *table, struct mw_mem *mem, uint8_t worker)
{
    *table = (struct mw_slots){ .mem = mem, .worker = worker, .first = 1 };
}

void mw_slots_begin_at(struct mw_slots *table, uint32_t chance)
{
    mw_assert(table->cap == 0);
    table->first = chance % LAST_GENERATION + 1;
}

void mw_slots_free(struct mw_slots *table)
{
    if (!table)
        return;
    mw_free(table->mem, table->slots, table->cap * sizeof(*table->slots));
    mw_slots_init(table, table->mem, table->worker);
}

static uint32_t generation_after(uint32_t generation)
{
    return generation == LAST_GENERATION ? 1 : generation + 1;
}

/* How many generations of a slot come before this one. */
static uint32_t age_of(const struct mw_slots *table, uint32_t generation)
{
    return (generation + LAST_GENERATION - table->first) % LAST_GENERATION;
}

static mw_id id_of(const struct mw_slots *table, uint32_t index)
{
    return (mw_id)table->worker << MW_SLOTS_WORKER_SHIFT |
           (mw_id)table->slots[index].generation << GENERATION_SHIFT | index;
}

static struct mw_slot *find(const struct mw_slots *table, mw_id id)
{
    uint32_t index = (uint32_t)id;
    if (index >= table->fresh || !table->slots[index].object || id_of(table, index) != id)
        return NULL;
    return &table->slots[index];
}

static void push_free(struct mw_slots *table, uint32_t index)
{
    table->slots[index].next_free = table->free_head;
    table->free_head = index + 1;
}

static bool grow(struct mw_slots *table)
{
    if (table->cap > UINT32_MAX / 2)
        return false;
    uint32_t cap = table->cap ? table->cap * 2 : FIRST_CAP;
    size_t slot_bytes = sizeof(*table->slots);
    struct mw_slot *slots =
        mw_realloc(table->mem, table->slots, table->cap * slot_bytes, cap * slot_bytes);
    if (!slots)
        return false;
    table->slots = slots;
    table->cap = cap;
    return true;
}

static bool make_fresh(struct mw_slots *table)
{
    if (table->fresh == table->cap && !grow(table))
        return false;
    table->slots[table->fresh] = (struct mw_slot){ .generation = table->first };
    push_free(table, table->fresh++);
    return true;
}

mw_id mw_slots_add(struct mw_slots *table, void *object)
{
    mw_assert(object);
    if (table->free_head == 0 && !make_fresh(table))
        return 0;
    uint32_t index = table->free_head - 1;
    table->free_head = table->slots[index].next_free;
    table->slots[index].object = object;
    table->used++;
    return id_of(table, index);
}

void *mw_slots_get(const struct mw_slots *table, mw_id id)
{
    const struct mw_slot *slot = find(table, id);
    return slot ? slot->object : NULL;
}

bool mw_slots_had(const struct mw_slots *table, mw_id id)
{
    uint32_t index = (uint32_t)id,
             generation = (uint32_t)(id >> GENERATION_SHIFT) & LAST_GENERATION;
    if (mw_slots_worker_of(id) != table->worker || index >= table->fresh || generation == 0)
        return false;
    return age_of(table, generation) < age_of(table, table->slots[index].generation) ||
           find(table, id);
}

void mw_slots_remove(struct mw_slots *table, mw_id id)
{
    struct mw_slot *slot = find(table, id);
    if (!slot)
        return;
    slot->object = NULL;
    table->used--;
    uint32_t next = generation_after(slot->generation);
    if (next == table->first)
        return;
    slot->generation = next;
    push_free(table, (uint32_t)id);
}

mw_id mw_slots_next(const struct mw_slots *table, mw_id after)
{
    uint64_t index = after ? (uint64_t)(uint32_t)after + 1 : 0;
    for (; index < table->fresh; index++) {
        if (table->slots[index].object)
            return id_of(table, (uint32_t)index);
    }
    return 0;
}
