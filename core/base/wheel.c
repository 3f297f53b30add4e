/*
 * Timers. A level has 64 slots, each 64 times as long as one of the level below; a bit map of
 * occupied slots says where to look next, so neither an empty slot nor a jump of hours costs a
 * step.
 *
 * Invariants, checked by mw_wheel_validate:
 *  - A running entry is in exactly one slot, or in `due`. Its level is that of the highest bit in
 *    which its moment differs from now; its slot is the part of its moment that belongs to that
 *    level.
 *  - So only level 0 may hold entries in the slot of now, and no slot begins in the past.
 *  - The top level goes round: what is further off than it reaches waits in its last slot and is
 *    placed again when time gets there.
 *  - A bit of `occupied` is set exactly where the slot holds entries.
 */
#include "core/base/wheel.h"

#define SLOTS     (1U << MW_WHEEL_BITS)
#define SLOT_MASK (SLOTS - 1)
#define TOP       (MW_WHEEL_LEVELS - 1)

struct place {
    unsigned level, slot;
};

static unsigned shift_of(unsigned level)
{
    return level * MW_WHEEL_BITS;
}

static unsigned slot_at(unsigned level, mw_ms at_ms)
{
    return (unsigned)(at_ms >> shift_of(level)) & SLOT_MASK;
}

static unsigned level_of(mw_ms now_ms, mw_ms at_ms)
{
    mw_ms differs = now_ms ^ at_ms;
    if (differs == 0)
        return 0;
    unsigned level = (63 - (unsigned)__builtin_clzll(differs)) / MW_WHEEL_BITS;
    return level < TOP ? level : TOP;
}

static struct place place_of(mw_ms now_ms, mw_ms at_ms)
{
    unsigned level = level_of(now_ms, at_ms);
    bool is_out_of_reach = (at_ms >> shift_of(TOP)) - (now_ms >> shift_of(TOP)) >= SLOTS;
    if (level == TOP && is_out_of_reach)
        return (struct place){ TOP, (slot_at(TOP, now_ms) + SLOT_MASK) & SLOT_MASK };
    return (struct place){ level, slot_at(level, at_ms) };
}

static void put(struct mw_wheel *wheel, struct mw_timer *timer)
{
    struct place place = place_of(wheel->now_ms, timer->at_ms);
    mw_list_push(&wheel->slots[place.level][place.slot], &timer->link);
    wheel->occupied[place.level] |= UINT64_C(1) << place.slot;
}

/* Takes everything out of a slot, in order. */
static void take_slot(struct mw_wheel *wheel, struct place place, struct mw_link *to)
{
    mw_list_take(to, &wheel->slots[place.level][place.slot]);
    wheel->occupied[place.level] &= ~(UINT64_C(1) << place.slot);
}

void mw_wheel_init(struct mw_wheel *wheel, mw_ms now_ms)
{
    wheel->now_ms = now_ms;
    mw_list_init(&wheel->due);
    for (unsigned level = 0; level < MW_WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < SLOTS; slot++)
            mw_list_init(&wheel->slots[level][slot]);
    }
}

void mw_timer_init(struct mw_timer *timer)
{
    mw_list_init(&timer->link);
    timer->at_ms = 0;
}

void mw_wheel_start(struct mw_wheel *wheel, struct mw_timer *timer, mw_ms at_ms)
{
    mw_wheel_stop(wheel, timer);
    timer->at_ms = at_ms > wheel->now_ms ? at_ms : wheel->now_ms;
    put(wheel, timer);
}

/* A list lost its last entry; the only link left is its head, whose index is the place. */
static void clear_bit(struct mw_wheel *wheel, const struct mw_link *head)
{
    uintptr_t offset = (uintptr_t)head - (uintptr_t)wheel->slots;
    if (head == &wheel->due || offset >= sizeof(wheel->slots))
        return;
    size_t index = offset / sizeof(*head);
    wheel->occupied[index / SLOTS] &= ~(UINT64_C(1) << index % SLOTS);
}

void mw_wheel_stop(struct mw_wheel *wheel, struct mw_timer *timer)
{
    struct mw_link *neighbour = timer->link.next;
    bool was_last = neighbour == timer->link.prev && neighbour != &timer->link;
    mw_list_remove(&timer->link);
    if (was_last)
        clear_bit(wheel, neighbour);
}

