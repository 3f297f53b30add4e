/* The table, and what is near its rows. Called by server/cuts, cli/verdict and doctor. */
#include "core/explain/idle_limits.h"

#include "core/base/check.h"

#define NEAR_MS      1500
#define NEAR_PERCENT 2

static const struct mw_idle_limit limits[] = {
#define MW_IDLE_LIMIT(kind, after_s, is_verified, says, change) \
    { MW_CUT_##kind, after_s, is_verified, says, change },
#include "core/explain/idle_limits.def"
#undef MW_IDLE_LIMIT
};

mw_ms mw_idle_near_ms(mw_ms value_ms)
{
    mw_ms near = value_ms * NEAR_PERCENT / 100;
    return near > NEAR_MS ? near : NEAR_MS;
}

const struct mw_idle_limit *mw_idle_limit_of(enum mw_cut_kind kind, mw_ms after_ms)
{
    for (size_t i = 0; i < MW_COUNT(limits); i++) {
        mw_ms known_ms = (mw_ms)limits[i].after_s * 1000;
        mw_ms apart_ms = known_ms > after_ms ? known_ms - after_ms : after_ms - known_ms;
        if (limits[i].kind == kind && apart_ms <= mw_idle_near_ms(known_ms))
            return &limits[i];
    }
    return NULL;
}

unsigned mw_idle_better_s(enum mw_cut_kind kind, mw_ms after_ms)
{
    static const unsigned round[] = { 240, 120, 60, 45, 25, 20, 15, 10, 8, 5, 4, 3, 2, 1 };
    if (kind == MW_CUT_LIFETIME)
        return (unsigned)(after_ms / 1000 * 9 / 10);
    for (size_t i = 0; i < MW_COUNT(round); i++) {
        if ((mw_ms)round[i] * 1000 * 2 < after_ms)
            return round[i];
    }
    return round[MW_COUNT(round) - 1];
}
