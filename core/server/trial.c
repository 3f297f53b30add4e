/* The first minute of a version. Called by route (a commit) and by host_real (a fault). */
#include "core/server/trial.h"

void mw_trial_begin(struct mw_trial *trial, unsigned version, bool judged, mw_ms now_ms)
{
    trial->before = trial->live;
    trial->live = (struct mw_tally){ 0 };
    trial->version = version;
    trial->until_ms = judged ? now_ms + MW_TRIAL_MS : 0;
}

/* In whole numbers: a/b >= c/d is a*d >= c*b. Counters do not come near the end of 64 bits. */
bool mw_tally_is_worse(const struct mw_tally *live, const struct mw_tally *before)
{
    if (live->faults < MW_TRIAL_MIN_FAULTS || before->calls < MW_TRIAL_MIN_CALLS)
        return false;
    if (live->faults * 100 < live->calls * MW_TRIAL_PERCENT)
        return false;
    return live->faults * before->calls >= before->faults * MW_TRIAL_TIMES * live->calls;
}

bool mw_trial_fault(struct mw_trial *trial, unsigned version, mw_ms now_ms)
{
    if (version != trial->version)
        return false;
    trial->live.faults++;
    if (now_ms > trial->until_ms || !mw_tally_is_worse(&trial->live, &trial->before))
        return false;
    trial->until_ms = 0;
    return true;
}
