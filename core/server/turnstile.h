/*
 * A rate for those who come in, and a time of their own for each who has to wait: the waiting are
 * told to come back one after the other, as fast as they may come in. Pure; time is passed in. Zero
 * it to start.
 */
#ifndef MW_SERVER_TURNSTILE_H
#define MW_SERVER_TURNSTILE_H

#include "core/base/rate.h"
#include "moonwire/advice.h"

/* Nobody is sent away for less: Retry-After knows whole seconds. */
#define MW_TURNSTILE_LEAD_MS 1000
/* ... nor for more; past that they are spread over the second half of it. */
#define MW_TURNSTILE_MOST_MS 300000
/* So much of a second's may come at once: what is told in whole seconds comes in heaps. */
#define MW_TURNSTILE_BURST 0.25

struct mw_turnstile {
    struct mw_rate rate;
    double next_ms; /* the first moment that nobody was told yet */
};

/*
 * One comes. True: in, at `per_s` a second (above 0). False: *later is the advice for this one.
 * Of moments that go back the last one counts: workers look at their clocks one by one.
 */
bool mw_turnstile_pass(struct mw_turnstile *turnstile, double per_s, mw_ms now_ms,
                       struct mw_advice *later);

#endif
