/*
 * A hierarchical timer wheel with entries inside their owners; time is passed in. Starting, moving
 * and stopping are O(1) and cannot fail. Precision 1 ms. Due entries are first moved to a list and
 * only then handed out, so whoever handles one may start and stop any other.
 */
#ifndef MW_BASE_WHEEL_H
#define MW_BASE_WHEEL_H

#include "core/base/list.h"
#include "moonwire/types.h"

#define MW_WHEEL_BITS   6 /* 64 slots a level */
#define MW_WHEEL_LEVELS 7 /* 2^42 ms = 139 years */

struct mw_timer {
    struct mw_link link;
    mw_ms at_ms;
};

struct mw_wheel {
    mw_ms now_ms;
    struct mw_link due;
    uint64_t occupied[MW_WHEEL_LEVELS]; /* a bit for each slot that holds entries */
    struct mw_link slots[MW_WHEEL_LEVELS][1 << MW_WHEEL_BITS];
};

void mw_wheel_init(struct mw_wheel *wheel, mw_ms now_ms);

/* An entry must be made before it is used; after that it is on no list. */
void mw_timer_init(struct mw_timer *timer);
static inline bool mw_timer_is_running(const struct mw_timer *timer)
{
    return mw_list_is_linked(&timer->link);
}

/*
 * (Re)starts. A moment that has passed becomes now_ms: due at the next advance, even of 0 ms.
 * Entries of the same moment come out in the order they were started in.
 */
void mw_wheel_start(struct mw_wheel *wheel, struct mw_timer *timer, mw_ms at_ms);
void mw_wheel_stop(struct mw_wheel *wheel, struct mw_timer *timer);

/* Moves time forward (never back) and collects what is due. */
void mw_wheel_advance(struct mw_wheel *wheel, mw_ms now_ms);

/* The next due entry, taken off, in order of at_ms; NULL when there is none. */
struct mw_timer *mw_wheel_pop(struct mw_wheel *wheel);

/*
 * A moment not later than the first entry's, MW_NEVER without entries: when to advance next. May be
 * earlier than any entry (a cascade), never later.
 */
mw_ms mw_wheel_next(const struct mw_wheel *wheel);

/* Each entry is in the slot of its moment; for tests and fuzzers. */
bool mw_wheel_validate(const struct mw_wheel *wheel);

#endif
