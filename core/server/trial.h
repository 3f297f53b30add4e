/*
 * Whether a version that was just loaded fails far more often than the one before it. Pure:
 * counters of calls and faults in, one verdict out. Part of a route, and so of its worker's thread.
 */
#ifndef MW_SERVER_TRIAL_H
#define MW_SERVER_TRIAL_H

#include "moonwire/types.h"

#define MW_TRIAL_MS         60000 /* after its commit a version is judged */
#define MW_TRIAL_MIN_FAULTS 20    /* fewer are anybody's accident */
#define MW_TRIAL_MIN_CALLS  20    /* of the version before: else nothing is known of it */
#define MW_TRIAL_TIMES      10    /* worse by that */
#define MW_TRIAL_PERCENT    5     /* of its calls, at least */

struct mw_tally {
    uint64_t calls, faults;
};

struct mw_trial {
    unsigned version;             /* the live one */
    struct mw_tally live, before; /* since each was committed */
    mw_ms until_ms;               /* 0: not on trial */
};

/*
 * A version is live now. `judged` is false for one that has nothing to be compared with, or was
 * gone back to: that would be judged against what it has replaced.
 */
void mw_trial_begin(struct mw_trial *trial, unsigned version, bool judged, mw_ms now_ms);

/* Counts a fault of a version; an old one's suspended calls say nothing about the live one. True
 * once: it has to be said that the live version is worse. */
bool mw_trial_fault(struct mw_trial *trial, unsigned version, mw_ms now_ms);

bool mw_tally_is_worse(const struct mw_tally *live, const struct mw_tally *before);

#endif
