/* A token bucket; time is passed in. Zero it to start full at the first take. */
#ifndef MW_BASE_RATE_H
#define MW_BASE_RATE_H

#include "moonwire/types.h"

struct mw_rate {
    double tokens;
    mw_ms at_ms; /* of the last take; 0: never */
};

/*
 * Takes one token of a bucket that holds `burst` and fills with `per_s` a second; false: it is
 * empty.
 */
static inline bool mw_rate_take(struct mw_rate *rate, double per_s, double burst, mw_ms now_ms)
{
    if (rate->at_ms == 0)
        rate->tokens = burst;
    else
        rate->tokens += (double)(now_ms - rate->at_ms) * per_s / 1000.0;
    rate->at_ms = now_ms;
    if (rate->tokens > burst)
        rate->tokens = burst;
    if (rate->tokens < 1.0)
        return false;
    rate->tokens -= 1.0;
    return true;
}

#endif
