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

/* The same bucket in half the room, for what there are many of. Zero it to start full. */
struct mw_bucket {
    double full_ms; /* the moment at which the bucket is full again */
};

/* As mw_rate_take; per_s is above 0, and time does not go back. */
static inline bool mw_bucket_take(struct mw_bucket *bucket, double per_s, double burst,
                                  mw_ms now_ms)
{
    const double now = (double)now_ms;
    const double lacks_ms = bucket->full_ms > now ? bucket->full_ms - now : 0;
    if (burst - lacks_ms * per_s / 1000.0 < 1.0 - 1e-6) /* rounding is nobody's fault */
        return false;
    bucket->full_ms = now + lacks_ms + 1000.0 / per_s;
    return true;
}

#endif
