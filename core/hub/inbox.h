/*
 * What other workers have published and one worker has still to deliver: posted by any thread,
 * under the lock of the topic's stripe, taken by the worker's own. In the order of posting.
 */
#ifndef MW_HUB_INBOX_H
#define MW_HUB_INBOX_H

#include "core/base/lock.h"
#include "core/hub/publication.h"

/*
 * Bytes of publications that may wait for one worker; who publishes beyond it is refused. A worker
 * can be held up by a script for as long as one call may take, and takes all of it then.
 */
#define MW_INBOX_BYTES ((size_t)64 << 20)

struct mw_inbox {
    unsigned worker;
    void (*wake)(void *ctx); /* any thread; NULL: the worker looks by itself */
    void *ctx;
    struct mw_inbox_place *taken, **taken_end; /* the worker's alone */
    atomic_size_t bytes;                       /* of all that is not delivered yet */

    struct mw_lock lock; /* guards what follows */
    struct mw_inbox_place *first, **end;
    bool is_woken;
};

void mw_inbox_init(struct mw_inbox *inbox, unsigned worker);
/* Drops what is left. */
void mw_inbox_free(struct mw_inbox *inbox);
/* Before anything is posted: `wake` is called once for all that is posted until `woken`. */
void mw_inbox_on_post(struct mw_inbox *inbox, void (*wake)(void *ctx), void *ctx);

/* Any thread. Keeps a reference. */
void mw_inbox_post(struct mw_inbox *inbox, struct mw_publication *publication);
/* Any thread. Whether more may be posted. */
static inline bool mw_inbox_is_full(struct mw_inbox *inbox)
{
    return atomic_load_explicit(&inbox->bytes, memory_order_relaxed) >= MW_INBOX_BYTES;
}

/* The worker's thread: the call of `wake` has been heard. */
void mw_inbox_woken(struct mw_inbox *inbox);
/* The worker's thread: what was posted up to now will be delivered before what comes later. */
void mw_inbox_take(struct mw_inbox *inbox);
/* The worker's thread: gives the next one taken, with its reference; NULL: there is none. */
struct mw_publication *mw_inbox_next(struct mw_inbox *inbox);

#endif
