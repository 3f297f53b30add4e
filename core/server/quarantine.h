/*
 * When a script is paused: too many of its calls had to be stopped (CPU time, memory) within a
 * minute. An error is no stop, however often it comes. Pure: the time is told. Zero it to start.
 */
#ifndef MW_SERVER_QUARANTINE_H
#define MW_SERVER_QUARANTINE_H

#include "moonwire/types.h"

#define MW_QUARANTINE_STOPS   5
#define MW_QUARANTINE_SPAN_MS 60000

struct mw_quarantine {
    mw_ms stops_ms[MW_QUARANTINE_STOPS - 1]; /* a ring of those before the one that is too many */
    unsigned next;                           /* place of the ring; the oldest once it is full */
    unsigned count;
    bool paused;
    mw_ms since_ms; /* while paused */
};

/* A call was stopped. True: it was one too many, and the script is paused from now on. */
bool mw_quarantine_stop(struct mw_quarantine *quarantine, mw_ms now_ms);

/* A version that deserves a new trial serves: what was before is forgotten. */
void mw_quarantine_resume(struct mw_quarantine *quarantine);

#endif
