/*
 * The timetable of an open loop: message k of all is due at began + k / rate, whatever became of
 * those before. Latency counts from there, so that a server which stalls is not spared the messages
 * that were held back meanwhile. Pure, in whole nanoseconds.
 */
#ifndef MW_BENCH_PACE_H
#define MW_BENCH_PACE_H

#include "moonwire/types.h"

struct mw_pace {
    uint64_t began_ns, rate; /* rate: messages a second, at least 1 */
};

#define MW_PACE_SECOND_NS UINT64_C(1000000000)

/* When message k was meant to go. */
static inline uint64_t mw_pace_at(const struct mw_pace *pace, uint64_t k)
{
    return pace->began_ns + k / pace->rate * MW_PACE_SECOND_NS +
           k % pace->rate * MW_PACE_SECOND_NS / pace->rate;
}

/* How many messages should have gone by now: those with mw_pace_at <= now_ns. */
static inline uint64_t mw_pace_due(const struct mw_pace *pace, uint64_t now_ns)
{
    if (now_ns < pace->began_ns)
        return 0;
    uint64_t span = now_ns - pace->began_ns, rest = span % MW_PACE_SECOND_NS;
    uint64_t k = span / MW_PACE_SECOND_NS * pace->rate + rest * pace->rate / MW_PACE_SECOND_NS;
    while (mw_pace_at(pace, k + 1) <= now_ns) /* what the roundings of both lose: one at most */
        k++;
    return k + 1;
}

#endif
