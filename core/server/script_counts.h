/*
 * What was counted of a script, by its name: routes come and go with its file, a series of counters
 * goes on. If it went with the route, a script that is back would count from 0 again; if it were
 * added to a common one, what happened in a year would seem to happen in the moment of the removal.
 */
#ifndef MW_SERVER_SCRIPT_COUNTS_H
#define MW_SERVER_SCRIPT_COUNTS_H

#include "core/base/list.h"
#include "core/server/metrics.h"
#include "core/server/router.h"

/* Of so many scripts that are gone; what is more becomes one series, which is rare enough. */
#define MW_SCRIPT_COUNTS_GONE 64

struct mw_script_counts {
    struct mw_link link; /* in the worker's; the longer they are gone, the earlier */
    struct mw_metrics_cells cells;
    const struct mw_route *route; /* the latest of this name; NULL: it is gone */
    size_t routes;                /* that count here: old ones may still have connections */
    struct mw_pattern pattern;    /* of the one that went last; empty: none has */
    size_t size;                  /* of the block */
    size_t name_len;
    char name[];
};

/* A new route, with name and worker, counts from here on. MW_ERR_NOMEM: it does not. */
int mw_script_counts_join(struct mw_route *route);
/* Counts the calls into its app so far: before that is destroyed, and when it is not shown any
 * more. */
void mw_script_counts_keep_calls(struct mw_route *route);
/* It goes, and leaves its pattern here. Nothing where it has not joined. */
void mw_script_counts_leave(struct mw_route *route);

/* All of a worker that has no routes any more. */
void mw_script_counts_free(struct mw_worker *worker);

#endif
