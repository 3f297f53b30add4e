/*
 * What the server does with the faults of a script: counts them, writes them to the log (folded),
 * keeps the last one, and pauses the script when too many calls had to be stopped.
 */
#ifndef MW_SERVER_ROUTE_FAULT_H
#define MW_SERVER_ROUTE_FAULT_H

#include "core/io/loop.h"
#include "core/server/fault_fold.h"

struct mw_route;

#define MW_FAULT_KINDS 3

struct mw_route_faults {
    uint64_t counts[MW_FAULT_KINDS]; /* by enum mw_fault_kind, ever */
    bool was_out_of_memory;          /* a call of the live version was stopped for it */
    struct mw_fault last;            /* of any kind; version 0: none yet */
    mw_ms last_ms;                   /* when it was */
    struct mw_fault_fold fold;
    struct mw_alarm flush;
};

void mw_route_faults_init(struct mw_route_faults *faults);
/* Tells of what was counted last. */
void mw_route_faults_close(struct mw_route *route);
/* Another version is live: what was counted of the one before is told now. */
void mw_route_faults_new_version(struct mw_route *route);

/* For the host: a call has failed. Calls nothing of the app. */
void mw_route_fault(struct mw_route *route, const struct mw_fault *fault);

#endif
