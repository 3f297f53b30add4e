/*
 * The clocks. Pure layers are told the time; only the outermost ones ask.
 */
#ifndef MW_BASE_CLOCK_H
#define MW_BASE_CLOCK_H

#include "moonwire/types.h"

mw_ms mw_clock_monotonic_ms(void);
mw_ms mw_clock_unix_ms(void);
/* For spans that milliseconds are too coarse for. */
uint64_t mw_clock_monotonic_us(void);
uint64_t mw_clock_monotonic_ns(void);

/* at + span without wrapping: MW_NEVER stays MW_NEVER. */
static inline mw_ms mw_ms_add(mw_ms at_ms, mw_ms span_ms)
{
    return at_ms > MW_NEVER - span_ms ? MW_NEVER : at_ms + span_ms;
}

static inline mw_ms mw_ms_min(mw_ms a, mw_ms b)
{
    return a < b ? a : b;
}

#endif
