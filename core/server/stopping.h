/*
 * The end of all workers as the server sees it: each drains for itself (drain.h), and here is
 * counted how many have begun and how many are over, and told what they come to together. Belongs
 * to the server's thread.
 */
#ifndef MW_SERVER_STOPPING_H
#define MW_SERVER_STOPPING_H

#include "core/server/crew.h"

struct mw_stopping {
    struct mw_loop *loop;
    struct mw_crew *crew;
    struct mw_log *log;
    void (*began)(void *ctx); /* the facts are there */
    void *ctx;

    struct mw_drain_facts facts; /* of all, and so is the tally */
    struct mw_drain_tally tally;
    unsigned begun, over; /* workers */
    bool is_told;         /* that it has begun */
    struct mw_alarm tell;
};

/* What stands before the empty line is set. */
void mw_stopping_init(struct mw_stopping *stopping);

/* Once: orders all workers to drain. */
void mw_stopping_start(struct mw_stopping *stopping, bool restart);
/* A worker's letter has come: that it has begun; that it is over, and true if it was the last. */
void mw_stopping_begun(struct mw_stopping *stopping, const struct mw_worker *worker);
bool mw_stopping_over(struct mw_stopping *stopping, const struct mw_worker *worker);

/* "worker 2", "workers 0 2", or, where there is but one, "the worker": those that are not over. */
#define MW_STOPPING_TEXT_MAX 256
void mw_stopping_late(const struct mw_stopping *stopping, char out[MW_STOPPING_TEXT_MAX]);

#endif
