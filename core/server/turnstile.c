/* A token bucket, and slots for who finds it empty. Called by admission, under its lock. */
#include "core/server/turnstile.h"

static mw_ms whole_ms(double ms)
{
    mw_ms down = (mw_ms)ms;
    return (double)down < ms ? down + 1 : down;
}

static struct mw_advice next_slot(struct mw_turnstile *turnstile, double per_s, mw_ms now_ms)
{
    double first_ms = (double)now_ms + MW_TURNSTILE_LEAD_MS, gap_ms = 1000.0 / per_s;
    struct mw_advice late = { .kind = MW_ADVICE_RETURN,
                              .after_ms = MW_TURNSTILE_MOST_MS / 2,
                              .spread_ms = MW_TURNSTILE_MOST_MS / 2 };
    if (turnstile->next_ms < first_ms)
        turnstile->next_ms = first_ms;
    double wait_ms = turnstile->next_ms - (double)now_ms;
    if (wait_ms + gap_ms > MW_TURNSTILE_MOST_MS)
        return late;
    turnstile->next_ms += gap_ms;
    return (struct mw_advice){ .kind = MW_ADVICE_RETURN,
                               .after_ms = (uint32_t)wait_ms,
                               .spread_ms = (uint32_t)whole_ms(gap_ms) };
}

bool mw_turnstile_pass(struct mw_turnstile *turnstile, double per_s, mw_ms now_ms,
                       struct mw_advice *later)
{
    double burst = per_s * MW_TURNSTILE_BURST;
    if (now_ms < turnstile->rate.at_ms)
        now_ms = turnstile->rate.at_ms;
    if (mw_rate_take(&turnstile->rate, per_s, burst < 1 ? 1 : burst, now_ms))
        return true;
    *later = next_slot(turnstile, per_s, now_ms);
    return false;
}
