/*
 * A ring of moments. Called by route_fault for each stop and by route for each new version; what
 * being paused means is theirs.
 */
#include "core/server/quarantine.h"

bool mw_quarantine_stop(struct mw_quarantine *quarantine, mw_ms now_ms)
{
    const unsigned places = MW_QUARANTINE_STOPS - 1;
    mw_ms *oldest_ms = &quarantine->stops_ms[quarantine->next];
    bool is_full = quarantine->count == places;
    if (quarantine->paused)
        return false;
    quarantine->paused = is_full && now_ms - *oldest_ms <= MW_QUARANTINE_SPAN_MS;
    quarantine->since_ms = now_ms;
    *oldest_ms = now_ms;
    quarantine->next = (quarantine->next + 1) % places;
    quarantine->count += !is_full;
    return quarantine->paused;
}

void mw_quarantine_resume(struct mw_quarantine *quarantine)
{
    *quarantine = (struct mw_quarantine){ 0 };
}
