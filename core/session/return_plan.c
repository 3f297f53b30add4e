/*
 * Arithmetic of return slots. Slots of less than a millisecond are whole ones that several share.
 * Knows neither connections nor clocks.
 */
#include "core/session/return_plan.h"

#include "core/base/clock.h"
#include "core/base/rng.h"

struct mw_return_plan mw_return_plan(uint64_t count, uint64_t rate_per_s, mw_ms lead_ms,
                                     mw_ms bound_ms)
{
    struct mw_return_plan plan = {
        .count = count,
        .rate_per_s = rate_per_s ? rate_per_s : 1,
        .lead_ms = lead_ms,
    };
    plan.closes_ms = mw_ms_min(count * 1000 / plan.rate_per_s / 4, bound_ms);
    return plan;
}

static mw_ms slot_begin(const struct mw_return_plan *plan, uint64_t i)
{
    return mw_ms_min(plan->lead_ms + i * 1000 / plan->rate_per_s, MW_ADVICE_MAX_MS);
}

struct mw_advice mw_return_slot(const struct mw_return_plan *plan, uint64_t i)
{
    mw_ms begin_ms = slot_begin(plan, i);
    return (struct mw_advice){
        .kind = MW_ADVICE_RETURN,
        .after_ms = (uint32_t)begin_ms,
        .spread_ms = (uint32_t)(slot_begin(plan, i + 1) - begin_ms),
    };
}

mw_ms mw_return_close_ms(const struct mw_return_plan *plan, uint64_t i)
{
    return plan->count ? i * plan->closes_ms / plan->count : 0;
}

mw_ms mw_return_whole_ms(const struct mw_return_plan *plan)
{
    return plan->closes_ms + slot_begin(plan, plan->count);
}

void mw_return_shuffle(mw_id *clients, size_t count, struct mw_rng *rng)
{
    for (size_t left = count; left > 1; left--) {
        size_t at = (size_t)mw_rng_below(rng, left);
        mw_id kept = clients[left - 1];
        clients[left - 1] = clients[at];
        clients[at] = kept;
    }
}
