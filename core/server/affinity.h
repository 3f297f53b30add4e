/*
 * M.affinity: connections whose route parameter has the same value live on one worker, so that one
 * `state` knows all of them. Pure.
 */
#ifndef MW_SERVER_AFFINITY_H
#define MW_SERVER_AFFINITY_H

#include "core/server/router.h"

struct mw_affinity_fault {
    char message[400], hint[256];
};

/* False: the pattern has no such parameter, and *fault says so. `name` empty: nothing is asked. */
bool mw_affinity_fits(const struct mw_pattern *pattern, struct mw_view name,
                      struct mw_affinity_fault *fault);

/*
 * Which of so many workers has connections of this script with this value: always the same one, in
 * every run.
 */
unsigned mw_affinity_worker(struct mw_view script, struct mw_view value, unsigned workers);

#endif