/* The moment at which the first occupied slot of a level begins, MW_NEVER where none is. */
static mw_ms next_of_level(const struct mw_wheel *wheel, unsigned level)
{
    uint64_t bits = wheel->occupied[level];
    if (bits == 0)
        return MW_NEVER;
    unsigned here = slot_at(level, wheel->now_ms);
    uint64_t ahead = bits >> here | bits << (-here & SLOT_MASK); /* bit 0 is the slot of now */
    mw_ms begins = (wheel->now_ms >> shift_of(level)) + (mw_ms)__builtin_ctzll(ahead);
    return begins << shift_of(level);
}

/* A lower level ends before the next slot of a higher one begins: the first with a bit is next. */
static mw_ms next_slot_ms(const struct mw_wheel *wheel)
{
    for (unsigned level = 0; level < MW_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level])
            return next_of_level(wheel, level);
    }
    return MW_NEVER;
}

mw_ms mw_wheel_next(const struct mw_wheel *wheel)
{
    if (!mw_list_is_empty(&wheel->due))
        return MW_OWNER(wheel->due.next, struct mw_timer, link)->at_ms;
    return next_slot_ms(wheel);
}

/* Entries of slots that begin now go down a level or more, the highest first. */
static void cascade(struct mw_wheel *wheel)
{
    for (unsigned level = TOP; level > 0; level--) {
        struct place here = { level, slot_at(level, wheel->now_ms) };
        if (!(wheel->occupied[level] >> here.slot & 1))
            continue;
        struct mw_link taken, *link;
        take_slot(wheel, here, &taken);
        while ((link = mw_list_pop(&taken)))
            put(wheel, MW_OWNER(link, struct mw_timer, link));
    }
}

static void collect_due(struct mw_wheel *wheel)
{
    struct mw_link taken, *link;
    take_slot(wheel, (struct place){ 0, slot_at(0, wheel->now_ms) }, &taken);
    while ((link = mw_list_pop(&taken)))
        mw_list_push(&wheel->due, link);
}

void mw_wheel_advance(struct mw_wheel *wheel, mw_ms now_ms)
{
    if (now_ms < wheel->now_ms)
        now_ms = wheel->now_ms;
    for (mw_ms next = next_slot_ms(wheel); next <= now_ms; next = next_slot_ms(wheel)) {
        if (next == MW_NEVER) /* also the end of time: nothing is occupied */
            break;
        wheel->now_ms = next;
        cascade(wheel);
        collect_due(wheel);
    }
    wheel->now_ms = now_ms;
}

struct mw_timer *mw_wheel_pop(struct mw_wheel *wheel)
{
    struct mw_link *link = mw_list_pop(&wheel->due);
    return link ? MW_OWNER(link, struct mw_timer, link) : NULL;
}

/* ---- validation ---- */

static bool is_in_place(const struct mw_wheel *wheel, const struct mw_timer *timer,
                        struct place here)
{
    if (timer->at_ms < wheel->now_ms)
        return false;
    struct place right = place_of(wheel->now_ms, timer->at_ms);
    if (right.level != here.level)
        return false;
    /* What was out of reach when it was put waits in a slot that begins before its moment. */
    mw_ms ahead = (timer->at_ms >> shift_of(TOP)) - (wheel->now_ms >> shift_of(TOP));
    mw_ms slots_ahead = (here.slot - slot_at(TOP, wheel->now_ms)) & SLOT_MASK;
    return right.slot == here.slot || (here.level == TOP && slots_ahead > 0 && slots_ahead < ahead);
}

static bool is_slot_valid(const struct mw_wheel *wheel, struct place here)
{
    const struct mw_link *head = &wheel->slots[here.level][here.slot];
    bool is_marked = wheel->occupied[here.level] >> here.slot & 1;
    if (is_marked == mw_list_is_empty(head))
        return false;
    for (const struct mw_link *link = head->next; link != head; link = link->next) {
        if (link->next->prev != link || link->prev->next != link)
            return false;
        if (!is_in_place(wheel, MW_OWNER(link, struct mw_timer, link), here))
            return false;
    }
    return true;
}

static bool is_due_valid(const struct mw_wheel *wheel)
{
    mw_ms last_ms = 0;
    for (const struct mw_link *link = wheel->due.next; link != &wheel->due; link = link->next) {
        mw_ms at_ms = MW_OWNER(link, struct mw_timer, link)->at_ms;
        if (at_ms < last_ms || at_ms > wheel->now_ms)
            return false;
        last_ms = at_ms;
    }
    return true;
}

bool mw_wheel_validate(const struct mw_wheel *wheel)
{
    for (unsigned level = 0; level < MW_WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (!is_slot_valid(wheel, (struct place){ level, slot }))
                return false;
        }
    }
    return is_due_valid(wheel);
}
