/*
 * Whose turn it is. Calls into scripts get a share of each turn of the loop, so that the sockets
 * get theirs; who has to wait stands in a queue, and the one who has used least goes first: a
 * script that needs a moment is not behind one that uses its whole budget again and again.
 *
 * Pure: turns are numbered and CPU time is counted in ticks (core/base/cpu_tick.h) by who asks.
 */
#ifndef MW_SERVER_SHARE_H
#define MW_SERVER_SHARE_H

#include "core/base/list.h"
#include "moonwire/types.h"

/*
 * Of CPU time: 8 to 24 ms, as a tick comes late or early. A busy turn of a thousand sockets stays
 * below.
 */
#define MW_SHARE_TICKS 3
/* Of calls: for a system that gives no ticks. */
#define MW_SHARE_CALLS 10000
/* So many calls that are hardly seen weigh as much as a tick. */
#define MW_SHARE_CALLS_OF_TICK 1000

/* One of those who share. */
struct mw_share_place {
    struct mw_link link; /* of the queue */
    uint64_t used;       /* in calls, see mw_share_charge; brought forward after a quiet time */
};

struct mw_share {
    struct mw_link queue;
    const struct mw_share_place *running; /* whose turn it is, taken off the queue; or NULL */
    uint64_t turn;
    unsigned begun_tick, calls; /* of this turn */
    bool late;                  /* the turn before took longer than its share */
    uint64_t clock;             /* `used` of the last one whose turn it was: never goes back */
    unsigned max_ticks, max_calls;
};

void mw_share_init(struct mw_share *share);
void mw_share_place_init(struct mw_share_place *place);

/* The moment is in this turn, at this tick; a new turn is a new share. */
void mw_share_at(struct mw_share *share, uint64_t turn, unsigned tick);
/* This turn's share is used up. */
bool mw_share_is_spent(const struct mw_share *share, unsigned tick);
/*
 * A call may be made for it at once: there is some of the share left, and it is its turn, or nobody
 * waits. After a turn that was late everybody stands in the queue: whoever the kernel names first
 * could be the one who made it late.
 */
bool mw_share_may_call(const struct mw_share *share, const struct mw_share_place *place,
                       unsigned tick);
/* A call was made for it that took so many ticks. */
void mw_share_charge(struct mw_share *share, struct mw_share_place *place, unsigned ticks);

/* It stands in the queue, once, until it is its turn. */
void mw_share_wait(struct mw_share *share, struct mw_share_place *place);
void mw_share_leave(struct mw_share_place *place);
/* Whose turn it is now, taken off the queue; NULL: nobody waits. Until mw_share_done. */
struct mw_share_place *mw_share_next(struct mw_share *share);
void mw_share_done(struct mw_share *share);

#endif
